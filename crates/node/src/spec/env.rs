//! The environment of a container.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Container, EnvVar, Pod};

use super::downward::{self, Addresses};
use super::expand::expand;
use crate::images::ImageConfig;
use crate::volumes::Sources;

/// Builds the environment: the image's, then the API's address, then `envFrom`, then `env`.
pub(crate) async fn environment(
    pod: &Pod,
    container: &Container,
    image: &ImageConfig,
    api: Option<&(String, u16)>,
    addresses: &Addresses,
    sources: &Sources,
) -> Result<Vec<(String, String)>, String> {
    let mut env: Vec<(String, String)> = Vec::new();
    let split = |entry: &String| {
        entry
            .split_once('=')
            .map(|(name, value)| (name.to_string(), value.to_string()))
    };
    env.extend(image.env.iter().filter_map(split));
    if let Some(hostname) = pod
        .spec
        .as_ref()
        .and_then(|s| s.hostname.clone())
        .or(pod.metadata.name.clone())
    {
        env.push(("HOSTNAME".into(), hostname));
    }
    env.extend(service_variables(api));
    let mut known: BTreeMap<String, String> = service_variables(api).into_iter().collect();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.as_deref().unwrap_or("");
        let mut add = |key: &str, value: String| {
            let name = format!("{prefix}{key}");
            known.insert(name.clone(), value.clone());
            env.push((name, value));
        };
        if let Some(map) = &source.config_map_ref {
            match sources.config_map(namespace, &map.name).await? {
                Some(found) => found
                    .data
                    .unwrap_or_default()
                    .into_iter()
                    .for_each(|(key, value)| add(&key, value)),
                None if map.optional == Some(true) => {}
                None => return Err(format!("configmap {:?} not found", map.name)),
            }
        }
        if let Some(secret) = &source.secret_ref {
            match sources.secret(namespace, &secret.name).await? {
                Some(found) => {
                    for (key, ByteString(bytes)) in found.data.unwrap_or_default() {
                        add(&key, String::from_utf8_lossy(&bytes).into_owned());
                    }
                }
                None if secret.optional == Some(true) => {}
                None => return Err(format!("secret {:?} not found", secret.name)),
            }
        }
    }
    for variable in container.env.iter().flatten() {
        let value = match &variable.value {
            Some(value) => Some(expand(value, |name| known.get(name).cloned())),
            None => referenced(pod, container, variable, addresses, sources, namespace).await?,
        };
        if let Some(value) = value {
            known.insert(variable.name.clone(), value.clone());
            env.push((variable.name.clone(), value));
        }
    }
    Ok(env)
}

fn service_variables(api: Option<&(String, u16)>) -> Vec<(String, String)> {
    let Some((host, port)) = api else {
        return Vec::new();
    };
    let mut variables = vec![("KUBERNETES_SERVICE_HOST".to_string(), host.clone())];
    for name in ["KUBERNETES_SERVICE_PORT", "KUBERNETES_SERVICE_PORT_HTTPS"] {
        variables.push((name.into(), port.to_string()));
    }
    let address = if host.contains(':') {
        format!("tcp://[{host}]:{port}")
    } else {
        format!("tcp://{host}:{port}")
    };
    variables.push(("KUBERNETES_PORT".into(), address));
    variables
}

async fn referenced(
    pod: &Pod,
    container: &Container,
    variable: &EnvVar,
    addresses: &Addresses,
    sources: &Sources,
    namespace: &str,
) -> Result<Option<String>, String> {
    let Some(source) = &variable.value_from else {
        return Ok(Some(String::new()));
    };
    if let Some(field) = &source.field_ref {
        return downward::field(pod, &field.field_path, Some(addresses)).map(Some);
    }
    if let Some(resource) = &source.resource_field_ref {
        return downward::resource(pod, Some(container), resource).map(Some);
    }
    if let Some(key) = &source.config_map_key_ref {
        let found = sources.config_map(namespace, &key.name).await?;
        let exists = found.is_some();
        let value = found
            .and_then(|map| map.data)
            .and_then(|mut data| data.remove(&key.key));
        return match value {
            None if key.optional == Some(true) => Ok(None),
            None if exists => Err(format!(
                "couldn't find key {} in ConfigMap {namespace}/{}",
                key.key, key.name
            )),
            None => Err(format!("configmap {:?} not found", key.name)),
            value => Ok(value),
        };
    }
    if let Some(key) = &source.secret_key_ref {
        let found = sources.secret(namespace, &key.name).await?;
        let exists = found.is_some();
        let value = found
            .and_then(|secret| secret.data)
            .and_then(|mut data| data.remove(&key.key));
        return match value {
            None if key.optional == Some(true) => Ok(None),
            None if exists => Err(format!(
                "couldn't find key {} in Secret {namespace}/{}",
                key.key, key.name
            )),
            None => Err(format!("secret {:?} not found", key.name)),
            Some(ByteString(bytes)) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        };
    }
    Err(format!(
        "environment variable {} refers to something the node does not support",
        variable.name
    ))
}
