//! One group of steps (C-STEP-02, C-STEP-03, C-STEP-04).

use std::collections::BTreeMap;

use argosy_model::{NodePhase, ParallelSteps, WorkflowStep};

use super::steps::StepsContext;
use super::template::{Call, Holder};
use super::{Pass, Stop};
use crate::node;
use crate::vars;

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
        let mut expanded = Vec::new();
        for step in group.iter() {
            match self.resolve_step(step, context) {
                Ok(step) => match self.expand_step(name, &step) {
                    Ok(Some(steps)) if steps.is_empty() => {
                        let holder = Holder::from(&step);
                        let child_name = format!("{name}.{}", step.name);
                        let child = self.skip(&child_name, &holder, context, "Skipped, empty params");
                        self.add_child(id, &child);
                    }
                    Ok(Some(steps)) => expanded.extend(steps),
                    Ok(None) => expanded.push(step),
                    Err(message) => {
                        self.mark_error(id, &message);
                        return true;
                    }
                },
                Err(Stop::Missing(message)) => {
                    self.waiting
                        .insert(id.to_owned(), super::Waiting::Variable { message });
                    return false;
                }
                Err(stop) => {
                    self.mark_error(id, &format!("failed to resolve references: {stop}"));
                    return true;
                }
            }
        }
        let mut steps = BTreeMap::new();
        for step in expanded {
            if !self.run_step(id, name, &step, context, &mut steps) {
                return true;
            }
        }
        self.assess_group(id, &steps, context)
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

    fn subtree_done(&self, child: &argosy_model::NodeStatus) -> bool {
        node::fulfilled(child)
            && child
                .children
                .iter()
                .filter_map(|id| self.nodes.get(id))
                .filter(|n| node::hooked(n) || n.name.starts_with(&format!("{}(", child.name)))
                .all(node::fulfilled)
    }

    /// Starts or continues one step. False: the group is marked and nothing else of it is to be looked at.
    fn run_step(
        &mut self,
        id: &str,
        group: &str,
        step: &WorkflowStep,
        context: &mut StepsContext<'_>,
        steps: &mut BTreeMap<String, WorkflowStep>,
    ) -> bool {
        let name = format!("{group}.{}", step.name);
        let holder = Holder::from(step);
        match self.should_run(&step.when) {
            Ok(true) => {}
            Ok(false) => {
                let child_id = self.nodes.id(&name);
                if self.nodes.get(&child_id).is_none() {
                    let message = format!("when '{}' evaluated false", step.when);
                    let child = self.skip(&name, &holder, context, &message);
                    self.add_child(id, &child);
                }
                return true;
            }
            Err(message) => {
                let call = self.step_call(&name, &holder, step, context);
                let child = self.error_or_add(&call, &message);
                self.add_child(id, &child);
                self.mark_error(id, &message);
                return false;
            }
        }
        let call = self.step_call(&name, &holder, step, context);
        let evaluated = self.evaluate_template(&call);
        let child = self.nodes.id(&name);
        match evaluated {
            Ok(_) => {
                steps.insert(child.clone(), step.clone());
                self.add_child(id, &child);
            }
            Err(Stop::Parallelism | Stop::Depth) => {
                steps.insert(child.clone(), step.clone());
                if self.nodes.get(&child).is_some() {
                    self.add_child(id, &child);
                }
            }
            Err(Stop::Timeout) => {
                self.add_child(id, &child);
                self.mark(id, NodePhase::Failed, Some("timeout"));
                return false;
            }
            Err(Stop::Missing(message)) => {
                self.waiting.insert(child, super::Waiting::Variable { message });
                return false;
            }
            Err(Stop::Error(message)) => {
                self.add_child(id, &child);
                self.mark_error(
                    id,
                    &format!("step group deemed errored due to child {name} error: {message}"),
                );
                return false;
            }
        }
        true
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
    fn assess_group(
        &mut self,
        id: &str,
        steps: &BTreeMap<String, WorkflowStep>,
        context: &mut StepsContext<'_>,
    ) -> bool {
        let children = self.nodes.get(id).map_or_else(Vec::new, |n| n.children.clone());
        let was_done = self.nodes.before(id).is_some_and(node::fulfilled);
        // A step that a limit held back has no node yet.
        let mut done = steps.keys().all(|id| self.nodes.get(id).is_some());
        for child_id in &children {
            let Some(child) = self.nodes.get(child_id).cloned() else {
                done = false;
                continue;
            };
            let Some(step) = steps.get(child_id) else {
                done &= node::fulfilled(&child);
                continue;
            };
            let prefix = format!("steps.{}", child.display_name);
            context
                .vars
                .insert(format!("{prefix}.status"), vars::text(child.phase.to_string()));
            let own = format!("steps.{}", step.name);
            let hooks = match self.run_hooks(&step.hooks, &child, context.base, &prefix, &own, &context.vars)
            {
                Ok(hooks) => hooks,
                Err(Stop::Missing(message)) => {
                    self.waiting
                        .insert(child_id.clone(), super::Waiting::Variable { message });
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
        if !done {
            return true;
        }
        for child_id in &children {
            let Some(child) = self.nodes.get(child_id) else {
                continue;
            };
            let goes_on = steps
                .get(child_id)
                .and_then(|s| s.continue_on.as_ref())
                .is_some_and(|on| {
                    on.error && child.phase == NodePhase::Error
                        || on.failed && child.phase == NodePhase::Failed
                });
            if node::failed_or_error(&child.phase) && !goes_on {
                let message = format!("child '{child_id}' failed");
                self.mark(id, NodePhase::Failed, Some(&message));
                return true;
            }
        }
        self.mark(id, NodePhase::Succeeded, None);
        true
    }
}
