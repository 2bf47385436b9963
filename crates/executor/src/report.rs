//! The WorkflowTaskResult by which a pod tells the controller what it did (rules X-TR-01 to
//! X-TR-08). Only the verbs create and patch are used: the documented role has no others.

use argosy_artifact::Backoff;
use serde_json::{Value, json};

use crate::api::{Api, Error};
use crate::log;
use crate::outcome::Failure;
use crate::retry;
use crate::startup::Pod;

const COMPLETED: &str = "workflows.argoproj.io/report-outputs-completed";

/// Writes one node's task result.
#[derive(Clone)]
pub struct Reporter {
    api: Api,
    backoff: Backoff,
    /// The object as it is first created.
    empty: Value,
    name: String,
}

impl Reporter {
    /// A reporter for a pod's node.
    pub fn new(api: Api, pod: &Pod) -> Self {
        let mut labels = json!({
            "workflows.argoproj.io/workflow": pod.workflow,
            COMPLETED: "false",
        });
        if let Some(instance) = &pod.instance_id {
            labels["workflows.argoproj.io/controller-instanceid"] = json!(instance);
        }
        let empty = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "WorkflowTaskResult",
            "metadata": {
                "name": pod.node_id,
                "labels": labels,
                "ownerReferences": [{
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Workflow",
                    "name": pod.workflow,
                    "uid": pod.workflow_uid,
                }],
            },
        });
        Self {
            api,
            backoff: retry::report(),
            empty,
            name: pod.node_id.clone(),
        }
    }

    /// Makes the result exist, with nothing in it yet (X-TR-02).
    ///
    /// # Errors
    /// The API says no for good.
    pub async fn begin(&self) -> Result<(), Failure> {
        self.persist(|| self.create_or_merge(&self.empty)).await
    }

    /// Reports outputs, whole (X-TR-04, X-TR-05).
    ///
    /// # Errors
    /// The API says no for good.
    pub async fn outputs(&self, outputs: &Value) -> Result<(), Failure> {
        self.change(&json!({ "outputs": outputs })).await
    }

    /// Reports outputs, and that nothing more will come, in one write (X-TR-08).
    ///
    /// # Errors
    /// The API says no for good; whether to [`complete`](Self::complete) without outputs is the caller's to say.
    pub async fn finish(&self, outputs: &Value) -> Result<(), Failure> {
        let mut change = completed();
        change["outputs"] = outputs.clone();
        self.change(&change).await
    }

    /// Reports progress, as `N/M` (X-PROG-04). Tried once: there is a next time.
    ///
    /// # Errors
    /// The API says no or is not reached.
    pub async fn progress(&self, progress: &str) -> Result<(), Failure> {
        let change = json!({ "progress": progress });
        self.api
            .merge(&self.path(), &change)
            .await
            .map(drop)
            .map_err(failure)
    }

    /// Says that nothing more will come (X-TR-06).
    ///
    /// # Errors
    /// The API says no for good.
    pub async fn complete(&self) -> Result<(), Failure> {
        self.change(&completed()).await
    }

    async fn change(&self, change: &Value) -> Result<(), Failure> {
        self.persist(|| self.merge_or_create(change)).await
    }

    async fn create_or_merge(&self, object: &Value) -> Result<(), Error> {
        match self.api.create(&self.collection(), object).await {
            Err(error) if error.code == 409 && !error.is_transient => {
                self.api.merge(&self.path(), object).await.map(drop)
            }
            other => other.map(drop),
        }
    }

    async fn merge_or_create(&self, change: &Value) -> Result<(), Error> {
        match self.api.merge(&self.path(), change).await {
            Err(error) if error.code == 404 => {
                let mut object = self.empty.clone();
                merge(&mut object, change);
                self.create_or_merge(&object).await
            }
            other => other.map(drop),
        }
    }

    /// Repeats until it works or can no longer work.
    async fn persist<F>(&self, attempt: impl Fn() -> F) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let mut count = 1;
        loop {
            let error = match attempt().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match self.backoff.pause(count) {
                Some(pause) if error.is_transient => {
                    log::warn(
                        "task result not written, trying again",
                        &[("error", &error.message)],
                    );
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(failure(error)),
            }
            count = count.saturating_add(1);
        }
    }

    fn collection(&self) -> String {
        let namespace = self.api.namespace();
        format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflowtaskresults")
    }

    fn path(&self) -> String {
        format!("{}/{}", self.collection(), self.name)
    }
}

/// The change that says that nothing more will come.
fn completed() -> Value {
    json!({ "metadata": { "labels": { COMPLETED: "true" } } })
}

fn failure(error: Error) -> Failure {
    let hint = match error.code {
        403 => ", see the documentation of the role that workflow pods need",
        _ => "",
    };
    Failure::new(format!("{}{hint}", error.message))
}

/// What a merge patch does to an object.
fn merge(object: &mut Value, change: &Value) {
    match (object, change) {
        (Value::Object(object), Value::Object(change)) => {
            for (key, value) in change {
                match value {
                    Value::Null => drop(object.remove(key)),
                    value => merge(object.entry(key.clone()).or_insert(Value::Null), value),
                }
            }
        }
        (object, change) => *object = change.clone(),
    }
}
