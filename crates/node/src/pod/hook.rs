//! Hooks of a container's life: after its start, and before its end.

use std::time::Duration;

use k8s_openapi::api::core::v1::LifecycleHandler;

use super::ask::Target;

/// Runs a hook to its end.
///
/// # Errors
/// With why it failed.
pub(crate) async fn run(target: &Target, hook: &LifecycleHandler) -> Result<(), String> {
    if let Some(exec) = &hook.exec {
        return target.run(exec.command.clone().unwrap_or_default()).await;
    }
    if let Some(http) = &hook.http_get {
        return target.get(http).await;
    }
    if let Some(sleep) = &hook.sleep {
        let seconds = u64::try_from(sleep.seconds).unwrap_or(0);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        return Ok(());
    }
    Err("this kind of hook is not supported by the node".into())
}
