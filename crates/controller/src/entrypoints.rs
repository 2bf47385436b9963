//! Entrypoints of images, asked of their registries with the logins that the pod would have (C-BLD-30).
//!
//! Only manifest and configuration are read, never a layer. Not here: the index of the configuration, which comes first.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argosy_engine::config::ImageConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use kube::Client;
use oci_client::Reference;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use serde::Deserialize;
use serde_json::Value;
use tracing::debug;

use crate::Images;
use crate::api::{self, Failure, Resource};
use crate::lean::Answer;

/// How many images are remembered; the peer's number.
const REMEMBERED_MAX: usize = 1024;

/// How long one registry may take for the whole answer.
const LIMIT: Duration = Duration::from_secs(30);

const SECRETS: Resource = Resource {
    group: "",
    version: "v1",
    plural: "secrets",
};

const ACCOUNTS: Resource = Resource {
    group: "",
    version: "v1",
    plural: "serviceaccounts",
};

/// Asks registries.
pub struct Registries {
    client: Client,
    /// What was found out, with the number of the answer: the oldest is forgotten first. An entry holds for what was
    /// asked with: another namespace may not see what its own logins don't open.
    known: Mutex<BTreeMap<(String, String), (u64, ImageConfig)>>,
}

impl Registries {
    /// Reads logins by this client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            known: Mutex::default(),
        }
    }

    async fn ask(
        &self,
        namespace: &str,
        image: &str,
        pull_secrets: &[String],
        service_account: &str,
    ) -> Result<ImageConfig, String> {
        let reference: Reference = image.parse().map_err(|e| format!("{e}"))?;
        let mut refused = None;
        for login in self
            .logins(namespace, &reference, pull_secrets, service_account)
            .await
        {
            match tokio::time::timeout(LIMIT, config_of(&reference, &login)).await {
                Ok(Ok(config)) => return Ok(config),
                Ok(Err(text)) => drop(refused.get_or_insert(text)),
                Err(_) => {
                    return Err(format!(
                        "no answer of {} within {} s",
                        reference.registry(),
                        LIMIT.as_secs()
                    ));
                }
            }
        }
        Err(refused.unwrap_or_default())
    }

    /// The logins that fit, and none at last.
    async fn logins(
        &self,
        namespace: &str,
        reference: &Reference,
        pull_secrets: &[String],
        service_account: &str,
    ) -> Vec<RegistryAuth> {
        let mut names = pull_secrets.to_vec();
        names.extend(self.secrets_of(namespace, service_account).await);
        let mut logins = Vec::new();
        for name in names {
            match api::get::<Value>(&self.client, &SECRETS, namespace, &name).await {
                Ok(secret) => logins.extend(login(&secret, reference)),
                Err(failure) => debug!(secret = %name, error = %failure, "Pull secret can't be read"),
            }
        }
        logins.push(RegistryAuth::Anonymous);
        logins
    }

    async fn secrets_of(&self, namespace: &str, service_account: &str) -> Vec<String> {
        #[derive(Deserialize)]
        struct Account {
            #[serde(default, rename = "imagePullSecrets")]
            secrets: Vec<Name>,
        }
        #[derive(Deserialize)]
        struct Name {
            #[serde(default)]
            name: String,
        }
        impl Answer for Account {}
        let name = if service_account.is_empty() {
            "default"
        } else {
            service_account
        };
        match api::get::<Account>(&self.client, &ACCOUNTS, namespace, name).await {
            Ok(account) => account.secrets.into_iter().map(|s| s.name).collect(),
            Err(Failure::NotFound(_)) => Vec::new(),
            Err(failure) => {
                debug!(account = name, error = %failure, "Service account can't be read");
                Vec::new()
            }
        }
    }

    fn recall(&self, key: &(String, String)) -> Option<ImageConfig> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).map(|(_, config)| config.clone())
    }

    fn remember(&self, key: (String, String), config: ImageConfig) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let number = known.values().map(|(number, _)| number + 1).max().unwrap_or(0);
        if known.len() >= REMEMBERED_MAX
            && let Some(oldest) = known.iter().min_by_key(|(_, (number, _))| *number)
        {
            let oldest = oldest.0.clone();
            known.remove(&oldest);
        }
        known.insert(key, (number, config));
    }
}

