//! `agent` against a real API, with web servers and plugins of the tests' own (section 12 of the
//! executor's rules).

use std::io::Write as _;
use std::process::Child;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::pod::{Pod, eventually, finish, mode};
use super::web::{Asked, Reply, Web};

const SETS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/workflowtasksets";

fn write_tasks(cluster: &Cluster, tasks: &Value) {
    cluster.create(
        SETS,
        &json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTaskSet",
            "metadata": {"name": "wf", "labels": {"workflows.argoproj.io/completed": "false"}},
            "spec": {"tasks": tasks},
        }),
    );
}

fn start(cluster: &Cluster, pod: &Pod, word: &str, variables: &[(&str, &str)]) -> Child {
    let mut program = cluster.command(pod, "agent");
    program.arg(word).env("ARGO_AGENT_PATCH_RATE", "1s");
    program.envs(variables.iter().copied()).spawn().unwrap()
}

fn results(cluster: &Cluster) -> Value {
    cluster.get(&format!("{SETS}/wf")).unwrap()["status"]["nodes"].clone()
}

/// Ends the agent as the controller does, and checks that it says nothing is wrong (X-AGT-11).
fn complete(cluster: &Cluster, agent: Child) {
    let change = json!({"metadata": {"labels": {"workflows.argoproj.io/completed": "true"}}});
    cluster.merge(&format!("{SETS}/wf"), &change);
    let output = finish(agent);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
}

fn reply(asked: &Asked) -> Reply {
    let path = asked.line.split(' ').nth(1).unwrap();
    match path {
        "/status/201" => ("201 Created", vec!["X-Kind: a", "X-Kind: b"], Vec::new()),
        "/status/500" => ("500 Internal Server Error", vec![], b"oh".to_vec()),
        "/moved" => ("302 Found", vec!["Location: /echo"], Vec::new()),
        "/loop" => ("302 Found", vec!["Location: /loop"], Vec::new()),
        "/big" => ("200 OK", vec![], vec![b'x'; 1_600_000]),
        "/packed" => {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(b"unpacked").unwrap();
            ("200 OK", vec!["Content-Encoding: gzip"], packed.finish().unwrap())
        }
        _ => (
            "200 OK",
            vec![],
            format!("{} {}", asked.line, asked.body).into_bytes(),
        ),
    }
}

