//! Roles and bindings as Kubernetes evaluates them, and what one who is held to them may give away.
//!
//! Deliberately absent: who a token belongs to (see `clients`).

use serde_json::{Value, json};

use crate::common::{Exchange, check, delete, get, merge, post, put};

const PODS: &str = "/api/v1/namespaces/default/pods";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
const CLUSTER_ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": groups, "resources": resources, "verbs": verbs})
}

fn role(name: &str, rules: Value) -> Value {
    json!({"metadata": {"name": name}, "rules": rules})
}

fn binding(name: &str, kind: &str, role: &str, user: &str) -> Value {
    json!({
        "metadata": {"name": name}, "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
    })
}

/// Whether a user may do a thing in a namespace: `pods/log` is a subresource, `x.io:things` of a group.
fn may(user: &str, verb: &str, what: &str, namespace: &str, status: Value) -> Exchange {
    let (group, what) = what.split_once(':').unwrap_or(("", what));
    let (resource, subresource) = what.split_once('/').unwrap_or((what, ""));
    let attributes = json!({
        "verb": verb, "group": group, "resource": resource, "subresource": subresource, "namespace": namespace, "name": "a",
    });
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    });
    post(REVIEWS, review).gives(201, json!({"status": status}))
}

fn yes() -> Value {
    json!({"allowed": true})
}

fn no() -> Value {
    json!({"allowed": false})
}

#[tokio::test]
async fn a_binding_gives_what_its_role_says() {
    let rules = json!([
        rule(&[""], &["pods"], &["get"]),
        rule(&["x.io"], &["*"], &["list"]),
        rule(&["*"], &["*/scale"], &["update"]),
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["nodes"], "resourceNames": ["b"], "verbs": ["*"]},
    ]);
    let because = "RBAC: allowed by RoleBinding \"r/default\" of Role \"r\" to User \"jane\"";
    let missing = "RBAC: role.rbac.authorization.k8s.io \"none\" not found";
    check(vec![
        may("jane", "get", "pods", "default", no()),
        post(ROLES, role("r", rules)).gives(201, json!({})),
        post(BINDINGS, binding("r", "Role", "r", "jane")).gives(201, json!({})),
        may(
            "jane",
            "get",
            "pods",
            "default",
            json!({"allowed": true, "reason": because}),
        )
        .later(),
        may("jane", "list", "pods", "default", no()),
        may("jane", "get", "pods", "other", no()),
        may("jane", "get", "pods", "", no()),
        may("jane", "get", "pods/log", "default", no()),
        may("jane", "list", "x.io:things/status", "default", yes()),
        may("jane", "update", "apps:deployments/scale", "default", yes()),
        may("jane", "delete", "secrets", "default", yes()),
        may("jane", "delete", "nodes", "default", no()),
        may("john", "get", "pods", "default", no()),
        post(BINDINGS, binding("n", "Role", "none", "john")).gives(201, json!({})),
        may(
            "john",
            "get",
            "pods",
            "default",
            json!({"allowed": false, "reason": missing}),
        )
        .later(),
    ])
    .await;
}

#[tokio::test]
async fn one_who_is_held_to_rules_hears_why() {
    let said = "User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"";
    check(vec![
        post(ROLES, role("r", json!([rule(&[""], &["pods"], &["get"])]))).gives(201, json!({})),
        post(BINDINGS, binding("r", "Role", "r", "jane")).gives(201, json!({})),
        get(&format!("{PODS}/x")).by("jane").gives(404, json!({})).later(),
        get(PODS).by("jane").gives(403, json!({
            "message": format!("pods is forbidden: {said}"), "reason": "Forbidden", "details": {"kind": "pods"},
        })),
        get("/api/v1/nodes/n").by("jane").gives(403, json!({
            "message": "nodes \"n\" is forbidden: User \"jane\" cannot get resource \"nodes\" in API group \"\" at the cluster scope",
        })),
        get("/api/v1/namespaces/default").by("jane").gives(403, json!({
            "message": "namespaces \"default\" is forbidden: User \"jane\" cannot get resource \"namespaces\" in API group \"\" \
                in the namespace \"default\"",
        })),
        get("/metrics").by("jane").gives(403, json!({
            "message": "forbidden: User \"jane\" cannot get path \"/metrics\"",
        })),
        get("/version").by("jane").gives(200, json!({"major": "1"})),
    ])
    .await;
}

#[tokio::test]
async fn nobody_gives_away_what_they_do_not_hold() {
    let group = "rbac.authorization.k8s.io";
    let own = json!([
        rule(&[""], &["pods"], &["get"]),
        rule(&[group], &["roles", "rolebindings"], &["create", "update"])
    ]);
    let more = json!([rule(&[""], &["pods"], &["get", "list"])]);
    let refused = "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"jane\" (groups=[\"system:authenticated\"]) is \
        attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\"]}";
    check(vec![
        post(ROLES, role("r", own)).gives(201, json!({})),
        post(BINDINGS, binding("r", "Role", "r", "jane")).gives(201, json!({})),
        post(ROLES, role("less", json!([rule(&[""], &["pods"], &["get"])])))
            .by("jane")
            .gives(201, json!({}))
            .later(),
        post(ROLES, role("more", more.clone()))
            .by("jane")
            .gives(403, json!({"message": refused})),
        put(&format!("{ROLES}/less"), role("less", more))
            .by("jane")
            .gives(403, json!({"reason": "Forbidden"})),
        post(BINDINGS, binding("b", "ClusterRole", "cluster-admin", "jane"))
            .by("jane")
            .gives(403, json!({"reason": "Forbidden"})),
        post(BINDINGS, binding("b", "Role", "less", "john"))
            .by("jane")
            .gives(201, json!({})),
        merge(&format!("{BINDINGS}/b"), json!({"roleRef": {"name": "r"}})).gives(
            422,
            json!({"message":
            "RoleBinding.rbac.authorization.k8s.io \"b\" is invalid: roleRef: Invalid value: {\"APIGroup\":\
            \"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\"Name\":\"r\"}: cannot change roleRef"}),
        ),
    ])
    .await;
}

#[tokio::test]
async fn roles_are_summed_up() {
    let sum = json!({
        "metadata": {"name": "sum"}, "rules": [],
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"part": "yes"}}]},
    });
    let part = |name: &str, verb: &str| {
        json!({
            "metadata": {"name": name, "labels": {"part": "yes"}}, "rules": [rule(&[""], &["pods"], &[verb])],
        })
    };
    let rules = |verbs: &[&str]| {
        let rules: Vec<Value> = verbs.iter().map(|verb| rule(&[""], &["pods"], &[verb])).collect();
        get(&format!("{CLUSTER_ROLES}/sum"))
            .gives(200, json!({"rules": (!rules.is_empty()).then_some(rules)}))
            .later()
    };
    check(vec![
        post(CLUSTER_ROLES, part("part-b", "list")).gives(201, json!({})),
        post(CLUSTER_ROLES, sum).gives(201, json!({})),
        rules(&["list"]),
        post(CLUSTER_ROLES, part("part-a", "get")).gives(201, json!({})),
        rules(&["get", "list"]),
        merge(
            &format!("{CLUSTER_ROLES}/part-b"),
            json!({"metadata": {"labels": null}}),
        ),
        rules(&["get"]),
        delete(&format!("{CLUSTER_ROLES}/part-a"), Value::Null),
        rules(&[]),
        get(&format!("{CLUSTER_ROLES}/view")).gives(
            200,
            json!({
                "aggregationRule": {"clusterRoleSelectors": [
                    {"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
                ]},
            }),
        ),
    ])
    .await;
}
