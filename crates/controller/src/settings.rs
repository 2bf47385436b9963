//! What the controller's ConfigMap says, checked and put into the forms that its parts take.
//!
//! Both layouts of the peer are read (C-CFG-01), unknown and doubled keys are faults. Not here: where the ConfigMap is
//! and what happens when it changes (`program`).

use std::collections::BTreeMap;
use std::time::Duration;

use argosy_engine::Config;
use argosy_engine::config::{FailedPodRestart, ImageConfig};
use argosy_engine::throttle::Limits;
use argosy_model::config::{ControllerConfig, MetricsConfig, ResourceRateLimit};
use argosy_model::decode;
use argosy_model::yaml::{self, Document};
use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::metrics::Modifiers;
use crate::{Conduct, Events, Rate, Specs};

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key `config` holds everything, so no other key may stand beside it.
    #[error("the key `config` holds the whole configuration, but there is also the key `{0}`")]
    TwoLayouts(String),
    /// A value is no YAML.
    #[error("key `{key}` is no YAML")]
    Yaml {
        /// Key of the ConfigMap.
        key: String,
        /// Where and why.
        #[source]
        source: yaml::Error,
    },
    /// A key stands twice in one mapping.
    #[error("key `{key}`: {text}")]
    Doubled {
        /// Key of the ConfigMap.
        key: String,
        /// Which key, and where.
        text: String,
    },
    /// Unknown keys or wrong types.
    #[error(transparent)]
    Shape(#[from] decode::Error),
    /// A value that its type takes but nothing can be made of.
    #[error("{path}: {message}")]
    Value {
        /// Path of the value.
        path: &'static str,
        /// What is wrong.
        message: String,
    },
}

/// The controller's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What decisions depend on.
    pub engine: Config,
    /// Limits of running workflows.
    pub limits: Limits,
    /// The only namespace that is watched, if the command line names none.
    pub namespace: Option<String>,
    /// How decisions are carried out.
    pub conduct: Conduct,
    /// How metrics are served.
    pub metrics: MetricsSettings,
    /// Top-level keys that are set and have no effect in this release.
    pub ineffective: Vec<&'static str>,
}

/// How metrics are served.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsSettings {
    /// Whether they are. Default true.
    pub enabled: bool,
    /// Path. Default `/metrics`.
    pub path: String,
    /// Port. Default 9090.
    pub port: u16,
    /// Whether by TLS with a certificate made at the start. Default true.
    pub secure: bool,
    /// Custom metrics that did not change for so long are dropped. Default `None`: never.
    pub ttl: Option<Duration>,
    /// Metrics that are left out or changed.
    pub modifiers: Modifiers,
    /// Whether OTLP tells what came since the last time instead of all. Default false.
    pub delta: bool,
}

impl Settings {
    /// Reads the data of the ConfigMap over settings that came from elsewhere (environment and command line).
    ///
    /// # Errors
    /// The first fault of [`Error`]; nothing of a faulty configuration is taken.
    pub fn read(data: &BTreeMap<String, String>, base: &Config) -> Result<Self, Error> {
        let config: ControllerConfig = decode::strict(Value::Object(whole(data)?))?;
        let metrics = metrics(&config)?;
        let ineffective = ineffective(&config);
        let limits = Limits {
            global: count("parallelism", config.parallelism)?,
            namespace: count("namespaceParallelism", config.namespace_parallelism)?,
            namespaces: BTreeMap::new(),
        };
        Ok(Self {
            limits,
            namespace: Some(config.namespace.clone()).filter(|n| !n.is_empty()),
            conduct: conduct(&config)?,
            metrics,
            ineffective,
            engine: engine(config, base.clone())?,
        })
    }
}

/// The whole configuration as one value, whichever layout the ConfigMap has.
fn whole(data: &BTreeMap<String, String>) -> Result<Map<String, Value>, Error> {
    if let Some(text) = data.get("config") {
        if let Some(other) = data.keys().find(|key| *key != "config") {
            return Err(Error::TwoLayouts(other.clone()));
        }
        return match one("config", text)? {
            Value::Object(map) => Ok(map),
            Value::Null => Ok(Map::new()),
            _ => Err(Error::Value {
                path: "config",
                message: "expected a mapping".to_owned(),
            }),
        };
    }
    let mut map = Map::new();
    for (key, text) in data {
        map.insert(key.clone(), one(key, text)?);
    }
    Ok(map)
}

/// The one document of a text.
fn one(key: &str, text: &str) -> Result<Value, Error> {
    let fault = |source| Error::Yaml {
        key: key.to_owned(),
        source,
    };
    if let [
        Document {
            value, duplicates, ..
        },
    ] = yaml::documents(text).map_err(fault)?.as_slice()
    {
        return match duplicates.first() {
            None => Ok(value.clone()),
            Some(doubled) => Err(Error::Doubled {
                key: key.to_owned(),
                text: doubled.to_string(),
            }),
        };
    }
    yaml::value(text).map_err(fault)
}

