//! Writing roles and bindings: nobody gives away what they do not hold, and sums of roles are kept up to date.
//!
//! Deliberately absent: evaluating rules (see `rbac`).

use serde_json::{Value, json};

use super::{ApiServer, Call};
use crate::meta;
use crate::rbac::{self, Wish, grants};
use crate::selector::Labels;
use crate::status::{Result, Status};

/// The group of roles and bindings.
const GROUP: &str = "rbac.authorization.k8s.io";

impl ApiServer {
    /// Refuses a role or a binding that gives more than its writer holds.
    ///
    /// # Errors
    /// 403 in Kubernetes' words.
    pub(super) fn check_grant(&self, call: &Call, current: Option<&Value>, wanted: &Value) -> Result<()> {
        let kind = &call.kind;
        if kind.group != GROUP || self.is_free(&call.user) {
            return Ok(());
        }
        let same = |field: &str| current.is_some_and(|current| current.get(field) == wanted.get(field));
        let roles = kind.plural.ends_with("roles");
        let rules = if roles {
            if same("rules") && same("aggregationRule") {
                return Ok(());
            }
            wanted["rules"].as_array().cloned().unwrap_or_default()
        } else {
            if same("roleRef") && same("subjects") {
                return Ok(());
            }
            let role = rbac::role_of(&self.store.read(), &wanted["roleRef"], &call.target.namespace);
            let rules = role.and_then(|role| role.value["rules"].as_array().cloned());
            rules.unwrap_or_default()
        };
        let may = Wish {
            verb: if roles { "escalate" } else { "bind" }.into(),
            group: GROUP.into(),
            resource: match (roles, wanted["roleRef"]["kind"].as_str()) {
                (true, _) => kind.plural.clone(),
                (false, Some("ClusterRole")) => "clusterroles".into(),
                (false, _) => "roles".into(),
            },
            subresource: String::new(),
            namespace: call.target.namespace.clone(),
            name: if roles {
                meta::name(wanted).to_owned()
            } else {
                wanted["roleRef"]["name"].as_str().unwrap_or_default().to_owned()
            },
        };
        if self.judge(&call.user, &may).allowed {
            return Ok(());
        }
        let held = rbac::rules(&self.store.read(), &call.user, &call.target.namespace);
        // Who says which roles are summed up decides about rules that do not exist yet.
        let all = json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
        let sums = roles
            && wanted.get("aggregationRule").is_some_and(|sums| !sums.is_null())
            && !same("aggregationRule");
        let rules = match all.as_array() {
            Some(all) if sums => all.clone(),
            _ => rules,
        };
        let missing = grants::uncovered(&held, &rules);
        if missing.is_empty() {
            return Ok(());
        }
        let groups: Vec<String> = call
            .user
            .groups
            .iter()
            .map(|group| format!("{group:?}"))
            .collect();
        let why = format!(
            "user {:?} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
            call.user.name,
            groups.join(" "),
            grants::listed(&missing)
        );
        Err(Status::forbidden(
            &kind.group,
            &kind.plural,
            meta::name(wanted),
            &why,
        ))
    }

    /// Brings the rules of roles that are sums of others up to date.
    pub(super) fn sum_up_roles(&self) {
        let Some(kind) = self.kinds().get(GROUP, "v1", "clusterroles") else {
            return;
        };
        // A sum can be a part of another one; each round settles one more level.
        for _ in 0..MAX_LEVELS {
            let all = self.store.read().list(rbac::CLUSTER_ROLES, "").objects;
            let mut moved = false;
            for role in &all {
                let selectors = role.value["aggregationRule"]["clusterRoleSelectors"].as_array();
                let Some(selectors) = selectors else { continue };
                let selectors: Vec<Labels> = selectors.iter().map(Labels::from_object).collect();
                let mut rules: Vec<Value> = Vec::new();
                for part in &all {
                    let chosen =
                        part.key != role.key && selectors.iter().any(|labels| labels.matches(&part.value));
                    for rule in part.value["rules"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter(|_| chosen)
                    {
                        if !rules.contains(rule) {
                            rules.push(rule.clone());
                        }
                    }
                }
                let own = role.value["rules"].as_array().map_or(&[][..], Vec::as_slice);
                if own == rules {
                    continue;
                }
                moved = true;
                // Go's empty list.
                let rules = match rules.is_empty() {
                    true => Value::Null,
                    false => Value::Array(rules),
                };
                let written = self.change(&kind, &role.key, |current| {
                    let mut next = current.clone();
                    next["rules"] = rules.clone();
                    Ok(next)
                });
                if let Err(status) = written {
                    tracing::debug!(name = %role.key.name, %status, "A sum of roles was not brought up to date");
                }
            }
            if !moved {
                return;
            }
        }
    }
}

/// How deep sums of roles may lie in each other before they wait for the next change; Kubernetes' own have two.
const MAX_LEVELS: usize = 8;
