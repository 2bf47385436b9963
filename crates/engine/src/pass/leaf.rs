//! Templates that are one pod: container, script, resource, data, container set (sections 16.1 to 16.4).

use std::sync::Arc;

use argosy_model::{NodeFlag, NodePhase, NodeStatus, NodeType, Template};

use super::nodes::Birth;
use super::pod_phase::Expectation;
use super::template::Call;
use super::{Evaluated, Pass, Stop};
use crate::decision::{Effect, Waiting};
use crate::plan::{Kind, kind};
use crate::pod::{self, PodRequest};
use crate::vars;
use crate::{names, node};

impl Pass<'_> {
    /// Evaluates a template that is a pod.
    pub fn run_pod(&mut self, id: &str, call: &Call<'_>, template: &Template) -> Evaluated {
        let fresh = self.nodes.get(id).is_none();
        if fresh {
            self.add_executable(call, call.name, NodeType::Pod, template, NodePhase::Pending, "");
        }
        self.create_pod(id, call, template)?;
        if fresh && let Some(set) = &template.container_set {
            for container in set.containers.iter() {
                let name = format!("{}.{}", call.name, container.container.name);
                let flag = call.flag.clone().filter(|f| *f != NodeFlag::default());
                let child = self.add_node(Birth {
                    name: &name,
                    kind: NodeType::Container,
                    phase: NodePhase::Pending,
                    boundary: id,
                    message: "",
                    flag,
                    scope: call.base.scope_text(),
                });
                self.change(&child, |n| {
                    n.template_name.clone_from(&call.holder.template);
                    n.template_ref.clone_from(&call.holder.reference);
                });
            }
            for container in set.containers.iter() {
                let child = self
                    .nodes
                    .id(&format!("{}.{}", call.name, container.container.name));
                if container.dependencies.is_empty() {
                    self.add_child(id, &child);
                }
                for dependency in &container.dependencies {
                    let parent = self.nodes.id(&format!("{}.{dependency}", call.name));
                    self.add_child(&parent, &child);
                }
            }
        }
        Ok(Some(id.to_owned()))
    }

    /// Asks for the pod unless it is there (C-BLD-40).
    fn create_pod(&mut self, id: &str, call: &Call<'_>, template: &Template) -> Result<(), Stop> {
        match self.pods.get(id).map(<[_]>::len) {
            None if self.asked.contains(id) => return Ok(()),
            None => {}
            Some(1) => {
                self.look_again_at_unassessed(id);
                return Ok(());
            }
            Some(count) => {
                return Err(Stop::Error(format!(
                    "expected 1 pod, got {count}. This can happen when multiple workflow-controller pods are running and both reconciling this Workflow. Check your Argo Workflows installation for a rogue workflow-controller. Otherwise, report this to the Argo Workflows maintainers"
                )));
            }
        }
        // A node that ended waits for its result only; its pod is not made again.
        if self
            .nodes
            .get(id)
            .is_some_and(|n| node::phase_completed(&n.phase))
        {
            return Ok(());
        }
        if !self.may_run(call.on_exit) {
            let message = format!("workflow shutdown with strategy: {}", self.shutdown());
            self.mark(id, NodePhase::Failed, Some(&message));
            return Ok(());
        }
        let pod_name = self.pod_name(call.name, template);
        self.take_refusal(id, &pod_name)?;
        match self.build_pod(id, &pod_name, call, template) {
            Ok(built) => {
                if !self.is_counted(id) {
                    self.active_pods += 1;
                }
                self.asked.insert(id.to_owned());
                self.effect(Effect::CreatePod {
                    node_id: id.to_owned(),
                    pod: Box::new(built.pod),
                    config_maps: built.config_maps,
                    locked: false,
                });
                self.waiting
                    .entry(id.to_owned())
                    .or_insert(Waiting::PodCreation { pod: pod_name });
                Ok(())
            }
            Err(pod::Error::NoTimeLeft) => Ok(()),
            Err(pod::Error::ImageUnknown { image }) => {
                let service_account = if template.service_account_name.is_empty() {
                    self.spec.service_account_name.clone()
                } else {
                    template.service_account_name.clone()
                };
                self.look_up_image(image.clone(), service_account);
                self.waiting.insert(id.to_owned(), Waiting::Image { image });
                Ok(())
            }
            Err(pod::Error::TokenSecretUnknown { service_account }) => {
                self.effect(Effect::LookUpTokenSecret { service_account });
                Ok(())
            }
            Err(error @ pod::Error::Refused(_)) => Err(Stop::Error(error.to_string())),
        }
    }

    /// Asks for entrypoint and command of an image.
    pub(super) fn look_up_image(&mut self, image: String, service_account: String) {
        let secrets = self.spec.image_pull_secrets.iter();
        let pull_secrets = secrets.map(|s| s.name.clone()).collect();
        self.effect(Effect::LookUpImage {
            image,
            pull_secrets,
            service_account,
        });
    }

    /// Shows what the API said to an earlier try; an answer that no other try can change ends the node.
    fn take_refusal(&mut self, id: &str, pod: &str) -> Result<(), Stop> {
        let Some(refusal) = self.seen.outcomes.pods.get(pod).cloned() else {
            return Ok(());
        };
        let message = refusal.message;
        if !refusal.transient {
            return Err(Stop::Error(message));
        }
        self.mark(id, NodePhase::Pending, Some(&message));
        self.waiting
            .insert(id.to_owned(), Waiting::PodRefused { message });
        self.retry_later();
        Ok(())
    }

    /// The pod of a pass whose status was never stored: this pass assessed pods before it knew the node, and nobody
    /// will tell of a pod that has ended already.
    fn look_again_at_unassessed(&mut self, id: &str) {
        if !self.wf.status.nodes.contains_key(id) {
            self.wake(self.now);
        }
    }

    fn build_pod(
        &mut self,
        id: &str,
        pod_name: &str,
        call: &Call<'_>,
        template: &Template,
    ) -> Result<pod::Built, pod::Error> {
        let boundary = if call.boundary.is_empty() {
            None
        } else {
            self.boundary_template(call.boundary)
        };
        let failed_hosts = self.failed_hosts(call);
        let mut locals = self.input_variables(template);
        locals.insert("pod.name".to_owned(), vars::text(pod_name));
        let include = kind(template) == Kind::Data || self.wants_result(call, boundary.as_ref());
        let globals = &self.globals;
        let layers = [&locals, globals];
        let reference = self.status.artifact_repository_ref.as_ref();
        pod::build(&PodRequest {
            config: self.seen.config,
            workflow: self.wf,
            spec: &self.spec,
            template,
            boundary: boundary.as_deref(),
            node_name: call.name,
            node_id: id,
            pod_name,
            on_exit: call.on_exit,
            include_script_output: include,
            now: self.now,
            started_at: self
                .nodes
                .get(id)
                .and_then(|n| n.started_at.as_ref())
                .map(|t| t.0),
            workflow_deadline: self.workflow_deadline(),
            retry_deadline: call.deadline,
            repository: reference.and_then(|r| r.artifact_repository.as_deref()),
            images: &self.seen.outcomes.images,
            token_secrets: &self.seen.outcomes.token_secrets,
            claims: &self.status.persistent_volume_claims,
            failed_hosts: &failed_hosts,
            trace: None,
            substitute: vars::Substitution::lenient(&layers),
        })
    }

    /// Whether anything in the parent template reads the node's result (C-CTR-01).
    fn wants_result(&self, call: &Call<'_>, parent: Option<&Arc<Template>>) -> bool {
        let Some(parent) = parent else { return false };
        let text = self.plan.workings.text_of(call.boundary, parent);
        if text.is_empty() {
            return false;
        }
        let name = names::step_or_task(call.name);
        ["steps", "tasks"].iter().any(|sort| {
            text.contains(&format!("{sort}.{name}.outputs.result"))
                || text.contains(&format!("{sort}['{name}']['outputs']['result']"))
                || text.contains(&format!("{sort}['{name}'].outputs.result"))
        })
    }

    /// Hosts on which earlier attempts of the nearest retry node failed, if that is to keep others away (C-RTY-08).
    fn failed_hosts(&mut self, call: &Call<'_>) -> Vec<String> {
        let Some(retry) = self.nearest_retry(call).cloned() else {
            return Vec::new();
        };
        let own = self.node_template(&retry);
        let own = own.as_ref().and_then(|template| template.retry_strategy.as_ref());
        let strategy = own.or(self.spec.retry_strategy.as_ref());
        let affinity = strategy.and_then(|strategy| strategy.affinity.as_ref());
        if affinity.is_none_or(|affinity| affinity.node_anti_affinity.is_none()) {
            return Vec::new();
        }
        let mut hosts: Vec<String> = Vec::new();
        let mut open: Vec<&str> = retry.children.iter().map(String::as_str).collect();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(next) = open.pop() {
            let Some(child) = self.nodes.get(next).filter(|_| seen.insert(next.to_owned())) else {
                continue;
            };
            if child.type_ == NodeType::Pod
                && node::failed_or_error(&child.phase)
                && !child.host_node_name.is_empty()
                && !hosts.contains(&child.host_node_name)
            {
                hosts.push(child.host_node_name.clone());
            }
            open.extend(child.children.iter().map(String::as_str));
        }
        hosts.sort();
        hosts
    }

    /// The retry node that a call is an attempt of, or that its boundary is one of.
    fn nearest_retry(&self, call: &Call<'_>) -> Option<&NodeStatus> {
        let boundary = self.nodes.get(call.boundary);
        let names = [Some(call.name), boundary.map(|boundary| boundary.name.as_str())];
        names.into_iter().flatten().find_map(|name| {
            let retry = self.nodes.by_name(names::attempt(name)?.0)?;
            (retry.type_ == NodeType::Retry).then_some(retry)
        })
    }

    /// What the template of a stored pod node promises.
    pub fn expectation(&mut self, node: &NodeStatus) -> Expectation {
        let Some(template) = self.node_template(node) else {
            return Expectation {
                daemon: false,
                mains: vec!["main".to_owned()],
                parameters: false,
                required_artifacts: false,
                result: false,
            };
        };
        let mains = match &template.container_set {
            Some(set) => set.containers.iter().map(|c| c.container.name.clone()).collect(),
            None => vec!["main".to_owned()],
        };
        Expectation {
            daemon: template.daemon == Some(true),
            mains,
            parameters: !template.outputs.parameters.is_empty(),
            required_artifacts: template.outputs.artifacts.iter().any(|a| !a.optional),
            result: template.outputs.result.is_some(),
        }
    }

    /// The template of a stored node, defaults merged, inputs not processed.
    pub fn node_template(&mut self, node: &NodeStatus) -> Option<std::sync::Arc<Template>> {
        let base = crate::plan::Base::parse(&node.template_scope);
        let holder = super::template::Holder::from(node);
        let cache_key = format!(
            "{}|{}|{}",
            node.template_scope,
            node.template_name,
            node.template_ref.as_ref().map_or_else(String::new, |r| format!(
                "{}/{}/{}",
                r.cluster_scope, r.name, r.template
            ))
        );
        if !node.template_name.is_empty() || node.template_ref.is_some() {
            if let Some(found) = self.resolved.get(&cache_key) {
                return Some(std::sync::Arc::clone(found));
            }
            let found = self.look_up(&base, &holder).ok()?.template;
            self.resolved.insert(cache_key, std::sync::Arc::clone(&found));
            return Some(found);
        }
        self.inline_template(node, &base)
    }

    /// The template of a node whose step or task has it inline: found in the boundary's template.
    fn inline_template(
        &mut self,
        node: &NodeStatus,
        base: &crate::plan::Base,
    ) -> Option<std::sync::Arc<Template>> {
        let parent = self.nodes.get(&node.boundary_id)?.clone();
        let template = self.node_template(&parent)?;
        let name = names::step_or_task(&node.name).to_owned();
        let step = template
            .steps
            .iter()
            .flat_map(|g| g.iter())
            .find(|s| s.name == name)
            .map(super::template::Holder::from);
        let task = template
            .dag
            .as_ref()
            .and_then(|d| d.tasks.iter().find(|t| t.name == name))
            .map(super::template::Holder::from);
        let holder = step.or(task)?;
        self.plan.resolve(base, &holder, None).ok().map(|f| f.template)
    }
}