/// An http template, and the phase, message and result that it must come to.
type Case = (Value, &'static str, &'static str, Option<&'static str>);

/// Has one agent do all cases at once.
fn check(cluster: &Cluster, cases: &[Case]) {
    let tasks = cases.iter().enumerate();
    let tasks: serde_json::Map<String, Value> = tasks
        .map(|(index, (http, ..))| (format!("n{index}"), json!({"name": "t", "http": http})))
        .collect();
    write_tasks(cluster, &Value::Object(tasks));
    let pod = Pod::with_template("{}");
    let agent = start(cluster, &pod, "main", &[]);
    let got = eventually("every result", || {
        let results = results(cluster);
        (results.as_object()?.len() == cases.len()).then_some(results)
    });
    for (index, (http, phase, message, result)) in cases.iter().enumerate() {
        let node = &got[format!("n{index}")];
        assert_eq!(node["phase"], *phase, "{http} {node}");
        let said = node["message"].as_str().unwrap_or_default();
        assert!(
            said.ends_with(message) && said.is_empty() == message.is_empty(),
            "{http} {said}"
        );
        assert_eq!(node["outputs"]["result"].as_str(), *result, "{http}");
    }
    complete(cluster, agent);
}

#[test]
fn x_http_01_to_05_requests() {
    let web = Web::start(reply);
    let request = |path: &str, more: Value| {
        let mut http = more;
        http["url"] = json!(format!("http://{}{path}", web.address));
        http
    };
    let fine = |http, result| (http, "Succeeded", "", Some(result));
    let failed = |http, message| (http, "Failed", message, None);
    check(
        &Cluster::start(),
        &[
            fine(request("/echo", json!({})), "GET /echo "),
            fine(
                request("/echo", json!({"method": "POST", "body": "text"})),
                "POST /echo text",
            ),
            fine(
                request(
                    "/echo",
                    json!({"method": "PUT", "body": "text", "bodyFrom": {"bytes": "Ynl0ZXM="}}),
                ),
                "PUT /echo bytes",
            ),
            fine(
                request("/echo", json!({"method": "PUT", "bodyFrom": {}})),
                "PUT /echo ",
            ),
            fine(
                request("/moved", json!({"method": "POST", "body": "x"})),
                "GET /echo ",
            ),
            fine(request("/packed", json!({})), "unpacked"),
            failed(request("/loop", json!({})), "stopped after 10 redirects"),
            failed(
                json!({"url": "http://127.0.0.1:1/"}),
                "Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused",
            ),
            failed(
                request("/big", json!({})),
                "the response's body is longer than 1572864 bytes, which is more than a result may hold",
            ),
        ],
    );
}

#[test]
fn x_http_03_06_07_headers_and_conditions() {
    let cluster = Cluster::start();
    cluster.create(
        "/api/v1/namespaces/default/secrets",
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"k": "hidden"}}),
    );
    let web = Web::start(reply);
    let url = |path: &str| format!("http://{}{path}", web.address);
    let secret =
        |key: &str| json!([{"name": "X-Key", "valueFrom": {"secretKeyRef": {"name": "keys", "key": key}}}]);
    let twice = json!([{"name": "a-b", "value": "1"}, {"name": "a-b", "value": "2"}]);
    let all =
        "response.headers['X-Kind'] == ['a', 'b'] && request.headers['a-b'][1] == '2' && response.body == ''";
    let is_500 = "response.statusCode in [500]";
    let is_z = "response.body contains 'z'";
    let is_secret = "!('X-Key' in request.headers)";
    check(
        &cluster,
        &[
            (
                json!({"url": url("/status/500")}),
                "Failed",
                "received non-2xx response code: 500",
                Some("oh"),
            ),
            (
                json!({"url": url("/status/500"), "successCondition": is_500}),
                "Succeeded",
                "",
                Some("oh"),
            ),
            (
                json!({"url": url("/status/201"), "headers": twice, "successCondition": all}),
                "Succeeded",
                "",
                Some(""),
            ),
            (
                json!({"url": url("/echo"), "successCondition": is_z}),
                "Failed",
                "successCondition 'response.body contains 'z'' evaluated false",
                Some("GET /echo "),
            ),
            (
                json!({"url": url("/echo"), "headers": secret("k"), "successCondition": is_secret}),
                "Succeeded",
                "",
                Some("GET /echo "),
            ),
            (
                json!({"url": url("/echo"), "headers": secret("none")}),
                "Failed",
                "secret 'keys' does not have the key 'none'",
                None,
            ),
        ],
    );
    let sent = |a: &Asked| a.headers.contains(&"x-key: hidden".to_owned());
    assert!(web.asked().iter().any(sent));
}

#[test]
fn x_agt_12_tasks_run_once_and_later_ones_run() {
    let cluster = Cluster::start();
    let web = Web::start(reply);
    let http = json!({"name": "t", "http": {"url": format!("http://{}/echo", web.address)}});
    write_tasks(&cluster, &json!({"first": http}));
    let pod = Pod::with_template("{}");
    let agent = start(&cluster, &pod, "main", &[]);
    eventually("the first result", || results(&cluster).get("first").cloned());
    let more =
        json!({"spec": {"tasks": {"second": http, "other": {"name": "t", "container": {"image": "x"}}}}});
    cluster.merge(&format!("{SETS}/wf"), &more);
    let got = eventually("later results", || {
        let results = results(&cluster);
        (results.as_object()?.len() == 3).then_some(results)
    });
    let message = "error processing task: agent cannot execute: unknown task type: Container";
    assert_eq!(got["other"], json!({"phase": "Error", "message": message}));
    assert_eq!(web.asked().len(), 2);
    complete(&cluster, agent);
}

#[test]
fn x_agt_11_a_deleted_task_set_ends_the_agent() {
    let cluster = Cluster::start();
    write_tasks(
        &cluster,
        &json!({"n": {"name": "t", "http": {"url": "http://127.0.0.1:1/"}}}),
    );
    let pod = Pod::with_template("{}");
    let agent = start(&cluster, &pod, "main", &[]);
    eventually("the result", || results(&cluster).get("n").cloned());
    cluster.delete(&format!("{SETS}/wf"));
    assert_eq!(finish(agent).status.code(), Some(0));
}

