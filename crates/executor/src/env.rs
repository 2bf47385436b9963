//! The environment variables that the executor reads (rule X-GEN-20), each with its rule for
//! absent and malformed values. Nothing else in this crate looks at the environment.

use std::time::Duration;

use crate::outcome::Failure;

/// How long a container may keep running after a termination signal when the pod does not say.
const DEFAULT_GRACE_SECS: u64 = 30;

/// A variable that is set and not empty.
pub fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// Whether a variable is exactly `true`.
pub fn is_true(name: &str) -> bool {
    std::env::var(name).is_ok_and(|v| v == "true")
}

/// The container's own name (`ARGO_CONTAINER_NAME`).
pub fn container_name() -> String {
    text("ARGO_CONTAINER_NAME").unwrap_or_default()
}

/// Time between a termination signal and a kill, whole seconds; 30 unless the pod says.
///
/// # Errors
/// A value that is not a whole number (X-GEN-21).
pub fn grace() -> Result<Duration, Failure> {
    let Some(value) = text("ARGO_TERMINATION_GRACE_PERIOD_SECONDS") else {
        return Ok(Duration::from_secs(DEFAULT_GRACE_SECS));
    };
    match value.parse::<u64>() {
        Ok(secs) => Ok(Duration::from_secs(secs)),
        Err(_) => Err(Failure::new(format!(
            "ARGO_TERMINATION_GRACE_PERIOD_SECONDS: {value:?} is not a number of seconds"
        ))),
    }
}
