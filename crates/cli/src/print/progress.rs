//! Running workflows as `run` shows them: a small tree that is drawn again and again, or one line for each change.

use std::collections::BTreeMap;

use argosy_model::{NodePhase, NodeStatus, NodeType, Workflow};

use super::glyph::{Style, is_paused};
use super::lookup::Filter;
use super::nodes;
use super::time::Clock;
use super::workflow::status;

/// Room for the text in front of durations; longer names push it.
const NAMES: usize = 32;

/// A tree of at most `height` lines of at most `width` characters each.
///
/// When it does not fit, rows of nodes that succeeded are left out first.
pub fn frame(workflow: &Workflow, clock: &Clock, style: Style, width: usize, height: usize) -> Vec<String> {
    let rows = nodes::rows(workflow, style, &Filter::default());
    let room = height.saturating_sub(2).max(1);
    let settled = |node: Option<&NodeStatus>| {
        node.is_none_or(|n| {
            matches!(
                n.phase,
                NodePhase::Succeeded | NodePhase::Skipped | NodePhase::Omitted
            )
        })
    };
    let mut surplus = rows.len().saturating_sub(room);
    let mut hidden = 0;
    let mut lines = vec![head(workflow, clock)];
    for row in &rows {
        if surplus > 0 && settled(row.node) {
            (surplus, hidden) = (surplus - 1, hidden + 1);
            continue;
        }
        lines.push(
            row.node
                .map_or_else(String::new, |node| node_line(&row.label, node, clock)),
        );
    }
    if lines.len() > room + 1 {
        hidden += lines.len() - room - 1;
        lines.truncate(room + 1);
    }
    if hidden > 0 {
        lines.push(format!(" … and {hidden} more"));
    }
    lines.iter().map(|line| cut(line, width)).collect()
}

/// The whole tree, to be left standing at the end.
pub fn summary(workflow: &Workflow, clock: &Clock, style: Style) -> Vec<String> {
    frame(workflow, clock, style, usize::MAX, usize::MAX)
}

fn head(workflow: &Workflow, clock: &Clock) -> String {
    let at = &workflow.status;
    let mut parts = vec![workflow.metadata.name.clone(), status(workflow)];
    if at.started_at.is_some() {
        parts.push(clock.short_between(at.started_at, at.finished_at));
    }
    if !at.progress.as_str().is_empty() {
        parts.push(at.progress.as_str().to_owned());
    }
    if !at.message.is_empty() {
        parts.push(one_line(&at.message));
    }
    parts.join("  ")
}

fn node_line(label: &str, node: &NodeStatus, clock: &Clock) -> String {
    let mut line = super::table::pad(label, NAMES);
    if node.started_at.is_some() && !matches!(node.type_, NodeType::Skipped) {
        line.push_str(&format!(
            "  {}",
            super::table::pad(&clock.short_between(node.started_at, node.finished_at), 4)
        ));
    }
    if !node.message.is_empty() {
        line.push_str(&format!("  {}", one_line(&node.message)));
    }
    line.trim_end().to_owned()
}

