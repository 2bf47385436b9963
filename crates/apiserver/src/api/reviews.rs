//! Questions answered on creation: who a token is, who one is, and what one may do.
//!
//! Deliberately absent: storing anything.

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{ApiServer, Call};
use crate::auth::User;
use crate::body::Body;
use crate::rbac::{self, Wish};
use crate::reply;
use crate::request::{Query, Target};
use crate::status::{Result, Status};
use crate::validate;

impl ApiServer {
    pub(super) fn review(&self, call: &Call) -> Result<Response<Body>> {
        let mut review = call.json()?;
        validate::envelope(&call.kind, &mut review)?;
        let spec = review["spec"].clone();
        review["status"] = match call.kind.plural.as_str() {
            "tokenreviews" => self.token_review(&spec),
            "selfsubjectreviews" => json!({"userInfo": user_info(&call.user)}),
            "selfsubjectrulesreviews" => self.rules_review(&spec, &call.user),
            "selfsubjectaccessreviews" => self.access_review(&spec, &call.user),
            _ => {
                let groups = spec["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
                let user = User {
                    name: spec["user"].as_str().unwrap_or_default().to_owned(),
                    uid: spec["uid"].as_str().unwrap_or_default().to_owned(),
                    groups: groups
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                    ..User::default()
                };
                self.access_review(&spec, &user)
            }
        };
        Ok(reply::json(StatusCode::CREATED, &review))
    }

    fn token_review(&self, spec: &Value) -> Value {
        let wanted = spec["audiences"].as_array().cloned().unwrap_or_default();
        match self.authenticate(spec["token"].as_str().unwrap_or_default()) {
            Some(user) => {
                let own = json!([crate::auth::AUDIENCE]);
                let audiences = if wanted.is_empty() {
                    own
                } else {
                    Value::Array(wanted)
                };
                json!({"authenticated": true, "user": user_info(&user), "audiences": audiences})
            }
            None => json!({"user": {}, "error": "[invalid bearer token, token lookup failed]"}),
        }
    }

    fn access_review(&self, spec: &Value, user: &User) -> Value {
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let allowed = if let Some(path) = spec.get("nonResourceAttributes") {
            self.allows_path(user, &text(path, "verb"), &text(path, "path"))
        } else {
            let asked = &spec["resourceAttributes"];
            let wish = Wish {
                verb: text(asked, "verb"),
                group: text(asked, "group"),
                resource: text(asked, "resource"),
                subresource: text(asked, "subresource"),
                namespace: text(asked, "namespace"),
                name: text(asked, "name"),
            };
            self.allows(user, &wish)
        };
        json!({"allowed": allowed})
    }

    fn rules_review(&self, spec: &Value, user: &User) -> Value {
        let namespace = spec["namespace"].as_str().unwrap_or_default();
        let everything = [json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})];
        let rules = if self.is_free(user) {
            everything.to_vec()
        } else {
            rbac::rules(&self.store.read(), user, namespace)
        };
        let (paths, resources): (Vec<Value>, Vec<Value>) = rules
            .into_iter()
            .partition(|rule| rule.get("nonResourceURLs").is_some());
        json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
    }

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
        let wish = Wish {
            verb: verb(method, target, query).to_owned(),
            group: target.group.clone(),
            resource: target.plural.clone(),
            subresource: target.subresource.clone(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
        };
        if self.allows(user, &wish) {
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
        let why = format!(
            "User {:?} cannot {} resource {resource:?} in API group {:?} {scope}",
            user.name, wish.verb, wish.group
        );
        Err(Status::forbidden(
            &target.group,
            &target.plural,
            &target.name,
            &why,
        ))
    }

    /// Whether no rule can hold this user back.
    fn is_free(&self, user: &User) -> bool {
        !self.options.rbac || user.groups.iter().any(|group| group == "system:masters")
    }

    fn allows(&self, user: &User, wish: &Wish) -> bool {
        self.is_free(user) || rbac::allows(&self.store.read(), user, wish)
    }

    pub(super) fn allows_path(&self, user: &User, verb: &str, path: &str) -> bool {
        self.is_free(user) || rbac::allows_path(&self.store.read(), user, verb, path)
    }
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

fn user_info(user: &User) -> Value {
    let mut info = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        info["uid"] = user.uid.as_str().into();
    }
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}
