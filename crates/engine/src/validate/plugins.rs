//! Executor plugins (X-XPL-02).

use argosy_model::ExecutorPlugin;

use super::Fault;
use super::fault::Place;

/// Checks the plugins of a workflow.
pub(super) fn check(plugins: &[ExecutorPlugin]) -> Result<(), Fault> {
    for (index, plugin) in plugins.iter().enumerate() {
        if let Some(why) = missing(plugin) {
            return Err(
                Fault::new(format!("spec.executorPlugins: sidecar is invalid: {why}")).at(&[
                    Place::Key("spec"),
                    Place::Key("executorPlugins"),
                    Place::Index(index),
                ]),
            );
        }
    }
    Ok(())
}

/// Whether a plugin is complete.
pub(crate) fn is_valid(plugin: &ExecutorPlugin) -> bool {
    missing(plugin).is_none()
}

fn missing(plugin: &ExecutorPlugin) -> Option<&'static str> {
    let container = &plugin.spec.sidecar.container;
    if container.ports.is_empty() {
        Some("at least one port is mandatory")
    } else if container.resources.requests.is_empty() {
        Some("resources requests are mandatory")
    } else if container.resources.limits.is_empty() {
        Some("resources limits are mandatory")
    } else if container.security_context.is_none() {
        Some("security context is mandatory")
    } else {
        None
    }
}
