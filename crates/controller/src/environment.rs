//! Every environment variable that the controller reads, with the peer's names and defaults (section 26), and nothing
//! else: what flags and the ConfigMap say is elsewhere.

use std::time::Duration;

use argosy_engine::Config;
use argosy_engine::names::PodNames;
use jiff::SignedDuration;

/// A variable that holds nothing usable.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {name}: \"{value}\" is no {wanted}")]
pub struct Error {
    name: &'static str,
    value: String,
    wanted: &'static str,
}

/// Variables passed on to executors as they are.
const PASSED_ON: [&str; 7] = [
    "ARGO_PROGRESS_PATCH_TICK_DURATION",
    "ARGO_PROGRESS_FILE_TICK_DURATION",
    "ARGO_AGENT_TASK_WORKERS",
    "ARGO_AGENT_PATCH_RATE",
    "ARGO_AGENT_CPU_LIMIT",
    "ARGO_AGENT_MEMORY_LIMIT",
    "ARGO_TRACE",
];

/// How the leader is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election {
    /// Who we are; `None` is a controller that leads without asking.
    pub identity: Option<String>,
    /// For how long others wait. Default 15 s.
    pub lease: Duration,
    /// When renewing has failed for so long, we stop. Default 10 s.
    pub deadline: Duration,
    /// How often the lease is renewed. Default 5 s.
    pub retry: Duration,
}

/// Variables, from wherever they come.
pub struct Environment<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Environment<'a> {
    /// Variables that this function knows.
    pub fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { get }
    }

    /// Settings of decisions.
    ///
    /// # Errors
    /// A duration, number or pod name format that is none.
    pub fn config(&self) -> Result<Config, Error> {
        let mut config = Config::default();
        config.recently_started = self.duration("RECENTLY_STARTED_POD_DURATION", config.recently_started)?;
        config.recently_deleted = self.duration("RECENTLY_DELETED_POD_DURATION", config.recently_deleted)?;
        config.task_result_timeout =
            self.duration("TASK_RESULT_TIMEOUT_DURATION", config.task_result_timeout)?;
        config.transient_error_pattern = self.text("TRANSIENT_ERROR_PATTERN").unwrap_or_default();
        config.recursion_limit = !self.on("DISABLE_MAX_RECURSION", false);
        config.expression_templates = self.on("EXPRESSION_TEMPLATES", true);
        config.estimates = !self.on("SKIP_WORKFLOW_DURATION_ESTIMATION", false);
        config.bubble_entry_errors = self.on("BUBBLE_ENTRY_TEMPLATE_ERR", true);
        config.pod_finalizer = self.on("ARGO_POD_STATUS_CAPTURE_FINALIZER", false);
        config.override_allowlist = self
            .text("WORKFLOW_USER_OVERRIDE_ALLOWLIST")
            .map(|list| list.split(',').map(|f| f.trim().to_owned()).collect())
            .unwrap_or_default();
        config.pod_names = match self.text("POD_NAMES").as_deref() {
            None | Some("v2") => PodNames::V2,
            Some("v1") => PodNames::V1,
            Some(other) => return Err(refused("POD_NAMES", other, "format of pod names (v1, v2)")),
        };
        for name in PASSED_ON {
            if let Some(value) = self.text(name) {
                config.environment.insert(name.to_owned(), value);
            }
        }
        Ok(config)
    }

    /// How the leader is found.
    ///
    /// # Errors
    /// A duration that is none, a missing identity, or a deadline that is not shorter than the lease.
    pub fn election(&self) -> Result<Election, Error> {
        let time = |name, default| {
            let read = self.duration(name, SignedDuration::from_secs(default))?;
            Duration::try_from(read).map_err(|_| refused(name, &read.to_string(), "time above 0"))
        };
        let lease = time("LEADER_ELECTION_LEASE_DURATION", 15)?;
        let deadline = time("LEADER_ELECTION_RENEW_DEADLINE", 10)?;
        if deadline >= lease {
            let name = "LEADER_ELECTION_RENEW_DEADLINE";
            return Err(refused(
                name,
                &format!("{deadline:?}"),
                "time shorter than the lease",
            ));
        }
        let identity = match self.on("LEADER_ELECTION_DISABLE", false) {
            true => None,
            false => Some(self.text("LEADER_ELECTION_IDENTITY").ok_or_else(|| {
                let wanted = "name of this controller (or set LEADER_ELECTION_DISABLE=true)";
                refused("LEADER_ELECTION_IDENTITY", "", wanted)
            })?),
        };
        Ok(Election {
            identity,
            lease,
            deadline,
            retry: time("LEADER_ELECTION_RETRY_PERIOD", 5)?,
        })
    }

    /// Whether the controller's own ConfigMap is watched. Default true.
    pub fn watches_configuration(&self) -> bool {
        self.on("WATCH_CONTROLLER_SEMAPHORE_CONFIGMAPS", true)
    }

    /// How long a new workflow may stay without a phase before the health check tells. Default 5 min.
    ///
    /// # Errors
    /// A duration that is none.
    pub fn healthz_age(&self) -> Result<SignedDuration, Error> {
        self.duration("HEALTHZ_AGE", SignedDuration::from_mins(5))
    }

    /// From how many bytes on a status is stored compressed. Default 1 MiB.
    ///
    /// # Errors
    /// A number that is none.
    pub fn status_max(&self) -> Result<usize, Error> {
        const NAME: &str = "MAX_WORKFLOW_SIZE";
        match self.text(NAME) {
            None => Ok(1 << 20),
            Some(text) => text.parse().map_err(|_| refused(NAME, &text, "number of bytes")),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }

    /// Off by default: on only for `true`. On by default: off only for `false`.
    fn on(&self, name: &str, default: bool) -> bool {
        match self.text(name).as_deref() {
            Some("true") => true,
            Some("false") => false,
            _ => default,
        }
    }

    fn duration(&self, name: &'static str, default: SignedDuration) -> Result<SignedDuration, Error> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => {
                argosy_engine::duration::parse_go(&text).map_err(|_| refused(name, &text, "duration"))
            }
        }
    }
}

