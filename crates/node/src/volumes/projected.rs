//! Volumes whose files come from the API: ConfigMaps, secrets, the pod itself, tokens.

use std::collections::BTreeMap;
use std::path::PathBuf;

use k8s_openapi::ByteString;
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, DownwardAPIVolumeFile, DownwardAPIVolumeSource, KeyToPath, Pod,
    ProjectedVolumeSource, Secret, SecretVolumeSource, ServiceAccount, ServiceAccountTokenProjection,
    VolumeProjection,
};
use kube::api::PostParams;
use kube::{Api, Client};

use super::files::{Content, Entry};
use crate::spec::downward;

/// Mode of files when the volume gives none.
const DEFAULT_MODE: i32 = 0o644;
/// ConfigMap with the API's certificate that a cluster keeps in every namespace.
const ROOT_CA: &str = "kube-root-ca.crt";

/// Where the content of volumes comes from.
#[derive(Clone)]
pub(crate) struct Sources {
    /// The API.
    pub(crate) client: Client,
    /// Folder of the node.
    pub(crate) data_dir: PathBuf,
    /// The API's certificate, for namespaces without a ConfigMap that holds it.
    pub(crate) ca_pem: Option<String>,
}

impl Sources {
    /// A ConfigMap, or `None` when there is none of this name.
    pub(crate) async fn config_map(&self, namespace: &str, name: &str) -> Result<Option<ConfigMap>, String> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let found = api.get_opt(name).await.map_err(|e| e.to_string())?;
        Ok(found.or_else(|| {
            let pem = self.ca_pem.clone().filter(|_| name == ROOT_CA)?;
            Some(ConfigMap {
                data: Some(BTreeMap::from([("ca.crt".into(), pem)])),
                ..Default::default()
            })
        }))
    }

    /// A secret, or `None` when there is none of this name.
    pub(crate) async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, String> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        api.get_opt(name).await.map_err(|e| e.to_string())
    }

    async fn token(&self, pod: &Pod, source: &ServiceAccountTokenProjection) -> Result<String, String> {
        let account = pod
            .spec
            .as_ref()
            .and_then(|s| s.service_account_name.as_deref())
            .unwrap_or("default");
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace(pod));
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: source.audience.clone().into_iter().collect(),
                expiration_seconds: Some(source.expiration_seconds.unwrap_or(3600)),
                bound_object_ref: Some(BoundObjectReference {
                    api_version: Some("v1".into()),
                    kind: Some("Pod".into()),
                    name: pod.metadata.name.clone(),
                    uid: pod.metadata.uid.clone(),
                }),
            },
            ..Default::default()
        };
        let answer = api
            .create_token_request(account, &PostParams::default(), &request)
            .await;
        let answer = answer.map_err(|e| format!("failed to fetch token: {e}"))?;
        answer
            .status
            .map(|status| status.token)
            .ok_or_else(|| "failed to fetch token: empty answer".into())
    }
}

fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or("default")
}

pub(super) async fn config_map_volume(
    sources: &Sources,
    pod: &Pod,
    source: &ConfigMapVolumeSource,
) -> Result<Content, String> {
    let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
    config_map(
        sources,
        pod,
        &source.name,
        source.items.as_deref(),
        source.optional,
        mode,
    )
    .await
}

async fn config_map(
    sources: &Sources,
    pod: &Pod,
    name: &str,
    items: Option<&[KeyToPath]>,
    optional: Option<bool>,
    mode: i32,
) -> Result<Content, String> {
    let found = sources.config_map(namespace(pod), name).await?;
    let Some(map) = found else {
        return absent(optional, || format!("configmap {name:?} not found"));
    };
    let mut data: BTreeMap<String, Vec<u8>> = map
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, text)| (key, text.into_bytes()))
        .collect();
    data.extend(
        map.binary_data
            .unwrap_or_default()
            .into_iter()
            .map(|(key, ByteString(bytes))| (key, bytes)),
    );
    select(data, items, optional, mode, || {
        format!("configmap references non-existent config key in {name:?}")
    })
}

pub(super) async fn secret_volume(
    sources: &Sources,
    pod: &Pod,
    source: &SecretVolumeSource,
) -> Result<Content, String> {
    let name = source.secret_name.as_deref().unwrap_or_default();
    let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
    secret(sources, pod, name, source.items.as_deref(), source.optional, mode).await
}

