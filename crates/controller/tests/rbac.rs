//! The rights that `manifests/` give the controller, on the embedded API, which judges by roles as Kubernetes does: none
//! is missing, and each is needed, because a request is made that it alone allows.
//!
//! Pods are played by the test. What comes about by bad luck only (a lost answer, a conflict) is brought about here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use argosy_apiserver::{ApiServer, Service};
use argosy_controller::entrypoints::Registries;
use argosy_controller::fence::Fence;
use argosy_controller::{Controller, Options, leader};
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::BoxError;

/// The longest wait until every right was used.
const LIMIT: Duration = Duration::from_secs(60);

/// How often the pods are played.
const LOOK: Duration = Duration::from_millis(20);

/// The namespace of the controller, as the manifests have it.
const HOME: &str = "argo";

/// The namespace of the workflows.
const WORK: &str = "default";

/// A right: API group, resource with subresource, verb.
type Right = (String, String, String);

/// Rights that no request here needs, and who needs them.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    // Asked for by the admission plugin OwnerReferencesPermissionEnforcement when pods name their workflow,
    // and scheduled workflows what started them.
    ("argoproj.io", "workflows/finalizers", "update"),
    ("argoproj.io", "cronworkflows/finalizers", "update"),
    // Kubernetes from 1.35 on asks for this when a stream is opened by GET.
    ("", "pods/exec", "create"),
];

/// What was asked of the API server, and the bad luck that is still to come.
#[derive(Default)]
struct Log {
    used: BTreeSet<Right>,
    forbidden: BTreeSet<Right>,
    /// Kinds whose first creation is answered as if the object had been there, because its answer was lost.
    lost: BTreeSet<&'static str>,
    /// Kinds whose next change meets somebody else's.
    conflict: BTreeSet<&'static str>,
}

/// The controller's account, whose requests are written down.
#[derive(Clone)]
struct Account {
    server: Service,
    log: Arc<Mutex<Log>>,
}

impl tower::Service<Request<Body>> for Account {
    type Response = Response<argosy_apiserver::Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let right = right(&request);
        let account = format!("system:serviceaccount:{HOME}:argo");
        let value = account.parse().expect("a name is a header");
        request.headers_mut().insert("impersonate-user", value);
        let conflict = {
            let mut log = self.log.lock().expect("no holder panics");
            right.2 == "patch" && log.conflict.remove(right.1.as_str())
        };
        let answer = tower::Service::call(&mut self.server, request);
        let log = self.log.clone();
        Box::pin(async move {
            if conflict {
                return Ok(refusal("Conflict"));
            }
            let answer = answer.await?;
            let mut log = log.lock().expect("no holder panics");
            let set = match answer.status() {
                StatusCode::FORBIDDEN => &mut log.forbidden,
                _ => &mut log.used,
            };
            set.insert(right.clone());
            let lost = right.2 == "create" && log.lost.remove(right.1.as_str());
            Ok(if lost { refusal("AlreadyExists") } else { answer })
        })
    }
}

fn refusal(reason: &str) -> Response<argosy_apiserver::Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason, "code": 409,
    });
    Response::builder()
        .status(409)
        .body(argosy_apiserver::Body::full(status.to_string()))
        .expect("a well-formed answer")
}

/// The right that a request needs.
fn right(request: &Request<Body>) -> Right {
    let parts: Vec<&str> = request
        .uri()
        .path()
        .split('/')
        .filter(|p| !p.is_empty())
        .collect();
    let (group, rest) = match parts.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => ("", &[][..]),
    };
    let rest = match rest {
        ["namespaces", _, inner @ ..] => inner,
        other => other,
    };
    let query = request.uri().query().unwrap_or_default();
    let verb = match (request.method(), rest.len()) {
        (&Method::GET, _) if query.contains("watch=true") => "watch",
        (&Method::GET, 1) => "list",
        (&Method::GET, _) => "get",
        (&Method::POST, _) => "create",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, 1) => "deletecollection",
        _ => "delete",
    };
    let resource = match rest {
        [resource, _, sub] => format!("{resource}/{sub}"),
        [resource, ..] => (*resource).to_owned(),
        [] => String::new(),
    };
    (group.to_owned(), resource, verb.to_owned())
}

