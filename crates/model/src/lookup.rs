//! Finding things by name in templates, inputs and outputs.

use crate::artifact::Artifact;
use crate::template::{Arguments, Inputs, Outputs, Parameter, Template};
use crate::text::TemplateType;
use crate::workflow::WorkflowSpec;

macro_rules! by_name {
    ($($type:ty),*) => {$(
        impl $type {
            /// The parameter with this name.
            pub fn parameter(&self, name: &str) -> Option<&Parameter> {
                self.parameters.iter().find(|p| p.name == name)
            }

            /// The artifact with this name.
            pub fn artifact(&self, name: &str) -> Option<&Artifact> {
                self.artifacts.iter().find(|a| a.name == name)
            }
        }
    )*};
}

by_name!(Arguments, Inputs, Outputs);

impl WorkflowSpec {
    /// The template with this name.
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.iter().find(|t| t.name == name)
    }
}

impl Template {
    /// The kind that is set; `Unknown` if none is.
    pub fn kind(&self) -> TemplateType {
        let kinds = [
            (self.container.is_some(), TemplateType::Container),
            (self.container_set.is_some(), TemplateType::ContainerSet),
            (!self.steps.is_empty(), TemplateType::Steps),
            (self.script.is_some(), TemplateType::Script),
            (self.resource.is_some(), TemplateType::Resource),
            (self.dag.is_some(), TemplateType::Dag),
            (self.suspend.is_some(), TemplateType::Suspend),
            (self.data.is_some(), TemplateType::Data),
            (self.http.is_some(), TemplateType::Http),
            (self.plugin.is_some(), TemplateType::Plugin),
        ];
        kinds
            .into_iter()
            .find(|(set, _)| *set)
            .map_or(TemplateType::Unknown, |(_, kind)| kind)
    }
}

impl Parameter {
    /// The value, or the default if there is no value.
    pub fn text(&self) -> Option<&str> {
        self.value
            .as_ref()
            .or(self.default.as_ref())
            .map(crate::custom::AnyString::as_str)
    }
}
