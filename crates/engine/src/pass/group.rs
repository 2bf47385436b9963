//! One group of steps (C-STEP-02, C-STEP-03, C-STEP-04).

use argosy_model::{NodePhase, NodeStatus, ParallelSteps, WorkflowStep};
use rustc_hash::FxHashMap;

use super::loops::{Items, Looped, Unfolded};
use super::steps::StepsContext;
use super::template::{Call, Holder};
use super::{Pass, Stop};
use crate::node;
use crate::vars;

/// What a step of a group came to.
struct Expanded<'g> {
    /// As it stands in the template.
    written: &'g WorkflowStep,
    items: Items<WorkflowStep>,
}

/// The nodes of a group that were looked at, and what is followed or forgiven of them.
struct Looked<'g> {
    expanded: &'g [Expanded<'g>],
    /// Those of [`Items::Each`] whose hooks and the like may follow, each with its variables put in.
    steps: FxHashMap<&'g str, &'g WorkflowStep>,
    /// Whether hooks or exit handlers follow any of the group's steps.
    is_watched: bool,
}

impl<'g> Looked<'g> {
    /// The steps by the ids of their nodes.
    fn by_id(&self) -> FxHashMap<&'g str, &'g WorkflowStep> {
        let quiet = self
            .expanded
            .iter()
            .flat_map(|one| one.items.quiet().map(|id| (id, one.written)));
        quiet
            .chain(self.steps.iter().map(|(id, step)| (*id, *step)))
            .collect()
    }
}

