//! Where objects of any kind belong in the API, as the server itself tells it.

use serde::Deserialize;
use serde_json::Value;

use crate::api::{Api, Error};

#[derive(Deserialize)]
struct Resources {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
}

/// The path of the list that an object belongs into.
///
/// # Errors
/// When the server has no such kind, or can't be reached.
pub async fn path(api: &Api, object: &Value) -> Result<String, Error> {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let none = || Error::Refused {
        message: format!("the API has no kind {kind} in {version}"),
        code: 404,
    };
    let base = if version.contains('/') {
        format!("/apis/{version}")
    } else {
        format!("/api/{version}")
    };
    let known = match api.read::<Resources>(&base).await {
        Ok(known) => known,
        Err(error) if error.is_not_found() => return Err(none()),
        Err(error) => return Err(error),
    };
    let resource = known
        .resources
        .into_iter()
        .find(|r| r.kind == kind && !r.name.contains('/'))
        .ok_or_else(none)?;
    Ok(match resource.namespaced {
        true => format!("{base}/namespaces/{}/{}", api.namespace, resource.name),
        false => format!("{base}/{}", resource.name),
    })
}

/// Makes an object, or brings the one that is there in line with it.
///
/// # Errors
/// When the server refuses or can't be reached.
pub async fn put(api: &Api, path: &str, object: &Value) -> Result<Value, Error> {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        // The path says where the object goes, whatever namespace its file was written for.
        metadata.remove("namespace");
    }
    match api.post(path, &object).await {
        Err(error) if error.is_conflict() => {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            api.merge(&format!("{path}/{name}"), &object).await
        }
        done => done,
    }
}
