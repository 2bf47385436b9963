//! The phase of a DAG node from the phases below it (C-DAG-10, C-DAG-11).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use argosy_model::{NodePhase, NodeStatus, NodeType, ShutdownStrategy};

use super::Pass;
use super::dag::DagContext;
use crate::{names, node};

impl Pass<'_> {
    /// Succeeded, Failed, Error, or Running while it is open.
    pub fn assess_dag(&mut self, context: &DagContext<'_>, targets: &[String]) -> NodePhase {
        if *self.shutdown() != ShutdownStrategy::Unset
            && !self.exit_pending(context, targets)
            && !context.call.on_exit
        {
            return NodePhase::Failed;
        }
        let mut phases: BTreeMap<String, Option<NodePhase>> = targets
            .iter()
            .map(|t| (self.nodes.id(&context.node_name(t)), None))
            .collect();
        let whole = self.nodes.get(&context.boundary);
        let roots = whole.map_or_else(Vec::new, |n| self.assessed_children(n));
        let own_exit = names::on_exit(context.call.name);
        let mut open: VecDeque<(String, NodePhase)> =
            roots.into_iter().map(|c| (c, NodePhase::Succeeded)).collect();
        let mut seen: BTreeSet<(String, NodePhase)> = open.iter().cloned().collect();
        while let Some((id, inherited)) = open.pop_front() {
            let Some(current) = self.nodes.get(&id).cloned() else {
                return NodePhase::Running;
            };
            // Edges lead on to what comes after the whole, which a retry by a person may have taken up again; so may it
            // have the exit handler.
            if !names::is_inside(&current.name, context.call.name) || current.name == own_exit {
                continue;
            }
            let mut branch = inherited;
            if !node::fulfilled(&current) {
                let Some(healed) = self.healed_group(&current) else {
                    return NodePhase::Running;
                };
                self.mark(&id, healed.clone(), None);
                branch = healed;
            } else if node::completed(&current) {
                branch = current.phase.clone();
            }
            if let Some(recorded) = phases.get_mut(&id)
                && !recorded.as_ref().is_some_and(node::failed_or_error)
            {
                *recorded = Some(branch.clone());
            }
            for next in self.assessed_after(&current) {
                let pair = (next, branch.clone());
                if seen.insert(pair.clone()) {
                    open.push_back(pair);
                }
            }
        }
        self.judge_targets(context, targets, &phases)
    }

    fn judge_targets(
        &self,
        context: &DagContext<'_>,
        targets: &[String],
        phases: &BTreeMap<String, Option<NodePhase>>,
    ) -> NodePhase {
        let fail_fast = context.dag.fail_fast != Some(false);
        let mut result = NodePhase::Succeeded;
        for target in targets {
            let id = self.nodes.id(&context.node_name(target));
            let reached = phases.get(&id).cloned().flatten();
            // An edge can lead past a task: behind a retry node it starts at a hook that ended first.
            let own = || {
                self.nodes
                    .get(&id)
                    .filter(|n| self.last_resort && node::fulfilled(n))
            };
            let phase = reached.or_else(|| own().map(|n| n.phase.clone()));
            let Some(phase) = phase else {
                result = NodePhase::Running;
                if !fail_fast {
                    break;
                }
                continue;
            };
            let goes_on = context
                .tasks
                .get(target.as_str())
                .and_then(|t| t.continue_on.as_ref())
                .is_some_and(|on| {
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
        for child in &group.children {
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
    fn assessed_after(&self, current: &NodeStatus) -> Vec<String> {
        if current.type_ != NodeType::Retry {
            return if node::fulfilled(current) {
                self.assessed_children(current)
            } else {
                current.children.clone()
            };
        }
        let mut next = Vec::new();
        for child in current.children.iter().filter_map(|c| self.nodes.get(c)) {
            if node::hooked(child) && !node::hooked(current) {
                next.push(child.id.clone());
            } else {
                next.extend(self.assessed_children(child));
            }
        }
        next
    }

    /// The children to walk to. Edges are drawn before nodes begin, and a retry by a person leaves those to what it took
    /// away: once nothing else moves, what is not there is never made.
    fn assessed_children(&self, node: &NodeStatus) -> Vec<String> {
        let exists = |child: &&String| !self.last_resort || self.nodes.get(child).is_some();
        node.children.iter().filter(exists).cloned().collect()
    }

    /// Whether the exit handler of a target is under way.
    fn exit_pending(&self, context: &DagContext<'_>, targets: &[String]) -> bool {
        targets.iter().any(|target| {
            let exit = names::on_exit(&context.node_name(target));
            self.nodes.by_name(&exit).is_some_and(|n| !node::fulfilled(n))
        })
    }
}
