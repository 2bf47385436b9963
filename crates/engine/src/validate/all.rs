//! Everything that is wrong with an object, for people who mend it: first what the peer tells, then what it would tell
//! once that was mended, as far as one fault does not hide another.

use argosy_model::{ClusterWorkflowTemplate, CronWorkflow, Workflow, WorkflowSpec, WorkflowTemplate};

use super::{Fault, Mode, object};
use crate::config::Config;
use crate::plan::Templates;

/// An object to check.
#[derive(Debug, Clone, Copy)]
pub enum Object<'o> {
    Workflow(&'o Workflow),
    Template(&'o WorkflowTemplate),
    ClusterTemplate(&'o ClusterWorkflowTemplate),
    Cron(&'o CronWorkflow),
}

/// All faults that can be told at once, the peer's first; empty for a good object. Of one template only the first is.
#[must_use]
pub fn all(what: Object<'_>, templates: &Templates, config: &Config, mode: Mode) -> Vec<Fault> {
    let first = match what {
        Object::Workflow(workflow) => super::check_workflow(workflow, templates, config, mode),
        Object::Template(template) => super::check_template(template, templates, mode),
        Object::ClusterTemplate(template) => super::check_cluster_template(template, templates, mode),
        Object::Cron(cron) => super::check_cron_workflow(cron, templates, config),
    };
    let Err(first) = first else {
        return Vec::new();
    };
    let mut found = vec![first];
    for fault in more(what, templates, config, mode) {
        if !found.iter().any(|known| is_same(known, &fault)) {
            found.push(fault);
        }
    }
    found
}

/// A fault is met on several ways, each of which puts its own words before it.
fn is_same(a: &Fault, b: &Fault) -> bool {
    a.place == b.place && (a.message.ends_with(&b.message) || b.message.ends_with(&a.message))
}

fn more(what: Object<'_>, templates: &Templates, config: &Config, mode: Mode) -> Vec<Fault> {
    let of_template = |metadata, spec: &WorkflowSpec| match object::merged_template(spec, templates) {
        Ok(merged) => object::whole_template(metadata, spec, &merged, templates, mode)
            .each()
            .collect(),
        Err(_) => Vec::new(),
    };
    let of_workflow = |workflow: &Workflow, mode: Mode| match object::merged_spec(workflow, templates, config)
    {
        Ok(spec) => object::whole_workflow(workflow, &spec, templates, mode.with(config))
            .each()
            .collect(),
        Err(_) => Vec::new(),
    };
    match what {
        Object::Workflow(workflow) => of_workflow(workflow, mode),
        Object::Template(template) => of_template(&template.metadata, &template.spec),
        Object::ClusterTemplate(template) => of_template(&template.metadata, &template.spec),
        Object::Cron(cron) => of_workflow(&super::cron::workflow(cron), Mode::default())
            .into_iter()
            .map(super::cron::in_cron)
            .collect(),
    }
}
