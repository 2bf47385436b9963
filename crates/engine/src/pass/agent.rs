//! HTTP and plugin templates, which the agent pod runs (section 16.8).

use std::sync::Arc;

use argosy_model::{NodePhase, NodeType, Template};

use super::template::Call;
use super::{Evaluated, Pass};
use crate::decision::{Effect, Waiting};
use crate::{names, node, pod};

impl Pass<'_> {
    /// Evaluates a template that the agent runs.
    pub fn run_agent_task(
        &mut self,
        id: &str,
        call: &Call<'_>,
        template: &Template,
        kind: NodeType,
    ) -> Evaluated {
        if self.nodes.get(id).is_none() {
            self.add_executable(call, call.name, kind, template, NodePhase::Pending, "");
        }
        if self.nodes.get(id).is_some_and(|n| !node::fulfilled(n)) {
            self.tasks.insert(id.to_owned(), template.clone());
            self.waiting.insert(id.to_owned(), Waiting::Agent);
        }
        Ok(Some(id.to_owned()))
    }

    /// Takes over the agent's results, then hands out tasks and sees that there is an agent (C-HTTP-02).
    pub fn reconcile_agent(&mut self) {
        self.take_agent_results();
        let tasks: std::collections::BTreeMap<String, Template> = std::mem::take(&mut self.tasks);
        if tasks.is_empty() {
            return;
        }
        self.effect(Effect::WriteTaskSet { tasks });
        if self.seen.config.disable_agent_pod {
            return;
        }
        let name = names::agent_pod(&self.wf.metadata.name);
        if self.seen.pods.contains_key(&name) {
            return;
        }
        if let Some(refusal) = self.seen.outcomes.agent.clone() {
            if refusal.transient {
                self.retry_later();
            } else {
                let message = format!("create agent pod failed with reason:\"{}\"", refusal.message);
                self.fail_agent_nodes(&message);
                return;
            }
        }
        let plugins = match self.executor_plugins() {
            Ok(plugins) => plugins,
            Err(error) => {
                let message = format!("create agent pod failed with reason:\"{error}\"");
                self.fail_agent_nodes(&message);
                return;
            }
        };
        let request = pod::agent::AgentRequest {
            config: self.seen.config,
            workflow: self.wf,
            spec: &self.spec,
            plugins: &plugins,
            token_secrets: &self.seen.outcomes.token_secrets,
            has_certificates: false,
        };
        match pod::agent::build(&request) {
            Ok(pod) => self.effect(Effect::CreateAgentPod { pod: Box::new(pod) }),
            Err(pod::Error::TokenSecretUnknown { service_account }) => {
                self.effect(Effect::LookUpTokenSecret { service_account });
            }
            Err(error) => {
                let message = format!("create agent pod failed with reason:\"{error}\"");
                self.fail_agent_nodes(&message);
            }
        }
    }

    fn take_agent_results(&mut self) {
        let mut done = Vec::new();
        for (id, result) in self.seen.agent_results {
            let Some(old) = self.nodes.get(id).cloned() else {
                continue;
            };
            let now = self.time();
            // A result that is still there counts as new whenever there is something to store anyway.
            let busy = self.updated;
            let changed = self.change(id, |node| {
                let same = node.outputs == result.outputs
                    && node.phase == result.phase
                    && node.message == result.message;
                node.outputs.clone_from(&result.outputs);
                node.phase = result.phase.clone();
                node.message.clone_from(&result.message);
                if !same || busy || node.finished_at.is_none() {
                    node.finished_at = now;
                }
            });
            if changed && result.phase == NodePhase::Succeeded {
                self.save_memo(id);
            }
            if changed && let Some(outputs) = &result.outputs {
                self.export_globals(outputs);
            }
            if node::phase_completed(&result.phase) {
                done.push(id.clone());
                self.tasks.remove(id);
            }
            let _ = old;
        }
        if !done.is_empty() {
            // What depends on the results is looked at once they are stored.
            let now = self.now;
            self.wake(now);
            self.effect(Effect::CompleteTasks {
                tasks: done,
                all: false,
            });
        }
    }

    /// What the agent's own pod has come to (C-HTTP-09).
    pub fn assess_agent_pod(&mut self) {
        let name = names::agent_pod(&self.wf.metadata.name);
        let Some(pod) = self.seen.pods.get(&name).map(Arc::clone) else {
            return;
        };
        match pod.status.phase.as_str() {
            "Failed" => {
                let message = format!("agent pod failed with reason:\"{}\"", pod.status.message);
                self.fail_agent_nodes(&message);
            }
            "" | "Pending" | "Running" | "Succeeded" => {}
            other => {
                let message =
                    format!("agent pod failed with reason:\"Unexpected pod phase for {name}: {other}\"");
                self.fail_agent_nodes(&message);
            }
        }
    }

    fn fail_agent_nodes(&mut self, message: &str) {
        let open: Vec<String> = self
            .nodes
            .iter()
            .filter(|n| matches!(n.type_, NodeType::Http | NodeType::Plugin) && !node::fulfilled(n))
            .map(|n| n.id.clone())
            .collect();
        for id in open {
            self.mark_error(&id, message);
        }
    }
}