fn engine(config: ControllerConfig, base: Config) -> Result<Config, Error> {
    let mut engine = base;
    engine.instance_id = config.instance_id;
    engine.retention = config.retention_policy;
    if let Some(defaults) = config.workflow_defaults {
        engine.default_metadata = defaults.metadata;
        engine.default_spec = defaults.spec;
    }
    if let Some(restrictions) = config.workflow_restrictions {
        engine.template_referencing = restrictions.template_referencing;
    }
    engine.executor = config.executor.map(|c| *c);
    engine.main_container = config.main_container.map(|c| *c);
    engine.kube_config = config.kube_config.map(|k| value(&k));
    engine.artifact_repository = config.artifact_repository.map_or(Value::Null, |r| value(&r));
    engine.artifact_drivers = config.artifact_drivers.iter().map(value).collect();
    let image = |(name, image): (String, argosy_model::config::Image)| {
        let known = ImageConfig {
            entrypoint: image.entrypoint,
            cmd: image.cmd,
        };
        (name, known)
    };
    engine.images = config.images.into_iter().map(image).collect();
    engine.failed_pod_restart = config
        .failed_pod_restart
        .filter(|r| r.enabled)
        .map(|r| FailedPodRestart {
            max_restarts: r.max_restarts.unwrap_or(3),
        });
    engine.initless_pod = config.initless_pod.is_some_and(|i| i.enabled);
    engine.disable_agent_pod = config.disable_agent_pod_creation;
    engine.pod_gc_grace_secs = config.pod_gc_grace_period_seconds;
    if let Some(delay) = config.pod_gc_delete_delay_duration.filter(|d| !d.is_empty()) {
        engine.pod_gc_delay = duration("podGCDeleteDelayDuration", &delay)?;
    }
    Ok(engine)
}

fn conduct(config: &ControllerConfig) -> Result<Conduct, Error> {
    let pods = match &config.resource_rate_limit {
        Some(wanted) => Some(rate(wanted)?),
        None => None,
    };
    let initial_delay = match config.initial_delay.as_str() {
        "" => Duration::ZERO,
        text => Duration::try_from(duration("initialDelay", text)?).unwrap_or_default(),
    };
    let strategy = &config.pod_spec_log_strategy;
    Ok(Conduct {
        events: Events {
            workflows: config.workflow_events.enabled.unwrap_or(true),
            nodes: config.node_events.enabled.unwrap_or(true),
            as_pod: config.node_events.send_as_pod,
        },
        pods,
        initial_delay,
        logged_specs: match (strategy.all_pods, strategy.failed_pod) {
            (true, _) => Specs::All,
            (false, true) => Specs::Failed,
            (false, false) => Specs::None,
        },
    })
}

fn rate(wanted: &ResourceRateLimit) -> Result<Rate, Error> {
    let fault = |path, message: String| Err(Error::Value { path, message });
    let per_second = wanted.limit.0.as_f64().unwrap_or_default();
    if !(per_second.is_finite() && per_second > 0.0) {
        return fault(
            "resourceRateLimit.limit",
            format!("{per_second} pods a second would make none"),
        );
    }
    match u32::try_from(wanted.burst) {
        Ok(burst) if burst > 0 => Ok(Rate { per_second, burst }),
        _ => fault(
            "resourceRateLimit.burst",
            format!("{} pods at once would make none", wanted.burst),
        ),
    }
}

fn metrics(config: &ControllerConfig) -> Result<MetricsSettings, Error> {
    // The older key counts where the newer one says nothing.
    let unset = MetricsConfig::default();
    let metrics = if config.metrics_config == unset {
        &config.telemetry_config
    } else {
        &config.metrics_config
    };
    let ttl = match metrics.metrics_ttl.as_str() {
        "" => None,
        text => Some(duration("metricsConfig.metricsTTL", text)?),
    };
    Ok(MetricsSettings {
        enabled: metrics.enabled.unwrap_or(true),
        path: Some(metrics.path.clone())
            .filter(|p| !p.is_empty())
            .unwrap_or_else(|| "/metrics".to_owned()),
        port: match metrics.port {
            0 => 9090,
            port => u16::try_from(port).map_err(|_| Error::Value {
                path: "metricsConfig.port",
                message: format!("{port} is no port"),
            })?,
        },
        secure: metrics.secure.unwrap_or(true),
        ttl: ttl
            .and_then(|t| Duration::try_from(t).ok())
            .filter(|t| !t.is_zero()),
        modifiers: Modifiers::new(&metrics.modifiers),
        delta: match metrics.temporality.as_str() {
            "" | "Cumulative" => false,
            // They differ in kinds of metrics that there are none of.
            "Delta" | "LowMemory" => true,
            other => {
                return Err(Error::Value {
                    path: "metricsConfig.temporality",
                    message: format!("\"{other}\" is none of Cumulative, Delta, LowMemory"),
                });
            }
        },
    })
}

