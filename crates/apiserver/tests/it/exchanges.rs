//! What the server answers, exchange by exchange: the words and numbers that clients rely on.
//!
//! Deliberately absent: how kube's client reads them (see `clients`).

use crate::common::{Exchange, TestApi, check, delete, get, json_patch, merge, post, put, strategic};
use serde_json::{Value, json};

const CM: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";
const WIDGETS: &str = "/apis/example.com/v1/namespaces/default/widgets";

fn cm(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "x:1"}]}})
}

/// A pod's place on a node.
fn binding(pod: &str) -> Value {
    json!({"metadata": {"name": pod}, "target": {"kind": "Node", "name": "here"}})
}

fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

fn failure(reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "reason": reason, "message": message})
}

#[tokio::test]
async fn names_are_unique_and_absence_is_said() {
    check(vec![
        get(&format!("{CM}/x")).gives(404, json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "configmaps \"x\" not found",
            "reason": "NotFound", "details": {"name": "x", "kind": "configmaps"}, "code": 404,
        })),
        get(&format!("{WIDGETS}/x")).gives(404, failure("NotFound", "widgets.example.com \"x\" not found")),
        post(CM, cm("x")).gives(201, json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x"}})),
        post(CM, cm("x")).gives(409, failure("AlreadyExists", "configmaps \"x\" already exists")),
        post("/api/v1/namespaces/none/configmaps", cm("x"))
            .gives(404, failure("NotFound", "namespaces \"none\" not found")),
        get("/api/v1/namespaces/default/nonsense").gives(404, Value::Null),
        get("/apis/none/v1/xs").gives(404, Value::Null),
    ])
    .await;
}

#[tokio::test]
async fn a_body_must_fit_its_place() {
    let named = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    check(vec![
        post(CM, json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "x"}})).gives(400, json!({})),
        post(CM, json!({"kind": "ConfigMap", "apiVersion": "v2", "metadata": {"name": "x"}})).gives(400, failure(
            "BadRequest",
            "ConfigMap in version \"v2\" cannot be handled as a ConfigMap: no kind \"ConfigMap\" is registered for version \"v2\" in \
            scheme \"pkg/runtime/scheme.go:110\"",
        )),
        post(CM, json!({"metadata": {"name": "x", "namespace": "other"}})).gives(400, failure(
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
        post(CM, named("Not_A_Name")).gives(422, json!({"reason": "Invalid", "details": {
            "name": "Not_A_Name", "kind": "ConfigMap", "causes": [{"reason": "FieldValueInvalid", "field": "metadata.name"}],
        }})),
        post(CM, json!({"metadata": {}})).gives(422, failure(
            "Invalid",
            "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required",
        )),
        post(CM, cm("x")).gives(201, json!({})),
        put(&format!("{CM}/x"), named("y")).gives(400, failure(
            "BadRequest",
            "the name of the object (y) does not match the name on the URL (x)",
        )),
        post(WIDGETS, json!({"metadata": {"name": "x"}})).gives(400, json!({"reason": "BadRequest"})),
    ])
    .await;
}

#[tokio::test]
async fn writers_of_old_versions_are_refused() {
    let mut old = cm("x");
    old["metadata"]["resourceVersion"] = "1".into();
    let refused = failure(
        "Conflict",
        "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; please apply your changes to \
        the latest version and try again",
    );
    check(vec![
        post(CM, cm("x")).gives(201, json!({})),
        put(&format!("{CM}/x"), old.clone()).gives(409, refused.clone()),
        merge(&format!("{CM}/x"), old).gives(409, refused),
        put(&format!("{CM}/x"), cm("x")).gives(200, json!({"data": {"a": "1"}})),
        post(WIDGETS, widget("x", json!({}))).gives(201, json!({})),
        put(&format!("{WIDGETS}/x"), widget("x", json!({}))).gives(422, failure(
            "Invalid",
            "widgets.example.com \"x\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an \
            update",
        )),
        delete(&format!("{CM}/x"), json!({"preconditions": {"uid": "other"}})).gives(409, json!({"reason": "Conflict"})),
    ])
    .await;
}

