//! Whether a request may go on: who it is really from, and what rules say about it.
//!
//! Deliberately absent: reading the rules (see `rbac`).

use http::{HeaderMap, Method};

use super::ApiServer;
use crate::auth::User;
use crate::rbac::{self, Verdict, Wish};
use crate::request::{Query, Target};
use crate::selector::Fields;
use crate::status::{Result, Status};

impl ApiServer {
    /// Refuses what the user may not do.
    ///
    /// # Errors
    /// 403 in Kubernetes' words.
    pub(super) fn authorize(
        &self,
        user: &User,
        method: &Method,
        target: &Target,
        query: &Query,
    ) -> Result<()> {
        if self.is_free(user) {
            return Ok(());
        }
        self.demand(user, &wish(method, target, query))
    }

    /// Refuses a path outside resources that the user may not see.
    ///
    /// # Errors
    /// 403 in Kubernetes' words.
    pub(super) fn authorize_path(&self, user: &User, verb: &str, path: &str) -> Result<()> {
        let verdict = self.judge_path(user, verb, path);
        if verdict.allowed {
            return Ok(());
        }
        let said = format!("User {:?} cannot {verb} path {path:?}", user.name);
        Err(Status::forbidden_path(format!(
            "forbidden: {}",
            because(said, &verdict)
        )))
    }

    fn demand(&self, user: &User, wish: &Wish) -> Result<()> {
        let verdict = self.judge(user, wish);
        if verdict.allowed {
            return Ok(());
        }
        let resource = if wish.subresource.is_empty() {
            wish.resource.clone()
        } else {
            format!("{}/{}", wish.resource, wish.subresource)
        };
        let scope = if wish.namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {:?}", wish.namespace)
        };
        let said = format!(
            "User {:?} cannot {} resource {resource:?} in API group {:?} {scope}",
            user.name, wish.verb, wish.group
        );
        let why = because(said, &verdict);
        Err(Status::forbidden(&wish.group, &wish.resource, &wish.name, &why))
    }

    /// The user for whom a request is made: another one where its headers say so and rules allow that.
    ///
    /// # Errors
    /// 403 when the user may not speak for the other one, 400 for headers that name nobody.
    pub(super) fn impersonated(&self, user: User, headers: &HeaderMap) -> Result<User> {
        let all = |name: &str| -> Vec<String> {
            let values = headers.get_all(name).iter();
            values
                .filter_map(|value| value.to_str().ok())
                .map(str::to_owned)
                .collect()
        };
        let Some(name) = all("impersonate-user")
            .into_iter()
            .next()
            .filter(|name| !name.is_empty())
        else {
            if all("impersonate-group").is_empty() && all("impersonate-uid").is_empty() {
                return Ok(user);
            }
            return Err(Status::bad_request(
                "requested [groups or uid] without impersonating a user",
            ));
        };
        let mut other = User {
            name: name.clone(),
            uid: all("impersonate-uid").into_iter().next().unwrap_or_default(),
            groups: all("impersonate-group"),
            ..User::default()
        };
        let account = name
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'));
        let ask = |group: &str, resource: &str, namespace: &str, name: &str| {
            let wish = Wish {
                verb: "impersonate".into(),
                group: group.into(),
                resource: resource.into(),
                namespace: namespace.into(),
                name: name.into(),
                subresource: String::new(),
            };
            self.demand(&user, &wish)
        };
        match account {
            Some((namespace, name)) => ask("", "serviceaccounts", namespace, name)?,
            None => ask("", "users", "", &name)?,
        }
        for group in &other.groups {
            ask("", "groups", "", group)?;
        }
        if !other.uid.is_empty() {
            ask("authentication.k8s.io", "uids", "", &other.uid)?;
        }
        if let (Some((namespace, _)), true) = (account, other.groups.is_empty()) {
            other.groups = vec![
                "system:serviceaccounts".into(),
                format!("system:serviceaccounts:{namespace}"),
            ];
        }
        let known = if name == "system:anonymous" {
            "system:unauthenticated"
        } else {
            "system:authenticated"
        };
        if !other.groups.iter().any(|group| group == known) {
            other.groups.push(known.into());
        }
        Ok(other)
    }

    /// Whether no rule can hold this user back.
    pub(super) fn is_free(&self, user: &User) -> bool {
        !self.options.rbac || user.groups.iter().any(|group| group == "system:masters")
    }

    /// What the rules say about a wish of this user.
    pub(super) fn judge(&self, user: &User, wish: &Wish) -> Verdict {
        if self.is_free(user) {
            return free();
        }
        rbac::judge(&self.store.read(), user, wish)
    }

    /// The same for a path outside resources.
    pub(super) fn judge_path(&self, user: &User, verb: &str, path: &str) -> Verdict {
        if self.is_free(user) {
            return free();
        }
        rbac::judge_path(&self.store.read(), user, verb, path)
    }
}

fn free() -> Verdict {
    Verdict {
        allowed: true,
        reason: String::new(),
    }
}

fn because(said: String, verdict: &Verdict) -> String {
    if verdict.reason.is_empty() {
        return said;
    }
    format!("{said}: {}", verdict.reason)
}

/// A request as rules name it.
fn wish(method: &Method, target: &Target, query: &Query) -> Wish {
    let verb = verb(method, target, query);
    let mut wish = Wish {
        verb: verb.to_owned(),
        group: target.group.clone(),
        resource: target.plural.clone(),
        subresource: target.subresource.clone(),
        namespace: target.namespace.clone(),
        name: target.name.clone(),
    };
    // A namespace counts as being in itself.
    if wish.group.is_empty() && wish.resource == "namespaces" {
        wish.namespace.clone_from(&wish.name);
    }
    if wish.name.is_empty() && matches!(verb, "list" | "watch") {
        let chosen = Fields::parse(query.get("fieldSelector"), "", true);
        let chosen = chosen.ok().and_then(|fields| fields.name().map(str::to_owned));
        wish.name = chosen.unwrap_or_default();
    }
    wish
}

/// The verb of a request as rules name it.
fn verb(method: &Method, target: &Target, query: &Query) -> &'static str {
    let collection = target.name.is_empty();
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if collection => "deletecollection",
        Method::DELETE => "delete",
        _ if query.is("watch") => "watch",
        _ if collection => "list",
        _ => "get",
    }
}
