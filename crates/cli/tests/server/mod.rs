//! An API server for one test, and the workflows in it; nobody moves them but the test.
#![allow(dead_code, reason = "each test program uses a part of this module")]

use std::net::Ipv4Addr;
use std::sync::Arc;

use argosy_apiserver::{ApiServer, Options, definition};
use expect_test::Expect;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::program::Program;

const TOKEN: &str = "test";
const KINDS: [(&str, &str, bool); 4] = [
    ("workflows", "Workflow", true),
    ("workflowtemplates", "WorkflowTemplate", true),
    ("clusterworkflowtemplates", "ClusterWorkflowTemplate", false),
    ("cronworkflows", "CronWorkflow", true),
];
const WORKFLOWS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows";

/// An API server that lives as long as the value.
pub struct Server {
    /// Threads of the server.
    pub runtime: Runtime,
    /// The server.
    pub api: Arc<ApiServer>,
    client: kube::Client,
    /// How commands find it.
    pub kubeconfig: String,
}

impl Server {
    /// One that knows workflows and their templates.
    pub fn start() -> Self {
        let runtime = Runtime::new().expect("threads start");
        let (api, client, kubeconfig) = runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .expect("a free port");
            let address = listener.local_addr().expect("a bound address");
            let api = ApiServer::new(Options {
                definitions: KINDS
                    .iter()
                    .map(|(plural, kind, namespaced)| {
                        definition("argoproj.io", "v1alpha1", plural, kind, *namespaced)
                    })
                    .collect(),
                admin_token: Some(TOKEN.to_owned()),
                hosts: vec![address.ip().to_string()],
                ..Options::default()
            });
            let api: Arc<ApiServer> = api.expect("the API starts");
            let kubeconfig = api.kubeconfig(&format!("https://{address}"), TOKEN);
            let client = kube::Client::new(api.service(), "default");
            let served = api.clone();
            tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
            (api, client, kubeconfig)
        });
        Self {
            runtime,
            api,
            client,
            kubeconfig,
        }
    }

    /// Makes a workflow as a controller would leave it.
    pub fn workflow(&self, name: &str, phase: &str, nodes: &Value) {
        self.workflow_with(name, phase, nodes, &json!({}));
    }

    /// The same with more in its status.
    pub fn workflow_with(&self, name: &str, phase: &str, nodes: &Value, status: &Value) {
        let mut object = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name, "labels": {"workflows.argoproj.io/phase": phase}},
            "spec": {"entrypoint": "main"},
            "status": {"phase": phase, "startedAt": "2026-01-01T00:00:00Z", "progress": "0/1", "nodes": nodes,
                       "finishedAt": if phase == "Running" { Value::Null } else { "2026-01-01T00:00:05Z".into() }},
        });
        for (key, value) in status.as_object().into_iter().flatten() {
            object["status"][key] = value.clone();
        }
        self.make(WORKFLOWS, &object);
    }

    /// Makes any object.
    pub fn make(&self, path: &str, object: &Value) {
        self.send(http::Request::post(path), "application/json", object);
    }

    /// Merges a patch into any object.
    pub fn patch(&self, path: &str, patch: &Value) {
        self.send(http::Request::patch(path), "application/merge-patch+json", patch);
    }

    fn send(&self, request: http::request::Builder, kind: &str, object: &Value) {
        let request = request.header("Content-Type", kind);
        let request = request
            .body(serde_json::to_vec(object).expect("a request"))
            .expect("a request");
        let done = self.runtime.block_on(self.client.request::<Value>(request));
        done.expect("the API takes it");
    }

    /// A workflow as it is now.
    pub fn read(&self, name: &str) -> Value {
        self.object(&format!("{WORKFLOWS}/{name}"))
    }

    /// Any object, or a list, as it is now.
    pub fn object(&self, path: &str) -> Value {
        let request = http::Request::get(path).body(Vec::new()).expect("a request");
        self.runtime
            .block_on(self.client.request::<Value>(request))
            .expect("the API has it")
    }

    /// Compares what a command says and how it exits.
    pub fn check(&self, args: &[&str], wanted: Expect) {
        Program::new(args)
            .file("kubeconfig", &self.kubeconfig)
            .check(wanted);
    }
}
