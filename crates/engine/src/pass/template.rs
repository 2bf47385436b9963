//! Evaluating one template for one node: resolution, inputs, gates, retry wrapper, dispatch (section 13).

use std::sync::Arc;

use argosy_model::{
    Arguments, DagTask, LifecycleHook, NodeFlag, NodePhase, NodeStatus, NodeType, RetryPolicy, RetryStrategy,
    Template, TemplateRef, WorkflowStep,
};
use jiff::Timestamp;

use super::moved::is_plain;
use super::parallelism::in_progress;
use super::prepared::Prepared;
use super::{Evaluated, Pass, Stop};
use crate::plan::{Base, Found, Kind};
use crate::vars::{self, Vars};
use crate::{names, node};

/// How deep templates may be nested (C-EXE-01).
const DEPTH_LIMIT: usize = 100;

/// What names a template: a step, task, hook or the entrypoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holder {
    pub name: String,
    pub template: String,
    pub reference: Option<TemplateRef>,
    pub inline: Option<Box<Template>>,
    /// `steps` or `tasks`, if it is one.
    pub sort: &'static str,
}

impl Holder {
    /// What the workflow begins with: as a step without a name, so that `steps.name` is there and empty.
    pub fn entry(template: &str) -> Self {
        Self {
            template: template.to_owned(),
            sort: "steps",
            ..Self::default()
        }
    }
}

impl From<&WorkflowStep> for Holder {
    fn from(step: &WorkflowStep) -> Self {
        Self {
            name: step.name.clone(),
            template: step.template.clone(),
            reference: step.template_ref.clone(),
            inline: step.inline.clone(),
            sort: "steps",
        }
    }
}

impl From<&DagTask> for Holder {
    fn from(task: &DagTask) -> Self {
        Self {
            name: task.name.clone(),
            template: task.template.clone(),
            reference: task.template_ref.clone(),
            inline: task.inline.clone(),
            sort: "tasks",
        }
    }
}

/// What the template of a stored node was named by, unless that had it inline.
impl From<&NodeStatus> for Holder {
    fn from(node: &NodeStatus) -> Self {
        Self {
            name: names::step_or_task(&node.name).to_owned(),
            template: node.template_name.clone(),
            reference: node.template_ref.clone(),
            ..Self::default()
        }
    }
}

impl From<&LifecycleHook> for Holder {
    fn from(hook: &LifecycleHook) -> Self {
        Self {
            template: hook.template.clone(),
            reference: hook.template_ref.clone(),
            ..Self::default()
        }
    }
}

/// One evaluation: who is called, by whom, with what.
pub(crate) struct Call<'c> {
    pub name: &'c str,
    pub holder: &'c Holder,
    pub base: &'c Base,
    pub arguments: &'c Arguments,
    pub boundary: &'c str,
    pub on_exit: bool,
    /// Deadline that a retry strategy sets to its attempts (C-BLD-51).
    pub deadline: Option<Timestamp>,
    pub flag: Option<NodeFlag>,
}

impl<'c> Call<'c> {
    fn with_flag(&self, flag: Option<NodeFlag>, deadline: Option<Timestamp>) -> Call<'c> {
        Call {
            flag,
            deadline,
            ..*self
        }
    }
}

