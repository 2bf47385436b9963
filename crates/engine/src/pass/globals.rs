//! Global variables: what every template of the workflow sees (C-VAR-01, C-OUT-03).

use argosy_model::{NodePhase, Outputs, Parameter, WorkflowPhase};
use argosy_template::scope::SWITCHED_OFF;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{Pass, labels};

impl Pass<'_> {
    /// Sets the variables that are known before anything runs.
    ///
    /// # Errors
    /// The text for the user when a parameter has no value.
    pub fn set_globals(&mut self) -> Result<(), String> {
        let meta = &self.wf.metadata;
        let spec = std::sync::Arc::clone(&self.spec);
        if !self.seen.config.expression_templates {
            self.globals.insert(SWITCHED_OFF.to_owned(), json!(true));
        }
        self.set_global("workflow.name", &*meta.name);
        self.set_global("workflow.namespace", &*meta.namespace);
        self.set_global("workflow.uid", &*meta.uid);
        self.set_global("workflow.mainEntrypoint", &*spec.entrypoint);
        self.set_global("workflow.serviceAccountName", &*spec.service_account_name);
        if let Some(created) = &meta.creation_timestamp {
            self.set_creation(created.0);
        }
        if let Some(time) = meta.annotations.get(labels::SCHEDULED_TIME) {
            self.set_global("workflow.scheduledTime", time.clone());
        }
        if let Some(priority) = spec.priority {
            self.set_global("workflow.priority", priority.to_string());
        }
        self.set_parameters(&spec.arguments.parameters)?;
        self.set_metadata_globals(false);
        if let Some(outputs) = self.status.outputs.clone() {
            self.set_output_globals(&outputs);
        }
        Ok(())
    }

    fn set_creation(&mut self, created: Timestamp) {
        let zoned = created.to_zoned(TimeZone::UTC);
        let text = zoned.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.set_global("workflow.creationTimestamp", &*text);
        self.set_global("workflow.creationTimestamp.RFC3339", text);
        self.set_global("workflow.creationTimestamp.s", created.as_second().to_string());
        for letter in [
            "B", "b", "m", "A", "a", "d", "H", "I", "M", "S", "Y", "y", "p", "Z",
        ] {
            let text = zoned.strftime(&format!("%{letter}")).to_string();
            self.set_global(&format!("workflow.creationTimestamp.{letter}"), text);
        }
        self.set_global("workflow.creationTimestamp.z", "+0000");
        let millis = format!("{:03}", created.subsec_millisecond());
        self.set_global("workflow.creationTimestamp.L", millis);
    }

    fn set_parameters(&mut self, parameters: &[Parameter]) -> Result<(), String> {
        let text = argosy_model::go_json::to_string(parameters).unwrap_or_default();
        self.set_global("workflow.parameters", &*text);
        self.set_global("workflow.parameters.json", text);
        for parameter in parameters {
            let name = &parameter.name;
            let value = if let Some(reference) = parameter
                .value_from
                .as_ref()
                .and_then(|f| f.config_map_key_ref.as_ref())
            {
                let (map, key) = (&reference.reference.name, &reference.key);
                match self.config_map_value(map, key) {
                    Ok(value) => value,
                    Err(error) => {
                        let default = parameter.value_from.as_ref().and_then(|f| f.default.as_ref());
                        match default {
                            Some(default) => default.to_string(),
                            None => {
                                return Err(format!(
                                    "failed to set global parameter {name} from configmap with name {map} and key {key}: {error}"
                                ));
                            }
                        }
                    }
                }
            } else if let Some(value) = &parameter.value {
                value.to_string()
            } else {
                return Err(format!(
                    "either value or valueFrom must be specified in order to set global parameter {name}"
                ));
            };
            self.set_global(&format!("workflow.parameters.{name}"), value);
        }
        Ok(())
    }

    /// A value of a labelled ConfigMap in the workflow's namespace (C-ARG-01).
    pub fn config_map_value(&self, name: &str, key: &str) -> Result<String, String> {
        let map = self
            .seen
            .config_maps
            .get(&self.wf.metadata.namespace, name)
            .ok_or_else(|| format!("ConfigMap '{name}' does not exist. Please make sure it has the label {}: Parameter to be detectable by the controller", labels::CONFIG_MAP_TYPE))?;
        match map
            .metadata
            .labels
            .get(labels::CONFIG_MAP_TYPE)
            .map(String::as_str)
        {
            Some("Parameter") => {}
            other => {
                return Err(format!(
                    "ConfigMap '{name}' needs to have the label {}: Parameter to load parameters, but has {}",
                    labels::CONFIG_MAP_TYPE,
                    other.unwrap_or("none")
                ));
            }
        }
        map.data
            .get(key)
            .cloned()
            .ok_or_else(|| format!("ConfigMap '{name}' does not have the key '{key}'"))
    }

    /// Labels and annotations as variables; keys that expressions will give are withheld until they did.
    pub fn set_metadata_globals(&mut self, with_computed: bool) {
        let withheld: Vec<String> = self
            .spec
            .workflow_metadata
            .as_ref()
            .filter(|_| !with_computed)
            .map_or_else(Vec::new, |m| m.labels_from.keys().cloned().collect());
        for (kind, map) in [
            ("labels", self.labels.clone()),
            ("annotations", self.annotations.clone()),
        ] {
            let shown: std::collections::BTreeMap<_, _> = map
                .into_iter()
                .filter(|(key, _)| kind != "labels" || !withheld.contains(key))
                .collect();
            let text = argosy_model::go_json::to_string(&shown).unwrap_or_default();
            self.set_global(&format!("workflow.{kind}"), &*text);
            self.set_global(&format!("workflow.{kind}.json"), text);
            for (key, value) in shown {
                self.set_global(&format!("workflow.{kind}.{key}"), value);
            }
        }
    }

    fn set_output_globals(&mut self, outputs: &Outputs) {
        for parameter in &outputs.parameters {
            if let Some(value) = &parameter.value {
                let value = value.to_string();
                self.set_global(&format!("workflow.outputs.parameters.{}", parameter.name), value);
            }
        }
        for artifact in &outputs.artifacts {
            self.globals.insert(
                format!("workflow.outputs.artifacts.{}", artifact.name),
                json!(artifact),
            );
        }
    }

    /// Makes outputs with a global name known to the whole workflow (C-OUT-03).
    pub fn export_globals(&mut self, outputs: &Outputs) {
        let mut exported = Outputs::default();
        for parameter in outputs
            .parameters
            .iter()
            .filter(|p| !p.global_name.is_empty() && p.value.is_some())
        {
            exported.parameters.push(Parameter {
                name: parameter.global_name.clone(),
                value: parameter.value.clone(),
                description: parameter.description.clone(),
                ..Parameter::default()
            });
        }
        for artifact in outputs.artifacts.iter().filter(|a| !a.global_name.is_empty()) {
            let mut artifact = artifact.clone();
            artifact.name = std::mem::take(&mut artifact.global_name);
            artifact.path.clear();
            exported.artifacts.push(artifact);
        }
        if exported == Outputs::default() {
            return;
        }
        let all = self.status.outputs.get_or_insert_with(Outputs::default);
        let before = all.clone();
        for parameter in &exported.parameters {
            match all.parameters.iter_mut().find(|p| p.name == parameter.name) {
                Some(old) => old.value.clone_from(&parameter.value),
                None => all.parameters.push(parameter.clone()),
            }
        }
        for artifact in &exported.artifacts {
            match all.artifacts.iter_mut().find(|a| a.name == artifact.name) {
                Some(old) => old.clone_from(artifact),
                None => all.artifacts.push(artifact.clone()),
            }
        }
        self.updated |= before != *all;
        self.set_output_globals(&exported);
    }

    /// Variables that only templates see, never the stored spec: the phase with which the pass began, empty at first, and
    /// how long the workflow has run (C-VAR-01).
    pub fn set_run_globals(&mut self) {
        let started = self.status.started_at.as_ref().map_or(self.now, |t| t.0);
        let secs = self.now.duration_since(started).as_secs_f64();
        self.set_global("workflow.duration", format!("{secs:.6}"));
        self.set_global("workflow.status", self.status.phase.to_string());
    }

    /// `workflow.status`, `.duration` and `.failures` as they are now (C-OP-03, row 15; C-OP-41, Q-17).
    pub fn set_outcome_variables(&mut self, entry: &NodePhase) {
        let started = self.status.started_at.as_ref().map_or(self.now, |t| t.0);
        let secs = self.now.duration_since(started).as_secs_f64();
        self.set_global("workflow.duration", format!("{secs:.6}"));
        let status = match entry {
            NodePhase::Unset => WorkflowPhase::Running.to_string(),
            other => other.to_string(),
        };
        self.set_global("workflow.status", status);
        let mut failures = Vec::new();
        for node in self
            .nodes
            .iter()
            .filter(|n| crate::node::failed_or_error(&n.phase))
        {
            failures.push(json!({
                "displayName": node.display_name,
                "message": node.message,
                "templateName": node.template_name,
                "phase": node.phase,
                "podName": self.stored_pod_name(node),
                "finishedAt": node.finished_at,
            }));
        }
        failures.sort_by_key(|f| f["displayName"].to_string());
        let text = if failures.is_empty() {
            "null".to_owned()
        } else {
            argosy_model::go_json::to_string(&failures).unwrap_or_default()
        };
        self.set_global("workflow.failures", format!("{text:?}"));
    }

    pub fn local_base(&self) -> crate::plan::Base {
        let name = if self.wf.spec.workflow_template_ref.is_some() {
            ""
        } else {
            self.wf.metadata.name.as_str()
        };
        crate::plan::Base::Local(name.to_owned())
    }
}
