//! PATCH: choosing the kind of patch.
//!
//! Deliberately absent: how patches change values (see the module `patch`).

use http::{Response, StatusCode};
use serde_json::Value;

use super::{ApiServer, Call, shown};
use crate::body::Body;
use crate::kinds::Origin;
use crate::patch;
use crate::status::{Result, Status};
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
        let object = self.rewrite(call, |current| {
            let mut next = apply(call, &current.value)?;
            validate::envelope(&call.kind, &mut next)?;
            validate::place(&mut next, &call.target.namespace, Some(&call.target.name))?;
            self.check_seen(call, current, &next)?;
            Ok(next)
        })?;
        Ok(shown(StatusCode::OK, call, &object))
    }
}

/// What the call's patch makes of `current`.
///
/// # Errors
/// 400 for a body that is no such patch, 415 for unknown kinds, 422 where a JSON patch does not fit.
pub(super) fn apply(call: &Call, current: &Value) -> Result<Value> {
    let content = call.header(http::header::CONTENT_TYPE);
    let content = content.split(';').next().unwrap_or_default().trim();
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
