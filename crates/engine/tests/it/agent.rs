//! The agent's pod: which executor plugins run in it (C-PLG-01).

use std::sync::Arc;

use argosy_engine::Effect;
use argosy_model::Workflow;
use argosy_testkit::World;
use jiff::Timestamp;
use serde_json::{Value, json};

fn container(name: &str) -> Value {
    json!({
        "name": name, "image": "i", "command": ["c"], "ports": [{"containerPort": 4355}], "securityContext": {},
        "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
    })
}

/// A world in which both kinds of plugins may run.
fn world() -> World {
    let mut world = World::default();
    world.config.namespace = "argo".to_owned();
    world.config.executor_plugins = true;
    world.config.workflow_plugins = true;
    world
}

fn install(world: &mut World, namespace: &str, name: &str, container: &str) {
    let map = json!({
        "metadata": {"name": name, "labels": {"workflows.argoproj.io/configmap-type": "ExecutorPlugin"}},
        "data": {"sidecar.automountServiceAccountToken": "false", "sidecar.container": container},
    });
    let map = serde_json::from_value(map).expect("a ConfigMap");
    world.config_maps.insert(namespace, name, Some(Arc::new(map)));
}

/// The containers of the agent's pod, or why its node failed.
fn check(mut world: World, plugins: &[Value], expected: &[&str]) {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let workflow: Workflow = serde_json::from_value(json!({
        "metadata": {"name": "wf", "namespace": "team"},
        "spec": {
            "entrypoint": "main", "executorPlugins": plugins,
            "templates": [{"name": "main", "plugin": {"hello": {}}}],
        },
    }))
    .expect("a workflow");
    world.submit(workflow, now);
    let effects = world.pass("wf", now).expect("submitted").decision.effects;
    let pod = effects.into_iter().find_map(|effect| match effect {
        Effect::CreateAgentPod { pod } => Some(pod),
        _ => None,
    });
    let node = &world.workflows["wf"].workflow.status.nodes["wf"];
    let containers = pod.iter().flat_map(|pod| pod.spec.containers.iter());
    let mut told: Vec<&str> = containers.map(|c| c.name.as_str()).collect();
    told.extend((!node.message.is_empty()).then_some(node.message.as_str()));
    assert_eq!(told, expected);
}

#[test]
fn c_plg_01_installed_plugins_run_if_that_is_switched_on() {
    let installed = || {
        let mut world = world();
        install(
            &mut world,
            "argo",
            "b-executor-plugin",
            &container("shared").to_string(),
        );
        install(
            &mut world,
            "argo",
            "a-executor-plugin",
            &container("general").to_string(),
        );
        install(
            &mut world,
            "team",
            "a-executor-plugin",
            &container("own").to_string(),
        );
        install(
            &mut world,
            "team",
            "c-executor-plugin",
            "{name: incomplete, image: i}",
        );
        install(
            &mut world,
            "other",
            "d-executor-plugin",
            &container("other").to_string(),
        );
        world
    };
    check(installed(), &[], &["own", "shared", "main"]);
    let mut off = installed();
    off.config.executor_plugins = false;
    check(off, &[], &["main"]);
    let brought =
        json!({"metadata": {"name": "x"}, "spec": {"sidecar": {"container": container("brought")}}});
    check(installed(), &[brought], &["brought", "main"]);
}

#[test]
fn c_plg_01_plugins_of_a_workflow_are_refused_unless_they_are_switched_on() {
    let mut off = world();
    off.config.workflow_plugins = false;
    let brought =
        json!({"metadata": {"name": "x"}, "spec": {"sidecar": {"container": container("brought")}}});
    let refused = "create agent pod failed with reason:\"workflow-level executor plugins are disabled in the controller. \
        To enable them, set the environment variable ARGO_WORKFLOW_LEVEL_EXECUTOR_PLUGINS=true\"";
    check(off, &[brought], &[refused]);
}