#[tokio::test]
async fn patches_change_what_they_name() {
    let x = &format!("{CM}/x");
    check(vec![
        post(CM, cm("x")).gives(201, json!({})),
        merge(x, json!({"data": {"a": null, "b": "2"}})).gives(200, json!({"data": {"a": null, "b": "2"}})),
        json_patch(x, json!([{"op": "add", "path": "/data/c", "value": "3"}])).gives(200, json!({"data": {"c": "3"}})),
        json_patch(x, json!([{"op": "test", "path": "/data/c", "value": "4"}])).gives(422, json!({"reason": "Invalid"})),
        json_patch(x, json!({"op": "add"})).gives(400, json!({"reason": "BadRequest"})),
        Exchange::new("PATCH", x, Some(json!({}))).gives(415, json!({"reason": "UnsupportedMediaType"})),
        merge(&format!("{CM}/none"), json!({})).gives(404, json!({})),
        post(PODS, pod("p")).gives(201, json!({})),
        strategic(&format!("{PODS}/p"), json!({"spec": {"containers": [{"name": "main", "image": "x:2"}]}}))
            .gives(200, json!({"spec": {"containers": [{"name": "main", "image": "x:2", "imagePullPolicy": "IfNotPresent"}]}})),
        merge(&format!("{PODS}/p"), json!({"spec": {"hostNetwork": true}})).gives(422, json!({
            "details": {"causes": [{"reason": "FieldValueForbidden", "field": "spec"}]},
        })),
        post(WIDGETS, widget("w", json!({}))).gives(201, json!({})),
        strategic(&format!("{WIDGETS}/w"), json!({})).gives(415, json!({})),
    ])
    .await;
}

#[tokio::test]
async fn the_status_is_written_on_its_own() {
    let x = &format!("{PODS}/p");
    check(vec![
        post(PODS, pod("p")).gives(
            201,
            json!({"status": {"phase": "Pending", "qosClass": "BestEffort"}}),
        ),
        merge(x, json!({"status": {"phase": "Running"}})).gives(200, json!({"status": {"phase": "Pending"}})),
        merge(
            &format!("{x}/status"),
            json!({"status": {"phase": "Running"}, "spec": {"schedulerName": "z"}}),
        )
        .gives(
            200,
            json!({"status": {"phase": "Running"}, "spec": {"schedulerName": "default-scheduler"}}),
        ),
        get(&format!("{x}/status")).gives(200, json!({"status": {"phase": "Running"}})),
    ])
    .await;
}

#[tokio::test]
async fn generations_count_specs() {
    let path = "/apis/example.com/v1/namespaces/default/gadgets";
    let gadget = json!({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {"a": 1}, "status": {"x": 1}});
    let x = &format!("{path}/g");
    check(vec![
        post(path, gadget).gives(201, json!({"metadata": {"generation": 1}, "status": null})),
        merge(x, json!({"metadata": {"labels": {"a": "b"}}}))
            .gives(200, json!({"metadata": {"generation": 1}})),
        merge(x, json!({"spec": {"a": 2}})).gives(200, json!({"metadata": {"generation": 2}})),
        merge(
            &format!("{x}/status"),
            json!({"status": {"y": 2}, "spec": {"a": 3}}),
        )
        .gives(
            200,
            json!({"metadata": {"generation": 2}, "status": {"y": 2}, "spec": {"a": 2}}),
        ),
    ])
    .await;
}

