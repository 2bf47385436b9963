//! Roles and bindings: whether a user may do something, as Kubernetes evaluates them.
//!
//! Deliberately absent: who the user is (see `auth`), and protection against giving oneself rights.

use serde_json::Value;

use crate::auth::User;
use crate::store::{Core, Key};

/// Something that a user wants to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// `get`, `list`, `create` and so on.
    pub verb: String,
    /// API group, empty for the core group.
    pub group: String,
    /// Plural of the kind.
    pub resource: String,
    /// Subresource, empty for the object itself.
    pub subresource: String,
    /// Namespace, empty for all of them and for kinds without.
    pub namespace: String,
    /// Name, empty for collections.
    pub name: String,
}

/// Whether one of the user's rules allows it.
pub fn allows(core: &Core, user: &User, wish: &Wish) -> bool {
    rules(core, user, &wish.namespace)
        .iter()
        .any(|rule| rule_allows(rule, wish))
}

/// Whether one of the user's rules allows a path that is no resource.
pub fn allows_path(core: &Core, user: &User, verb: &str, path: &str) -> bool {
    rules(core, user, "").iter().any(|rule| {
        let fits = |known: &str| match known.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => known == path,
        };
        holds(rule, "verbs", |known| known == "*" || known == verb) && holds(rule, "nonResourceURLs", fits)
    })
}

/// The rules that bind this user: those of the whole cluster and of one namespace.
pub fn rules(core: &Core, user: &User, namespace: &str) -> Vec<Value> {
    let mut rules = Vec::new();
    let mut bindings = core
        .list("clusterrolebindings.rbac.authorization.k8s.io", "")
        .objects;
    if !namespace.is_empty() {
        bindings.extend(
            core.list("rolebindings.rbac.authorization.k8s.io", namespace)
                .objects,
        );
    }
    for binding in bindings {
        let home = &binding.key.namespace;
        let subjects = binding.value["subjects"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if !subjects.iter().any(|subject| is_subject(subject, user, home)) {
            continue;
        }
        let role = &binding.value["roleRef"];
        let name = role["name"].as_str().unwrap_or_default();
        let found = if role["kind"] == "ClusterRole" {
            core.get("clusterroles.rbac.authorization.k8s.io", &Key::new("", name))
        } else {
            core.get("roles.rbac.authorization.k8s.io", &Key::new(home, name))
        };
        if let Some(list) = found.as_ref().and_then(|role| role.value["rules"].as_array()) {
            rules.extend(list.iter().cloned());
        }
    }
    rules
}

fn is_subject(subject: &Value, user: &User, home: &str) -> bool {
    let name = subject["name"].as_str().unwrap_or_default();
    match subject["kind"].as_str() {
        Some("User") => name == "*" || name == user.name,
        Some("Group") => user.groups.iter().any(|group| group == name),
        Some("ServiceAccount") => {
            let namespace = subject["namespace"].as_str().unwrap_or(home);
            user.name == format!("system:serviceaccount:{namespace}:{name}")
        }
        _ => false,
    }
}

fn holds(rule: &Value, field: &str, fits: impl Fn(&str) -> bool) -> bool {
    rule[field]
        .as_array()
        .is_some_and(|list| list.iter().filter_map(Value::as_str).any(fits))
}

fn rule_allows(rule: &Value, wish: &Wish) -> bool {
    let combined = if wish.subresource.is_empty() {
        wish.resource.clone()
    } else {
        format!("{}/{}", wish.resource, wish.subresource)
    };
    let any_kind = format!("*/{}", wish.subresource);
    let named = rule["resourceNames"].as_array().is_none_or(Vec::is_empty)
        || holds(rule, "resourceNames", |known| known == wish.name);
    holds(rule, "verbs", |known| known == "*" || known == wish.verb)
        && holds(rule, "apiGroups", |known| known == "*" || known == wish.group)
        && holds(rule, "resources", |known| {
            known == "*" || known == combined || !wish.subresource.is_empty() && known == any_kind
        })
        && named
}
