//! PATCH: choosing the kind of patch.
//!
//! Deliberately absent: how patches change values (see the module `patch`).

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{ApiServer, Call, shown};
use crate::body::Body;
use crate::kinds::Origin;
use crate::managed;
use crate::meta;
use crate::options;
use crate::patch;
use crate::status::{Cause, Result, Status};
use crate::types;
use crate::validate;

const TYPES: [&str; 4] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

impl ApiServer {
    pub(super) fn patch(&self, call: &Call) -> Result<Response<Body>> {
        if call.applies() {
            return self.apply(call);
        }
        let object = self.rewrite(call, |current| {
            let mut next = apply(call, &current.value)?;
            validate::envelope(&call.kind, &mut next)?;
            validate::place(&next, &call.target.namespace, Some(&call.target.name))?;
            self.check_seen(call, current, &next)?;
            Ok(next)
        })?;
        Ok(shown(StatusCode::OK, call, &object))
    }
}

impl ApiServer {
    /// Server-side apply; an absent object is made.
    fn apply(&self, call: &Call) -> Result<Response<Body>> {
        let applied = self.applied(call)?;
        let force = call.query.is("force");
        let now = options::seconds(call.now);
        let writer = call.writer(&now);
        if call.target.subresource.is_empty() && self.found(call).is_err() {
            let place = json!({"metadata": {}});
            let object = managed::apply(&call.kind, &writer, &place, &applied, force)?;
            let mut object = object;
            self.tidy(call, &mut object)?;
            self.check_grant(call, None, &object)?;
            match self.make(&call.kind, &call.target.namespace, object, call.dry_run()?) {
                Ok(made) => return Ok(shown(StatusCode::CREATED, call, &made)),
                // Someone else made it meanwhile.
                Err(status) if status.reason() == "AlreadyExists" => {}
                Err(status) => return Err(status),
            }
        }
        let object = self.rewrite(call, |current| {
            self.check_seen(call, current, &applied)?;
            managed::apply(&call.kind, &writer, &current.value, &applied, force)
        })?;
        Ok(shown(StatusCode::OK, call, &object))
    }

    /// The configuration that the call sends.
    fn applied(&self, call: &Call) -> Result<Value> {
        let mut applied: Value = serde_json::from_slice(&call.body).map_err(|error| {
            Status::bad_request(format!("error decoding YAML: only JSON is read here: {error}"))
        })?;
        if call.query.get("fieldManager").is_empty() {
            let causes = [Cause::required("fieldManager", "is required for apply patch")];
            return Err(Status::invalid("meta.k8s.io", "PatchOptions", "", &causes));
        }
        if meta::metadata(&applied).is_some_and(|metadata| metadata.contains_key("managedFields")) {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        validate::envelope(&call.kind, &mut applied)?;
        validate::place(&applied, &call.target.namespace, Some(&call.target.name))?;
        self.drop_unknown(call, &mut applied)?;
        Ok(applied)
    }
}

/// What the call's patch makes of `current`.
///
/// # Errors
/// 400 for a body that is no such patch, 415 for unknown kinds, 422 where a JSON patch does not fit.
pub(super) fn apply(call: &Call, current: &Value) -> Result<Value> {
    let content = call.content();
    let custom = call.kind.origin == Origin::Custom;
    let body = || -> Result<Value> {
        serde_json::from_slice(&call.body)
            .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))
    };
    match content {
        "application/json-patch+json" => patch::json::apply(current, &call.body),
        "application/merge-patch+json" => Ok(patch::merge::apply(current.clone(), body()?)),
        "application/strategic-merge-patch+json" if !custom => {
            let r#type = types::name_of(&call.kind).and_then(types::named);
            patch::strategic::apply(current.clone(), body()?, r#type)
        }
        _ => {
            let known: &[&str] = if custom {
                &[TYPES[0], TYPES[1], TYPES[3]]
            } else {
                &TYPES
            };
            Err(Status::unsupported_media_type(known))
        }
    }
}
