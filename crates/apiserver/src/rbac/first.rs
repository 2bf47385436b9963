//! Roles and bindings that every cluster has.
//!
//! Deliberately absent: roles of Kubernetes' own controllers, schedulers and nodes; none of them asks this server.

use serde_json::{Value, json};

use crate::kinds::EVERY_VERB;

const GROUP: &str = "rbac.authorization.k8s.io";
const READ: [&str; 3] = ["get", "list", "watch"];
const WRITE: [&str; 5] = ["create", "delete", "deletecollection", "patch", "update"];

/// All of them, with the plural of their kind.
pub fn roles() -> Vec<(&'static str, Value)> {
    let everything = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]);
    let discovery = json!([{
        "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
            "/version", "/version/"],
        "verbs": ["get"],
    }]);
    let public = json!([{
        "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"],
    }]);
    let reviews = json!([
        {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
         "verbs": ["create"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
    ]);
    let mut all = vec![
        role("cluster-admin", &json!({}), everything),
        bind("cluster-admin", &["system:masters"]),
        role("system:discovery", &json!({}), discovery),
        bind("system:discovery", &["system:authenticated"]),
        role("system:public-info-viewer", &json!({}), public),
        bind(
            "system:public-info-viewer",
            &["system:authenticated", "system:unauthenticated"],
        ),
        role("system:basic-user", &json!({}), reviews),
        bind("system:basic-user", &["system:authenticated"]),
    ];
    for (name, rules) in [
        ("view", viewing()),
        ("edit", editing()),
        ("admin", administering()),
    ] {
        let label = |name: &str| format!("rbac.authorization.k8s.io/aggregate-to-{name}");
        // Each of the three holds the one before it.
        let into = match name {
            "view" => json!({label("edit"): "true"}),
            "edit" => json!({label("admin"): "true"}),
            _ => json!({}),
        };
        let (plural, mut sum) = role(name, &into, json!([]));
        sum["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {label(name): "true"}}]});
        all.push((plural, sum));
        all.push(role(
            &format!("system:aggregate-to-{name}"),
            &json!({label(name): "true"}),
            rules,
        ));
    }
    all
}

fn role(name: &str, labels: &Value, rules: Value) -> (&'static str, Value) {
    let mut all = labels.clone();
    all["kubernetes.io/bootstrapping"] = "rbac-defaults".into();
    (
        "clusterroles",
        json!({"metadata": {"name": name, "labels": all}, "rules": rules}),
    )
}

fn bind(name: &str, groups: &[&str]) -> (&'static str, Value) {
    let subject = |group: &&str| json!({"apiGroup": GROUP, "kind": "Group", "name": group});
    let binding = json!({
        "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
        "subjects": groups.iter().map(subject).collect::<Vec<_>>(),
    });
    ("clusterrolebindings", binding)
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

const APPS: [&str; 7] = [
    "daemonsets",
    "deployments",
    "deployments/scale",
    "replicasets",
    "replicasets/scale",
    "statefulsets",
    "statefulsets/scale",
];

fn viewing() -> Value {
    json!([
        rule(
            "",
            &[
                "bindings",
                "configmaps",
                "endpoints",
                "events",
                "limitranges",
                "namespaces",
                "namespaces/status",
                "persistentvolumeclaims",
                "persistentvolumeclaims/status",
                "pods",
                "pods/log",
                "pods/status",
                "replicationcontrollers",
                "replicationcontrollers/scale",
                "replicationcontrollers/status",
                "resourcequotas",
                "resourcequotas/status",
                "serviceaccounts",
                "services",
                "services/status",
            ],
            &READ,
        ),
        rule("apps", &APPS, &READ),
        rule(
            "apps",
            &[
                "controllerrevisions",
                "daemonsets/status",
                "deployments/status",
                "replicasets/status",
                "statefulsets/status"
            ],
            &READ
        ),
        rule(
            "batch",
            &["cronjobs", "cronjobs/status", "jobs", "jobs/status"],
            &READ
        ),
        rule(
            "networking.k8s.io",
            &["ingresses", "ingresses/status", "networkpolicies"],
            &READ
        ),
        rule(
            "policy",
            &["poddisruptionbudgets", "poddisruptionbudgets/status"],
            &READ
        ),
    ])
}

fn editing() -> Value {
    json!([
        rule(
            "",
            &[
                "pods/attach",
                "pods/exec",
                "pods/portforward",
                "pods/proxy",
                "secrets",
                "services/proxy"
            ],
            &READ
        ),
        rule("", &["serviceaccounts"], &["impersonate"]),
        rule(
            "",
            &[
                "pods",
                "pods/attach",
                "pods/exec",
                "pods/portforward",
                "pods/proxy"
            ],
            &WRITE
        ),
        rule("", &["pods/eviction", "serviceaccounts/token"], &["create"]),
        rule(
            "",
            &[
                "configmaps",
                "events",
                "persistentvolumeclaims",
                "replicationcontrollers",
                "replicationcontrollers/scale",
                "secrets",
                "serviceaccounts",
                "services",
                "services/proxy",
            ],
            &WRITE,
        ),
        rule("apps", &APPS, &WRITE),
        rule("apps", &["deployments/rollback"], &WRITE),
        rule("batch", &["cronjobs", "jobs"], &WRITE),
        rule("coordination.k8s.io", &["leases"], &EVERY_VERB),
        rule("networking.k8s.io", &["ingresses", "networkpolicies"], &WRITE),
        rule("policy", &["poddisruptionbudgets"], &WRITE),
    ])
}

fn administering() -> Value {
    json!([
        rule(
            "authorization.k8s.io",
            &["localsubjectaccessreviews"],
            &["create"]
        ),
        rule(GROUP, &["rolebindings", "roles"], &EVERY_VERB),
    ])
}
