//! One workflow as `get` shows it: a description, then the tree of its nodes.

use std::collections::BTreeMap;

use argosy_engine::names::{PodNames, pod_name};
use argosy_model::{
    NodePhase, NodeStatus, NodeType, Parameter, ShutdownStrategy, Workflow, WorkflowPhase, WorkflowSpec,
};

use super::glyph::{Style, is_paused};
use super::lookup::Filter;
use super::nodes::{self, Row};
use super::time::{Clock, go_duration};
use super::{line, location, table};

/// Width of the keys.
const KEYS: usize = 20;

/// Blanks between the columns of the tree.
const PADDING: usize = 2;

/// Annotation that says how the pods of a workflow are named.
const POD_NAMES: &str = "workflows.argoproj.io/pod-name-format";

/// Which columns the tree has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// What fits a terminal.
    #[default]
    Default,
    /// Artifacts, resources and the machine too.
    Wide,
    /// The tree alone, with the machine.
    Short,
}

/// How a workflow is shown.
#[derive(Clone)]
pub struct View {
    /// Symbols and colours.
    pub style: Style,
    /// Columns of the tree.
    pub columns: Columns,
    /// Nodes that are shown.
    pub filter: Filter,
}

/// The description and the tree.
pub fn describe(workflow: &Workflow, clock: &Clock, view: &View) -> String {
    let mut out = String::new();
    if view.columns != Columns::Short {
        description(&mut out, workflow, clock, view.style);
    }
    let rows = nodes::rows(workflow, view.style, &view.filter);
    if workflow.status.nodes.contains_key(&workflow.metadata.name) {
        if view.columns != Columns::Short {
            out.push('\n');
        }
        out.push_str(&tree(workflow, &rows, clock, view.columns));
    }
    out
}

/// The state of a workflow in words, as the STATUS column shows it.
pub fn status(workflow: &Workflow) -> String {
    let phase = &workflow.status.phase;
    match phase {
        WorkflowPhase::Running if is_suspended(workflow) => "Running (Suspended)".to_owned(),
        WorkflowPhase::Failed if workflow.spec.shutdown != ShutdownStrategy::Unset => {
            "Failed (Terminated)".to_owned()
        }
        WorkflowPhase::Unset | WorkflowPhase::Pending if workflow.metadata.creation_timestamp.is_some() => {
            "Pending".to_owned()
        }
        WorkflowPhase::Unset | WorkflowPhase::Pending => "Unknown".to_owned(),
        _ => phase.to_string(),
    }
}

/// Whether the workflow waits for someone.
pub fn is_suspended(workflow: &Workflow) -> bool {
    workflow.spec.suspend == Some(true) || workflow.status.nodes.values().any(is_paused)
}

/// What the run goes by: the specification with its workflow template merged in, once that is known.
fn effective_spec(workflow: &Workflow) -> &WorkflowSpec {
    workflow
        .status
        .stored_workflow_template_spec
        .as_deref()
        .unwrap_or(&workflow.spec)
}

fn description(out: &mut String, workflow: &Workflow, clock: &Clock, style: Style) {
    let (metadata, status) = (&workflow.metadata, &workflow.status);
    let mut say = |key: &str, value: &str| line(out, KEYS, key, value);
    say(
        "Name:",
        if metadata.name.is_empty() {
            &metadata.generate_name
        } else {
            &metadata.name
        },
    );
    say("Namespace:", &metadata.namespace);
    say("ServiceAccount:", service_account(workflow));
    say("Status:", &self::status(workflow));
    if !status.message.is_empty() {
        say("Message:", &status.message);
    }
    if !status.conditions.is_empty() {
        say("Conditions:", "");
        for condition in &status.conditions {
            let value = if condition.message.is_empty() {
                &condition.status
            } else {
                &condition.message
            };
            say(
                &format!("{} {}", style.condition(&condition.type_), condition.type_),
                value,
            );
        }
    }
    if let Some(created) = metadata.creation_timestamp {
        say("Created:", &clock.timestamp(created.0));
    }
    if let Some(started) = status.started_at {
        say("Started:", &clock.timestamp(started.0));
    }
    if let Some(finished) = status.finished_at {
        say("Finished:", &clock.timestamp(finished.0));
    }
    if status.started_at.is_some() {
        say("Duration:", &clock.between(status.started_at, status.finished_at));
    }
    if status.phase == WorkflowPhase::Running && status.estimated_duration > 0 {
        say(
            "EstimatedDuration:",
            &super::time::duration(status.estimated_duration),
        );
    }
    say("Progress:", status.progress.as_str());
    if !status.resources_duration.is_empty() {
        say("ResourcesDuration:", &resources(&status.resources_duration));
    }
    parameters(out, "Parameters:", &effective_spec(workflow).arguments.parameters);
    if let Some(outputs) = &status.outputs {
        parameters(out, "Output Parameters:", &outputs.parameters);
        if !outputs.artifacts.is_empty() {
            line(out, KEYS, "Output Artifacts:", "");
            for artifact in &outputs.artifacts {
                line(
                    out,
                    KEYS,
                    &format!("  {}:", artifact.name),
                    &location::text(artifact),
                );
            }
        }
    }
}

