//! Bearer tokens: making them for service accounts, and finding the user behind one.
//!
//! Deliberately absent: a list of tokens. A token proves itself by its signature and holds as long as the account
//! (and the pod it is bound to) exists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{ApiServer, Call};
use crate::auth::{AUDIENCE, User};
use crate::body::Body;
use crate::kinds::Kind;
use crate::meta;
use crate::options;
use crate::random;
use crate::reply;
use crate::status::{Cause, Result, Status};
use crate::store::Key;

/// How long a token lives when nobody says, in seconds; also Kubernetes' default.
const LIFE_SECS: i64 = 3600;
/// The shortest life that Kubernetes takes, in seconds.
const MIN_LIFE_SECS: i64 = 600;
/// The longest life, in seconds; Kubernetes takes 2^32.
const MAX_LIFE_SECS: i64 = 1 << 32;

impl ApiServer {
    pub(super) fn request_token(&self, call: &Call) -> Result<Response<Body>> {
        let mut request = call.json()?;
        let kind = request["kind"].as_str().unwrap_or("TokenRequest");
        if kind != "TokenRequest" {
            return Err(Status::bad_request(format!(
                "unexpected kind {kind:?}: must be TokenRequest"
            )));
        }
        let account = self.found(call)?;
        let life = request["spec"]["expirationSeconds"].as_i64().unwrap_or(LIFE_SECS);
        if !(MIN_LIFE_SECS..=MAX_LIFE_SECS).contains(&life) {
            let detail = if life < MIN_LIFE_SECS {
                "may not specify a duration less than 10 minutes"
            } else {
                "may not specify a duration larger than 2^32 seconds"
            };
            let causes = [Cause::invalid("spec.expirationSeconds", &json!(life), detail)];
            return Err(Status::invalid(
                "authentication.k8s.io",
                "TokenRequest",
                "",
                &causes,
            ));
        }
        let namespace = &call.target.namespace;
        let uid = meta::text(&account.value, "uid");
        let now = self.options.clock.now();
        let end = now
            .checked_add(jiff::SignedDuration::from_secs(life))
            .map_err(|_| Status::bad_request("expirationSeconds is too large"))?;
        let audiences = match request["spec"]["audiences"].as_array() {
            Some(list) if !list.is_empty() => list.clone(),
            _ => vec![AUDIENCE.into()],
        };
        let mut about = json!({
            "namespace": namespace, "serviceaccount": {"name": call.target.name, "uid": uid},
        });
        if let Some(bound) = request["spec"]
            .get("boundObjectRef")
            .filter(|bound| !bound.is_null())
        {
            let (field, bound) = self.bound(call, bound)?;
            about[field] = bound;
        }
        let token = self.authority.sign(&json!({
            "aud": audiences, "exp": end.as_second(), "iat": now.as_second(), "nbf": now.as_second(), "iss": AUDIENCE,
            "jti": random::uid(), "sub": format!("system:serviceaccount:{namespace}:{}", call.target.name),
            "kubernetes.io": about,
        }));
        request["kind"] = "TokenRequest".into();
        request["apiVersion"] = "authentication.k8s.io/v1".into();
        request["metadata"] = json!({
            "name": call.target.name, "namespace": namespace, "creationTimestamp": self.options.clock.text(),
        });
        request["spec"]["audiences"] = audiences.into();
        request["spec"]["expirationSeconds"] = life.into();
        request["status"] = json!({"token": token, "expirationTimestamp": options::seconds(end)});
        Ok(reply::json(StatusCode::CREATED, &request))
    }

