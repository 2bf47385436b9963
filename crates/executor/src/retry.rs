//! How often things are repeated in a pod, and the answers of the API for which that helps (rules
//! X-GEN-41 to X-GEN-43). The repeating itself is in crate `artifact`.

use std::time::Duration;

use argosy_artifact::Backoff;

use crate::env;
use crate::outcome::Failure;
use crate::paths::Layout;

/// Writes of the task result: until they work, at most 30 s apart (R-REPORT).
pub fn report() -> Backoff {
    Backoff {
        steps: None,
        first: Duration::from_secs(1),
        factor: 2.0,
        jitter: 0.2,
        cap: Duration::from_secs(30),
    }
}

/// Reads of small objects by the API (R-DEFAULT).
pub const DEFAULT: Backoff = Backoff {
    steps: Some(5),
    first: Duration::from_millis(10),
    factor: 2.0,
    jitter: 0.0,
    cap: Duration::MAX,
};

/// Requests to stores; the pod's environment may change it (R-EXEC).
///
/// # Errors
/// A variable that is no number or duration (X-GEN-21).
pub fn executor() -> Result<Backoff, Failure> {
    let name = |what: &str| format!("EXECUTOR_RETRY_BACKOFF_{what}");
    let usual = Backoff::default();
    Ok(Backoff {
        steps: Some(number(&name("STEPS"), usual.steps.unwrap_or(1))?),
        first: duration(&name("DURATION"), usual.first)?,
        factor: number(&name("FACTOR"), usual.factor)?,
        jitter: number(&name("JITTER"), usual.jitter)?,
        cap: usual.cap,
    })
}

/// How stores are used, as the pod's environment says (X-GEN-20).
///
/// # Errors
/// A variable that is no number or duration (X-GEN-21).
pub fn store_options(layout: &Layout) -> Result<argosy_artifact::Options, Failure> {
    let usual = argosy_artifact::Options::default();
    let mib: u64 = number("ARTIFACT_S3_UPLOAD_PART_SIZE_MIB", 0)?;
    // Sizes that no server takes are ignored, as the peer does (X-S3-08).
    let part_bytes = if (5..=5 * 1024).contains(&mib) {
        mib * 1024 * 1024
    } else {
        usual.part_bytes
    };
    Ok(argosy_artifact::Options {
        backoff: executor()?,
        upload_threads: number("ARTIFACT_S3_UPLOAD_THREADS", usual.upload_threads)?,
        part_bytes,
        is_transient: matches_pattern,
        plugins: Some(layout.plugins()),
        ..usual
    })
}

/// A number from the environment.
///
/// # Errors
/// A value that is none (X-GEN-21).
pub(crate) fn number<T: std::str::FromStr>(name: &str, default: T) -> Result<T, Failure> {
    match env::text(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| Failure::new(format!("{name}: {text:?} is not a number"))),
    }
}

/// A Go duration from the environment.
///
/// # Errors
/// A value that is none (X-GEN-21).
pub(crate) fn duration(name: &str, default: Duration) -> Result<Duration, Failure> {
    match env::text(name) {
        None => Ok(default),
        Some(text) => crate::duration::parse(&text)
            .ok_or_else(|| Failure::new(format!("{name}: {text:?} is not a duration"))),
    }
}

/// Whether an error's text is one of those that go away, or matches `TRANSIENT_ERROR_PATTERN`.
pub fn is_transient_text(text: &str) -> bool {
    argosy_artifact::retry::is_transient_text(text) || matches_pattern(text)
}

fn matches_pattern(text: &str) -> bool {
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
}
