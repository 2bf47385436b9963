//! Clean-up of artifacts, step by step: what is asked for when these artifacts are left and these pods are seen (C-AGC,
//! X-GC). A case is what is different from a completed workflow with two artifacts.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::config::ImageConfig;
use argosy_engine::locks::Machine;
use argosy_engine::{
    Config, ConfigMaps, Decision, Effect, Moved, Outcomes, Refusal, Snapshot, Templates, compile, decide,
};
use argosy_model::k8s::Pod;
use argosy_model::{Workflow, WorkflowArtifactGcTask};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

/// What a decision is made on.
struct Case {
    workflow: Value,
    pods: BTreeMap<String, Arc<Pod>>,
    outcomes: Outcomes,
    config: Config,
}

impl Case {
    fn new() -> Self {
        let artifact = |name: &str, strategy: &str| {
            let gc = if strategy.is_empty() {
                json!({})
            } else {
                json!({"strategy": strategy})
            };
            json!({"name": name, "s3": {"key": format!("wf/{name}")}, "artifactGC": gc})
        };
        let repository = json!({"s3": {
            "endpoint": "s3", "bucket": "b", "accessKeySecret": {"name": "cred", "key": "a"},
            "secretKeySecret": {"name": "cred", "key": "s"},
        }});
        let workflow = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
            "metadata": {
                "name": "wf", "namespace": "ns", "uid": "u",
                "labels": {"workflows.argoproj.io/completed": "true"},
                "finalizers": ["other", "workflows.argoproj.io/artifact-gc"],
            },
            "spec": {
                "entrypoint": "main", "artifactGC": {"strategy": "OnWorkflowCompletion"},
                "templates": [{"name": "main", "container": {"image": "i", "command": ["c"]}}],
            },
            "status": {
                "phase": "Succeeded",
                "artifactRepositoryRef": {"default": true, "artifactRepository": repository},
                "nodes": {"wf": {
                    "id": "wf", "name": "wf", "type": "Pod", "phase": "Succeeded", "templateName": "main",
                    "outputs": {"artifacts": [artifact("a", ""), artifact("b", "OnWorkflowDeletion")]},
                }},
            },
        });
        Self {
            workflow,
            pods: BTreeMap::new(),
            outcomes: Outcomes::default(),
            config: Config::default(),
        }
    }

    fn with(mut self, pointer: &str, value: Value) -> Self {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
        self.workflow.pointer_mut(parent).expect("the parent is there")[name] = value;
        self
    }

    fn deleted(self) -> Self {
        self.with("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z"))
    }

    /// The pod that the first decision asks for, in this phase.
    fn with_pod(mut self, phase: &str) -> Self {
        for effect in self.decide().effects {
            if let Effect::CreateArtifactGc { mut pod, .. } = effect {
                pod.status.phase = phase.parse().expect("phases are open");
                self.pods.insert(pod.metadata.name.clone(), Arc::new(*pod));
            }
        }
        self
    }

    /// Tasks as a pod leaves them, with one result for all.
    fn with_results(mut self, result: &Value) -> Self {
        let mut before = Self::new();
        before.workflow = self.workflow.clone();
        for effect in before.decide().effects {
            if let Effect::CreateArtifactGc { tasks, pod } = effect {
                let tasks = tasks.into_iter().map(|task| finished(task, result));
                self.outcomes
                    .artifact_gc_tasks
                    .insert(pod.metadata.name, tasks.collect());
            }
        }
        self
    }

    fn decide(&self) -> Decision {
        let workflow: Workflow = serde_json::from_value(self.workflow.clone()).expect("a workflow");
        let (plan, _) = compile(&workflow, &Templates::default(), &self.config);
        let seen = Snapshot {
            workflow: &workflow,
            pods: &self.pods,
            results: &BTreeMap::new(),
            agent_results: &BTreeMap::new(),
            config_maps: &ConfigMaps::new(),
            locks: &Machine::default(),
            outcomes: &self.outcomes,
            config: &self.config,
            admitted: false,
            explain: true,
            moved: &Moved::Everything,
        };
        decide(&plan, &seen, jiff::Timestamp::UNIX_EPOCH)
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "an expectation is written where it is used"
    )]
    fn check(&self, expected: Expect) {
        expected.assert_eq(&told(&self.decide()));
    }
}

fn finished(task: WorkflowArtifactGcTask, result: &Value) -> WorkflowArtifactGcTask {
    let mut task = serde_json::to_value(task).expect("a task");
    let nodes = task["spec"]["artifactsByNode"]
        .as_object()
        .expect("nodes")
        .clone();
    for (node, spec) in nodes {
        for name in spec["artifacts"].as_object().expect("artifacts").keys() {
            task["status"]["artifactResultsByNode"][&node]["artifactResults"][name] = result.clone();
        }
    }
    serde_json::from_value(task).expect("a task")
}

