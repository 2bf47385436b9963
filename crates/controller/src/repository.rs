//! Which artifact repository a workflow uses (C-OP-10).

use std::collections::BTreeMap;

use argosy_model::{ArtifactRepository, ArtifactRepositoryRef, ArtifactRepositoryRefStatus, Workflow};
use kube::Client;
use serde_json::Value;

use crate::api::{self, Failure};
use crate::lean::Answer;
use crate::maps::Maps;

/// The ConfigMap that is looked at when a reference names none.
const DEFAULT_MAP: &str = "artifact-repositories";

/// Annotation of that ConfigMap which names its default key.
const DEFAULT_KEY: &str = "workflows.argoproj.io/default-artifact-repository";

/// Resolves the reference of a workflow.
///
/// # Errors
/// Words for the user: a ConfigMap or key that does not exist, or a repository that does not parse.
pub async fn resolve(
    maps: &Maps,
    workflow: &Workflow,
    reference: Option<&ArtifactRepositoryRef>,
    own_namespace: &str,
    default: &Value,
) -> Result<ArtifactRepositoryRefStatus, String> {
    let namespace = &workflow.metadata.namespace;
    let Some(reference) = reference else {
        return default_for(maps, namespace, default).await;
    };
    let map_name = Some(reference.config_map.as_str())
        .filter(|n| !n.is_empty())
        .unwrap_or(DEFAULT_MAP);
    let mut last = String::new();
    for candidate in [namespace.as_str(), own_namespace] {
        let reading = maps.get(candidate, map_name).await;
        let map = match &*reading {
            Ok(map) => map,
            Err(failure) => {
                last = failure.to_string();
                continue;
            }
        };
        let key = match reference.key.as_str() {
            "" => map
                .metadata
                .annotations
                .get(DEFAULT_KEY)
                .cloned()
                .unwrap_or_default(),
            key => key.to_owned(),
        };
        match map.data.get(&key) {
            Some(text) => return found(candidate, map_name, &key, text),
            None => {
                last =
                    format!("config map missing key {key} for artifact repository ref \"{map_name}#{key}\"")
            }
        }
    }
    Err(format!(
        "artifact repository ref \"{map_name}#{}\" not found: {last}",
        reference.key
    ))
}

async fn default_for(
    maps: &Maps,
    namespace: &str,
    default: &Value,
) -> Result<ArtifactRepositoryRefStatus, String> {
    match &*maps.get(namespace, DEFAULT_MAP).await {
        Ok(map) => {
            let key = map
                .metadata
                .annotations
                .get(DEFAULT_KEY)
                .cloned()
                .unwrap_or_default();
            if let Some(text) = map.data.get(&key) {
                return found(namespace, DEFAULT_MAP, &key, text);
            }
        }
        Err(Failure::NotFound(_)) => {}
        Err(other) => return Err(other.to_string()),
    }
    let repository = match default {
        Value::Null => None,
        value => Some(Box::new(parse(value.clone())?)),
    };
    Ok(ArtifactRepositoryRefStatus {
        reference: ArtifactRepositoryRef::default(),
        namespace: String::new(),
        default: true,
        artifact_repository: repository,
    })
}

fn found(namespace: &str, map: &str, key: &str, text: &str) -> Result<ArtifactRepositoryRefStatus, String> {
    let value = argosy_model::yaml::value(text).map_err(|e| e.to_string())?;
    Ok(ArtifactRepositoryRefStatus {
        reference: ArtifactRepositoryRef {
            config_map: map.to_owned(),
            key: key.to_owned(),
        },
        namespace: namespace.to_owned(),
        default: false,
        artifact_repository: Some(Box::new(parse(value)?)),
    })
}

fn parse(value: Value) -> Result<ArtifactRepository, String> {
    serde_json::from_value(value).map_err(|e| e.to_string())
}

/// The token secret of a service account (C-BLD-04): the first of its secrets, its annotation, or the usual name.
///
/// # Errors
/// The API's words.
pub async fn token_secret(client: &Client, namespace: &str, account: &str) -> Result<String, Failure> {
    #[derive(serde::Deserialize)]
    struct Account {
        #[serde(default)]
        metadata: AccountMeta,
        #[serde(default)]
        secrets: Vec<BTreeMap<String, String>>,
    }
    #[derive(serde::Deserialize, Default)]
    struct AccountMeta {
        #[serde(default)]
        annotations: BTreeMap<String, String>,
    }
    impl Answer for Account {}
    const ACCOUNTS: api::Resource = api::Resource {
        group: "",
        version: "v1",
        plural: "serviceaccounts",
    };
    const ANNOTATION: &str = "workflows.argoproj.io/service-account-token.name";
    let found: Account = api::get(client, &ACCOUNTS, namespace, account).await?;
    Ok(found
        .secrets
        .first()
        .and_then(|s| s.get("name").cloned())
        .or_else(|| found.metadata.annotations.get(ANNOTATION).cloned())
        .unwrap_or_else(|| format!("{account}.service-account-token")))
}
