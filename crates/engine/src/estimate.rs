//! How long a workflow and its nodes will probably take: as long as they took the last time (C-NODE-32).

use std::collections::BTreeMap;

use argosy_model::Workflow;
use argosy_model::k8s::Time;

/// Labels by which a workflow is like an earlier one; the first that is there counts.
const LABELS: [&str; 3] = [
    "workflows.argoproj.io/workflow-template",
    "workflows.argoproj.io/cluster-workflow-template",
    "workflows.argoproj.io/cron-workflow",
];

/// What a workflow has in common with its earlier runs, the most telling first: labels and their values.
pub fn likenesses(workflow: &Workflow) -> impl Iterator<Item = (&'static str, &str)> {
    let labels = &workflow.metadata.labels;
    LABELS
        .iter()
        .filter_map(|label| Some((*label, labels.get(*label)?.as_str())))
}

/// Whole seconds that the workflow (`""`) and its nodes took, by their names relative to the root.
#[must_use]
pub fn from(run: &Workflow) -> BTreeMap<String, i64> {
    let secs = |start: Option<Time>, end: Option<Time>| Some(end?.0.duration_since(start?.0).as_secs());
    let relative = |name: &str| {
        let root = run.metadata.name.as_str();
        name.strip_prefix(root).unwrap_or(name).to_owned()
    };
    let nodes = run.status.nodes.values().filter_map(|node| {
        let took = secs(node.started_at, node.finished_at)?;
        Some((relative(&node.name), took))
    });
    let mut took: BTreeMap<String, i64> = nodes.collect();
    took.extend(secs(run.status.started_at, run.status.finished_at).map(|secs| (String::new(), secs)));
    took
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn c_node_32_durations_are_those_of_the_earlier_run() {
        let node = |name: &str, end: &str| {
            json!({"id": name, "name": name, "displayName": name, "type": "Pod", "phase": "Succeeded",
                "startedAt": "2026-01-01T00:00:01Z", "finishedAt": end})
        };
        let run: Workflow = serde_json::from_value(json!({
            "metadata": {"name": "w-1", "labels": {
                "workflows.argoproj.io/cron-workflow": "c", "workflows.argoproj.io/workflow-template": "t",
            }},
            "spec": {},
            "status": {
                "phase": "Succeeded", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:01:00Z",
                "nodes": {
                    "w-1": node("w-1", "2026-01-01T00:00:59Z"),
                    "w-1-2": node("w-1.a", "2026-01-01T00:00:31Z"),
                },
            },
        }))
        .expect("a workflow");
        let likenesses: Vec<&str> = likenesses(&run).map(|(_, value)| value).collect();
        assert_eq!(likenesses, ["t", "c"]);
        let expected = [("", 60), (".a", 30)].map(|(name, secs)| (name.to_owned(), secs));
        assert_eq!(from(&run), expected.into());
    }
}