impl Pass<'_> {
    /// Evaluates a template for the node of that name.
    pub fn evaluate_template(&mut self, call: &Call<'_>) -> Evaluated {
        self.depth += 1;
        let result = if self.depth >= DEPTH_LIMIT && self.seen.config.recursion_limit {
            let version = &self.seen.config.docs_version;
            let message = format!(
                "Maximum recursion depth exceeded. See https://argo-workflows.readthedocs.io/en/{version}/scaling/#maximum-recursion-depth"
            );
            self.error_or_add(call, &message);
            Err(Stop::Depth)
        } else {
            self.evaluate_nested(call)
        };
        self.depth -= 1;
        result
    }

    fn evaluate_nested(&mut self, call: &Call<'_>) -> Evaluated {
        let id = self.nodes.id(call.name);
        self.note_reached(&id);
        if self.nodes.get(&id).is_some_and(node::fulfilled) {
            self.node_fulfilled(&id);
            return Ok(Some(id));
        }
        let (resolved, base) = match self.resolve(call) {
            Ok(found) => found,
            Err(message) => return self.refuse(call, message),
        };
        if self.is_at_work(&id, &resolved) {
            return Ok(Some(id));
        }
        self.has_no_place(&id, call)?;
        let strategy = self.retry_strategy(&resolved);
        let locals = self.local_variables(call, &resolved, strategy.is_some());
        let processed = match self.prepared(&id, &resolved, call.arguments, &locals) {
            Ok(prepared) => prepared,
            Err(message) => return self.refuse(call, message),
        };
        self.looks_again |= self.nodes.get(&id).is_none() && !is_plain(&processed);
        if let Err(message) = self.override_display_name(&id, &processed) {
            self.mark_error(&id, &message);
            return Err(Stop::Error(message));
        }
        self.check_timeouts(&id, &processed)?;
        match self.check_parallelism(&id, call, &processed) {
            Err(Stop::Parallelism) if self.ends_without_place(&id, &processed, strategy.as_deref()) => {
                self.waiting.remove(&id);
            }
            checked => checked?,
        }
        let fresh_lock = match self.template_locks(&id, call, &processed)? {
            super::sync::Gate::Closed => return Ok(Some(id)),
            super::sync::Gate::Open { fresh } => fresh,
        };
        if fresh_lock || self.nodes.get(&id).is_none() {
            self.look_up_memo(&id, call, &processed)?;
        }
        if self.nodes.get(&id).is_some_and(node::fulfilled) {
            self.node_fulfilled(&id);
            return Ok(Some(id));
        }
        // The strategy may hold tags of the template's inputs, so the processed one counts.
        let strategy = strategy.map(|s| processed.retry_strategy.clone().unwrap_or(s));
        match strategy {
            None => self.dispatch(&id, call, &base, &processed, None),
            Some(strategy) => self.evaluate_retried(&id, call, &base, &processed, &strategy),
        }
    }

    /// Whether a step, task or item needs no look: its node is done, or at work by the template it names.
    pub fn needs_no_look(&self, id: &str, template: Option<&Template>) -> bool {
        let Some(node) = self.nodes.get(id) else {
            return false;
        };
        node::fulfilled(node) || template.is_some_and(|template| self.works(node, template))
    }

    /// Whether nothing can come of looking at a node: its pod is there and goes on by itself.
    ///
    /// What could still happen to such a node (limits, timeouts while pending, locks, a new display name) is ruled out,
    /// so that the inputs of thousands of running pods need not be worked out in each pass.
    pub fn is_at_work(&self, id: &str, template: &Template) -> bool {
        self.nodes.get(id).is_some_and(|node| self.works(node, template))
    }

    fn works(&self, node: &NodeStatus, template: &Template) -> bool {
        let may_wait = self.spec.parallelism.is_some() && !in_progress(node);
        if may_wait
            || template.synchronization.is_some()
            || !template.timeout.is_empty()
            || !template.pending_timeout.is_empty()
            || template.annotations.contains_key(super::labels::DISPLAY_NAME)
        {
            return false;
        }
        let runs = |node: &NodeStatus| {
            node.type_ == NodeType::Pod
                && self
                    .pods
                    .get(node.id.as_str())
                    .is_some_and(|pods| pods.len() == 1)
                && !self.is_to_be_followed(&node.id, template)
        };
        match node.type_ {
            NodeType::Pod => runs(node),
            NodeType::Retry => self
                .nodes
                .attempts(node)
                .1
                .is_some_and(|last| runs(last) && in_progress(last) && !node::phase_fulfilled(last)),
            _ => false,
        }
    }

    /// An error before there is anything to run.
    fn refuse(&mut self, call: &Call<'_>, message: String) -> Evaluated {
        self.error_or_add(call, &message);
        Err(Stop::Error(message))
    }

    /// The template's strategy or the workflow's (C-MRG-11).
    fn retry_strategy(&self, template: &Template) -> Option<Box<RetryStrategy>> {
        template
            .retry_strategy
            .clone()
            .or_else(|| self.spec.retry_strategy.clone())
    }

    fn local_variables(&self, call: &Call<'_>, template: &Template, retried: bool) -> Vars {
        let mut locals = Vars::new();
        if crate::plan::kind(template).is_pod() && !retried {
            locals.insert(
                "pod.name".to_owned(),
                vars::text(self.pod_name(call.name, template)),
            );
        }
        if !call.holder.sort.is_empty() {
            locals.insert(
                format!("{}.name", call.holder.sort),
                vars::text(call.holder.name.clone()),
            );
        }
        locals.insert("node.name".to_owned(), vars::text(call.name.to_owned()));
        locals
    }

    /// The name of the pod of a node with that template (C-NODE-10).
    pub fn pod_name(&self, node: &str, template: &Template) -> String {
        let version = self
            .annotations
            .get(super::labels::POD_NAME_FORMAT)
            .map_or(self.seen.config.pod_names, |v| crate::names::PodNames::parse(v));
        crate::names::pod_name(&self.wf.metadata.name, node, &template.name, version)
    }

    /// The retry wrapper around a template (C-RTY).
    fn evaluate_retried(
        &mut self,
        id: &str,
        call: &Call<'_>,
        base: &Base,
        processed: &Prepared,
        strategy: &RetryStrategy,
    ) -> Evaluated {
        if self.nodes.get(id).is_none() {
            // An attempt of a hook keeps the hook's flag, and the wrapper shows the attempt's: the peer shares one
            // object between them, and graphs show it.
            let flag = call.flag.clone().map(|f| NodeFlag { retried: true, ..f });
            let call = call.with_flag(flag, call.deadline);
            self.add_executable(
                &call,
                call.name,
                NodeType::Retry,
                processed,
                NodePhase::Running,
                "",
            );
        }
        let (go_on, deadline) = match self.judge_retries(id, strategy) {
            Ok(judged) => judged,
            Err(message) => {
                self.mark_error(id, &message);
                return Err(Stop::Error(message));
            }
        };
        if !go_on {
            return Ok(Some(id.to_owned()));
        }
        let wrapper = self
            .nodes
            .get(id)
            .cloned()
            .ok_or_else(|| Stop::Error("retry node vanished".to_owned()))?;
        let (count, last) = self.nodes.attempts(&wrapper);
        let last = last.cloned();
        if node::fulfilled(&wrapper) {
            if let Some(last) = &last {
                let outputs = last.outputs.clone();
                self.change(id, |node| node.outputs = outputs);
            }
            self.node_fulfilled(id);
            return Ok(Some(id.to_owned()));
        }
        let attempt_name;
        let number;
        match &last {
            Some(last) if !node::fulfilled(last) => {
                attempt_name = last.name.clone();
                number = count - 1;
            }
            _ => {
                attempt_name = format!("{}({count})", call.name);
                number = count;
                let attempt = self.nodes.id(&attempt_name);
                self.add_child(id, &attempt);
            }
        }
        let before = self.attempt_before(&wrapper, last.as_ref(), &attempt_name);
        let variables = self.attempt_variables(number, before, &attempt_name, processed);
        let attempt_id = self.nodes.id(&attempt_name);
        let template = match self.prepared_attempt(&attempt_id, processed, &variables) {
            Ok(template) => template,
            Err(message) => {
                self.mark_error(id, &message);
                return Err(Stop::Error(message));
            }
        };
        let mut flag = call.flag.clone().unwrap_or_default();
        flag.retried = true;
        let attempt_call = Call {
            name: &attempt_name,
            flag: Some(flag),
            deadline: deadline.or(call.deadline),
            ..*call
        };
        self.dispatch(
            &attempt_id,
            &attempt_call,
            base,
            &template,
            Some((id, call, strategy)),
        )
    }

    /// The attempt before the one of that name: the last one, or while an attempt goes on the one before it.
    fn attempt_before<'n>(
        &'n self,
        wrapper: &'n NodeStatus,
        last: Option<&'n NodeStatus>,
        name: &str,
    ) -> Option<&'n NodeStatus> {
        if let Some(last) = last.filter(|l| l.name != name) {
            return Some(last);
        }
        self.nodes
            .each_attempt(wrapper)
            .take_while(|attempt| attempt.name != name)
            .last()
    }

    /// Runs a template by its kind, then brings a retry wrapper up to date (C-EXE-02, rows 13 to 16).
    fn dispatch(
        &mut self,
        id: &str,
        call: &Call<'_>,
        base: &Base,
        template: &Prepared,
        retried: Option<(&str, &Call<'_>, &RetryStrategy)>,
    ) -> Evaluated {
        let result = match crate::plan::kind(template) {
            Kind::Container | Kind::Script | Kind::Resource | Kind::Data | Kind::ContainerSet => {
                self.run_pod(id, call, template)
            }
            Kind::Steps => self.run_steps(id, call, base, template),
            Kind::Dag => self.run_dag(id, call, base, template),
            Kind::Suspend => self.run_suspend(id, call, template),
            Kind::Http => self.run_agent_task(id, call, template, NodeType::Http),
            Kind::Plugin => self.run_agent_task(id, call, template, NodeType::Plugin),
            Kind::Unknown => Err(Stop::Error(format!(
                "Template '{}' missing specification",
                template.name
            ))),
        };
        if let Err(stop) = result {
            if matches!(stop, Stop::Missing(_) | Stop::Timeout | Stop::Depth) {
                return Err(stop);
            }
            if self.nodes.get(id).is_some() {
                self.mark_error(id, &stop.to_string());
            } else {
                self.error_or_add(call, &stop.to_string());
            }
            let goes_on = retried.is_some_and(|(_, _, strategy)| {
                let policy = effective_policy(strategy);
                matches!(
                    policy,
                    RetryPolicy::Always | RetryPolicy::OnError | RetryPolicy::OnTransientError
                )
            });
            if !goes_on {
                self.release_template_locks(retried.map_or(id, |(wrapper, ..)| wrapper));
                return Err(stop);
            }
        }
        self.follow_node(id, template);
        if self.nodes.get(id).is_some_and(node::fulfilled) {
            self.plan.workings.forget(id);
        }
        let Some((wrapper, outer, _)) = retried else {
            if self.nodes.get(id).is_some_and(node::fulfilled) {
                self.node_fulfilled(id);
            }
            return Ok(Some(id.to_owned()));
        };
        let attempt_done = self.nodes.get(id).is_some_and(node::fulfilled);
        let wrapper_done = self.nodes.get(wrapper).is_some_and(node::fulfilled);
        if attempt_done && !wrapper_done {
            self.evaluate_template(outer)?;
        }
        Ok(Some(wrapper.to_owned()))
    }

    /// What happens on each look at a fulfilled node (C-EXE-02, row 5).
    fn node_fulfilled(&mut self, id: &str) {
        self.release_template_locks(id);
    }

    /// Takes over the display name of the template's annotation for a node that exists (C-NODE-03).
    fn override_display_name(&mut self, id: &str, template: &Template) -> Result<(), String> {
        let Some(name) = template.annotations.get(super::labels::DISPLAY_NAME) else {
            return Ok(());
        };
        if self.nodes.get(id).is_none() {
            return Ok(());
        }
        const PATTERN: &str = "^[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]$";
        let bytes = name.as_bytes();
        let inner = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'.';
        let fits = (2..=63).contains(&bytes.len())
            && bytes.iter().all(inner)
            && bytes[0].is_ascii_alphanumeric()
            && bytes[bytes.len() - 1].is_ascii_alphanumeric();
        if !fits {
            return Err(format!("displayName must match the regex {PATTERN}"));
        }
        self.change(id, |node| name.clone_into(&mut node.display_name));
        Ok(())
    }

    /// The template of a holder that names it without tags.
    pub fn named_template(&self, base: &Base, holder: &Holder) -> Option<Arc<Template>> {
        let tagged = |text: &str| text.contains("{{");
        let reference = holder.reference.as_ref();
        if tagged(&holder.template) || reference.is_some_and(|r| tagged(&r.name) || tagged(&r.template)) {
            return None;
        }
        self.look_up(base, holder).ok().map(|found| found.template)
    }

    /// What a holder names, as status keeps it or else by the plan.
    pub fn look_up(&self, base: &Base, holder: &Holder) -> Result<Found, String> {
        let key = base.stored_key(holder);
        let stored = key.as_deref().and_then(|k| self.status.stored_templates.get(k));
        self.plan.resolve(base, holder, stored)
    }

    /// Finds the template that a holder names and the base of its own calls (C-TPL).
    pub fn resolve(&mut self, call: &Call<'_>) -> Result<(Arc<Template>, Base), String> {
        let found = self.look_up(call.base, call.holder)?;
        if let Some(key) = call.base.stored_key(call.holder)
            && !self.status.stored_templates.contains_key(&key)
        {
            self.status.stored_templates.insert(key, (*found.stored).clone());
            self.updated = true;
        }
        Ok((found.template, found.base))
    }
}

/// The policy in force (C-RTY-03).
pub(crate) fn effective_policy(strategy: &RetryStrategy) -> RetryPolicy {
    match &strategy.retry_policy {
        RetryPolicy::Unset if strategy.expression.is_empty() => RetryPolicy::OnFailure,
        RetryPolicy::Unset => RetryPolicy::Always,
        other => other.clone(),
    }
}
