//! Attempts that are repeated, and the errors for which that helps (rules X-GEN-41 to X-GEN-43).
//! What is attempted is the caller's.

use std::time::Duration;

use crate::env;
use crate::outcome::Failure;

/// How often, and with which pauses, something is attempted.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Attempts in all; `None` means until it works.
    pub steps: Option<u32>,
    /// Pause after the first failed attempt.
    pub first: Duration,
    /// By what each pause is longer than the one before.
    pub factor: f64,
    /// Up to which share of itself a pause is lengthened, so that many pods do not come at once.
    pub jitter: f64,
    /// Longest pause.
    pub cap: Duration,
}

impl Backoff {
    /// Writes of the task result: until they work, at most 30 s apart (R-REPORT).
    pub fn report() -> Self {
        Self {
            steps: None,
            first: Duration::from_secs(1),
            factor: 2.0,
            jitter: 0.2,
            cap: Duration::from_secs(30),
        }
    }

    /// Stores and the like; the pod's environment may change it (R-EXEC).
    ///
    /// # Errors
    /// A variable that is no number or duration (X-GEN-21).
    pub fn executor() -> Result<Self, Failure> {
        let name = |what: &str| format!("EXECUTOR_RETRY_BACKOFF_{what}");
        Ok(Self {
            steps: Some(number(&name("STEPS"), 5)?),
            first: duration(&name("DURATION"), Duration::from_secs(1))?,
            factor: number(&name("FACTOR"), 1.6)?,
            jitter: number(&name("JITTER"), 0.5)?,
            cap: Duration::MAX,
        })
    }

    /// The pause after a failed attempt, counted from 1; `None` when there is no next one.
    pub fn pause(&self, attempt: u32) -> Option<Duration> {
        if self.steps.is_some_and(|steps| attempt >= steps) {
            return None;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let secs = self.first.as_secs_f64() * self.factor.powi(exponent);
        let secs = secs * (1.0 + self.jitter * share());
        Some(
            Duration::try_from_secs_f64(secs)
                .unwrap_or(self.cap)
                .min(self.cap),
        )
    }
}

/// Between 0 and 1, different in each process: good enough to spread pods.
fn share() -> f64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let hash = std::hash::RandomState::new().build_hasher().finish();
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> Result<T, Failure> {
    match env::text(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| Failure::new(format!("{name}: {text:?} is not a number"))),
    }
}

fn duration(name: &str, default: Duration) -> Result<Duration, Failure> {
    match env::text(name) {
        None => Ok(default),
        Some(text) => crate::duration::parse(&text)
            .ok_or_else(|| Failure::new(format!("{name}: {text:?} is not a duration"))),
    }
}

/// Texts of errors that go away by themselves.
const TRANSIENT: &[&str] = &[
    "unexpected error when reading response body",
    "stream error when reading response body",
    "connection closed by foreign host",
    "tls handshake timeout",
    "i/o timeout",
    "connection timed out",
    "connection reset by peer",
    "http2: client connection lost",
    "server sent goaway",
    "request did not complete within requested timeout",
    "connection refused",
    "invalid connection",
    "unexpected eof",
    "unexpected end of file",
    "connection closed before message completed",
    "leader changed",
    "request timed out",
    "too many requests",
    "dns error",
    "failed to lookup address",
    "network is unreachable",
    "no route to host",
    "broken pipe",
    "deadline has elapsed",
];

/// Whether an error's text is one of those that go away, or matches `TRANSIENT_ERROR_PATTERN`.
pub fn is_transient_text(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if TRANSIENT.iter().any(|known| lower.contains(known)) {
        return true;
    }
    let pattern = env::text("TRANSIENT_ERROR_PATTERN").and_then(|p| regex::Regex::new(&p).ok());
    pattern.is_some_and(|p| p.is_match(text))
}

/// Whether an answer of the Kubernetes API says that trying again may help.
pub fn is_transient_status(code: u16, text: &str) -> bool {
    match code {
        429 | 503 | 504 => true,
        403 => text.contains("exceeded quota"),
        409 => text.contains("resourcequota"),
        500 => text.contains("resource quota evaluation timed out") || text.contains("etcdserver"),
        _ => is_transient_text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_gen_41_transient_answers() {
        for (code, text, want) in [
            (429, "", true),
            (403, "exceeded quota: pods", true),
            (403, "forbidden", false),
            (409, "Operation cannot be fulfilled on resourcequota", true),
            (409, "conflict", false),
            (500, "etcdserver: leader changed", true),
            (500, "boom", false),
            (404, "", false),
        ] {
            assert_eq!(is_transient_status(code, text), want, "{code} {text}");
        }
        assert!(is_transient_text("error: Connection refused (os error 111)"));
    }

    #[test]
    fn x_gen_42_pauses() {
        let backoff = Backoff {
            steps: Some(3),
            first: Duration::from_secs(1),
            factor: 2.0,
            jitter: 0.0,
            cap: Duration::from_secs(3),
        };
        let pauses: Vec<_> = (1..=3).map(|n| backoff.pause(n).map(|p| p.as_secs())).collect();
        assert_eq!(pauses, [Some(1), Some(2), None]);
        let endless = Backoff {
            steps: None,
            ..backoff
        };
        assert_eq!(endless.pause(40), Some(Duration::from_secs(3)));
    }
}
