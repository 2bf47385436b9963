//! What follows in a DAG once tasks of it have ended well: the tasks after them, without a look at any other one.
//!
//! Part of a decision by what moved alone (`moved`): nothing waits for anything but pods, and nothing limits what begins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_model::{Arguments, DagTemplate, NodeStatus, NodeType};

use super::dag::DagContext;
use super::moved::is_plain;
use super::parallelism::limits_inside;
use super::prepared::{Graph, Prepared};
use super::template::{Call, Holder};
use super::{Pass, node};
use crate::decision::Effect;
use crate::plan::Base;

/// Tasks that have ended well.
#[derive(Default)]
pub(super) struct Ended {
    /// By the id of their DAG's node, with its template: their places.
    dags: BTreeMap<String, (Arc<Prepared>, Vec<usize>)>,
}

impl Ended {
    /// Notes a node that ended inside another one, if it is one of its tasks.
    pub fn note(
        &mut self,
        node: &NodeStatus,
        whole: &NodeStatus,
        template: &Arc<Prepared>,
        workflow: &str,
    ) -> bool {
        let place = template.dag.as_ref().and_then(|dag| {
            let name = node.name.strip_prefix(whole.name.as_str())?.strip_prefix('.')?;
            let graph = template.graph(workflow, &whole.name, dag);
            graph
                .place(name)
                .filter(|place| graph.tasks[*place].id == node.id)
        });
        if let Some(place) = place {
            let dag = self.dags.entry(whole.id.clone());
            let (_, places) = dag.or_insert_with(|| (Arc::clone(template), Vec::new()));
            places.push(place);
        }
        place.is_some()
    }
}

impl Pass<'_> {
    /// Begins the tasks that waited for those alone; `None` if more may come of it, or a DAG has nothing at work any more.
    pub(super) fn follow_ended(&mut self, ended: &Ended) -> Option<()> {
        let mut begins = false;
        for (id, (template, places)) in &ended.dags {
            let dag = template.dag.as_ref()?;
            let whole = self.nodes.get(id)?.clone();
            let graph = template.graph(&self.wf.metadata.name, &whole.name, dag);
            let due = self.due_after(graph, places)?;
            if !due.is_empty() {
                // Of several it would have to be found out which one comes first.
                if std::mem::replace(&mut begins, true) {
                    return None;
                }
                self.begin_alone(&whole, template, (dag, graph), &due)?;
            }
            if !self.is_one_open(graph, *places.first()?) {
                return None;
            }
        }
        (!begins || self.began_well()).then_some(())
    }

    /// The tasks that may be due after those have ended, in the order in which they are come to; `None` if one of them
    /// was begun before.
    fn due_after(&self, graph: &Graph, ended: &[usize]) -> Option<Vec<usize>> {
        let mut due = BTreeSet::new();
        for place in ended.iter().flat_map(|place| &graph.after[*place]) {
            let task = &graph.tasks[*place];
            if self.nodes.get(&task.id).is_some() {
                return None;
            }
            let is_settled = |before: &usize| {
                let node = self.nodes.get(&graph.tasks[*before].id);
                node.is_some_and(|n| self.is_settled(n))
            };
            if let Some(rank) = graph.ranks[*place]
                && task.before.iter().all(is_settled)
            {
                due.insert((rank, *place));
            }
        }
        Some(due.into_iter().map(|(_, place)| place).collect())
    }

    fn begin_alone(
        &mut self,
        whole: &NodeStatus,
        template: &Prepared,
        (dag, graph): (&DagTemplate, &Graph),
        due: &[usize],
    ) -> Option<()> {
        self.depth = self.free_depth(whole)?;
        let base = self.base_inside(whole)?;
        let (holder, arguments) = (Holder::default(), Arguments::default());
        let call = Call {
            name: &whole.name,
            holder: &holder,
            base: &base,
            arguments: &arguments,
            boundary: &whole.boundary_id,
            on_exit: false,
            deadline: None,
            flag: None,
        };
        let context = DagContext::new(&whole.id, (&call, &base), template, (dag, graph));
        due.iter()
            .try_for_each(|place| self.begin_task(*place, &context).ok())
    }

    /// How deep templates are nested inside a node; `None` if anything limits or ends what runs there, or it belongs to a
    /// hook or an attempt, or it may wait for the exit handler of an item before it.
    fn free_depth(&mut self, whole: &NodeStatus) -> Option<usize> {
        let mut depth = 0;
        let mut next = Some(whole.clone());
        let mut holds_item = false;
        while let Some(node) = next {
            let flag = node.node_flag.as_ref();
            let template = self.node_template(&node)?;
            if flag.is_some_and(|flag| flag.hooked || flag.retried)
                || !is_plain(&template)
                || limits_inside(&template)
                || holds_item && self.plan.workings.last(&node.id)?.watches()
            {
                return None;
            }
            holds_item = node.name.ends_with(')');
            depth += 1;
            next = self.nodes.get(&node.boundary_id).cloned();
            if next.is_none() && node.name != self.wf.metadata.name {
                return None;
            }
        }
        Some(depth)
    }

    /// Where the templates that a node's tasks name are looked up.
    fn base_inside(&self, whole: &NodeStatus) -> Option<Base> {
        if whole.template_name.is_empty() && whole.template_ref.is_none() {
            return None;
        }
        let found = self.look_up(&Base::parse(&whole.template_scope), &Holder::from(whole));
        found.ok().map(|found| found.base)
    }

    /// Whether any task is open; the nearest to a place are looked at first.
    fn is_one_open(&self, graph: &Graph, place: usize) -> bool {
        let is_open = |at: usize| {
            let node = graph.tasks.get(at).and_then(|task| self.nodes.get(&task.id));
            node.is_some_and(|n| !node::fulfilled(n))
        };
        let mut distances = 1..graph.tasks.len();
        let is_near = |by: usize| is_open(place + by) || place.checked_sub(by).is_some_and(is_open);
        distances.any(is_near)
    }

    /// Whether all that was begun goes on by itself, by pods that were just asked for.
    fn began_well(&self) -> bool {
        let goes_on = |node: &NodeStatus| {
            node::begins(node) && (node.type_ != NodeType::Pod || self.asked.contains(&node.id))
        };
        let is_of_it = |effect: &Effect| match effect {
            Effect::CreatePod { pod, .. } => {
                effect.makes_pod() && !self.seen.pods.contains_key(&pod.metadata.name)
            }
            other => other.is_for_others(),
        };
        self.nodes.iter_new().all(goes_on)
            && self.effects.iter().all(is_of_it)
            && self.locks.is_untouched()
            && self.seen.outcomes.pods.is_empty()
            && !self.awaits_others()
    }
}
