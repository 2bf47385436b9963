//! The first pass, the entry node, the exit handler, and the final phase (C-OP-30 to C-OP-60).

use std::collections::BTreeSet;

use argosy_model::{ConditionType, NodeFlag, NodePhase, ShutdownStrategy, WorkflowPhase};
use serde_json::json;

use super::template::{Call, Holder};
use super::{Pass, Stop, labels};
use crate::decision::{Effect, Event};
use crate::{names, node};

impl Pass<'_> {
    /// What happens once, when the workflow starts (C-OP-03, row 9a; Q-01).
    pub fn first_pass(&mut self) {
        if let Some(budget) = &self.spec.pod_disruption_budget {
            let mut spec = serde_json::to_value(budget).unwrap_or_default();
            if spec.get("selector").is_none_or(serde_json::Value::is_null) {
                spec["selector"] = json!({"matchLabels": {labels::WORKFLOW: self.wf.metadata.name}});
            }
            let budget = json!({
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {
                    "name": self.wf.metadata.name,
                    "namespace": self.wf.metadata.namespace,
                    "labels": {labels::WORKFLOW: self.wf.metadata.name},
                    "ownerReferences": [self.owner()],
                },
                "spec": spec,
            });
            self.effect(Effect::CreateDisruptionBudget { budget });
        }
        self.mark_workflow(WorkflowPhase::Running, "");
        let format = self.seen.config.pod_names.as_str();
        self.annotations
            .entry(labels::POD_NAME_FORMAT.to_owned())
            .or_insert_with(|| format.to_owned());
        if let Some(deadline) = self.workflow_deadline() {
            self.wake(deadline);
        }
        if let Some(estimate) = self.seen.outcomes.estimates.get("") {
            self.status.estimated_duration = *estimate;
        }
    }

    /// Evaluates the entrypoint. `None`: the pass ends here (C-OP-30).
    pub fn run_entry(&mut self) -> Option<String> {
        let name = self.wf.metadata.name.clone();
        let id = self.nodes.id(&name);
        if let Some(deadline) = self.workflow_deadline() {
            let after = deadline
                .checked_add(jiff::SignedDuration::from_millis(1))
                .unwrap_or(deadline);
            if self.now <= deadline {
                self.wake(after);
            }
        }
        let holder = Holder::entry(&self.spec.entrypoint);
        let base = self.local_base();
        let arguments = self.spec.arguments.clone();
        let call = Call {
            name: &name,
            holder: &holder,
            base: &base,
            arguments: &arguments,
            boundary: "",
            on_exit: false,
            deadline: None,
            flag: None,
        };
        match self.evaluate_template(&call) {
            Ok(_) => self.nodes.get(&id).map(|n| n.id.clone()),
            Err(Stop::Parallelism) => {
                if self.nodes.get(&id).is_some_and(node::fulfilled) {
                    // A limit has just ended the node; the rest follows once that is stored.
                    let now = self.now;
                    self.wake(now);
                }
                None
            }
            Err(Stop::Missing(message)) => {
                self.waiting.insert(id, super::Waiting::Variable { message });
                None
            }
            Err(stop) => {
                self.template_error("error in entry template execution: ", &stop);
                None
            }
        }
    }

    fn template_error(&mut self, prefix: &str, stop: &Stop) {
        let message = format!("{prefix}{stop}");
        let transient = crate::transient::is_transient(&message, &self.seen.config.transient_error_pattern);
        if transient || !self.seen.config.bubble_entry_errors || node::workflow_fulfilled(&self.status.phase)
        {
            self.retry_later();
            return;
        }
        self.mark_workflow(WorkflowPhase::Error, &message);
        self.delete_claims();
    }

    /// Runs the exit handler. `None`: the pass ends here; `Some(None)`: there is none (C-HOOK-30).
    pub fn run_exit_handler(&mut self, _entry: &str) -> Option<Option<String>> {
        let spec = std::sync::Arc::clone(&self.spec);
        let Some(mut hook) = super::hooks::exit_hook(&spec.hooks, &spec.on_exit, &spec.arguments) else {
            return Some(None);
        };
        if *self.shutdown() == ShutdownStrategy::Terminate {
            return Some(None);
        }
        if hook.arguments == argosy_model::Arguments::default() {
            hook.arguments = spec.arguments.clone();
        }
        if !hook.expression.is_empty() {
            match crate::vars::condition(&hook.expression, &[&self.globals]) {
                Ok(true) => {}
                Ok(false) => return Some(None),
                Err(error) => {
                    self.template_error("error in exit template execution : ", &Stop::Error(error));
                    return None;
                }
            }
        }
        let arguments =
            match crate::vars::substitute(&hook.arguments, &[&self.globals], crate::vars::Level::Lenient) {
                Ok(arguments) => arguments,
                Err(_) => hook.arguments.clone(),
            };
        let name = names::on_exit(&self.wf.metadata.name);
        let id = self.nodes.id(&name);
        let holder = Holder::from(&hook);
        let base = self.local_base();
        let call = Call {
            name: &name,
            holder: &holder,
            base: &base,
            arguments: &arguments,
            boundary: "",
            on_exit: true,
            deadline: None,
            flag: Some(NodeFlag {
                hooked: true,
                retried: false,
            }),
        };
        match self.evaluate_template(&call) {
            Ok(_) | Err(Stop::Parallelism) => {}
            Err(Stop::Missing(_)) => return None,
            Err(stop) => {
                self.template_error("error in exit template execution : ", &stop);
                return None;
            }
        }
        if *self.shutdown() == ShutdownStrategy::Unset {
            self.reconcile_agent();
        }
        self.nodes.get(&id).filter(|n| node::fulfilled(n))?;
        Some(Some(id))
    }

    /// The workflow's final phase (C-OP-40).
    pub fn finish(&mut self, entry: &str, exit: Option<&str>) {
        let Some(node) = self.nodes.get(entry).cloned() else {
            return;
        };
        let mut phase = match node.phase {
            NodePhase::Failed => WorkflowPhase::Failed,
            NodePhase::Error => WorkflowPhase::Error,
            NodePhase::Succeeded | NodePhase::Skipped | NodePhase::Omitted => WorkflowPhase::Succeeded,
            _ => return,
        };
        let mut message = node.message.clone();
        if phase == WorkflowPhase::Succeeded {
            message.clear();
            if let Some(exit) = exit
                .and_then(|id| self.nodes.get(id))
                .filter(|n| node::failed_or_error(&n.phase))
            {
                phase = if exit.phase == NodePhase::Error {
                    WorkflowPhase::Error
                } else {
                    WorkflowPhase::Failed
                };
                message.clone_from(&exit.message);
            }
        } else if *self.shutdown() != ShutdownStrategy::Unset {
            message = format!("Stopped with strategy '{}'", self.shutdown());
        }
        self.mark_workflow(phase, &message);
        if node::workflow_fulfilled(&self.status.phase) {
            self.workflow_metrics();
            self.delete_claims();
        }
    }

    /// Moves the workflow to a phase, with all that goes with it (C-OP-50).
    pub fn mark_workflow(&mut self, phase: WorkflowPhase, message: &str) {
        let ends = node::workflow_fulfilled(&phase);
        if ends && !self.may_complete() {
            return;
        }
        if self.status.phase != phase {
            self.updated = true;
            self.labels.insert(labels::PHASE.to_owned(), phase.to_string());
            self.labels
                .entry(labels::COMPLETED.to_owned())
                .or_insert_with(|| "false".to_owned());
            self.workflow_event(&phase, message);
            self.status.phase = phase.clone();
        }
        if self.status.started_at.is_none() && phase != WorkflowPhase::Pending {
            self.status.started_at = self.time();
            self.updated = true;
        }
        if self.status.message != message {
            message.clone_into(&mut self.status.message);
            self.updated = true;
        }
        if phase == WorkflowPhase::Error {
            let root = self.nodes.id(&self.wf.metadata.name);
            if self
                .nodes
                .get(&root)
                .is_some_and(|n| n.phase == NodePhase::Running)
            {
                self.mark_error(&root, "Workflow operation error");
            }
        }
        if ends {
            self.complete_workflow();
        }
    }

    /// Whether nothing stands against the end: no late result, no daemon.
    fn may_complete(&mut self) -> bool {
        if self.nodes.iter().any(|n| !node::synced(n))
            || self
                .status
                .task_results_completion_status
                .values()
                .any(|done| !done)
        {
            return false;
        }
        if self.nodes.iter().any(node::daemoned) {
            self.stop_daemons("");
            // Daemons inside boundaries end with these; once nothing else moves, so do those of boundaries that ended
            // unseen, or that a termination left in the exit handler.
            let boundaries = self.nodes.iter().filter(|n| node::daemoned(n));
            let rest: BTreeSet<String> = boundaries.map(|n| n.boundary_id.clone()).collect();
            if self.last_resort {
                rest.iter().for_each(|boundary| self.stop_daemons(boundary));
            }
            let now = self.now;
            if rest.is_empty() {
                self.wake(now);
            }
            return false;
        }
        true
    }

    fn complete_workflow(&mut self) {
        self.status.finished_at = self.time();
        self.labels
            .insert(labels::COMPLETED.to_owned(), "true".to_owned());
        self.set_condition(ConditionType::Completed, "True", "");
        self.updated = true;
        if self.spec.pod_disruption_budget.is_some() {
            self.effect(Effect::DeleteDisruptionBudget {
                name: self.wf.metadata.name.clone(),
            });
        }
        if let Some(archive) = &self.seen.config.archive {
            let matches = archive
                .label_selector
                .as_ref()
                .is_none_or(|s| super::cleanup::selects(s, &self.labels));
            if matches {
                self.labels
                    .insert(labels::ARCHIVING.to_owned(), "Pending".to_owned());
            }
        }
        if self.had_agent() {
            self.end_agent();
        }
        self.effect(Effect::DeleteTaskResults);
        self.effect(Effect::LeaveThrottler);
    }

    fn workflow_event(&mut self, phase: &WorkflowPhase, message: &str) {
        let (warning, reason, text) = match phase {
            WorkflowPhase::Running => (false, "WorkflowRunning", "Workflow Running"),
            WorkflowPhase::Succeeded => (false, "WorkflowSucceeded", "Workflow completed"),
            WorkflowPhase::Failed | WorkflowPhase::Error => (true, "WorkflowFailed", message),
            _ => return,
        };
        self.effect(Effect::Emit(Event {
            warning,
            reason: reason.to_owned(),
            message: text.to_owned(),
            node_id: None,
        }));
    }
}
