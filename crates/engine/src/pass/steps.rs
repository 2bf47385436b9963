//! Steps templates: groups one after the other (C-STEP-01, C-STEP-05).

use std::sync::Arc;

use argosy_model::{NodeFlag, NodePhase, NodeType, Template, WorkflowStep};

use super::nodes::Birth;
use super::prepared::Prepared;
use super::reads::Reads;
use super::template::{Call, Holder};
use super::{Evaluated, Pass, Stop};
use crate::node;
use crate::plan::Base;
use crate::vars::Vars;

/// What the steps of one node share while it is evaluated.
pub(crate) struct StepsContext<'c> {
    pub call: &'c Call<'c>,
    /// Where templates that the steps name are looked up.
    pub base: &'c Base,
    pub boundary: String,
    pub vars: Vars,
    /// Which of the steps are read by others.
    pub reads: &'c Reads,
}

impl Pass<'_> {
    /// Evaluates a steps template.
    pub fn run_steps(&mut self, id: &str, call: &Call<'_>, base: &Base, template: &Prepared) -> Evaluated {
        if self.nodes.get(id).is_none() {
            self.add_executable(call, call.name, NodeType::Steps, template, NodePhase::Running, "");
        }
        let result = self.run_groups(id, call, base, template);
        if self.nodes.get(id).is_some_and(node::fulfilled) {
            self.stop_daemons(id);
        }
        result
    }

    fn run_groups(&mut self, id: &str, call: &Call<'_>, base: &Base, template: &Prepared) -> Evaluated {
        let mut context = StepsContext {
            call,
            base,
            boundary: id.to_owned(),
            vars: self.inputs_of(template).clone(),
            reads: template.step_reads(),
        };
        for (index, group) in template.steps.iter().enumerate() {
            let name = format!("{}[{index}]", call.name);
            let group_id = self.nodes.id(&name);
            if self.nodes.get(&group_id).is_none() {
                self.add_node(Birth {
                    name: &name,
                    kind: NodeType::StepGroup,
                    phase: NodePhase::Running,
                    boundary: id,
                    message: "",
                    flag: Some(NodeFlag::default()),
                    scope: base.scope_text(),
                });
                self.wire_group(id, call.name, index, &group_id);
            }
            if !self.run_group(&group_id, &name, group, &mut context) {
                return Ok(Some(id.to_owned()));
            }
            let Some(group_node) = self.nodes.get(&group_id).filter(|n| node::fulfilled(n)) else {
                return Ok(Some(id.to_owned()));
            };
            if node::failed_or_error(&group_node.phase) {
                let message = group_node.message.clone();
                self.set_steps_outbound(id, call.name, template);
                self.mark(id, NodePhase::Failed, Some(&message));
                return Ok(Some(id.to_owned()));
            }
            for step in group.iter() {
                // The root is there as soon as one is.
                if context.reads.has(&step.name) || index == 0 && !context.reads.is_empty() {
                    self.add_step_variables(&mut context, &name, step);
                }
            }
        }
        self.set_steps_outbound(id, call.name, template);
        let outputs = match self.template_outputs(template, &context.vars) {
            Ok(outputs) => outputs,
            Err(message) => {
                self.mark_error(id, &message);
                return Err(Stop::Error(message));
            }
        };
        self.complete_virtual(id, template, outputs);
        Ok(Some(id.to_owned()))
    }

    /// Draws the edges to a new group (C-NODE-20).
    fn wire_group(&mut self, id: &str, name: &str, index: usize, group: &str) {
        if index == 0 {
            self.add_child(id, group);
            return;
        }
        let previous = self.nodes.id(&format!("{name}[{}]", index - 1));
        let children = self
            .nodes
            .get(&previous)
            .map(|n| Arc::clone(&n.children))
            .unwrap_or_default();
        if children.is_empty() {
            self.add_child(&previous, group);
        }
        for child in children.iter() {
            for outbound in self.nodes.outbound(child) {
                self.add_child(&outbound, group);
            }
        }
    }

    /// Outbound nodes of a steps node: those of the last group that was started (C-NODE-22).
    fn set_steps_outbound(&mut self, id: &str, name: &str, template: &Template) {
        let last = (0..template.steps.len())
            .rev()
            .find_map(|i| self.nodes.by_name(&format!("{name}[{i}]")));
        let children = last.into_iter().flat_map(|group| group.children.iter());
        let outbound = self.nodes.outbound_of(children.map(String::as_str));
        self.change(id, |node| node.outbound_nodes = outbound);
    }

    /// Adds a step's variables for the groups after it.
    pub fn add_step_variables(&mut self, context: &mut StepsContext<'_>, group: &str, step: &WorkflowStep) {
        let name = format!("{group}.{}", step.name);
        let prefix = format!("steps.{}", step.name);
        if let Some(node) = self.nodes.by_name(&name).cloned() {
            let declared = self.declared_outputs(context.base, &Holder::from(step));
            self.add_node_variables(&mut context.vars, &prefix, &node);
            self.add_absent_outputs(&mut context.vars, &prefix, &node, declared.as_ref());
            return;
        }
        if let Some(group_node) = self.nodes.by_name(group).cloned() {
            self.add_node_variables(&mut context.vars, &prefix, &group_node);
        }
        let items = self.loop_items(&context.boundary, &name);
        self.add_aggregate(&mut context.vars, &prefix, &name, &items);
    }
}
