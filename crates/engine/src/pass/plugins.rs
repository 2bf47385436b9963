//! Which executor plugins run beside the agent (C-PLG-01). Not here: their containers (`pod::agent`), artifact plugins.

use std::collections::BTreeMap;

use argosy_model::k8s::{ConfigMap, Container};
use argosy_model::{ExecutorPlugin, decode, yaml};

use super::{Pass, labels};
use crate::validate;

/// Why a workflow's own plugins don't run.
const DISABLED: &str = "workflow-level executor plugins are disabled in the controller. To enable them, set the environment variable ARGO_WORKFLOW_LEVEL_EXECUTOR_PLUGINS=true";

/// End of the names of what an installed plugin consists of.
const SUFFIX: &str = "-executor-plugin";

impl Pass<'_> {
    /// The workflow's own plugins if it brings any, else those that are installed in its namespace and the controller's,
    /// by name (X-XPL-01).
    pub fn executor_plugins(&self) -> Result<Vec<ExecutorPlugin>, String> {
        let config = self.seen.config;
        let own = &self.spec.executor_plugins;
        if !own.is_empty() {
            return if config.workflow_plugins {
                Ok(own.to_vec())
            } else {
                Err(DISABLED.to_owned())
            };
        }
        let mut installed = BTreeMap::new();
        if config.executor_plugins {
            // The one in the workflow's namespace hides the controller's of the same name.
            for namespace in [&config.namespace, &self.wf.metadata.namespace] {
                let maps = self.seen.config_maps.existing();
                let names = maps.filter(|(of, _)| of == namespace).map(|(_, name)| name);
                let maps = names.filter_map(|name| self.seen.config_maps.get(namespace, name));
                installed.extend(
                    maps.filter_map(read)
                        .map(|plugin| (plugin.metadata.name.clone(), plugin)),
                );
            }
        }
        Ok(installed.into_values().collect())
    }
}

/// The plugin that a ConfigMap installs (X-XPL-02); one that is not valid counts as none.
fn read(map: &ConfigMap) -> Option<ExecutorPlugin> {
    let kind = map.metadata.labels.get(labels::CONFIG_MAP_TYPE)?;
    if kind != "ExecutorPlugin" {
        return None;
    }
    let text = map.data.get("sidecar.container")?;
    let container: Container = decode::strict(yaml::value(text).ok()?).ok()?;
    let automount = map.data.get("sidecar.automountServiceAccountToken");
    let mut plugin = ExecutorPlugin::default();
    let name = &map.metadata.name;
    plugin.metadata.name = name.strip_suffix(SUFFIX).unwrap_or(name).to_owned();
    plugin.spec.sidecar.automount_service_account_token = automount.is_some_and(|text| text == "true");
    plugin.spec.sidecar.container = container;
    validate::is_executor_plugin(&plugin).then_some(plugin)
}
