//! JSON patch (RFC 6902).
//!
//! Deliberately absent: our own reading of it, the crate `json-patch` has one.

use serde_json::Value;

use crate::status::{Result, Status};

/// Operations that one patch may hold, as in Kubernetes.
const MAX_OPERATIONS: usize = 10_000;

/// Applies the patch in `body` to a copy of `current`.
///
/// # Errors
/// 400 when it cannot be read, 413 when it is too long, 422 when it does not fit.
pub fn apply(current: &Value, body: &[u8]) -> Result<Value> {
    let patch: json_patch::Patch = serde_json::from_slice(body)
        .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
    if patch.0.len() > MAX_OPERATIONS {
        return Err(Status::too_large_patch(patch.0.len(), MAX_OPERATIONS));
    }
    let mut next = current.clone();
    json_patch::patch(&mut next, &patch).map_err(|error| Status::patch_misfit(error.to_string()))?;
    Ok(next)
}