impl Pass<'_> {
    /// Evaluates a group. False: the group is not to be judged in this pass, whatever its phase.
    pub fn run_group(
        &mut self,
        id: &str,
        name: &str,
        group: &ParallelSteps,
        context: &mut StepsContext<'_>,
    ) -> bool {
        if self.group_settled(id) {
            return true;
        }
        let mut expanded = Vec::with_capacity(group.len());
        for step in group.iter() {
            match self.expand_step(id, name, step, context) {
                Ok(items) => expanded.push(Expanded { written: step, items }),
                Err(Stop::Missing(message)) => {
                    self.waiting
                        .insert(id.to_owned(), super::Waiting::Variable { message });
                    return false;
                }
                Err(stop) => {
                    self.mark_error(id, &stop.to_string());
                    return true;
                }
            }
        }
        let mut looked = Looked {
            expanded: &expanded,
            steps: FxHashMap::default(),
            is_watched: group.iter().any(Looped::is_watched),
        };
        // Edges are stored together with the nodes that they lead to.
        let count: usize = expanded.iter().map(|one| one.items.len()).sum();
        let has_all = self
            .nodes
            .before(id)
            .is_some_and(|group| group.children.len() >= count);
        for one in &expanded {
            for (child, step) in one.items.iter() {
                let Some(step) = step else {
                    self.release_template_locks(child);
                    if !has_all {
                        self.add_child(id, child);
                    }
                    continue;
                };
                match self.run_step(id, child, name, step, context) {
                    Some(true) => drop(looked.steps.insert(child, step)),
                    Some(false) => {}
                    None => return true,
                }
            }
        }
        self.assess_group(id, &looked, context)
    }

    /// A step with its variables put in, or one for each item of its loop.
    fn expand_step(
        &mut self,
        id: &str,
        name: &str,
        step: &WorkflowStep,
        context: &StepsContext<'_>,
    ) -> Result<Items<WorkflowStep>, Stop> {
        if self.goes_on_alone(name, step, context) {
            let child = self.nodes.id(&format!("{name}.{}", step.name));
            return Ok(Items::Quiet([child].into()));
        }
        let resolved = match self.resolve_step(step, context) {
            Ok(resolved) => resolved,
            Err(stop @ Stop::Missing(_)) => return Err(stop),
            Err(stop) => return Err(Stop::Error(format!("failed to resolve references: {stop}"))),
        };
        let Some(items) = self.unfold(&resolved, name, context.base).map_err(Stop::Error)? else {
            return Ok(Items::Each(vec![Unfolded {
                id: self.nodes.id(&format!("{name}.{}", resolved.name)),
                looped: Some(resolved),
            }]));
        };
        if items.is_empty() {
            let holder = Holder::from(&resolved);
            let child_name = format!("{name}.{}", resolved.name);
            let child = self.skip(&child_name, &holder, context, "Skipped, empty params");
            self.add_child(id, &child);
        }
        Ok(items)
    }

    /// Whether nothing can come of looking at a step: its node is done or at work, and nothing follows it.
    fn goes_on_alone(&self, group: &str, step: &WorkflowStep, context: &StepsContext<'_>) -> bool {
        if step.is_watched() || super::loops::loops(step) {
            return false;
        }
        let id = self.nodes.id(&format!("{group}.{}", step.name));
        if self.nodes.get(&id).is_none() {
            return false;
        }
        let template = self.named_template(context.base, &Holder::from(step));
        self.needs_no_look(&id, template.as_deref())
    }

    /// Whether the group and everything below it is done; a group whose child turned out unfinished runs again.
    fn group_settled(&mut self, id: &str) -> bool {
        let Some(group) = self.nodes.get(id).filter(|n| node::fulfilled(n)) else {
            return false;
        };
        if node::failed_or_error(&group.phase) {
            return true;
        }
        // A daemon may have died since, or a child been taken up again.
        let children = group.children.iter().filter_map(|child| self.nodes.get(child));
        children
            .into_iter()
            .all(|c| !node::failed_or_error(&c.phase) && self.subtree_done(c))
    }

    fn subtree_done(&self, child: &NodeStatus) -> bool {
        node::fulfilled(child)
            && child
                .children
                .iter()
                .filter_map(|id| self.nodes.get(id))
                .filter(|n| node::hooked(n) || n.name.starts_with(&format!("{}(", child.name)))
                .all(node::fulfilled)
    }

    /// Starts or continues one step. Gives whether hooks and the like may follow, `None` when the group is marked and
    /// nothing else of it is to be looked at.
    fn run_step(
        &mut self,
        id: &str,
        child: &str,
        group: &str,
        step: &WorkflowStep,
        context: &StepsContext<'_>,
    ) -> Option<bool> {
        let name = format!("{group}.{}", step.name);
        let holder = Holder::from(step);
        match self.should_run(&step.when) {
            Ok(true) => {}
            Ok(false) => {
                if self.nodes.get(child).is_none() {
                    let message = format!("when '{}' evaluated false", step.when);
                    let child = self.skip(&name, &holder, context, &message);
                    self.add_child(id, &child);
                }
                return Some(false);
            }
            Err(message) => {
                let call = self.step_call(&name, &holder, step, context);
                let child = self.error_or_add(&call, &message);
                self.add_child(id, &child);
                self.mark_error(id, &message);
                return None;
            }
        }
        let call = self.step_call(&name, &holder, step, context);
        match self.evaluate_template(&call) {
            Ok(_) => {
                self.add_child(id, child);
                Some(true)
            }
            Err(Stop::Parallelism | Stop::Depth) => {
                if self.nodes.get(child).is_some() {
                    self.add_child(id, child);
                }
                Some(true)
            }
            Err(Stop::Timeout) => {
                self.add_child(id, child);
                self.mark(id, NodePhase::Failed, Some("timeout"));
                None
            }
            Err(Stop::Missing(message)) => {
                self.waiting
                    .insert(child.to_owned(), super::Waiting::Variable { message });
                None
            }
            Err(Stop::Error(message)) => {
                self.add_child(id, child);
                self.mark_error(
                    id,
                    &format!("step group deemed errored due to child {name} error: {message}"),
                );
                None
            }
        }
    }

    fn step_call<'c>(
        &self,
        name: &'c str,
        holder: &'c Holder,
        step: &'c WorkflowStep,
        context: &'c StepsContext<'_>,
    ) -> Call<'c> {
        Call {
            name,
            holder,
            base: context.base,
            arguments: &step.arguments,
            boundary: &context.boundary,
            on_exit: context.call.on_exit,
            deadline: context.call.deadline,
            flag: None,
        }
    }

    fn skip(&mut self, name: &str, holder: &Holder, context: &StepsContext<'_>, message: &str) -> String {
        let id = self.nodes.id(name);
        if self.nodes.get(&id).is_some() {
            return id;
        }
        let arguments = argosy_model::Arguments::default();
        let call = Call {
            name,
            holder,
            base: context.base,
            arguments: &arguments,
            boundary: &context.boundary,
            on_exit: context.call.on_exit,
            deadline: None,
            flag: None,
        };
        self.add_skipped(&call, NodePhase::Skipped, message)
    }

    /// Runs hooks and exit handlers of the children and decides the group's phase (C-STEP-04).
    fn assess_group(&mut self, id: &str, looked: &Looked<'_>, context: &mut StepsContext<'_>) -> bool {
        let was_done = self.nodes.before(id).is_some_and(node::fulfilled);
        // A step that a limit held back has no node yet.
        let mut done = looked.steps.keys().all(|id| self.nodes.get(id).is_some());
        let is_read = |child: &NodeStatus| looked.is_watched || context.reads.has(&child.display_name);
        let nothing_follows = !looked.is_watched && context.reads.is_empty();
        let mut followed = Vec::new();
        for child_id in self
            .nodes
            .get(id)
            .into_iter()
            .flat_map(|group| group.children.iter())
        {
            let child = self.nodes.get(child_id);
            done &= child.is_some_and(node::fulfilled);
            if !done && nothing_follows {
                return true;
            }
            followed.extend(child.filter(|child| is_read(child)).map(|_| child_id.clone()));
        }
        if !done && followed.is_empty() {
            return true;
        }
        let steps = looked.by_id();
        let known = |child: String| steps.get(child.as_str()).map(|step| (child, *step));
        let noted: Vec<(String, &WorkflowStep)> = followed.into_iter().filter_map(known).collect();
        for (child_id, step) in noted {
            let Some(child) = self.nodes.get(&child_id) else {
                continue;
            };
            let prefix = format!("steps.{}", child.display_name);
            context
                .vars
                .insert(format!("{prefix}.status"), vars::text(child.phase.to_string()));
            if !step.is_watched() {
                continue;
            }
            let child = child.clone();
            let own = format!("steps.{}", step.name);
            let hooks = match self.run_hooks(&step.hooks, &child, context.base, &prefix, &own, &context.vars)
            {
                Ok(hooks) => hooks,
                Err(Stop::Missing(message)) => {
                    self.waiting
                        .insert(child_id, super::Waiting::Variable { message });
                    false
                }
                Err(stop) => {
                    self.mark_error(id, &stop.to_string());
                    // The peer judges the group by its state from before the hooks.
                    return was_done;
                }
            };
            if !hooks || !node::fulfilled(&child) {
                done = false;
                continue;
            }
            if node::completed(&child) {
                let hook = super::hooks::exit_hook(&step.hooks, &step.on_exit, &self.spec.arguments);
                let exit = self.run_exit_hook(
                    hook.as_ref(),
                    &child,
                    context.base,
                    &own,
                    &context.vars,
                    &context.boundary,
                );
                match exit {
                    Ok(exit_done) => done &= exit_done,
                    Err(_) => done = false,
                }
            }
        }
        if done {
            self.judge_group(id, &steps);
        }
        true
    }

    /// Decides the phase of a group whose steps are done.
    fn judge_group(&mut self, id: &str, steps: &FxHashMap<&str, &WorkflowStep>) {
        let children = self
            .nodes
            .get(id)
            .into_iter()
            .flat_map(|group| group.children.iter());
        let failed = children.filter_map(|child| self.nodes.get(child)).find(|child| {
            let goes_on = steps
                .get(child.id.as_str())
                .and_then(|s| s.continue_on.as_ref())
                .is_some_and(|on| {
                    on.error && child.phase == NodePhase::Error
                        || on.failed && child.phase == NodePhase::Failed
                });
            node::failed_or_error(&child.phase) && !goes_on
        });
        if let Some(child) = failed {
            let message = format!("child '{}' failed", child.id);
            self.mark(id, NodePhase::Failed, Some(&message));
        } else {
            self.mark(id, NodePhase::Succeeded, None);
        }
    }
}
