//! Outputs of steps and DAG templates, from what is in scope at their end (C-OUT-02).

use argosy_model::{AnyString, Artifact, Outputs, Parameter, Template};
use serde_json::Value;

use super::Pass;
use crate::vars::{self, Vars};

impl Pass<'_> {
    /// The template's outputs; `None` when it declares none.
    pub fn template_outputs(
        &mut self,
        template: &Template,
        variables: &Vars,
    ) -> Result<Option<Outputs>, String> {
        let declared = &template.outputs;
        if declared.parameters.is_empty() && declared.artifacts.is_empty() {
            return Ok(None);
        }
        let mut outputs = Outputs::default();
        for parameter in &declared.parameters {
            let value = self.output_value(parameter, variables)?;
            outputs.parameters.push(Parameter {
                value: Some(value),
                value_from: None,
                ..parameter.clone()
            });
        }
        for artifact in &declared.artifacts {
            match self.resolve_artifact(artifact, variables) {
                Ok(found) => outputs.artifacts.push(Artifact {
                    name: artifact.name.clone(),
                    global_name: artifact.global_name.clone(),
                    path: String::new(),
                    ..found
                }),
                Err(_) if artifact.optional => {}
                Err(error) => return Err(format!("unable to resolve outputs from scope: {error}")),
            }
        }
        Ok(Some(outputs))
    }

    fn output_value(&self, parameter: &Parameter, variables: &Vars) -> Result<AnyString, String> {
        let Some(from) = &parameter.value_from else {
            return Err("output parameters must have a valueFrom specified".to_owned());
        };
        let layers: [&Vars; 2] = [variables, &self.globals];
        let default = || from.default.clone();
        if !from.expression.is_empty() {
            return match vars::evaluate(&from.expression, &layers) {
                Ok(Value::Null) => default().ok_or_else(|| "expression has no value".to_owned()),
                Ok(Value::String(text)) => Ok(AnyString::from(text)),
                Ok(other) => Ok(AnyString::from(
                    argosy_model::go_json::to_string(&other).unwrap_or_default(),
                )),
                Err(error) => default().ok_or(error),
            };
        }
        let text = from.parameter.trim();
        let tag = text
            .strip_prefix("{{")
            .and_then(|t| t.strip_suffix("}}"))
            .map_or(text, str::trim);
        match layers.iter().find_map(|l| l.get(tag)) {
            Some(Value::String(value)) => Ok(AnyString::from(value.as_str())),
            Some(Value::Null) => default().ok_or_else(|| {
                format!(
                    "output parameter {:?}: {:?} is an absent optional (skipped/omitted node output with no default)",
                    parameter.name, from.parameter
                )
            }),
            Some(_) => default().ok_or_else(|| format!("Variable {{{{{tag}}}}} is not a string")),
            None => default().ok_or_else(|| format!("Unable to resolve: {text}")),
        }
    }

    /// Ends a steps or DAG node well (C-STEP-01, C-DAG-13).
    pub fn complete_virtual(&mut self, id: &str, template: &Template, outputs: Option<Outputs>) {
        let _ = template;
        if let Some(outputs) = outputs {
            self.export_globals(&outputs);
            let mut outputs = outputs;
            outputs.artifacts.iter_mut().for_each(|a| a.global_name.clear());
            self.change(id, |n| n.outputs = Some(outputs));
        }
        self.save_memo(id);
        self.mark(id, argosy_model::NodePhase::Succeeded, None);
    }
}
