//! Templates as `template get`, `template list` and their like for whole clusters show them.

use argosy_model::WorkflowTemplate;

use super::time::Clock;
use super::{line, table};

const KEYS: usize = 20;
const PADDING: usize = 3;

/// The description of one template (rule C-TPL-01); one of the whole cluster has no namespace.
pub fn describe(template: &WorkflowTemplate, clock: &Clock, namespaced: bool) -> String {
    let metadata = &template.metadata;
    let mut out = String::new();
    line(&mut out, KEYS, "Name:", &metadata.name);
    if namespaced {
        line(&mut out, KEYS, "Namespace:", &metadata.namespace);
    }
    if let Some(created) = metadata.creation_timestamp {
        line(&mut out, KEYS, "Created:", &clock.timestamp(created.0));
    }
    out
}

/// The table of templates. Rows end with padding, as published (rule C-FMT-01).
pub fn list(templates: &[WorkflowTemplate], namespaces: bool) -> String {
    let mut text = String::from(if namespaces { "NAMESPACE\tNAME\n" } else { "NAME\n" });
    for template in templates {
        let metadata = &template.metadata;
        if namespaces {
            text.push_str(&format!("{}\t", metadata.namespace));
        }
        text.push_str(&format!("{}\t\n", metadata.name));
    }
    table::align(&text, PADDING)
}
