//! `argosy why`: what each node of a workflow waits for. The engine is asked again, with what the API server shows now;
//! nothing is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use argosy_engine::locks::Machine;
use argosy_engine::{Config, ConfigMaps, Moved, Outcomes, Snapshot, Waiting, compile, decide};
use argosy_model::k8s::ConfigMap;
use argosy_model::{Workflow, WorkflowTaskResult, WorkflowTaskSet};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::list::COMPLETED;
use super::{emit, lint};
use crate::api::{Api, Page, Selection, encode};
use crate::connection;
use crate::failure::tell;
use crate::logs::WORKFLOW;
use crate::manifest::API_VERSION;
use crate::print::{Clock, json as text, why as print};

/// Arguments of `why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of a workflow; @latest is the newest one
    workflow: String,
    /// A node: its id, name or display name; otherwise every node that waits
    node: Option<String>,
    /// Form of output: text or json
    #[arg(short, long, default_value = "text")]
    output: String,
}

/// # Errors
/// When the workflow or the node is missing, or the server can't be reached.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        matches!(args.output.as_str(), "text" | "json"),
        "unknown output mode: {}",
        args.output
    );
    let api = connection.connect().await?;
    let workflow = api.get(&args.workflow).await?;
    let name = &workflow.metadata.name;
    if workflow.status.phase.is_completed() {
        tell(&format!("{name} has ended: {}\n", workflow.status.phase));
        emit(&print::failures(&workflow, args.node.as_deref()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let waiting = ask(&api, &workflow).await?;
    let wanted = args.node.as_deref();
    let rows: Vec<(String, &Waiting)> = waiting
        .iter()
        .filter(|(id, _)| wanted.is_none_or(|node| print::is_called(&workflow, id, node)))
        .map(|(id, reason)| (display(&workflow, id), reason))
        .collect();
    if let (Some(node), true) = (wanted, rows.is_empty()) {
        let known = workflow.status.nodes.values();
        let known = known
            .filter(|n| n.id == node || n.name == node || n.display_name == node)
            .map(|n| n.phase.to_string())
            .next();
        let phase = known.with_context(|| format!("{name} has no node {node}"))?;
        tell(&format!("{node} waits for nothing: {phase}\n"));
        emit(&print::failures(&workflow, wanted))?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        tell(&format!(
            "{name} waits for nothing: the controller is about to look at it\n"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let clock = Clock::system();
    emit(&match args.output.as_str() {
        "json" => {
            let list: Vec<_> = rows
                .iter()
                .map(|(node, reason)| json!({"node": node, "waitsFor": print::sentence(reason, &clock)}))
                .collect();
            text::to_string(&list, 2)? + "\n"
        }
        _ => print::describe(&rows, &clock),
    })?;
    let advice: BTreeSet<&str> = rows.iter().filter_map(|(_, reason)| advice(reason)).collect();
    if !advice.is_empty() && is_ours(&api).await {
        for advice in advice {
            tell(&format!("hint: {advice}\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn advice(waiting: &Waiting) -> Option<&'static str> {
    match waiting {
        Waiting::PodPending { message, .. } => print::advice(message),
        _ => None,
    }
}

/// Whether the API is that of a machine which runs pods itself.
async fn is_ours(api: &Api) -> bool {
    let version = api.read::<Value>("/version").await.unwrap_or_default();
    version["gitVersion"]
        .as_str()
        .is_some_and(|text| text.ends_with("+argosy"))
}

/// A node as users know it; the empty id stands for the workflow.
fn display(workflow: &Workflow, id: &str) -> String {
    let node = workflow.status.nodes.get(id);
    node.map_or_else(|| workflow.metadata.name.clone(), |n| n.name.clone())
}

/// What the engine says of the workflow now.
async fn ask(api: &Api, workflow: &Workflow) -> anyhow::Result<BTreeMap<String, Waiting>> {
    let namespace = &workflow.metadata.namespace;
    let name = &workflow.metadata.name;
    let api = api.within(namespace);
    let config = Config::default();
    let templates = lint::of_cluster(&api).await?;
    let (plan, _) = compile(workflow, &templates, &config);
    let own = format!("{WORKFLOW}={name},{COMPLETED}!=true");
    let pods = api.pods(&own).await?;
    let results: Vec<WorkflowTaskResult> = list(
        &api,
        &format!(
            "/apis/{API_VERSION}/namespaces/{namespace}/workflowtaskresults?labelSelector={}",
            encode(&own)
        ),
    )
    .await?;
    let set = format!(
        "/apis/{API_VERSION}/namespaces/{namespace}/workflowtasksets/{}",
        encode(name)
    );
    let agent_results = match api.read::<WorkflowTaskSet>(&set).await {
        Ok(set) => set.status.nodes,
        Err(error) if error.is_not_found() => BTreeMap::new(),
        Err(error) => return Err(error.into()),
    };
    let mut config_maps = ConfigMaps::new();
    // Many users may not read them; then what depends on them is left out.
    let maps: Vec<ConfigMap> = list(&api, &format!("/api/v1/namespaces/{namespace}/configmaps"))
        .await
        .unwrap_or_default();
    for map in maps {
        let name = map.metadata.name.clone();
        config_maps.insert(namespace, &name, Some(Arc::new(map)));
    }
    let mut locks = Machine::default();
    for other in api.list(&Selection::default()).await? {
        locks.restore_workflow(&other, &config_maps);
    }
    let snapshot = Snapshot {
        workflow,
        pods: &pods
            .into_iter()
            .map(|p| (p.metadata.name.clone(), Arc::new(p)))
            .collect(),
        results: &results
            .into_iter()
            .map(|r| (r.metadata.name.clone(), Arc::new(r)))
            .collect(),
        agent_results: &agent_results,
        config_maps: &config_maps,
        locks: &locks,
        outcomes: &Outcomes::default(),
        config: &config,
        // Only the controller knows whose turn it is; a workflow without a phase has not had its own.
        admitted: !workflow.status.phase.as_str().is_empty(),
        explain: true,
        moved: &Moved::Everything,
    };
    Ok(decide(&plan, &snapshot, Timestamp::now()).waiting)
}

async fn list<T: DeserializeOwned>(api: &Api, path: &str) -> anyhow::Result<Vec<T>> {
    Ok(api.read::<Page<T>>(path).await?.items)
}