/// Keys that are read and have no effect in this release; `docs/configuration.md` names them too.
fn ineffective(config: &ControllerConfig) -> Vec<&'static str> {
    let set = [
        ("persistence", config.persistence.is_some()),
        ("synchronization", config.synchronization.is_some()),
        ("sso", config.sso.is_some()),
        ("links", !config.links.is_empty()),
        ("columns", !config.columns.is_empty()),
        ("navColor", !config.nav_color.is_empty()),
    ];
    set.into_iter()
        .filter(|(_, set)| *set)
        .map(|(key, _)| key)
        .collect()
}

fn value<T: serde::Serialize>(wire: &T) -> Value {
    serde_json::to_value(wire).expect("wire types are always valid JSON")
}

fn count(path: &'static str, number: i64) -> Result<usize, Error> {
    usize::try_from(number).map_err(|_| Error::Value {
        path,
        message: format!("{number} is below 0"),
    })
}

/// `5d`, `2h`, `90` and Go's form, as the peer's settings allow.
fn duration(path: &'static str, text: &str) -> Result<SignedDuration, Error> {
    let days = text.strip_suffix('d').and_then(|d| d.parse::<i64>().ok());
    if let Some(days) = days {
        return Ok(SignedDuration::from_hours(days.saturating_mul(24)));
    }
    argosy_engine::duration::parse_go(text).map_err(|_| Error::Value {
        path,
        message: format!("\"{text}\" is no duration"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect()
    }

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::read(&data(pairs), &Config::default())
    }

    #[test]
    fn both_layouts_say_the_same() {
        let apart = read(&[
            ("instanceID", "mine"),
            ("parallelism", "5"),
            ("workflowDefaults", "spec:\n  activeDeadlineSeconds: 60\n"),
            ("podGCDeleteDelayDuration", "2s"),
            ("nodeEvents", "enabled: false"),
        ])
        .expect("the layout of single keys");
        let together = read(&[(
            "config",
            "instanceID: mine\nparallelism: 5\nworkflowDefaults: {spec: {activeDeadlineSeconds: 60}}\n\
             podGCDeleteDelayDuration: 2s\nnodeEvents: {enabled: false}\n",
        )])
        .expect("the layout of one key");
        assert_eq!(format!("{apart:?}"), format!("{together:?}"));
        assert_eq!(apart.engine.instance_id, "mine");
        assert_eq!(apart.limits.global, 5);
        assert_eq!(apart.engine.pod_gc_delay, SignedDuration::from_secs(2));
        assert!(apart.conduct.events.workflows && !apart.conduct.events.nodes);
    }

    #[test]
    fn nothing_set_is_the_default() {
        let settings = read(&[]).expect("an empty ConfigMap");
        assert_eq!(settings.metrics.port, 9090);
        assert!(settings.metrics.enabled && settings.metrics.secure);
        assert!(settings.ineffective.is_empty());
        assert!(read(&[("config", "")]).is_ok());
    }

    #[test]
    fn faults_name_their_place() {
        for (pairs, wanted) in [
            (vec![("paralelism", "5")], "paralelism"),
            (vec![("config", "a: 1"), ("parallelism", "5")], "`parallelism`"),
            (vec![("parallelism", "many")], "parallelism"),
            (vec![("parallelism", "-1")], "below 0"),
            (vec![("metricsConfig", "port: 70000")], "70000 is no port"),
            (vec![("metricsConfig", "prot: 1")], "metricsConfig"),
            (
                vec![("metricsConfig", "temporality: Other")],
                "metricsConfig.temporality",
            ),
            (
                vec![("resourceRateLimit", "limit: 0\nburst: 1")],
                "resourceRateLimit.limit",
            ),
            (vec![("resourceRateLimit", "limit: 2")], "resourceRateLimit.burst"),
            (vec![("initialDelay", "soon")], "initialDelay"),
            (vec![("executor", "a: b: c")], "executor"),
            (vec![("metricsConfig", "port: 1\nport: 2")], "port"),
            (
                vec![("podGCDeleteDelayDuration", "soon")],
                "podGCDeleteDelayDuration",
            ),
        ] {
            let error = read(&pairs).expect_err("a fault");
            let mut text = error.to_string();
            if let Some(source) = std::error::Error::source(&error) {
                text = format!("{text}: {source}");
            }
            assert!(text.contains(wanted), "{pairs:?}: {text}");
        }
    }
}