/// The objects of a file of `manifests/`.
fn manifest(path: &str) -> Vec<Value> {
    let file = format!("{}/../../manifests/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).expect(&file);
    let documents = argosy_model::yaml::documents(&text).expect(&file);
    documents.into_iter().map(|d| d.value).collect()
}

/// The rights of the roles in some objects that are the controller's.
fn rights(objects: &[Value]) -> BTreeSet<Right> {
    let list = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(|i| i.as_str().map(str::to_owned)).collect()
    };
    let roles = objects.iter().filter(|o| {
        let name = o["metadata"]["name"].as_str().unwrap_or_default();
        name == "argo-role" || name == "argo-cluster-role"
    });
    let mut all = BTreeSet::new();
    for rule in roles.flat_map(|role| role["rules"].as_array().into_iter().flatten()) {
        for group in list(&rule["apiGroups"]) {
            for resource in list(&rule["resources"]) {
                let one = |verb| (group.clone(), resource.clone(), verb);
                all.extend(list(&rule["verbs"]).into_iter().map(one));
            }
        }
    }
    all
}

/// The owner, who sets the scene and plays the pods.
struct Owner(Client);

impl Owner {
    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, kube::Error> {
        let kind = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let body = body.map(|b| b.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .body(body);
        self.0.request(request.expect("a well-formed request")).await
    }

    /// Makes an object of a manifest, in the controller's namespace if it needs one.
    async fn apply(&self, object: &Value) {
        let base = format!("/apis/{}", object["apiVersion"].as_str().unwrap_or_default());
        let path = match object["kind"].as_str() {
            Some("ClusterRole") => format!("{base}/clusterroles"),
            Some("ClusterRoleBinding") => format!("{base}/clusterrolebindings"),
            Some("Role") => format!("{base}/namespaces/{HOME}/roles"),
            _ => format!("{base}/namespaces/{HOME}/rolebindings"),
        };
        let mut object = object.clone();
        if object["kind"] == "RoleBinding" {
            object["subjects"][0]["namespace"] = json!(HOME);
        }
        self.call("POST", &path, Some(&object))
            .await
            .expect("a manifest is accepted");
    }

    async fn items(&self, path: &str) -> Vec<Value> {
        let list = self.call("GET", path, None).await.expect("a list");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// What nodes, executors and agents would do by now.
    async fn play(&self) {
        let ours = format!("/apis/argoproj.io/v1alpha1/namespaces/{WORK}");
        for set in self.items(&format!("{ours}/workflowtasksets")).await {
            let tasks = set["spec"]["tasks"].as_object().cloned().unwrap_or_default();
            let nodes: BTreeMap<String, Value> = tasks
                .into_iter()
                .map(|(id, _)| (id, json!({"phase": "Succeeded"})))
                .collect();
            let path = format!("{ours}/workflowtasksets/{}/status", name(&set));
            let _ = self
                .call("PATCH", &path, Some(&json!({"status": {"nodes": nodes}})))
                .await;
        }
        for pod in self.items(&format!("/api/v1/namespaces/{WORK}/pods")).await {
            let labels = &pod["metadata"]["labels"];
            let workflow = labels["workflows.argoproj.io/workflow"]
                .as_str()
                .unwrap_or_default();
            match (
                pod["status"]["phase"].as_str(),
                labels["workflows.argoproj.io/component"].as_str(),
            ) {
                (Some("Succeeded" | "Running"), _) | (_, Some("agent")) => continue,
                (_, Some("artifact-gc")) => self.collect(&ours).await,
                _ if workflow == "terminated" => {
                    self.status(&pod, "Running", &json!({"running": {}})).await;
                    let stop = json!({"spec": {"shutdown": "Terminate"}});
                    let _ = self
                        .call("PATCH", &format!("{ours}/workflows/terminated"), Some(&stop))
                        .await;
                    continue;
                }
                _ => self.report(&ours, &pod, workflow).await,
            }
            self.status(&pod, "Succeeded", &json!({"terminated": {"exitCode": 0}}))
                .await;
        }
    }

    /// The result of a pod: an artifact.
    async fn report(&self, ours: &str, pod: &Value, workflow: &str) {
        let node = &pod["metadata"]["annotations"]["workflows.argoproj.io/node-id"];
        let result = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTaskResult",
            "metadata": {"name": node, "labels": {
                "workflows.argoproj.io/workflow": workflow,
                "workflows.argoproj.io/report-outputs-completed": "true",
            }},
            "outputs": {"artifacts": [{"name": "out", "path": "/o", "s3": {"key": "k"}}]},
        });
        let _ = self
            .call("POST", &format!("{ours}/workflowtaskresults"), Some(&result))
            .await;
    }

