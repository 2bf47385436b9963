//! The phase of a DAG node from the phases below it (C-DAG-10, C-DAG-11).

use std::collections::VecDeque;

use argosy_model::{NodePhase, NodeStatus, NodeType, ShutdownStrategy};
use rustc_hash::FxHashMap;

use super::Pass;
use super::dag::DagContext;
use crate::{names, node};

impl Pass<'_> {
    /// Succeeded, Failed, Error, or Running while it is open.
    pub fn assess_dag(&mut self, context: &DagContext<'_>) -> NodePhase {
        if *self.shutdown() != ShutdownStrategy::Unset && !self.exit_pending(context) && !context.call.on_exit
        {
            return NodePhase::Failed;
        }
        if context.has_open {
            return NodePhase::Running;
        }
        loop {
            match self.walk(context) {
                Walk::Open => return NodePhase::Running,
                Walk::Healed(id, phase) => self.mark(&id, phase, None),
                Walk::Done(phases) => return self.judge_targets(context, &phases),
            }
        }
    }

    /// From the first tasks along the edges, with the phase of the last that completed on the way.
    fn walk(&self, context: &DagContext<'_>) -> Walk {
        let graph = context.graph;
        let places = graph.targets.iter().enumerate();
        let targets: FxHashMap<&str, usize> =
            places.map(|(at, t)| (graph.tasks[*t].id.as_str(), at)).collect();
        let mut phases: Vec<Option<NodePhase>> = vec![None; graph.targets.len()];
        let own_exit = names::on_exit(context.call.name);
        let mut front = Front::default();
        if let Some(whole) = self.nodes.get(&context.boundary) {
            self.assessed_children(whole)
                .for_each(|child| front.meet(child, &NodePhase::Succeeded));
        }
        while let Some((id, inherited)) = front.open.pop_front() {
            let Some(current) = self.nodes.get(id) else {
                return Walk::Open;
            };
            // Edges lead on to what comes after the whole, which a retry by a person may have taken up again; so may it
            // have the exit handler.
            if !names::is_inside(&current.name, context.call.name) || current.name == own_exit {
                continue;
            }
            if !node::fulfilled(current) {
                return match self.healed_group(current) {
                    Some(phase) => Walk::Healed(id.to_owned(), phase),
                    None => Walk::Open,
                };
            }
            let branch = if node::completed(current) {
                &current.phase
            } else {
                inherited
            };
            if let Some(recorded) = targets.get(id).map(|at| &mut phases[*at])
                && !recorded.as_ref().is_some_and(node::failed_or_error)
            {
                *recorded = Some(branch.clone());
            }
            self.each_after(current, |next| front.meet(next, branch));
        }
        Walk::Done(phases)
    }

    fn judge_targets(&self, context: &DagContext<'_>, phases: &[Option<NodePhase>]) -> NodePhase {
        let fail_fast = context.dag.fail_fast != Some(false);
        let mut result = NodePhase::Succeeded;
        for (target, reached) in context.graph.targets.iter().zip(phases) {
            let (task, plan) = context.task(*target);
            // An edge can lead past a task: behind a retry node it starts at a hook that ended first.
            let own = || {
                self.nodes
                    .get(&plan.id)
                    .filter(|n| self.last_resort && node::fulfilled(n))
            };
            let phase = reached.clone().or_else(|| own().map(|n| n.phase.clone()));
            let Some(phase) = phase else {
                result = NodePhase::Running;
                if !fail_fast {
                    break;
                }
                continue;
            };
            let goes_on = task.continue_on.as_ref().is_some_and(|on| {
                on.error && phase == NodePhase::Error || on.failed && phase == NodePhase::Failed
            });
            if node::failed_or_error(&phase) && !goes_on {
                result = phase;
                if fail_fast {
                    break;
                }
            }
        }
        result
    }

    /// A loop's group whose items are all done takes the phase of the last failure; `None` for everything else.
    fn healed_group(&self, group: &NodeStatus) -> Option<NodePhase> {
        if group.type_ != NodeType::TaskGroup || group.children.is_empty() {
            return None;
        }
        let mut phase = NodePhase::Succeeded;
        for child in group.children.iter() {
            let child = self.nodes.get(child)?;
            if !node::fulfilled(child) {
                return None;
            }
            if node::failed_or_error(&child.phase) {
                phase = child.phase.clone();
            }
        }
        Some(phase)
    }

    /// Where the walk goes on: past the attempts of a retry node, whose failures don't count.
    fn each_after<'n>(&'n self, current: &'n NodeStatus, mut each: impl FnMut(&'n str)) {
        if current.type_ != NodeType::Retry {
            self.assessed_children(current).for_each(each);
            return;
        }
        for child in current.children.iter().filter_map(|c| self.nodes.get(c)) {
            if node::hooked(child) && !node::hooked(current) {
                each(&child.id);
            } else {
                self.assessed_children(child).for_each(&mut each);
            }
        }
    }

    /// The children to walk to. Edges are drawn before nodes begin, and a retry by a person leaves those to what it took
    /// away: once nothing else moves, what is not there is never made.
    fn assessed_children<'n>(&'n self, node: &'n NodeStatus) -> impl Iterator<Item = &'n str> {
        let exists = |child: &&String| !self.last_resort || self.nodes.get(child).is_some();
        node.children.iter().filter(exists).map(String::as_str)
    }

    /// Whether the exit handler of a target is under way.
    fn exit_pending(&self, context: &DagContext<'_>) -> bool {
        context.graph.targets.iter().any(|target| {
            let exit = names::on_exit(&context.graph.tasks[*target].node);
            self.nodes.by_name(&exit).is_some_and(|n| !node::fulfilled(n))
        })
    }
}

/// The nodes that a walk has yet to look at, each once for each phase that it is reached with.
#[derive(Default)]
struct Front<'n> {
    open: VecDeque<(&'n str, &'n NodePhase)>,
    met: FxHashMap<&'n str, u8>,
}

impl<'n> Front<'n> {
    fn meet(&mut self, id: &'n str, phase: &'n NodePhase) {
        let met = self.met.entry(id).or_default();
        if *met & bit(phase) == 0 {
            *met |= bit(phase);
            self.open.push_back((id, phase));
        }
    }
}

/// What a walk over a DAG's nodes found.
enum Walk {
    /// A node that is not done.
    Open,
    /// A loop's group whose items are all done, and the phase it takes from them.
    Healed(String, NodePhase),
    /// Nothing but nodes that are done: the phases with which the targets were reached.
    Done(Vec<Option<NodePhase>>),
}

/// One bit for each phase that can be handed on.
fn bit(phase: &NodePhase) -> u8 {
    match phase {
        NodePhase::Succeeded => 1,
        NodePhase::Failed => 2,
        NodePhase::Error => 4,
        _ => 8,
    }
}