fn one_line(text: &str) -> String {
    text.split('\n')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Cuts a line to a number of visible characters; escape sequences take no room.
fn cut(line: &str, width: usize) -> String {
    let (mut out, mut seen, mut escape) = (String::new(), 0, false);
    for c in line.chars() {
        if escape || c == '\x1b' {
            escape = c != 'm';
            out.push(c);
        } else if seen < width {
            seen += 1;
            out.push(c);
        }
    }
    out
}

/// Tells changes of a workflow line by line, each once.
#[derive(Default)]
pub struct Changes {
    told: BTreeMap<String, String>,
}

impl Changes {
    /// The lines that are new since the last call, the workflow's own last.
    pub fn lines(&mut self, workflow: &Workflow, clock: &Clock, style: Style) -> Vec<String> {
        let name = &workflow.metadata.name;
        let mut changed: Vec<&NodeStatus> = workflow
            .status
            .nodes
            .values()
            .filter(|n| is_told(n) && self.told.get(&n.id) != Some(&state(n)))
            .collect();
        changed.sort_by_key(|n| (n.finished_at.or(n.started_at), n.name.clone()));
        let mut lines = Vec::new();
        for node in changed {
            self.told.insert(node.id.clone(), state(node));
            // A workflow of one node is told by its own lines.
            if node.name != *name || node.type_ == NodeType::Pod {
                lines.push(change(node, &style.node(node), clock));
            }
        }
        let now = format!("{} {}", status(workflow), workflow.status.message);
        if !workflow.status.phase.as_str().is_empty()
            && self.told.insert(format!("/{name}"), now.clone()) != Some(now)
        {
            lines.push(head(workflow, clock));
        }
        lines
    }
}

/// Whether a node's state is worth a line: groups say nothing that their members don't say, and every pod is made ready.
fn is_told(node: &NodeStatus) -> bool {
    let waits = matches!(node.phase, NodePhase::Pending | NodePhase::Unset);
    let as_usual = matches!(
        node.message.as_str(),
        "" | "PodInitializing" | "ContainerCreating"
    );
    let grouped = matches!(
        node.type_,
        NodeType::StepGroup | NodeType::TaskGroup | NodeType::Container
    );
    !(grouped || waits && as_usual)
}

fn state(node: &NodeStatus) -> String {
    format!("{} {}", node.phase, node.message)
}

fn change(node: &NodeStatus, icon: &str, clock: &Clock) -> String {
    let phase = if is_paused(node) {
        "Suspended"
    } else {
        node.phase.as_str()
    };
    let mut line = format!("{icon} {}  {phase}", node.name);
    if node.finished_at.is_some() && !matches!(node.type_, NodeType::Skipped) {
        line.push_str(&format!(
            "  {}",
            clock.short_between(node.started_at, node.finished_at)
        ));
    }
    if !node.message.is_empty() {
        line.push_str(&format!("  {}", one_line(&node.message)));
    }
    line.trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use argosy_model::Workflow;
    use expect_test::expect;
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::{Changes, Clock, Style, frame};

    fn clock() -> Clock {
        Clock {
            now: "2026-01-01T00:00:10Z".parse().unwrap(),
            zone: TimeZone::UTC,
        }
    }

    fn workflow() -> Workflow {
        let node = |name: &str, kind: &str, phase: &str, boundary: &str, children: &[&str]| {
            let finished = (phase != "Running").then_some("2026-01-01T00:00:05Z");
            json!({"id": name, "name": name, "displayName": name.rsplit('.').next(), "type": kind, "phase": phase, "boundaryID": boundary,
                   "children": children, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": finished})
        };
        serde_json::from_value(json!({
            "metadata": {"name": "w", "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": {},
            "status": {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": null, "progress": "1/2", "nodes": {
                "w": node("w", "Steps", "Running", "", &["w[0]"]),
                "w[0]": node("w[0]", "StepGroup", "Running", "w", &["w[0].a", "w[0].b"]),
                "w[0].a": node("w[0].a", "Pod", "Succeeded", "w", &[]),
                "w[0].b": node("w[0].b", "Pod", "Running", "w", &[]),
            }},
        }))
        .unwrap()
    }

    #[test]
    fn a_frame_fits_the_terminal() {
        let whole = frame(&workflow(), &clock(), Style::PLAIN, 80, 20).join("\n");
        expect![[r"
            w  Running  10s  1/2
             ● w                              10s
             └─┬─✔ a                          5s
               └─● b                          10s"]]
        .assert_eq(&whole);
        let small = frame(&workflow(), &clock(), Style::PLAIN, 12, 4).join("\n");
        expect![[r"
            w  Running  
             ● w        
               └─● b    
             … and 1 mor"]]
        .assert_eq(&small);
    }

    #[test]
    fn changes_are_told_once() {
        let mut changes = Changes::default();
        let mut workflow = workflow();
        let mut text = changes.lines(&workflow, &clock(), Style::PLAIN);
        text.push("--".to_owned());
        text.extend(changes.lines(&workflow, &clock(), Style::PLAIN));
        if let Some(node) = workflow.status.nodes.get_mut("w[0].b") {
            node.phase = "Failed".into();
            node.message = "exit\ncode 1".to_owned();
        }
        text.extend(changes.lines(&workflow, &clock(), Style::PLAIN));
        expect![[r"
            ● w[0].b  Running
            ✔ w[0].a  Succeeded  5s
            w  Running  10s  1/2
            --
            ✖ w[0].b  Failed  exit code 1"]]
        .assert_eq(&text.join("\n"));
    }
}
