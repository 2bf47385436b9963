//! Suspend templates (C-SUSP).

use argosy_model::{AnyString, NodePhase, NodeStatus, NodeType, Outputs, Parameter, Template};

use super::template::Call;
use super::{Evaluated, Pass, Stop};
use crate::decision::Waiting;
use crate::{duration, node};

impl Pass<'_> {
    /// Evaluates a suspend template.
    pub fn run_suspend(&mut self, id: &str, call: &Call<'_>, template: &Template) -> Evaluated {
        if self.nodes.get(id).is_none() {
            self.add_executable(
                call,
                call.name,
                NodeType::Suspend,
                template,
                NodePhase::Pending,
                "",
            );
            let outputs = supplied_outputs(template);
            self.change(id, |node| {
                node.outputs = outputs;
                if let Some(inputs) = &mut node.inputs {
                    inputs.parameters.iter_mut().for_each(take_enum);
                }
            });
        }
        let mut until = None;
        let length = template.suspend.as_ref().map_or("", |s| s.duration.as_str());
        if !length.is_empty() {
            let length = duration::parse(length).map_err(|e| Stop::Error(e.to_string()))?;
            let started = self
                .nodes
                .get(id)
                .and_then(|n| n.started_at.as_ref())
                .map_or(self.now, |t| t.0);
            let end = started + length;
            if self.now >= end {
                self.resume_by_itself(id)?;
                return Ok(Some(id.to_owned()));
            }
            until = Some(end);
            self.wake(end);
        }
        if self.nodes.get(id).is_some_and(|n| !node::fulfilled(n)) {
            self.mark(id, NodePhase::Running, None);
            self.waiting.insert(id.to_owned(), Waiting::Suspended { until });
        }
        Ok(Some(id.to_owned()))
    }

    fn resume_by_itself(&mut self, id: &str) -> Result<(), Stop> {
        let Some(mut node) = self.nodes.get(id).cloned() else {
            return Ok(());
        };
        default_supplied(&mut node).map_err(Stop::Error)?;
        self.change(id, |n| n.outputs = node.outputs);
        self.mark(id, NodePhase::Succeeded, None);
        Ok(())
    }
}

/// Fills in parameters that nobody supplied (C-SUSP-03).
pub(crate) fn default_supplied(node: &mut NodeStatus) -> Result<(), String> {
    let Some(outputs) = &mut node.outputs else {
        return Ok(());
    };
    for parameter in &mut outputs.parameters {
        let Some(from) = parameter.value_from.as_ref().filter(|f| f.supplied.is_some()) else {
            continue;
        };
        let Some(default) = &from.default else {
            return Err(format!(
                "raw output parameter '{}' has not been set and does not have a default value",
                parameter.name
            ));
        };
        parameter.value = Some(default.clone());
        parameter.value_from = None;
    }
    Ok(())
}

/// The outputs that somebody is to supply, with defaults from inputs of the same name (C-SUSP-02).
fn supplied_outputs(template: &Template) -> Option<Outputs> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for declared in &template.outputs.parameters {
        let mut parameter = declared.clone();
        let Some(from) = parameter.value_from.as_mut().filter(|f| f.supplied.is_some()) else {
            continue;
        };
        if from.default.is_none() {
            let input = template
                .inputs
                .parameters
                .iter()
                .find(|p| p.name == declared.name);
            from.default = input.and_then(|p| p.default.clone());
        }
        parameters.push(parameter);
    }
    (!parameters.is_empty()).then(|| Outputs {
        parameters,
        ..Outputs::default()
    })
}

/// A value that is itself a parameter with choices gives its choices away (C-SUSP-04).
fn take_enum(parameter: &mut Parameter) {
    let Some(value) = &parameter.value else { return };
    let Ok(serde_json::Value::Object(map)) = serde_json::from_str(value.as_str()) else {
        return;
    };
    let Ok(inner) = serde_json::from_value::<Parameter>(map.into()) else {
        return;
    };
    if inner.enum_.is_empty() {
        return;
    }
    let first: Option<AnyString> = inner.enum_.first().cloned();
    parameter.default = inner.default.or(first);
    parameter.enum_ = inner.enum_;
}