async fn secret(
    sources: &Sources,
    pod: &Pod,
    name: &str,
    items: Option<&[KeyToPath]>,
    optional: Option<bool>,
    mode: i32,
) -> Result<Content, String> {
    let Some(secret) = sources.secret(namespace(pod), name).await? else {
        return absent(optional, || format!("secret {name:?} not found"));
    };
    let data = secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, ByteString(bytes))| (key, bytes))
        .collect();
    select(data, items, optional, mode, || {
        format!("references non-existent secret key in {name:?}")
    })
}

fn absent(optional: Option<bool>, message: impl Fn() -> String) -> Result<Content, String> {
    if optional == Some(true) {
        Ok(Content::new())
    } else {
        Err(message())
    }
}

fn select(
    data: BTreeMap<String, Vec<u8>>,
    items: Option<&[KeyToPath]>,
    optional: Option<bool>,
    mode: i32,
    missing: impl Fn() -> String,
) -> Result<Content, String> {
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        return Ok(data
            .into_iter()
            .map(|(key, data)| {
                (
                    key,
                    Entry {
                        data,
                        mode: mode as u32,
                    },
                )
            })
            .collect());
    };
    let mut content = Content::new();
    for item in items {
        match data.get(&item.key) {
            Some(data) => {
                let mode = item.mode.unwrap_or(mode) as u32;
                content.insert(
                    item.path.clone(),
                    Entry {
                        data: data.clone(),
                        mode,
                    },
                );
            }
            None if optional == Some(true) => {}
            None => return Err(format!("{}: {}", missing(), item.key)),
        }
    }
    Ok(content)
}

pub(super) fn downward_volume(pod: &Pod, source: &DownwardAPIVolumeSource) -> Result<Content, String> {
    downward_files(
        pod,
        source.items.as_deref().unwrap_or_default(),
        source.default_mode.unwrap_or(DEFAULT_MODE),
    )
}

fn downward_files(pod: &Pod, files: &[DownwardAPIVolumeFile], mode: i32) -> Result<Content, String> {
    let mut content = Content::new();
    for file in files {
        let value = match (&file.field_ref, &file.resource_field_ref) {
            (Some(field), _) => downward::field(pod, &field.field_path, None)?,
            (None, Some(resource)) => downward::resource(pod, None, resource)?,
            (None, None) => return Err(format!("{}: neither fieldRef nor resourceFieldRef", file.path)),
        };
        let mode = file.mode.unwrap_or(mode) as u32;
        content.insert(
            file.path.clone(),
            Entry {
                data: value.into_bytes(),
                mode,
            },
        );
    }
    Ok(content)
}

pub(super) async fn projected_volume(
    sources: &Sources,
    pod: &Pod,
    source: &ProjectedVolumeSource,
) -> Result<Content, String> {
    let mode = source.default_mode.unwrap_or(DEFAULT_MODE);
    let mut content = Content::new();
    for part in source.sources.iter().flatten() {
        content.extend(projection(sources, pod, part, mode).await?);
    }
    Ok(content)
}

async fn projection(
    sources: &Sources,
    pod: &Pod,
    part: &VolumeProjection,
    mode: i32,
) -> Result<Content, String> {
    if let Some(source) = &part.config_map {
        return config_map(
            sources,
            pod,
            &source.name,
            source.items.as_deref(),
            source.optional,
            mode,
        )
        .await;
    }
    if let Some(source) = &part.secret {
        return secret(
            sources,
            pod,
            &source.name,
            source.items.as_deref(),
            source.optional,
            mode,
        )
        .await;
    }
    if let Some(source) = &part.downward_api {
        return downward_files(pod, source.items.as_deref().unwrap_or_default(), mode);
    }
    if let Some(source) = &part.service_account_token {
        let token = sources.token(pod, source).await?;
        // Readable by every user of the container, who else could not use it.
        let entry = Entry {
            data: token.into_bytes(),
            mode: mode as u32,
        };
        return Ok(Content::from([(source.path.clone(), entry)]));
    }
    Err("this kind of projection is not supported by the node".into())
}