#[test]
fn x_gen_34_what_keeps_the_agent_from_starting() {
    let cluster = Cluster::start();
    for (variables, message) in [
        (
            [
                ("ARGO_PLUGIN_NAMES", "[\"a\"]"),
                ("ARGO_PLUGIN_ADDRESSES", "null"),
            ],
            "ARGO_PLUGIN_NAMES has 1 entries, ARGO_PLUGIN_ADDRESSES 0",
        ),
        (
            [("ARGO_PLUGIN_NAMES", "null"), ("ARGO_AGENT_TASK_WORKERS", "many")],
            "ARGO_AGENT_TASK_WORKERS: \"many\" is not a number",
        ),
        (
            [("ARGO_PLUGIN_NAMES", "null"), ("ARGO_WORKFLOW_NAME", "")],
            "ARGO_WORKFLOW_NAME is not set",
        ),
    ] {
        let pod = Pod::with_template("{}");
        let output = finish(start(&cluster, &pod, "main", &variables));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(pod.read("/dev/termination-log").as_deref(), Some(message));
    }
}

#[test]
fn x_xpl_04_to_07_plugins() {
    let cluster = Cluster::start();
    // Answers by the template's name; the first plugin runs nothing at all.
    let unfit = Web::start(|_| ("404 Not Found", vec![], Vec::new()));
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let plugin = Web::start(move |asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let answer = match body["template"]["name"].as_str().unwrap() {
            "done" => json!({"node": {"phase": "Succeeded", "outputs": {"result": "r"}}}),
            "not mine" => json!({}),
            "again" => match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => json!({"node": {"phase": "Running", "message": "soon"}, "requeue": "50ms"}),
                _ => json!({"node": {"phase": "Succeeded", "message": "now"}}),
            },
            _ => return ("500 Internal Server Error", vec![], b"broken".to_vec()),
        };
        ("200 OK", vec![], answer.to_string().into_bytes())
    });
    let pod = Pod::with_template("{}");
    let addresses = json!([
        format!("http://{}", unfit.address),
        format!("http://{}", plugin.address)
    ])
    .to_string();
    let variables = [
        ("ARGO_PLUGIN_NAMES", "[\"none\",\"some\"]"),
        ("ARGO_PLUGIN_ADDRESSES", &*addresses),
    ];
    for _ in 0..2 {
        // The init container of a restarted pod runs again.
        assert_eq!(
            finish(start(&cluster, &pod, "init", &variables)).status.code(),
            Some(0)
        );
    }
    let token = pod.read("/var/run/argo/some/token").unwrap();
    assert_eq!(token.len(), 32);
    assert!(
        token.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c)),
        "{token}"
    );
    assert_eq!(mode(&pod.path("/var/run/argo/some/token")), 0o440);
    assert_eq!(mode(&pod.path("/var/run/argo/some")), 0o770);
    let task = |name: &str| json!({"name": name, "plugin": {"p": {"x": 1}}});
    let tasks = json!({"d": task("done"), "n": task("not mine"), "a": task("again"), "b": task("broken")});
    write_tasks(&cluster, &tasks);
    let agent = start(&cluster, &pod, "main", &variables);
    let got = eventually("every result", || {
        let results = results(&cluster);
        (results.as_object()?.len() == 4 && results["a"]["phase"] == "Succeeded").then_some(results)
    });
    let want = json!({
        "d": {"phase": "Succeeded", "outputs": {"result": "r"}},
        "n": {"phase": "Failed", "message": "no plugin executed the template"},
        "a": {"phase": "Succeeded", "message": "now"},
        "b": {"phase": "Failed", "message": "500 Internal Server Error: broken"},
    });
    assert_eq!(got, want);
    let asked = plugin
        .asked()
        .into_iter()
        .find(|a| a.body.contains("done"))
        .unwrap();
    assert_eq!(asked.line, "POST /api/v1/template.execute");
    assert!(asked.headers.contains(&format!("authorization: Bearer {token}")));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let workflow = json!({"metadata": {"name": "wf", "namespace": "default", "uid": cluster.workflow_uid}});
    assert_eq!(body, json!({"workflow": workflow, "template": task("done")}));
    complete(&cluster, agent);
}