impl Images for Registries {
    fn look_up<'a>(
        &'a self,
        namespace: &'a str,
        image: &'a str,
        pull_secrets: &'a [String],
        service_account: &'a str,
    ) -> BoxFuture<'a, Result<ImageConfig, String>> {
        Box::pin(async move {
            let key = (namespace.to_owned(), image.to_owned());
            if let Some(config) = self.recall(&key) {
                return Ok(config);
            }
            let config = self.ask(namespace, image, pull_secrets, service_account).await?;
            self.remember(key, config.clone());
            Ok(config)
        })
    }
}

async fn config_of(reference: &Reference, login: &RegistryAuth) -> Result<ImageConfig, String> {
    let registry = reference.resolve_registry();
    let config = ClientConfig {
        protocol: match is_local(registry) {
            true => ClientProtocol::HttpsExcept(vec![registry.to_owned()]),
            false => ClientProtocol::Https,
        },
        connect_timeout: Some(Duration::from_secs(10)),
        user_agent: concat!("argosy/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    let client = oci_client::Client::try_from(config).map_err(|e| e.to_string())?;
    let (_, _, text) = client
        .pull_manifest_and_config(reference, login)
        .await
        .map_err(|e| e.to_string())?;
    read(&text)
}

/// Registries on this machine speak plain HTTP, as container engines have it.
fn is_local(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost" || host.starts_with("127.") || host == "[::1]"
}

/// Entrypoint and command of an image's configuration.
fn read(text: &str) -> Result<ImageConfig, String> {
    #[derive(Deserialize)]
    struct Image {
        config: Option<Run>,
    }
    #[derive(Deserialize, Default)]
    struct Run {
        #[serde(rename = "Entrypoint")]
        entrypoint: Option<Vec<String>>,
        #[serde(rename = "Cmd")]
        cmd: Option<Vec<String>>,
    }
    let image: Image =
        serde_json::from_str(text).map_err(|e| format!("its configuration can't be read: {e}"))?;
    let run = image.config.unwrap_or_default();
    Ok(ImageConfig {
        entrypoint: run.entrypoint.unwrap_or_default(),
        cmd: run.cmd.unwrap_or_default(),
    })
}

/// The login for a registry in a pull secret, of the newer or the older kind.
fn login(secret: &Value, reference: &Reference) -> Option<RegistryAuth> {
    let data = &secret["data"];
    let (text, inner) = match data[".dockerconfigjson"].as_str() {
        Some(text) => (text, true),
        None => (data[".dockercfg"].as_str()?, false),
    };
    let config: Value = serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
    let auths = if inner { &config["auths"] } else { &config };
    let wanted = [reference.registry(), reference.resolve_registry()];
    let (_, found) = auths.as_object()?.iter().find(|(key, _)| {
        let host = key.trim_start_matches("https://").trim_start_matches("http://");
        let host = host.split('/').next().unwrap_or_default();
        wanted.contains(&host)
    })?;
    let text = |key: &str| found[key].as_str().map(str::to_owned);
    if let (Some(user), Some(password)) = (text("username"), text("password")) {
        return Some(RegistryAuth::Basic(user, password));
    }
    let pair = String::from_utf8(STANDARD.decode(text("auth")?).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some(RegistryAuth::Basic(user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn logins_are_found_by_registry() {
        let config = json!({"auths": {
            "https://index.docker.io/v1/": {"auth": STANDARD.encode("hub:one")},
            "registry.example:5000": {"username": "u", "password": "p:w"},
        }});
        let secret = json!({"data": {".dockerconfigjson": STANDARD.encode(config.to_string())}});
        let older = json!({"data": {".dockercfg": STANDARD.encode(config["auths"].to_string())}});
        for (image, wanted) in [
            ("busybox", Some(("hub", "one"))),
            ("docker.io/library/busybox:1", Some(("hub", "one"))),
            ("registry.example:5000/a/b", Some(("u", "p:w"))),
            ("elsewhere.example/a", None),
        ] {
            let reference: Reference = image.parse().expect("a reference");
            for secret in [&secret, &older] {
                let found = login(secret, &reference);
                let wanted = wanted.map(|(u, p)| RegistryAuth::Basic(u.into(), p.into()));
                assert_eq!(found, wanted, "{image}");
            }
        }
    }

    #[test]
    fn what_starts_is_read_from_the_configuration() {
        let config = read(r#"{"config": {"Entrypoint": ["/a"], "Cmd": null}}"#).expect("a configuration");
        assert_eq!(
            (config.entrypoint, config.cmd),
            (vec!["/a".to_owned()], Vec::new())
        );
        assert_eq!(read("{}").expect("no configuration"), ImageConfig::default());
        assert!(read("no").is_err());
    }
}
