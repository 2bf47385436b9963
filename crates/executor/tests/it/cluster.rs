//! A Kubernetes API over TLS, and pods of a workflow as processes that reach it.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use argosy_apiserver::{ApiServer, Options, definition};
use kube::Client;
use serde_json::Value;

use super::pod::{Pod, finish};

/// The API and its address.
pub struct Cluster {
    client: Client,
    kubeconfig: tempfile::NamedTempFile,
    runtime: tokio::runtime::Runtime,
    /// Identity of the workflow `wf`.
    pub workflow_uid: String,
}

const RESULTS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/workflowtaskresults";

impl Cluster {
    pub fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let options = Options {
            definitions: [
                ("workflows", "Workflow"),
                ("workflowtaskresults", "WorkflowTaskResult"),
                ("workflowtasksets", "WorkflowTaskSet"),
                ("workflowartifactgctasks", "WorkflowArtifactGCTask"),
            ]
            .map(|(plural, kind)| {
                let mut made = definition("argoproj.io", "v1alpha1", plural, kind, true);
                if matches!(kind, "WorkflowTaskSet" | "WorkflowArtifactGCTask") {
                    made["spec"]["versions"][0]["subresources"] = serde_json::json!({"status": {}});
                }
                made
            })
            .to_vec(),
            admin_token: Some("secret".to_owned()),
            hosts: vec!["127.0.0.1".to_owned()],
            ..Options::default()
        };
        let (client, text) = runtime.block_on(async {
            let api: Arc<ApiServer> = ApiServer::new(options).unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://{}", listener.local_addr().unwrap());
            let text = api.kubeconfig(&url, "secret");
            let client = Client::new(api.service(), "default");
            tokio::spawn(async move { api.serve(listener, std::future::pending()).await });
            (client, text)
        });
        let kubeconfig = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(kubeconfig.path(), text).unwrap();
        let workflow = serde_json::json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "wf"},
            "spec": {},
        });
        // A result whose workflow does not exist is collected as garbage.
        let path = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows";
        let request = http::Request::post(path)
            .body(workflow.to_string().into_bytes())
            .unwrap();
        let made: Value = runtime.block_on(client.request(request)).unwrap();
        let workflow_uid = made["metadata"]["uid"].as_str().unwrap().to_owned();
        Self {
            client,
            kubeconfig,
            runtime,
            workflow_uid,
        }
    }

    /// A request to the API; `None` when there is no such object.
    pub fn get(&self, path: &str) -> Option<Value> {
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        match self.runtime.block_on(self.client.request::<Value>(request)) {
            Ok(value) => Some(value),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Makes an object.
    pub fn create(&self, collection: &str, object: &Value) {
        let request = http::Request::post(collection)
            .body(object.to_string().into_bytes())
            .unwrap();
        self.runtime
            .block_on(self.client.request::<Value>(request))
            .unwrap();
    }

    /// Deletes an object.
    pub fn delete(&self, path: &str) {
        let request = http::Request::delete(path).body(Vec::new()).unwrap();
        self.runtime
            .block_on(self.client.request::<Value>(request))
            .unwrap();
    }

    /// Changes an object by a merge patch.
    pub fn merge(&self, path: &str, change: &Value) {
        let request = http::Request::patch(path)
            .header("content-type", "application/merge-patch+json")
            .body(change.to_string().into_bytes())
            .unwrap();
        self.runtime
            .block_on(self.client.request::<Value>(request))
            .unwrap();
    }

    /// The task result of the node that these tests are about.
    pub fn task_result(&self) -> Option<Value> {
        self.get(&format!("{RESULTS}/wf-1"))
    }

    /// A command of the full program in a pod.
    pub fn command(&self, pod: &Pod, command: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_argosy-executor"));
        program
            .args([
                command,
                "--loglevel",
                "info",
                "--log-format",
                "text",
                "--gloglevel",
                "0",
            ])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("ARGOSY_ROOT", pod.root.path())
            .env("KUBECONFIG", self.kubeconfig.path())
            .envs([
                ("ARGO_CONTAINER_NAME", command),
                ("ARGO_POD_NAME", "wf-pod"),
                ("ARGO_POD_UID", "pod-uid"),
                ("ARGO_NODE_ID", "wf-1"),
                ("ARGO_WORKFLOW_NAME", "wf"),
                ("ARGO_WORKFLOW_UID", &self.workflow_uid),
                ("ARGO_INCLUDE_SCRIPT_OUTPUT", "false"),
                ("ARGO_DEADLINE", "0001-01-01T00:00:00Z"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program
    }

    /// Runs `wait` to its end, in a pod whose containers have ended.
    pub fn wait(&self, pod: &Pod, variables: &[(&str, &str)]) -> Output {
        finish(
            self.command(pod, "wait")
                .envs(variables.iter().copied())
                .spawn()
                .unwrap(),
        )
    }
}
