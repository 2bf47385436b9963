//! Attempts that are repeated, and the errors for which that helps (rules X-GEN-41 to X-GEN-43).
//! What is attempted is the caller's.

use std::future::Future;
use std::time::Duration;

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

impl Default for Backoff {
    /// Five attempts over about 14 seconds (R-EXEC).
    fn default() -> Self {
        Self {
            steps: Some(5),
            first: Duration::from_secs(1),
            factor: 1.6,
            jitter: 0.5,
            cap: Duration::MAX,
        }
    }
}

impl Backoff {
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

    /// Repeats `attempt` while it fails with an error that may go away, and gives the last error
    /// when there is no next attempt.
    ///
    /// # Errors
    /// The error of the last attempt.
    pub async fn retry<T, E, F>(
        &self,
        is_transient: impl Fn(&E) -> bool,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut count = 1;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match self.pause(count) {
                Some(pause) if is_transient(&error) => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
            count = count.saturating_add(1);
        }
    }
}

/// Between 0 and 1, different each time: good enough to spread pods.
fn share() -> f64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let hash = std::hash::RandomState::new().build_hasher().finish();
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// Texts of errors that go away by themselves, in lower case.
const TRANSIENT: &[&str] = &[
    "unexpected error when reading response body",
    "stream error when reading response body",
    "connection closed by foreign host",
    "tls handshake timeout",
    "i/o timeout",
    "connection timed out",
    "connection reset",
    "http2: client connection lost",
    "server sent goaway",
    "request did not complete within requested timeout",
    "connection refused",
    "invalid connection",
    "unexpected eof",
    "unexpected end of file",
    "connection closed before message completed",
    "end of file before message length reached",
    "error reading a body from connection",
    "leader changed",
    "request timed out",
    "too many requests",
    "dns error",
    "failed to lookup address",
    "network is unreachable",
    "no route to host",
    "broken pipe",
    "dispatch failure",
    // A server that is killed ends its connections without a word, in the middle of whatever was asked.
    "without sending tls close_notify",
    "client error (sendrequest)",
    "handshake eof",
    "connection closed",
];

/// Whether an error's text is one of those that go away by themselves.
pub fn is_transient_text(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    TRANSIENT.iter().any(|known| lower.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(is_transient_text("error: Connection refused (os error 111)"));
    }
}