#[tokio::test]
async fn lists_are_chosen_and_paged() {
    let mut other = cm("b");
    other["metadata"]["labels"] = json!({"q": "r"});
    let all = "?fieldSelector=metadata.name%21%3Dkube-root-ca.crt";
    check(vec![
        post(CM, cm("a")).gives(201, json!({})),
        post(CM, other).gives(201, json!({})),
        post(CM, cm("c")).gives(201, json!({})),
        get(&format!("{CM}?labelSelector=q%3Dr")).gives(
            200,
            json!({"kind": "ConfigMapList", "items": [{"metadata": {"name": "b"}}]}),
        ),
        get(&format!("{CM}{all}&limit=2"))
            .gives(
                200,
                json!({"items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}),
            )
            .keeps("/metadata/continue", "next"),
        delete(&format!("{CM}/c"), Value::Null).gives(200, json!({"status": "Success"})),
        // A later page shows the same moment as the first one.
        get(&format!("{CM}{all}&limit=2&continue={{next}}")).gives(
            200,
            json!({"items": [{"metadata": {"name": "c"}}], "metadata": {"continue": null}}),
        ),
        get(&format!("{CM}{all}")).gives(
            200,
            json!({"items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}),
        ),
        get(&format!("{CM}?fieldSelector=data.a%3D1")).gives(
            400,
            failure(
                "BadRequest",
                "\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            ),
        ),
        get(&format!("{CM}?resourceVersion=99999")).gives(
            504,
            json!({"reason": "Timeout", "details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}}),
        ),
        get(&format!("{CM}?continue=xx")).gives(400, json!({"reason": "BadRequest"})),
        delete(CM, Value::Null).gives(200, json!({"kind": "ConfigMapList"})),
        get(&format!("{CM}{all}")).gives(200, json!({"items": []})),
    ])
    .await;
}

#[tokio::test]
async fn pods_end_with_grace() {
    let x = &format!("{PODS}/p");
    check(vec![
        post(PODS, pod("p")).gives(201, json!({"spec": {"nodeName": null}})),
        post(&format!("{x}/binding"), json!({"target": {"name": "here"}})).gives(400, failure(
            "BadRequest",
            "name in URL does not match name in Binding object",
        )),
        post(&format!("{x}/binding"), binding("p")).gives(201, json!({})),
        post(&format!("{x}/binding"), binding("p")).gives(409, failure(
            "Conflict",
            "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"here\"",
        )),
        get(x).gives(200, json!({"spec": {"nodeName": "here"}})),
        delete(x, json!({"gracePeriodSeconds": 5})).gives(
            200,
            json!({"kind": "Pod", "metadata": {"deletionGracePeriodSeconds": 5}}),
        ),
        get(x).gives(200, json!({"metadata": {"deletionGracePeriodSeconds": 5}})),
        delete(x, json!({"gracePeriodSeconds": 9}))
            .gives(200, json!({"metadata": {"deletionGracePeriodSeconds": 5}})),
        delete(x, json!({"gracePeriodSeconds": 0})).gives(200, json!({"kind": "Pod"})),
        get(x).gives(404, json!({})),
        post(PODS, pod("q")).gives(201, json!({})),
        merge(
            &format!("{PODS}/q/status"),
            json!({"status": {"phase": "Succeeded"}}),
        )
        .gives(200, json!({})),
        delete(&format!("{PODS}/q"), Value::Null).gives(200, json!({})),
        get(&format!("{PODS}/q")).gives(404, json!({})),
    ])
    .await;
}

#[tokio::test]
async fn finalizers_hold_and_owners_take_along() {
    let x = &format!("{CM}/owner");
    let held = json!({"metadata": {"name": "owner", "finalizers": ["example.com/hold"]}});
    let owned = |name: &str, block: bool| {
        json!({"metadata": {"name": name, "ownerReferences": [{
            "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "{uid}", "blockOwnerDeletion": block,
        }]}})
    };
    let absent = json!({"metadata": {"name": "lost", "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "gone"},
    ]}});
    check(vec![
        post(CM, held).gives(201, json!({})).keeps("/metadata/uid", "uid"),
        post(CM, owned("child", true)).gives(201, json!({})),
        delete(x, Value::Null).gives(
            200,
            json!({"kind": "ConfigMap", "metadata": {"finalizers": ["example.com/hold"]}}),
        ),
        get(&format!("{CM}/child")).gives(200, json!({})),
        merge(x, json!({"metadata": {"finalizers": ["a/b"]}})).gives(422, json!({})),
        merge(x, json!({"metadata": {"finalizers": null}})).gives(200, json!({})),
        get(x).gives(404, json!({})).later(),
        get(&format!("{CM}/child")).gives(404, json!({})).later(),
        post(CM, absent).gives(201, json!({})),
        get(&format!("{CM}/lost")).gives(404, json!({})).later(),
    ])
    .await;
    check(vec![
        post(CM, cm("owner"))
            .gives(201, json!({}))
            .keeps("/metadata/uid", "uid"),
        post(CM, owned("child", true)).gives(201, json!({})),
        delete(x, json!({"propagationPolicy": "Orphan"})).gives(200, json!({})),
        get(x).gives(404, json!({})).later(),
        get(&format!("{CM}/child"))
            .gives(200, json!({"metadata": {"ownerReferences": null}}))
            .later(),
    ])
    .await;
    check(vec![
        post(CM, cm("owner"))
            .gives(201, json!({}))
            .keeps("/metadata/uid", "uid"),
        post(PODS, {
            let mut pod = pod("child");
            pod["metadata"] = owned("child", true)["metadata"].clone();
            pod["spec"]["nodeName"] = json!("here");
            pod
        })
        .gives(201, json!({})),
        // The owner stays until its pod is really gone.
        delete(x, json!({"propagationPolicy": "Foreground"}))
            .gives(200, json!({"metadata": {"finalizers": ["foregroundDeletion"]}})),
        get(&format!("{PODS}/child"))
            .gives(200, json!({"metadata": {"deletionGracePeriodSeconds": 30}}))
            .later(),
        delete(&format!("{PODS}/child"), json!({"gracePeriodSeconds": 0})).gives(200, json!({})),
        get(x).gives(404, json!({})).later(),
    ])
    .await;
}

#[tokio::test]
async fn namespaces_are_furnished_and_emptied() {
    let ns = json!({"metadata": {"name": "n"}});
    let n = "/api/v1/namespaces/n";
    check(vec![
        post("/api/v1/namespaces", ns).gives(201, json!({"status": {"phase": "Active"}, "spec": {"finalizers": ["kubernetes"]}})),
        get(&format!("{n}/serviceaccounts/default")).gives(200, json!({})).later(),
        get(&format!("{n}/configmaps/kube-root-ca.crt")).gives(200, json!({})).later(),
        post(&format!("{n}/pods"), pod("p")).gives(201, json!({})),
        post(&format!("{n}/pods/p/binding"), binding("p")).gives(201, json!({})),
        delete(n, Value::Null).gives(200, json!({"status": {"phase": "Terminating"}})),
        post(&format!("{n}/configmaps"), cm("late")).gives(403, failure(
            "Forbidden",
            "configmaps \"late\" is forbidden: unable to create new content in namespace n because it is being terminated",
        )),
        delete(&format!("{n}/pods/p"), json!({"gracePeriodSeconds": 0})).gives(200, json!({})),
        get(n).gives(404, json!({})).later(),
    ])
    .await;
}

#[tokio::test]
async fn kinds_come_and_go() {
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let definition = argosy_apiserver::definition("new.io", "v1", "things", "Thing", false);
    let thing =
        json!({"apiVersion": "new.io/v1", "kind": "Thing", "metadata": {"name": "t"}, "any": {"x": 1}});
    check(vec![
        get("/apis/new.io/v1/things").gives(404, Value::Null),
        post(crds, definition).gives(201, json!({})),
        get(&format!("{crds}/things.new.io"))
            .gives(
                200,
                json!({"status": {"conditions": [
                    {"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": "True"},
                ]}}),
            )
            .later(),
        post("/apis/new.io/v1/things", thing)
            .gives(201, json!({"any": {"x": 1}}))
            .later(),
        get("/apis/new.io/v1")
            .gives(
                200,
                json!({"kind": "APIResourceList", "groupVersion": "new.io/v1"}),
            )
            .later(),
        get("/apis/new.io/v1").gives(
            200,
            json!({"resources": [{"name": "things", "kind": "Thing", "namespaced": false}]}),
        ),
        delete(&format!("{crds}/things.new.io"), Value::Null).gives(200, json!({})),
        get("/apis/new.io/v1/things").gives(404, Value::Null).later(),
    ])
    .await;
}

#[tokio::test]
async fn secrets_are_encoded_and_dry_runs_leave_no_trace() {
    let secrets = "/api/v1/namespaces/default/secrets";
    let secret = json!({"metadata": {"name": "s"}, "stringData": {"a": "b"}});
    check(vec![
        post(&format!("{secrets}?dryRun=All"), secret.clone()).gives(201, json!({"data": {"a": "Yg=="}})),
        get(&format!("{secrets}/s")).gives(404, json!({})),
        post(secrets, secret).gives(
            201,
            json!({"data": {"a": "Yg=="}, "stringData": null, "type": "Opaque"}),
        ),
        delete(&format!("{secrets}/s?dryRun=All"), Value::Null).gives(200, json!({})),
        get(&format!("{secrets}/s")).gives(200, json!({})),
        post(
            &format!("{secrets}?dryRun=Some"),
            json!({"metadata": {"name": "t"}}),
        )
        .gives(422, failure(
            "Invalid",
            "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"",
        )),
    ])
    .await;
}

#[tokio::test]
async fn pods_are_judged() {
    let twice = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "x"}, {"name": "a", "image": "x"}]}});
    let nobody = json!({"metadata": {"name": "p"}, "spec": {"serviceAccountName": "no", "containers": [{"name": "a", "image": "x"}]}});
    check(vec![
        post(PODS, json!({"metadata": {"name": "p"}, "spec": {"containers": []}}))
            .gives(422, failure("Invalid", "Pod \"p\" is invalid: spec.containers: Required value")),
        post(PODS, twice).gives(422, failure("Invalid", "Pod \"p\" is invalid: spec.containers[1].name: Duplicate value: \"a\"")),
        post(PODS, nobody).gives(403, failure(
            "Forbidden",
            "pods \"p\" is forbidden: error looking up service account default/no: serviceaccount \"no\" not found",
        )),
        get(&format!("{PODS}/p/log")).gives(404, json!({})),
        post(PODS, pod("p")).gives(201, json!({"spec": {
            "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
            "schedulerName": "default-scheduler", "serviceAccountName": "default", "enableServiceLinks": true,
        }})),
        get(&format!("{PODS}/p/log")).gives(503, json!({"reason": "ServiceUnavailable"})).ours(),
        get(&format!("{PODS}/p/log?container=no")).gives(400, failure("BadRequest", "container no is not valid for pod p")),
    ])
    .await;
}

#[tokio::test]
async fn methods_and_sizes_are_bounded() {
    let big = json!({"metadata": {"name": "big"}, "data": {"a": "x".repeat(argosy_apiserver::MAX_REQUEST)}});
    check(vec![
        post(CM, big).gives(
            413,
            failure(
                "RequestEntityTooLarge",
                "Request entity too large: limit is 3145728",
            ),
        ),
        delete("/api/v1/namespaces", Value::Null).gives(
            405,
            failure(
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ),
        ),
        put(CM, cm("x")).gives(405, json!({})),
        get("/healthz").gives(200, Value::Null),
        get("/version").gives(200, json!({"major": "1"})),
        get("/api").gives(200, json!({"versions": ["v1"]})),
        get("/apis").gives(200, json!({"kind": "APIGroupList"})),
    ])
    .await;
}

#[tokio::test]
async fn custom_objects_are_held_to_their_schema() {
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let mut strict = argosy_apiserver::definition("example.com", "v1", "stricts", "Strict", true);
    strict["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = json!({"type": "object", "properties": {
        "spec": {"type": "object", "required": ["n"], "properties": {
            "n": {"type": "integer"}, "mode": {"type": "string", "default": "fast"},
        }},
    }});
    let path = "/apis/example.com/v1/namespaces/default/stricts";
    let object = |spec: Value| json!({"apiVersion": "example.com/v1", "kind": "Strict", "metadata": {"name": "s"}, "spec": spec});
    check(vec![
        post(crds, strict).gives(201, json!({})),
        post(path, object(json!({"n": "x"}))).gives(422, failure(
            "Invalid",
            "Strict.example.com \"s\" is invalid: spec.n: Invalid value: \"string\": spec.n in body must be of type \
            integer: \"string\"",
        )).later(),
        post(&format!("{path}?fieldValidation=Strict"), object(json!({"n": 1, "z": 1}))).gives(400, failure(
            "BadRequest",
            "Strict in version \"v1\" cannot be handled as a Strict: strict decoding error: unknown field \"spec.z\"",
        )),
        post(path, object(json!({"n": 1, "z": 1}))).gives(201, json!({"spec": {"n": 1, "mode": "fast", "z": null}})),
        merge(&format!("{path}/s"), json!({"spec": {"n": null}})).gives(422, json!({"reason": "Invalid"})),
    ])
    .await;
}

#[tokio::test]
async fn kubectls_protobuf_bodies_are_read() {
    // A ConfigMap `x` with `a: b`, as kubectl create configmap sends it.
    let mut body = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x0d".to_vec();
    body.extend_from_slice(b"\x0a\x03\x0a\x01x\x12\x06\x0a\x01a\x12\x01b");
    let api = TestApi::empty().await;
    let request = http::Request::post(CM).header("content-type", "application/vnd.kubernetes.protobuf");
    let request = request
        .body(http_body_util::Full::new(bytes::Bytes::from(body)))
        .unwrap();
    assert_eq!(api.answer(request).await.status(), 201);
    let expected = json!({"kind": "ConfigMap", "data": {"a": "b"}});
    api.check(vec![get(&format!("{CM}/x")).gives(200, expected)])
        .await;
}
