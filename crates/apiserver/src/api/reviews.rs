//! Questions answered on creation: who a token is, who one is, and what one may do.
//!
//! Deliberately absent: storing anything.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{ApiServer, Call};
use crate::auth::User;
use crate::body::Body;
use crate::rbac::{self, Wish};
use crate::reply;
use crate::status::Result;
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
        let verdict = if let Some(path) = spec.get("nonResourceAttributes") {
            self.judge_path(user, &text(path, "verb"), &text(path, "path"))
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
            self.judge(user, &wish)
        };
        let mut status = json!({"allowed": verdict.allowed});
        if !verdict.reason.is_empty() {
            status["reason"] = verdict.reason.into();
        }
        status
    }

    fn rules_review(&self, spec: &Value, user: &User) -> Value {
        let namespace = spec["namespace"].as_str().unwrap_or_default();
        let everything = [
            json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}),
            json!({"verbs": ["*"], "nonResourceURLs": ["*"]}),
        ];
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