    /// Puts the token of its account into a new Secret of the type `kubernetes.io/service-account-token`, as the token
    /// controller of a cluster does a moment later. A Secret whose account does not exist stays without.
    pub(super) fn fill_token_secret(&self, kind: &Kind, object: &mut Value) {
        if kind.plural != "secrets" || object["type"] != "kubernetes.io/service-account-token" {
            return;
        }
        let namespace = meta::namespace(object).to_owned();
        let name = object["metadata"]["annotations"]["kubernetes.io/service-account.name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let found = self
            .store
            .read()
            .get("serviceaccounts", &Key::new(&namespace, &name));
        let Some(account) = found else { return };
        let uid = meta::text(&account.value, "uid");
        let now = self.options.clock.now().as_second();
        let token = self.authority.sign(&json!({
            "aud": [AUDIENCE], "exp": now + MAX_LIFE_SECS, "iat": now, "iss": AUDIENCE, "jti": random::uid(),
            "sub": format!("system:serviceaccount:{namespace}:{name}"),
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
        }));
        object["metadata"]["annotations"]["kubernetes.io/service-account.uid"] = uid.into();
        let mut fill = |key: &str, text: &str| object["data"][key] = BASE64.encode(text).into();
        fill("token", &token);
        fill("ca.crt", self.ca_pem());
        fill("namespace", &namespace);
    }

    /// The object to which a token is bound: it must exist.
    fn bound(&self, call: &Call, bound: &Value) -> Result<(&'static str, Value)> {
        let name = bound["name"].as_str().unwrap_or_default();
        let (field, plural, home) = match bound["kind"].as_str() {
            Some("Pod") => ("pod", "pods", call.target.namespace.as_str()),
            Some("Secret") => ("secret", "secrets", call.target.namespace.as_str()),
            Some("Node") => ("node", "nodes", ""),
            other => {
                let said = format!(
                    "cannot bind token for serviceaccount to object type {}",
                    other.unwrap_or("")
                );
                return Err(Status::bad_request(said));
            }
        };
        let found = self.store.read().get(plural, &Key::new(home, name));
        let found = found.ok_or_else(|| Status::not_found("", plural, name))?;
        let uid = meta::text(&found.value, "uid");
        match bound["uid"].as_str() {
            Some(wanted) if !wanted.is_empty() && wanted != uid => {
                let why = format!(
                    "the UID in the bound object reference ({wanted}) does not match the UID in record. \
                    The object might have been deleted and then recreated"
                );
                Err(Status::conflict("", plural, name, &why))
            }
            _ => Ok((field, json!({"name": name, "uid": uid}))),
        }
    }

    /// The user of a bearer token; `None` when it proves nothing.
    pub(crate) fn authenticate(&self, token: &str) -> Option<User> {
        if self.authority.is_admin(token) {
            return Some(User::admin());
        }
        let claims = self.authority.verify(token)?;
        if claims["exp"].as_i64()? <= self.options.clock.now().as_second() {
            return None;
        }
        let about = &claims["kubernetes.io"];
        let namespace = about["namespace"].as_str()?;
        let name = about["serviceaccount"]["name"].as_str()?;
        let core = self.store.read();
        let exists = |resource: &str, home: &str, named: &Value| {
            let found = core.get(
                resource,
                &Key::new(home, named["name"].as_str().unwrap_or_default()),
            );
            found.is_some_and(|found| meta::uid(&found.value) == named["uid"].as_str())
        };
        if !exists("serviceaccounts", namespace, &about["serviceaccount"]) {
            return None;
        }
        let mut user = User {
            name: format!("system:serviceaccount:{namespace}:{name}"),
            uid: about["serviceaccount"]["uid"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            groups: vec![
                "system:serviceaccounts".into(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".into(),
            ],
            ..User::default()
        };
        if let Some(pod) = about.get("pod") {
            if !exists("pods", namespace, pod) {
                return None;
            }
            for (key, field) in [("pod-name", "name"), ("pod-uid", "uid")] {
                let text = pod[field].as_str().unwrap_or_default().to_owned();
                user.extra
                    .insert(format!("authentication.kubernetes.io/{key}"), vec![text]);
            }
        }
        Some(user)
    }
}
