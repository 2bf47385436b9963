//! Roles and bindings: whether a user may do something, as Kubernetes evaluates them.
//!
//! Deliberately absent: who the user is (see `auth`), and storing what roles come to (see `api::roles`).

pub mod first;
pub mod grants;

use std::sync::Arc;

use serde_json::Value;

use crate::auth::User;
use crate::store::{Core, Key, Object};

/// Where roles and bindings are stored.
pub const CLUSTER_ROLES: &str = "clusterroles.rbac.authorization.k8s.io";
const ROLES: &str = "roles.rbac.authorization.k8s.io";
const CLUSTER_BINDINGS: &str = "clusterrolebindings.rbac.authorization.k8s.io";
const BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";

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

/// What the rules say about a wish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether a rule allows it.
    pub allowed: bool,
    /// Which rule does, or which roles are missing; may be empty.
    pub reason: String,
}

/// Whether one of the user's rules allows it.
pub fn judge(core: &Core, user: &User, wish: &Wish) -> Verdict {
    decide(core, user, &wish.namespace, |rule| rule_allows(rule, wish))
}

/// Whether one of the user's rules allows a path that is no resource.
pub fn judge_path(core: &Core, user: &User, verb: &str, path: &str) -> Verdict {
    decide(core, user, "", |rule| {
        let fits = |known: &str| match known.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => known == path,
        };
        holds(rule, "verbs", |known| known == "*" || known == verb) && holds(rule, "nonResourceURLs", fits)
    })
}

fn decide(core: &Core, user: &User, namespace: &str, fits: impl Fn(&Value) -> bool) -> Verdict {
    let bound = bound(core, user, namespace);
    if let Some(by) = bound.iter().find(|by| by.rules().iter().any(&fits)) {
        return Verdict {
            allowed: true,
            reason: format!("RBAC: allowed by {}", by.describe()),
        };
    }
    let missing: Vec<String> = bound
        .iter()
        .filter(|by| by.role.is_none())
        .map(Bound::missing)
        .collect();
    let reason = match missing.as_slice() {
        [] => String::new(),
        [only] => format!("RBAC: {only}"),
        more => format!("RBAC: [{}]", more.join(", ")),
    };
    Verdict {
        allowed: false,
        reason,
    }
}

/// The rules that bind this user: those of the whole cluster and of one namespace.
pub fn rules(core: &Core, user: &User, namespace: &str) -> Vec<Value> {
    let bound = bound(core, user, namespace);
    bound.iter().flat_map(|by| by.rules().to_vec()).collect()
}

/// The rules of the role that a binding in `home` (empty for the whole cluster) refers to.
pub fn role_of(core: &Core, role_ref: &Value, home: &str) -> Option<Arc<Object>> {
    let name = role_ref["name"].as_str().unwrap_or_default();
    if role_ref["kind"] == "ClusterRole" {
        core.get(CLUSTER_ROLES, &Key::new("", name))
    } else {
        core.get(ROLES, &Key::new(home, name))
    }
}

/// One binding that names the user, and its role if that exists.
struct Bound {
    binding: Arc<Object>,
    subject: Value,
    role: Option<Arc<Object>>,
}

impl Bound {
    fn rules(&self) -> &[Value] {
        let rules = self.role.as_ref().and_then(|role| role.value["rules"].as_array());
        rules.map(Vec::as_slice).unwrap_or_default()
    }

    fn describe(&self) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (&self.binding.key.namespace, &self.binding.key.name);
        let (what, named) = if namespace.is_empty() {
            ("ClusterRoleBinding", name.to_string())
        } else {
            ("RoleBinding", format!("{name}/{namespace}"))
        };
        let subject = text(&self.subject["name"]);
        let subject = match self.subject["namespace"].as_str() {
            Some(home) if self.subject["kind"] == "ServiceAccount" => format!("{subject}/{home}"),
            _ => subject,
        };
        let role = &self.binding.value["roleRef"];
        format!(
            "{what} {named:?} of {} {:?} to {} {subject:?}",
            text(&role["kind"]),
            text(&role["name"]),
            text(&self.subject["kind"]),
        )
    }

    fn missing(&self) -> String {
        let role = &self.binding.value["roleRef"];
        let kind = if role["kind"] == "ClusterRole" {
            "clusterrole"
        } else {
            "role"
        };
        let name = role["name"].as_str().unwrap_or_default();
        format!("{kind}.rbac.authorization.k8s.io {name:?} not found")
    }
}

fn bound(core: &Core, user: &User, namespace: &str) -> Vec<Bound> {
    let mut bindings = core.list(CLUSTER_BINDINGS, "").objects;
    if !namespace.is_empty() {
        bindings.extend(core.list(BINDINGS, namespace).objects);
    }
    let of_user = |binding: Arc<Object>| {
        let home = &binding.key.namespace;
        let subjects = binding.value["subjects"].as_array()?;
        let subject = subjects
            .iter()
            .find(|subject| is_subject(subject, user, home))?
            .clone();
        let role = role_of(core, &binding.value["roleRef"], home);
        Some(Bound {
            binding,
            subject,
            role,
        })
    };
    bindings.into_iter().filter_map(of_user).collect()
}

fn is_subject(subject: &Value, user: &User, home: &str) -> bool {
    let name = subject["name"].as_str().unwrap_or_default();
    match subject["kind"].as_str() {
        Some("User") => name == user.name,
        Some("Group") => user.groups.iter().any(|group| group == name),
        Some("ServiceAccount") => {
            let namespace = subject["namespace"].as_str().unwrap_or(home);
            !namespace.is_empty() && user.name == format!("system:serviceaccount:{namespace}:{name}")
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
