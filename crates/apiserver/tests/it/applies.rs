//! Server-side apply: owners of fields, conflicts, and what goes when an owner drops it.
//!
//! Deliberately absent: other patches (see `exchanges`).

use crate::common::{apply, check, get, merge, post};
use serde_json::{Value, json};

const CM: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";

fn by(manager: &str) -> String {
    format!("{CM}/x?fieldManager={manager}")
}

fn data(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data})
}

#[tokio::test]
async fn owners_share_an_object() {
    check(vec![
        apply(&format!("{CM}/x"), data(json!({}))).gives(422, json!({"message":
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"})),
        apply(&by("a"), data(json!({"p": "1", "q": "1"}))).gives(201, json!({"metadata": {"managedFields": [{
            "manager": "a", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:p": {}, "f:q": {}}},
        }]}})).keeps("/metadata/resourceVersion", "r"),
        // The same again changes nothing.
        apply(&by("a"), data(json!({"p": "1", "q": "1"}))).gives(200, json!({"metadata": {"resourceVersion": "{r}"}})),
        apply(&by("b"), data(json!({"p": "2"}))).gives(409, json!({
            "message": "Apply failed with 1 conflict: conflict with \"a\": .data.p", "reason": "Conflict",
            "details": {"causes": [{"reason": "FieldManagerConflict", "message": "conflict with \"a\"", "field": ".data.p"}]},
        })),
        apply(&by("b"), data(json!({"p": "1", "z": "1"}))).gives(200, json!({"data": {"p": "1", "q": "1", "z": "1"}})),
        // What another one still owns stays; what nobody owns goes.
        apply(&by("a"), data(json!({}))).gives(200, json!({"data": {"p": "1", "q": null, "z": "1"}})),
        apply(&format!("{}&force=true", by("a")), data(json!({"z": "2"}))).gives(200, json!({"data": {"z": "2"}})),
        apply(&by("b"), data(json!({"p": "1"}))).gives(200, json!({"data": {"p": "1", "z": "2"}})),
    ])
    .await;
}

#[tokio::test]
async fn plain_writes_take_fields_over() {
    check(vec![
        post(CM, json!({"metadata": {"name": "x"}, "data": {"old": "1"}})).gives(201, json!({})),
        // Ours tracks owners from the first apply on, a cluster from the beginning.
        get(&format!("{CM}/x")).gives(200, json!({"metadata": {"managedFields": null}})).ours(),
        apply(&by("a"), data(json!({"old": "2"}))).gives(409, json!({
            "message": "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.old",
        })).ours(),
        apply(&by("a"), data(json!({"p": "1"}))).gives(200, json!({"data": {"old": "1", "p": "1"}})),
        merge(&by("w"), json!({"data": {"p": "5"}})).gives(200, json!({"data": {"p": "5"}})),
        apply(&by("a"), data(json!({"p": "1"}))).gives(409, json!({"reason": "Conflict"})),
        merge(&by("w"), json!({"data": {"p": null}})).gives(200, json!({})),
        apply(&by("a"), data(json!({"p": "1"}))).gives(200, json!({"data": {"p": "1"}})),
    ])
    .await;
}

/// One empty entry forgets the owners, and plain writes begin no new ones.
#[tokio::test]
async fn owners_are_forgotten_on_demand() {
    let reset = json!({"metadata": {"managedFields": [{}]}, "data": {"q": "1"}});
    let none = json!({"data": {"p": "1", "q": "1"}, "metadata": {"managedFields": null}});
    check(vec![
        apply(&by("a"), data(json!({"p": "1"}))).gives(201, json!({})),
        merge(&by("w"), reset.clone()).gives(200, none.clone()),
        merge(&by("w"), json!({"data": {"r": "1"}})).gives(200, none.clone()),
        get(&format!("{CM}/x")).gives(200, none),
        apply(&by("b"), data(json!({"p": "2"}))).gives(
            409,
            json!({"message":
            "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.p"}),
        ),
        // Where nobody was noted, it notes nobody.
        post(CM, json!({"metadata": {"name": "y"}})).gives(201, json!({})),
        merge(&format!("{CM}/y"), reset).gives(200, json!({"metadata": {"managedFields": null}})),
    ])
    .await;
}

#[tokio::test]
async fn lists_with_keys_have_an_owner_per_element() {
    let pod = |name: &str, image: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": name, "image": image}]}});
    let x = |manager: &str| format!("{PODS}/x?fieldManager={manager}");
    check(vec![
        apply(&x("a"), pod("main", "i:1")).gives(201, json!({"spec": {"containers": [{"image": "i:1"}]}})),
        apply(&x("b"), pod("main", "i:2")).gives(
            409,
            json!({"message":
            "Apply failed with 1 conflict: conflict with \"a\": .spec.containers[name=\"main\"].image"}),
        ),
        apply(&x("a"), pod("main", "i:2")).gives(200, json!({"spec": {"containers": [{"image": "i:2"}]}})),
        get(&format!("{PODS}/x")).gives(
            200,
            json!({"metadata": {"managedFields": [{"fieldsV1": {"f:spec": {"f:containers": {
                "k:{\"name\":\"main\"}": {".": {}, "f:name": {}, "f:image": {}},
            }}}}]}}),
        ),
    ])
    .await;
}