/// A decision as lines: effects, then what is stored.
fn told(decision: &Decision) -> String {
    let mut lines = Vec::new();
    for effect in &decision.effects {
        lines.push(match effect {
            Effect::CreateArtifactGc { tasks, pod } => {
                let names = tasks.iter().map(|t| {
                    let artifacts = t.spec.artifacts_by_node.values().flat_map(|n| n.artifacts.keys());
                    format!(
                        "{}({})",
                        t.metadata.name,
                        artifacts.cloned().collect::<Vec<_>>().join(",")
                    )
                });
                let account = &pod.spec.service_account_name;
                format!(
                    "create {} as {account:?}: {}",
                    pod.metadata.name,
                    names.collect::<Vec<_>>().join(" ")
                )
            }
            Effect::ReadArtifactGcTasks { pod, selector } => format!("read {pod} by {selector}"),
            Effect::DeleteArtifactGcTasks { tasks } => format!("delete {}", tasks.join(" ")),
            Effect::Emit(event) => format!("event {}: {}", event.reason, event.message),
            other => format!("{other:?}"),
        });
    }
    if let Some(finalizers) = &decision.changes.finalizers {
        lines.push(format!("finalizers {finalizers:?}"));
    }
    if let Some(status) = &decision.changes.status {
        let gc = status.artifact_gc_status.clone().unwrap_or_default();
        lines.push(format!(
            "processed {:?} recouped {:?}",
            gc.strategies_processed, gc.pods_recouped
        ));
        lines.extend(
            status
                .conditions
                .iter()
                .map(|c| format!("condition {}: {}", c.type_, c.message)),
        );
    }
    for node in decision.changes.nodes.values() {
        let artifacts = node.outputs.iter().flat_map(|o| &o.artifacts);
        lines.extend(artifacts.map(|a| format!("artifact {} deleted={}", a.name, a.deleted)));
    }
    if decision.wake_at.is_some() {
        lines.push("looks again".to_owned());
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A workflow that is deleted before it has ended is ended first; else its finalizer would hold it for ever.
#[test]
fn a_deleted_workflow_that_waits_ends() {
    let waiting = json!({
        "phase": "Running", "startedAt": "1970-01-01T00:00:00Z",
        "artifactRepositoryRef": {"default": true},
        "nodes": {"wf": {
            "id": "wf", "name": "wf", "displayName": "wf", "type": "Suspend", "phase": "Running",
            "templateName": "main", "startedAt": "1970-01-01T00:00:00Z",
        }},
    });
    let case = Case::new()
        .with("/metadata/labels", json!({}))
        .with("/spec/templates", json!([{"name": "main", "suspend": {}}]))
        .with("/status", waiting);
    for (suspended, deleted, phase) in [
        (false, false, None),
        (false, true, Some("Failed")),
        (true, true, Some("Failed")),
    ] {
        let mut case = Case {
            workflow: case.workflow.clone(),
            ..Case::new()
        }
        .with("/spec/suspend", json!(suspended));
        if deleted {
            case = case.deleted();
        }
        let status = case.decide().changes.status;
        let ended = status
            .map(|s| s.phase.to_string())
            .filter(|phase| phase != "Running");
        assert_eq!(
            ended.as_deref(),
            phase,
            "suspended: {suspended}, deleted: {deleted}"
        );
    }
}

#[test]
fn c_agc_02_strategies_have_their_time() {
    Case::new().check(expect![[r#"
        create wf-artgc-wfcomp-2166136261 as "": wf-artgc-wfcomp-2166136261-0(a)
        looks again
    "#]]);
    Case::new().deleted().check(expect![[r#"
        create wf-artgc-wfcomp-2166136261 as "": wf-artgc-wfcomp-2166136261-0(a)
        create wf-artgc-wfdel-2166136261 as "": wf-artgc-wfdel-2166136261-0(b)
        looks again
    "#]]);
    let never = json!({"strategy": "Never"});
    Case::new().with("/spec/artifactGC", never).check(expect![[r#"
            processed {"OnWorkflowCompletion": true} recouped {}
        "#]]);
}

#[test]
fn c_agc_03_pods_are_made_until_they_are_seen() {
    let seen = Case::new().with_pod("Pending");
    seen.check(expect![[r#"
        processed {"OnWorkflowCompletion": true} recouped {}
    "#]]);
    let mut refused = Case::new();
    let name = "wf-artgc-wfcomp-2166136261".to_owned();
    let refusal = Refusal {
        transient: false,
        message: "no such account".to_owned(),
    };
    refused.outcomes.pods.insert(name, refusal);
    refused.check(expect![[r#"
        create wf-artgc-wfcomp-2166136261 as "": wf-artgc-wfcomp-2166136261-0(a)
        processed {} recouped {}
        condition ArtifactGCError: no such account
        looks again
    "#]]);
    let gc = json!({"strategy": "OnWorkflowCompletion", "forceFinalizerRemoval": true});
    let mut forced = refused
        .with("/spec/artifactGC", gc)
        .with("/status/nodes/wf/outputs/artifacts/1/artifactGC", json!({}));
    forced.check(expect![[r#"
        create wf-artgc-wfcomp-2166136261 as "": wf-artgc-wfcomp-2166136261-0(a,b)
        finalizers ["other"]
        processed {} recouped {}
        condition ArtifactGCError: no such account
        looks again
    "#]]);
    forced.outcomes.pods.clear();
    forced.check(expect![[r#"
        create wf-artgc-wfcomp-2166136261 as "": wf-artgc-wfcomp-2166136261-0(a,b)
        looks again
    "#]]);
}

#[test]
fn c_agc_05_results_are_taken_over() {
    let only_one = |case: Case| case.with("/status/nodes/wf/outputs/artifacts/1/artifactGC", json!({}));
    let success = json!({"name": "x", "success": true});
    let failure = json!({"name": "x", "error": "no rights"});
    let ended = |phase: &str| only_one(Case::new()).with_pod(phase);
    ended("Succeeded").check(expect![[r#"
        read wf-artgc-wfcomp-2166136261 by workflows.argoproj.io/artifact-gc-pod=2762810898
        processed {"OnWorkflowCompletion": true} recouped {}
        looks again
    "#]]);
    ended("Succeeded").with_results(&success).check(expect![[r#"
        delete wf-artgc-wfcomp-2166136261-0
        finalizers ["other"]
        processed {"OnWorkflowCompletion": true} recouped {"wf-artgc-wfcomp-2166136261": true}
        artifact a deleted=true
        artifact b deleted=true
    "#]]);
    ended("Succeeded").with_results(&failure).check(expect![[r#"
        event ArtifactGCFailed: Artifact Garbage Collection failed for strategy OnWorkflowCompletion, err:no rights
        processed {"OnWorkflowCompletion": true} recouped {"wf-artgc-wfcomp-2166136261": true}
        condition ArtifactGCError: no rights (artifactGCTask: wf-artgc-wfcomp-2166136261-0)
    "#]]);
    ended("Failed").with_results(&json!(null)).check(expect![[r#"
        event ArtifactGCFailed: Artifact Garbage Collection failed for strategy OnWorkflowCompletion, pod wf-artgc-wfcomp-2166136261 exited with non-zero exit code: check pod logs for more information
        event ArtifactGCFailed: Artifact Garbage Collection failed for strategy OnWorkflowCompletion, err:it was not deleted
        processed {"OnWorkflowCompletion": true} recouped {"wf-artgc-wfcomp-2166136261": true}
        condition ArtifactGCError: it was not deleted (artifactGCTask: wf-artgc-wfcomp-2166136261-0)
    "#]]);
}

#[test]
fn x_gc_31_32_nothing_left_is_done() {
    let deleted = json!([{"name": "a", "s3": {"key": "k"}, "deleted": true}]);
    Case::new()
        .with("/status/nodes/wf/outputs/artifacts", deleted)
        .check(expect![[r#"
            finalizers ["other"]
            processed {"OnWorkflowCompletion": true} recouped {}
        "#]]);
    Case::new().with("/status/nodes", json!({})).check(expect![[r#"
            finalizers ["other"]
            processed {"OnWorkflowCompletion": true} recouped {}
        "#]]);
}

#[test]
fn x_gc_10_13_pods_by_account_and_their_labels() {
    let mut case = Case::new().with(
        "/status/nodes/wf/outputs/artifacts/1/artifactGC",
        json!({"serviceAccountName": "own", "podMetadata": {"labels": {"l": "v"}}}),
    );
    case.config.instance_id = "mine".to_owned();
    case.check(expect![[r#"
        create wf-artgc-wfcomp-2166136261 as "": wf-artgc-wfcomp-2166136261-0(a)
        create wf-artgc-wfcomp-4082499725 as "own": wf-artgc-wfcomp-4082499725-0(b)
        looks again
    "#]]);
    let effects = case.decide().effects;
    let Some(Effect::CreateArtifactGc { tasks, pod }) = effects.last() else {
        panic!("{effects:?}");
    };
    let shown = json!({
        "pod": pod.metadata.labels, "task": tasks[0].metadata.labels,
        "secrets": pod.spec.volumes.iter().map(|v| &v.name).collect::<Vec<_>>(),
    });
    expect![[r#"{"pod":{"l":"v","workflows.argoproj.io/completed":"false","workflows.argoproj.io/component":"artifact-gc","workflows.argoproj.io/controller-instanceid":"mine","workflows.argoproj.io/workflow":"wf"},"secrets":["cred"],"task":{"workflows.argoproj.io/artifact-gc-pod":"2125640790","workflows.argoproj.io/controller-instanceid":"mine"}}"#]].assert_eq(&shown.to_string());
}

#[test]
fn x_gc_12_plugins_run_beside_the_program_that_deletes() {
    let repository = json!({"plugin": {"name": "drv", "configuration": "c", "keyFormat": "k"}});
    let own = json!({"name": "own", "key": "k"});
    let artifacts = json!([{"name": "a", "plugin": own}, {"name": "b", "plugin": {"key": "wf/b"}}]);
    let mut case = Case::new()
        .with("/status/artifactRepositoryRef/artifactRepository", repository)
        .with("/status/nodes/wf/outputs/artifacts", artifacts);
    case.check(expect![[r#"
        processed {} recouped {}
        condition ArtifactGCError: artifact plugin 'drv' is not configured in artifactDrivers
        looks again
    "#]]);
    let driver = |name: &str| json!({"name": name, "image": format!("{name}:1")});
    case.config.artifact_drivers = vec![driver("drv"), driver("own")];
    case.check(expect![[r#"
        LookUpImage { image: "drv:1", pull_secrets: [], service_account: "" }
        looks again
    "#]]);
    for image in ["drv:1", "own:1"] {
        let entry = ImageConfig {
            entrypoint: vec!["/plugin".to_owned()],
            cmd: Vec::new(),
        };
        case.outcomes.images.insert(image.to_owned(), Ok(entry));
    }
    let effects = case.decide().effects;
    let Some(Effect::CreateArtifactGc { pod, .. }) = effects.last() else {
        panic!("{effects:?}");
    };
    let mut shown = String::new();
    for c in pod.spec.init_containers.iter().chain(pod.spec.containers.iter()) {
        let mounts: Vec<_> = c.volume_mounts.iter().map(|m| m.mount_path.as_str()).collect();
        let told = ["ARGO_CONTAINER_NAME", "ARGO_ARTIFACT_PLUGIN_NAMES"];
        let told = c.env.iter().filter(|e| told.contains(&e.name.as_str()));
        let words = [&c.command[..], &c.args[..]].concat().join(" ");
        shown += &format!("{} ({}): {words}\n  {}\n", c.name, c.image, mounts.join(" "));
        told.for_each(|e| shown += &format!("  {}\n", e.value));
    }
    expect![[r#"
        init (quay.io/argoproj/argoexec:v4.1.2): argoexec init --loglevel info --log-format text --gloglevel 0
          /var/run/argo
        main (quay.io/argoproj/argoexec:v4.1.2): argoexec artifact delete --loglevel info --log-format text --gloglevel 0
          /tmp/artifact-plugins/drv /tmp/artifact-plugins/own /var/run/argo
          artifact-plugin-drv,artifact-plugin-own
        artifact-plugin-drv (drv:1): /var/run/argo/argoexec emissary --loglevel info --log-format text --gloglevel 0 -- /plugin /tmp/artifact-plugins/drv/socket
          /var/run/argo /tmp/artifact-plugins/drv
          artifact-plugin-drv
        artifact-plugin-own (own:1): /var/run/argo/argoexec emissary --loglevel info --log-format text --gloglevel 0 -- /plugin /tmp/artifact-plugins/own/socket
          /var/run/argo /tmp/artifact-plugins/own
          artifact-plugin-own
    "#]].assert_eq(&shown);
}

/// The API refuses new finalizers of an object that is being deleted.
#[test]
fn c_agc_01_an_object_that_is_going_is_not_held() {
    let output = json!({"artifacts": [{"name": "a", "path": "/a"}]});
    let fresh = Case::new()
        .with("/metadata/labels", json!({}))
        .with("/metadata/finalizers", json!(["foregroundDeletion"]))
        .with("/spec/templates/0/outputs", output)
        .with("/status/nodes", json!({}))
        .with("/status/phase", json!("Running"));
    let added = |case: &Case| case.decide().changes.finalizers;
    assert_eq!(added(&fresh).expect("it is held").len(), 2);
    assert_eq!(added(&fresh.deleted()), None);
}
