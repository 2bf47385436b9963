//! From the compiled plan to a spec with its globals in, and the workflow's own metadata (C-MRG-08, C-OP-03 row 1).

use std::sync::Arc;

use argosy_model::WorkflowPhase;

use super::{Pass, labels};
use crate::decision::{Effect, Waiting};
use crate::plan::Severity;
use crate::vars::{self, Level};

impl Pass<'_> {
    /// The workflow's turn among others. False: the pass ends here (C-THR-08).
    pub fn admit(&mut self) -> bool {
        let terminated = *self.shutdown() == argosy_model::ShutdownStrategy::Terminate;
        let has_ended = crate::node::workflow_fulfilled(&self.status.phase);
        if self.seen.admitted || terminated || has_ended || self.status.phase == WorkflowPhase::Running {
            return true;
        }
        self.waiting.insert(String::new(), Waiting::Admission);
        if self.status.phase == WorkflowPhase::Unset {
            self.mark_workflow(
                WorkflowPhase::Pending,
                "Workflow processing has been postponed because too many workflows are already running",
            );
        }
        false
    }

    /// Spec, globals, metadata and repository. False: the pass ends here.
    pub fn prepare(&mut self) -> bool {
        let finished = crate::node::workflow_fulfilled(&self.status.phase);
        if !finished && let Some(fault) = &self.plan.fault {
            let phase = if fault.severity == Severity::Error {
                WorkflowPhase::Error
            } else {
                WorkflowPhase::Failed
            };
            let message = fault.message.clone();
            self.mark_workflow(phase, &message);
            return false;
        }
        if finished {
            return true;
        }
        self.store_spec();
        if let Err(error) = self.set_globals() {
            let message = format!("failed to set global parameters: {error}");
            self.mark_workflow(WorkflowPhase::Failed, &message);
            return false;
        }
        if !self.substitute_spec() {
            return false;
        }
        if self.status.phase == WorkflowPhase::Unset {
            if let Err(message) = self.apply_workflow_metadata() {
                self.mark_workflow(WorkflowPhase::Error, &message);
                return false;
            }
            self.set_metadata_globals(true);
            if !self.substitute_spec() {
                return false;
            }
        }
        self.set_run_globals();
        self.resolve_repository() && self.note_artifact_gc()
    }

    /// Keeps the merged spec of workflows that refer to a template, and the metadata of the defaults (C-MRG-02).
    fn store_spec(&mut self) {
        for (map, defaults) in [
            (&mut self.labels, &self.plan.default_labels),
            (&mut self.annotations, &self.plan.default_annotations),
        ] {
            for (key, value) in defaults {
                map.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        let Some(stored) = &self.plan.stored_spec else {
            return;
        };
        if self.status.stored_workflow_template_spec.as_deref() != Some(&**stored) {
            self.status.stored_workflow_template_spec = Some(Box::new((**stored).clone()));
            for (key, template) in self.plan.referenced_templates() {
                self.status
                    .stored_templates
                    .entry(key)
                    .or_insert_with(|| template.clone());
            }
            self.updated = true;
        }
        if let Some(reference) = &self.wf.spec.workflow_template_ref {
            let key = if reference.cluster_scope {
                labels::CLUSTER_TEMPLATE
            } else {
                labels::TEMPLATE
            };
            self.labels.insert(key.to_owned(), reference.name.clone());
        }
    }

    /// Puts the globals into every part of the spec but its templates.
    fn substitute_spec(&mut self) -> bool {
        match vars::substitute(&*self.plan.bare, &[&self.globals], Level::Lenient) {
            Ok(spec) => {
                self.spec = Arc::new(spec);
                true
            }
            Err(error) => {
                self.mark_workflow(WorkflowPhase::Error, &error.to_string());
                false
            }
        }
    }

    /// Labels and annotations that the spec adds to the object (C-MRG-08).
    fn apply_workflow_metadata(&mut self) -> Result<(), String> {
        let Some(metadata) = self.spec.workflow_metadata.clone() else {
            return Ok(());
        };
        for (key, value) in metadata.labels {
            if let Some(why) = invalid_label(&value) {
                return Err(format!(
                    "invalid label value {value:?} for label {key:?} and index 0: {why}"
                ));
            }
            self.labels.insert(key, value);
        }
        self.annotations.extend(metadata.annotations);
        for (key, from) in metadata.labels_from {
            let value = vars::evaluate(&from.expression, &[&self.globals]).map_err(|e| {
                format!(
                    "failed to evaluate label {key:?} expression {:?}: {e}",
                    from.expression
                )
            })?;
            let serde_json::Value::String(value) = value else {
                let kind = match value {
                    serde_json::Value::Bool(_) => "bool",
                    serde_json::Value::Number(n) if n.is_f64() => "float64",
                    serde_json::Value::Number(_) => "int",
                    serde_json::Value::Array(_) => "[]interface {}",
                    serde_json::Value::Object(_) => "map[string]interface {}",
                    _ => "<nil>",
                };
                return Err(format!(
                    "failed to evaluate label {key:?} expression {:?} evaluted to {kind} but must be a string",
                    from.expression
                ));
            };
            if let Some(why) = invalid_label(&value) {
                return Err(format!(
                    "invalid label value {value:?} for label {key:?} and index 0: {why}"
                ));
            }
            self.labels.insert(key, value);
        }
        self.updated = true;
        Ok(())
    }

    /// Resolves the artifact repository once (C-OP-10). False: wait for the answer.
    fn resolve_repository(&mut self) -> bool {
        if self.status.artifact_repository_ref.is_some() {
            return true;
        }
        match &self.seen.outcomes.repository {
            Some(Ok(found)) => {
                self.status.artifact_repository_ref = Some(found.clone());
                self.updated = true;
                true
            }
            Some(Err(error)) => {
                let message = format!("failed to resolve artifact repository: {error}");
                self.mark_workflow(WorkflowPhase::Error, &message);
                false
            }
            None => {
                self.effect(Effect::ResolveArtifactRepository);
                self.waiting.insert(String::new(), Waiting::ArtifactRepository);
                false
            }
        }
    }

    /// Keeps the object until its artifacts are collected (C-AGC-01). Nothing may hold up one that is going already, and
    /// what it has made by then was seen to before.
    fn note_artifact_gc(&mut self) -> bool {
        if self
            .status
            .artifact_gc_status
            .as_ref()
            .is_some_and(|s| s.not_specified)
            || self.wf.metadata.deletion_timestamp.is_some()
            || self.finalizers.iter().any(|f| f == labels::ARTIFACT_GC_FINALIZER)
        {
            return true;
        }
        let own = self.spec.artifact_gc.as_ref().map(|gc| gc.gc.strategy.clone());
        let templates = self.plan.spec.templates.iter();
        let wanted = templates
            .chain(self.status.stored_templates.values())
            .flat_map(|t| &t.outputs.artifacts)
            .any(|artifact| {
                let strategy = artifact.artifact_gc.as_ref().map(|gc| gc.strategy.clone());
                let effective = strategy
                    .filter(|s| *s != argosy_model::ArtifactGcStrategy::Unset)
                    .or_else(|| own.clone())
                    .unwrap_or_default();
                !matches!(
                    effective,
                    argosy_model::ArtifactGcStrategy::Unset | argosy_model::ArtifactGcStrategy::Never
                )
            });
        if wanted {
            self.finalizers.push(labels::ARTIFACT_GC_FINALIZER.to_owned());
            self.updated = true;
        } else {
            self.status
                .artifact_gc_status
                .get_or_insert_with(Default::default)
                .not_specified = true;
        }
        true
    }
}

/// Why a text is no label value.
fn invalid_label(value: &str) -> Option<String> {
    const RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    if value.len() > 63 {
        return Some("must be no more than 63 bytes".to_owned());
    }
    let bytes = value.as_bytes();
    let edge = |b: Option<&u8>| b.is_none_or(u8::is_ascii_alphanumeric);
    let inner = bytes
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b));
    (!inner || !edge(bytes.first()) || !edge(bytes.last())).then(|| RULE.to_owned())
}