fn refused(name: &'static str, value: &str, wanted: &'static str) -> Error {
    Error {
        name,
        value: value.to_owned(),
        wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_count_and_faults_are_named() {
        let set = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                pairs
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, v)| (*v).to_owned())
            }
        };
        let good = set(&[
            ("RECENTLY_STARTED_POD_DURATION", "3s"),
            ("EXPRESSION_TEMPLATES", "false"),
            ("POD_NAMES", "v1"),
            ("LEADER_ELECTION_IDENTITY", "me"),
            ("LEADER_ELECTION_RETRY_PERIOD", "1s"),
        ]);
        let environment = Environment::new(&good);
        let config = environment.config().expect("good variables");
        assert_eq!(config.recently_started, SignedDuration::from_secs(3));
        assert!(!config.expression_templates && config.recursion_limit);
        let election = environment.election().expect("good variables");
        assert_eq!(election.identity.as_deref(), Some("me"));
        assert_eq!(election.retry, Duration::from_secs(1));

        for (pairs, wanted) in [
            (
                &[("TASK_RESULT_TIMEOUT_DURATION", "soon")][..],
                "TASK_RESULT_TIMEOUT_DURATION",
            ),
            (&[("POD_NAMES", "v3")][..], "POD_NAMES"),
        ] {
            let get = set(pairs);
            let error = Environment::new(&get).config().expect_err("a fault");
            assert!(error.to_string().contains(wanted), "{error}");
        }
        for (pairs, wanted) in [
            (&[][..], "LEADER_ELECTION_IDENTITY"),
            (
                &[
                    ("LEADER_ELECTION_DISABLE", "true"),
                    ("LEADER_ELECTION_RENEW_DEADLINE", "15s"),
                ][..],
                "shorter than the lease",
            ),
        ] {
            let get = set(pairs);
            let error = Environment::new(&get).election().expect_err("a fault");
            assert!(error.to_string().contains(wanted), "{error}");
        }
    }
}
