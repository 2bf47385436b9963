//! Lifecycle hooks and exit handlers (section 18).

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{Arguments, LifecycleHook, NodeFlag, NodeStatus, ShutdownStrategy};

use super::template::{Call, Holder};
use super::{Pass, Stop};
use crate::plan::Base;
use crate::vars::{self, Level, Vars};
use crate::{names, node};

/// The exit handler of a step, task or workflow: hook `exit`, or `onExit` with the workflow's arguments (C-HOOK-01).
pub(crate) fn exit_hook(
    hooks: &BTreeMap<String, LifecycleHook>,
    on_exit: &str,
    arguments: &Arguments,
) -> Option<LifecycleHook> {
    if let Some(hook) = hooks.get("exit") {
        return Some(hook.clone());
    }
    (!on_exit.is_empty()).then(|| LifecycleHook {
        template: on_exit.to_owned(),
        arguments: arguments.clone(),
        ..LifecycleHook::default()
    })
}

impl Pass<'_> {
    /// Whether anything was begun that may have hooks: they begin once it is there.
    pub fn begins_watched(&self) -> bool {
        let begun = self.nodes.iter_new().map(|node| node.boundary_id.as_str());
        let inside: BTreeSet<&str> = begun.filter(|boundary| !boundary.is_empty()).collect();
        let watches = |boundary: &str| {
            let template = self.plan.workings.last(boundary);
            template.is_none_or(|template| template.watches())
        };
        inside.into_iter().any(watches)
    }

    /// Runs the hooks of a step's or task's node. True when none is unfinished (C-HOOK-10).
    ///
    /// `own` is the prefix of the step's or task's own variables.
    pub fn run_hooks(
        &mut self,
        hooks: &BTreeMap<String, LifecycleHook>,
        parent: &NodeStatus,
        base: &Base,
        _shown: &str,
        own: &str,
        vars: &Vars,
    ) -> Result<bool, Stop> {
        let mut done = true;
        // Hooks inside an exit handler run as long as it does, also past the workflow's deadline.
        let on_exit = self.in_exit_handler(parent);
        for (name, hook) in hooks.iter().filter(|(name, _)| *name != "exit") {
            let node_name = names::hook(&parent.name, name);
            let id = self.nodes.id(&node_name);
            let started = self.nodes.get(&id).is_some();
            if hook.expression.is_empty() {
                return Err(Stop::Error(format!("Expression required for hook {node_name}")));
            }
            self.hooks_wait |= !started;
            let due =
                started || vars::condition(&hook.expression, &[vars, &self.globals]).map_err(Stop::Error)?;
            if !due {
                continue;
            }
            let mut arguments = hook.arguments.clone();
            if let Some(outputs) = &parent.outputs {
                let mut scope = vars.clone();
                super::scope::add_given_outputs(&mut scope, own, outputs);
                arguments = self.resolve_arguments(&arguments, &scope).map_err(Stop::Error)?;
            }
            let holder = Holder::from(hook);
            let call = Call {
                name: &node_name,
                holder: &holder,
                base,
                arguments: &arguments,
                boundary: &parent.boundary_id,
                on_exit,
                deadline: None,
                flag: Some(NodeFlag {
                    hooked: true,
                    retried: false,
                }),
            };
            let evaluated = self.evaluate_template(&call);
            if self.nodes.get(&id).is_some() {
                self.add_child(&parent.id, &id);
            }
            match evaluated {
                Ok(_) => {}
                // Not even a limit is waited for: the parent gets its text, as in the peer.
                Err(stop) => return Err(stop),
            }
            done &= self.nodes.get(&id).is_some_and(node::fulfilled);
        }
        Ok(done)
    }

    /// Runs the exit handler of a step's or task's completed node. True when there is nothing left to do (C-HOOK-31).
    pub fn run_exit_hook(
        &mut self,
        hook: Option<&LifecycleHook>,
        parent: &NodeStatus,
        base: &Base,
        own: &str,
        vars: &Vars,
        boundary: &str,
    ) -> Result<bool, Stop> {
        let Some(hook) = hook.filter(|_| *self.shutdown() != ShutdownStrategy::Terminate) else {
            return Ok(true);
        };
        let node_name = names::on_exit(&parent.name);
        let id = self.nodes.id(&node_name);
        let mut scope = vars.clone();
        self.add_node_variables(&mut scope, own, parent);
        if !hook.expression.is_empty() {
            let due = vars::condition(&hook.expression, &[&scope, &self.globals]).map_err(Stop::Error)?;
            if !due {
                return Ok(true);
            }
        }
        let arguments = match &parent.outputs {
            Some(outputs) if hook.arguments != Arguments::default() => {
                let mut scope = vars.clone();
                super::scope::add_given_outputs(&mut scope, own, outputs);
                self.resolve_exit_arguments(&hook.arguments, &scope)
                    .map_err(Stop::Error)?
            }
            _ => hook.arguments.clone(),
        };
        let holder = Holder::from(hook);
        let call = Call {
            name: &node_name,
            holder: &holder,
            base,
            arguments: &arguments,
            boundary,
            on_exit: true,
            deadline: None,
            flag: Some(NodeFlag {
                hooked: true,
                retried: false,
            }),
        };
        let evaluated = self.evaluate_template(&call);
        if self.nodes.get(&id).is_some() {
            self.add_child(&parent.id, &id);
        }
        evaluated?;
        Ok(self.nodes.get(&id).is_some_and(node::fulfilled))
    }

    /// Runs the workflow's hooks. True when none is unfinished (C-HOOK-20).
    pub fn run_workflow_hooks(&mut self) -> Result<bool, Stop> {
        let spec = std::sync::Arc::clone(&self.spec);
        let base = self.local_base();
        let root = self.nodes.id(&self.wf.metadata.name);
        let mut done = true;
        for (name, hook) in spec.hooks.iter().filter(|(name, _)| *name != "exit") {
            let node_name = names::hook(&self.wf.metadata.name, name);
            let id = self.nodes.id(&node_name);
            if hook.expression.is_empty() {
                return Err(Stop::Error(format!("Expression required for hook {node_name}")));
            }
            let started = self.nodes.get(&id).is_some();
            self.hooks_wait |= !started;
            let due = started || vars::condition(&hook.expression, &[&self.globals]).map_err(Stop::Error)?;
            if !due {
                continue;
            }
            let holder = Holder::from(hook);
            let call = Call {
                name: &node_name,
                holder: &holder,
                base: &base,
                arguments: &hook.arguments,
                boundary: "",
                on_exit: false,
                deadline: None,
                flag: Some(NodeFlag {
                    hooked: true,
                    retried: false,
                }),
            };
            let evaluated = self.evaluate_template(&call);
            if self.nodes.get(&id).is_some() {
                self.add_child(&root, &id);
            }
            match evaluated {
                Ok(_) | Err(Stop::Parallelism | Stop::Depth | Stop::Timeout) => {}
                Err(stop) => return Err(stop),
            }
            done &= self.nodes.get(&id).is_some_and(node::fulfilled);
        }
        Ok(done)
    }

    /// Arguments with everything that is known put in; unknown tags of an exit handler stay (C-HOOK-32).
    fn resolve_exit_arguments(&mut self, arguments: &Arguments, scope: &Vars) -> Result<Arguments, String> {
        let mut resolved: Arguments = vars::substitute(arguments, &[scope, &self.globals], Level::Lenient)
            .map_err(|e| e.to_string())?;
        self.resolve_argument_artifacts(&mut resolved, scope, true)?;
        Ok(resolved)
    }

    /// Arguments with everything that is known put in and artifacts resolved.
    fn resolve_arguments(&mut self, arguments: &Arguments, scope: &Vars) -> Result<Arguments, String> {
        self.resolve_exit_arguments(arguments, scope)
    }
}
