//! `resource` against a real API: actions, conditions, outputs, errors (section 10 of the
//! executor's rules). The languages of conditions and outputs have tests of their own elsewhere.

use std::process::Output;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::pod::{Pod, eventually, finish};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn template(resource: &Value, outputs: &Value) -> String {
    json!({"name": "t", "resource": resource, "outputs": {"parameters": outputs}}).to_string()
}

fn start(cluster: &Cluster, pod: &Pod, action: &str) -> std::process::Child {
    let mut program = cluster.command(pod, "resource");
    program
        .args([action])
        .env("RESOURCE_STATE_CHECK_INTERVAL", "60s")
        .spawn()
        .unwrap()
}

fn run(cluster: &Cluster, action: &str, resource: &Value) -> (Pod, Output) {
    let mut resource = resource.clone();
    resource["action"] = json!(action);
    let pod = Pod::with_template(&template(&resource, &json!([])));
    let output = finish(start(cluster, &pod, action));
    (pod, output)
}

#[track_caller]
fn check(cluster: &Cluster, action: &str, resource: &Value, message: Option<&str>) {
    let (pod, output) = run(cluster, action, resource);
    let code = if message.is_some() { 64 } else { 0 };
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{log}");
    assert_eq!(pod.read("/dev/termination-log").as_deref(), message);
    if let Some(result) = cluster.task_result() {
        let labels = &result["metadata"]["labels"];
        assert_eq!(
            labels["workflows.argoproj.io/report-outputs-completed"], "true",
            "X-RES-01"
        );
    }
}

fn map(name: &str, data: &Value) -> Value {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"cleanup": "true"}}, "data": data,
    });
    json!({"manifest": map.to_string()})
}

#[test]
fn x_res_06_actions_one_after_the_other() {
    let cluster = Cluster::start();
    let data = || cluster.get(&format!("{MAPS}/m")).map(|m| m["data"].clone());
    check(&cluster, "create", &map("m", &json!({"a": "1"})), None);
    assert_eq!(data(), Some(json!({"a": "1"})));
    check(
        &cluster,
        "create",
        &map("m", &json!({})),
        Some(
            "no more retries Error from server (AlreadyExists): error when creating \"/tmp/manifest.yaml\": \
             configmaps \"m\" already exists",
        ),
    );
    check(&cluster, "get", &map("m", &json!({})), None);
    check(&cluster, "patch", &map("m", &json!({"b": "2"})), None);
    assert_eq!(data(), Some(json!({"a": "1", "b": "2"})));
    let json_patch = json!({
        "flags": ["configmap", "m"], "mergeStrategy": "json",
        "manifest": "- op: remove\n  path: /data/a\n",
    });
    check(&cluster, "patch", &json_patch, None);
    let merge_patch = json!({"flags": ["cm/m"], "mergeStrategy": "merge", "manifest": "data: {c: '3'}"});
    check(&cluster, "patch", &merge_patch, None);
    assert_eq!(data(), Some(json!({"b": "2", "c": "3"})));
    check(&cluster, "replace", &map("m", &json!({"r": "1"})), None);
    assert_eq!(data(), Some(json!({"r": "1"})));
    check(&cluster, "apply", &map("m", &json!({"x": "1", "y": "1"})), None);
    check(&cluster, "apply", &map("m", &json!({"x": "2"})), None);
    assert_eq!(
        data(),
        Some(json!({"r": "1", "x": "2"})),
        "y was applied before and no longer is"
    );
    check(&cluster, "apply", &map("new", &json!({"n": "1"})), None);
    check(&cluster, "delete", &map("m", &json!({})), None);
    assert_eq!(data(), None);
    check(&cluster, "delete", &map("m", &json!({})), None);
    let by_selector = json!({"flags": ["configmap", "--selector", "cleanup=true"]});
    check(&cluster, "delete", &by_selector, None);
    assert_eq!(cluster.get(&format!("{MAPS}/new")), None);
}

#[test]
fn x_res_08_errors() {
    let cluster = Cluster::start();
    let route = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata:\n  name: host-route\n";
    for (action, resource, message) in [
        (
            "create",
            json!({"manifest": route}),
            "no more retries error: resource mapping not found for name: \"host-route\" namespace: \"\" from \
             \"/tmp/manifest.yaml\": no matches for kind \"Route\" in version \"route.openshift.io/v1\"\nensure CRDs \
             are installed first",
        ),
        (
            "get",
            map("none", &json!({})),
            "no more retries Error from server (NotFound): configmaps \"none\" not found",
        ),
        (
            "create",
            json!({}),
            "Must provide at least one of flags or manifest.",
        ),
        (
            "get",
            json!({"flags": ["--nope=1"]}),
            "no more retries error: unknown flag: --nope=1",
        ),
        (
            "delete",
            json!({"successCondition": "a == b", "manifest": route}),
            "successCondition, failureCondition and outputs are not supported for delete action",
        ),
        (
            "get",
            json!({"successCondition": "a ==", "failureCondition": "b >", "manifest": route}),
            "fail condition 'b >' failed to parse: unable to parse requirement: values[0]: Invalid value: \"\": for \
             'Gt', 'Lt' operators, the value must be an integer",
        ),
    ] {
        check(&cluster, action, &resource, Some(message));
    }
}

#[test]
fn x_res_20_30_conditions_and_outputs() {
    let cluster = Cluster::start();
    let resource = json!({
        "action": "create",
        "successCondition": "data.done == yes",
        "failureCondition": "data.failed == yes",
        "manifest": "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: gen-}\n",
    });
    let outputs = json!([
        {"name": "name", "valueFrom": {"jsonPath": "{.metadata.name}"}},
        {"name": "keys", "valueFrom": {"jqFilter": ".data|keys|join(\",\")"}},
        {"name": "fixed", "value": "1"},
    ]);
    for (change, code, message) in [
        (json!({"done": "yes"}), 0, None),
        (
            json!({"failed": "yes"}),
            64,
            Some("failure condition '{data.failed == [yes]}' evaluated true"),
        ),
    ] {
        let pod = Pod::with_template(&template(&resource, &outputs));
        let child = start(&cluster, &pod, "create");
        let name = eventually("the object", || {
            let items = cluster.get(MAPS)?["items"].as_array()?.clone();
            let names = items.iter().filter_map(|i| i["metadata"]["name"].as_str());
            names.filter(|n| n.starts_with("gen-")).map(str::to_owned).next()
        });
        let path = format!("{MAPS}/{name}");
        // News that decide nothing are looked at and waited over.
        cluster.merge(&path, &json!({"data": {"other": "1"}}));
        cluster.merge(&path, &json!({"data": change}));
        let output = finish(child);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(pod.read("/dev/termination-log").as_deref(), message);
        if code == 0 {
            let reported = cluster.task_result().unwrap()["outputs"]["parameters"].clone();
            let values: Vec<&Value> = reported.as_array().unwrap().iter().map(|p| &p["value"]).collect();
            assert_eq!(values, [&json!(name), &json!("done,other"), &json!("1")]);
        }
        check(&cluster, "delete", &map(&name, &json!({})), None);
    }
}