fn service_account(workflow: &Workflow) -> &str {
    match effective_spec(workflow).service_account_name.as_str() {
        "" if workflow.spec.workflow_template_ref.is_some() => "unset",
        "" => "unset (will run with the default ServiceAccount)",
        name => name,
    }
}

fn parameters(out: &mut String, heading: &str, list: &[Parameter]) {
    if list.is_empty() {
        return;
    }
    line(out, KEYS, heading, "");
    for parameter in list {
        if let Some(value) = &parameter.value {
            line(out, KEYS, &format!("  {}:", parameter.name), value);
        }
    }
}

/// Use of resources: how long how much of each was held.
fn resources(durations: &BTreeMap<String, i64>) -> String {
    let amount = |resource: &str| match resource {
        "memory" => "100Mi",
        "storage" | "ephemeral-storage" => "10Gi",
        _ => "1",
    };
    let one = |(name, secs): (&String, &i64)| format!("{}*({} {name})", go_duration(*secs), amount(name));
    durations.iter().map(one).collect::<Vec<_>>().join(",")
}

fn tree(workflow: &Workflow, rows: &[Row<'_>], clock: &Clock, columns: Columns) -> String {
    let mut text = match columns {
        Columns::Default => "STEP\tTEMPLATE\tPODNAME\tDURATION\tMESSAGE\n",
        Columns::Wide => {
            "STEP\tTEMPLATE\tPODNAME\tDURATION\tARTIFACTS\tMESSAGE\tRESOURCESDURATION\tNODENAME\n"
        }
        Columns::Short => "STEP\tTEMPLATE\tPODNAME\tDURATION\tMESSAGE\tNODENAME\n",
    }
    .to_owned();
    for row in rows {
        match row.node {
            Some(node) => text.push_str(&cells(workflow, &row.label, node, clock, columns)),
            None => text.push_str("\t\t\t\t\t\n"),
        }
    }
    table::align(&text, PADDING)
}

fn cells(workflow: &Workflow, label: &str, node: &NodeStatus, clock: &Clock, columns: Columns) -> String {
    let is_pod = node.type_ == NodeType::Pod;
    let if_pod = |text: String| if is_pod { text } else { String::new() };
    let template = node.template_ref.as_ref().map_or_else(
        || node.template_name.clone(),
        |r| format!("{}/{}", r.name, r.template),
    );
    let pod = if_pod(pod(workflow, node));
    let duration = if_pod(clock.short_between(node.started_at, node.finished_at));
    let machine = if_pod(node.host_node_name.clone());
    let message = &node.message;
    let first = format!("{label}\t{template}\t{pod}\t{duration}");
    match columns {
        Columns::Default => format!("{first}\t{message}\t\n"),
        Columns::Short => format!("{first}\t{message}\t{machine}\n"),
        Columns::Wide => {
            let list = node.outputs.as_ref().map_or(&[][..], |o| &o.artifacts);
            let artifacts = list.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(",");
            format!(
                "{first}\t{artifacts}\t{message}\t{}\t{machine}\n",
                resources(&node.resources_duration)
            )
        }
    }
}

/// The name of the pod that runs a node.
pub fn pod(workflow: &Workflow, node: &NodeStatus) -> String {
    let format = workflow
        .metadata
        .annotations
        .get(POD_NAMES)
        .map_or("", String::as_str);
    let template = node
        .template_ref
        .as_ref()
        .map_or(node.template_name.as_str(), |r| r.template.as_str());
    pod_name(
        &workflow.metadata.name,
        &node.name,
        template,
        PodNames::parse(format),
    )
}

/// Pods of a workflow that wait, run, and are done, as `1/2/3`.
pub fn pod_counts(workflow: &Workflow) -> String {
    let pods = || {
        workflow
            .status
            .nodes
            .values()
            .filter(|n| n.type_ == NodeType::Pod)
    };
    let waiting = pods().filter(|n| n.phase == NodePhase::Pending).count();
    let running = pods().filter(|n| n.phase == NodePhase::Running).count();
    format!("{waiting}/{running}/{}", pods().count() - waiting - running)
}