    /// All artifacts of all tasks are gone.
    async fn collect(&self, ours: &str) {
        for task in self.items(&format!("{ours}/workflowartifactgctasks")).await {
            let nodes = task["spec"]["artifactsByNode"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            let done = nodes.into_iter().map(|(id, node)| {
                let artifacts = node["artifacts"].as_object().cloned().unwrap_or_default();
                let each = artifacts
                    .into_iter()
                    .map(|(name, _)| (name.clone(), json!({"name": name, "success": true})));
                (id, json!({"artifactResults": each.collect::<BTreeMap<_, _>>()}))
            });
            let status = json!({"status": {"artifactResultsByNode": done.collect::<BTreeMap<_, _>>()}});
            let path = format!("{ours}/workflowartifactgctasks/{}/status", name(&task));
            let _ = self.call("PATCH", &path, Some(&status)).await;
        }
    }

    async fn status(&self, pod: &Value, phase: &str, state: &Value) {
        let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        let of = |c: &Value| json!({"name": c["name"], "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state});
        let status =
            json!({"status": {"phase": phase, "containerStatuses": containers.map(of).collect::<Vec<_>>()}});
        let path = format!("/api/v1/namespaces/{WORK}/pods/{}/status", name(pod));
        let _ = self.call("PATCH", &path, Some(&status)).await;
    }
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// Workflows that together need everything.
fn workflows() -> Vec<Value> {
    let pod = json!({"image": "i", "command": ["c"]});
    let of = |name: &str, more: Value, template: Value| {
        let mut spec = json!({"entrypoint": "main"});
        for (key, value) in more.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        let mut main = json!({"name": "main"});
        for (key, value) in template.as_object().into_iter().flatten() {
            main[key] = value.clone();
        }
        spec["templates"] = json!([main]);
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name}, "spec": spec})
    };
    let claim = json!({
        "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        }}],
        "podDisruptionBudget": {"minAvailable": 1}, "podGC": {"strategy": "OnPodCompletion", "deleteDelayDuration": "0s"},
        "ttlStrategy": {"secondsAfterCompletion": 0},
    });
    let cached = json!({"key": "{{workflow.name}}", "cache": {"configMap": {"name": "cache"}}});
    let stored = json!({"artifacts": [{"name": "out", "path": "/o", "s3": {
        "key": "k", "bucket": "b", "endpoint": "e", "accessKeySecret": {"name": "s", "key": "k"},
        "secretKeySecret": {"name": "s", "key": "k"},
    }}]});
    vec![
        of("claims", claim, json!({"container": pod})),
        of("memo", json!({}), json!({"container": pod, "memoize": cached})),
        of(
            "memo-again",
            json!({}),
            json!({"container": pod, "memoize": cached}),
        ),
        of("asks", json!({}), json!({"http": {"url": "http://localhost"}})),
        of("terminated", json!({}), json!({"container": pod})),
        of(
            "looked-up",
            json!({"imagePullSecrets": [{"name": "login"}]}),
            json!({"container": {"image": "127.0.0.1:1/i"}}),
        ),
        of(
            "large",
            json!({}),
            json!({"script": {"image": "i", "command": ["c"], "source": "x".repeat(200_000)}}),
        ),
        of(
            "collected",
            json!({"artifactGC": {"strategy": "OnWorkflowCompletion"}}),
            json!({"container": pod, "outputs": stored}),
        ),
    ]
}

/// An API server that judges by roles and knows our kinds.
fn server() -> Arc<ApiServer> {
    let kinds = [
        "workflows",
        "workflowtemplates",
        "clusterworkflowtemplates",
        "cronworkflows",
        "workflowtaskresults",
        "workflowtasksets",
        "workflowartifactgctasks",
    ];
    let options = argosy_apiserver::Options {
        definitions: kinds
            .iter()
            .flat_map(|kind| manifest(&format!("crds/{kind}.yaml")))
            .collect(),
        namespaces: vec![HOME.to_owned()],
        rbac: true,
        ..argosy_apiserver::Options::default()
    };
    ApiServer::new(options).expect("the API starts")
}

/// Asks for the lease until told to stop.
fn enter_election(client: &Client, stop: &CancellationToken) {
    let lease = leader::Options {
        namespace: HOME.into(),
        name: "workflow-controller".into(),
        identity: "me".into(),
        duration: Duration::from_secs(4),
        deadline: Duration::from_secs(3),
        retry: Duration::from_millis(50),
    };
    let (leading, _) = tokio::sync::watch::channel(false);
    let election = leader::run(client.clone(), lease, Fence::default(), leading, stop.clone());
    tokio::spawn(election);
}

/// A schedule whose last time was missed, and counts still.
fn schedule() -> Value {
    let last = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(90);
    let template = json!({"name": "main", "suspend": {"duration": "0"}});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "metadata": {"name": "scheduled", "annotations": {"cronworkflows.argoproj.io/last-used-schedule": "* * * * *"}},
        "spec": {
            "schedules": ["* * * * *"], "startingDeadlineSeconds": 300,
            "workflowSpec": {"entrypoint": "main", "templates": [template]},
        },
        "status": {"lastScheduledTime": last.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_right_of_the_controller_is_needed_and_none_is_missing() {
    let server = server();
    let owner = Owner(Client::new(server.service(), WORK));
    let objects = [
        manifest("base/lease-role.yaml"),
        manifest("cluster-install/rbac.yaml"),
    ]
    .concat();
    for object in &objects {
        owner.apply(object).await;
    }
    let log = Arc::new(Mutex::new(Log {
        lost: ["pods", "persistentvolumeclaims", "workflowartifactgctasks"].into(),
        conflict: ["workflows", "cronworkflows"].into(),
        ..Log::default()
    }));
    let account = Account {
        server: server.service(),
        log: log.clone(),
    };
    let client = Client::new(account, WORK);
    let stop = CancellationToken::new();
    enter_election(&client, &stop);
    let mut options = Options::default();
    options.config.namespace = HOME.into();
    options.images = Arc::new(Registries::new(client.clone()));
    let controller = Controller::start(client, options);
    let ours = format!("/apis/argoproj.io/v1alpha1/namespaces/{WORK}");
    let all = workflows().into_iter().map(|workflow| ("workflows", workflow));
    for (kind, object) in all.chain([("cronworkflows", schedule())]) {
        let made = owner.call("POST", &format!("{ours}/{kind}"), Some(&object)).await;
        made.expect("it is accepted");
    }

    let mut wanted = rights(&objects);
    for (group, resource, verb) in ELSEWHERE {
        wanted.remove(&((*group).into(), (*resource).into(), (*verb).into()));
    }
    let unused = || -> Vec<Right> {
        let log = log.lock().expect("no holder panics");
        wanted.difference(&log.used).cloned().collect()
    };
    let mut looks = tokio::time::interval(LOOK);
    let _ = tokio::time::timeout(LIMIT, async {
        while !unused().is_empty() {
            owner.play().await;
            looks.tick().await;
        }
    })
    .await;
    stop.cancel();
    controller.stop().await;
    let states = owner.items(&format!("{ours}/workflows")).await;
    let state = |w: &Value| format!("{}: {} {}", name(w), w["status"]["phase"], w["status"]["message"]);
    let states: Vec<_> = states.iter().map(state).collect();
    assert_eq!(unused(), [], "nothing needs these rights; {states:#?}");
    let log = log.lock().expect("no holder panics");
    assert!(
        log.forbidden.is_empty(),
        "these rights are missing: {:#?}",
        log.forbidden
    );
}
