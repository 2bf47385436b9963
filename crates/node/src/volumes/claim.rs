//! Claims for storage, each a folder of the node.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{Sources, make_folder};
use std::path::PathBuf;

/// Gives the folder of a claim, binding the claim first if nobody has.
pub(super) async fn folder(sources: &Sources, namespace: &str, name: &str) -> Result<PathBuf, String> {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(sources.client.clone(), namespace);
    let claim = claims.get(name).await.map_err(|error| match error {
        kube::Error::Api(status) if status.code == 404 => format!("persistentvolumeclaim {name:?} not found"),
        error => error.to_string(),
    })?;
    let uid = claim.metadata.uid.clone().unwrap_or_else(|| name.to_string());
    let path = sources.data_dir.join("claims").join(&uid);
    make_folder(&path, 0o777, None)?;
    let bound = claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound");
    if !bound {
        let spec = claim.spec.unwrap_or_default();
        let status = json!({"status": {
            "phase": "Bound",
            "accessModes": spec.access_modes.unwrap_or_default(),
            "capacity": spec.resources.and_then(|r| r.requests).unwrap_or_default(),
        }});
        let params = PatchParams::default();
        claims
            .patch_status(name, &params, &Patch::Merge(status))
            .await
            .map_err(|e| e.to_string())?;
    }
    Ok(path)
}
