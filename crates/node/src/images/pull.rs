//! Pulls images from registries.

use std::io;
use std::path::Path;

use oci_client::Reference;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::manifest::{ImageIndexEntry, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use tokio::fs::File;

use super::archive::{Archive, Found, architecture};
use super::{Error, Store, normalize};

/// User name and password for one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Host, as it stands in normalised references.
    pub registry: String,
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: String,
}

/// How images are pulled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullOptions {
    /// Registries spoken to without TLS, `host:port`. Default: none.
    pub insecure_registries: Vec<String>,
}

impl Store {
    /// Downloads an image and unpacks it; returns its normalised reference.
    ///
    /// # Errors
    /// [`Error::Pull`] with the registry's words, or what `import` answers.
    pub async fn pull(
        &self,
        reference: &str,
        login: Option<&Credentials>,
        options: &PullOptions,
    ) -> Result<String, Error> {
        let reference = normalize(reference)?;
        let failed = |message: String| Error::Pull {
            reference: reference.clone(),
            message,
        };
        let parsed: Reference = reference.parse().map_err(|e| failed(format!("{e}")))?;
        let auth = match login {
            Some(login) => RegistryAuth::Basic(login.username.clone(), login.password.clone()),
            None => RegistryAuth::Anonymous,
        };
        let config = ClientConfig {
            protocol: ClientProtocol::HttpsExcept(options.insecure_registries.clone()),
            platform_resolver: Some(Box::new(own_platform)),
            ..ClientConfig::default()
        };
        let client = oci_client::Client::new(config);
        let (manifest, _digest, config) = client
            .pull_manifest_and_config(&parsed, &auth)
            .await
            .map_err(|e| failed(chain(&e)))?;
        let scratch = self.scratch()?;
        for layer in &manifest.layers {
            let path = scratch.0.join(layer.digest.replace(':', "-"));
            let mut file = File::create(&path).await.map_err(Error::file(&path))?;
            client
                .pull_blob(&parsed, layer, &mut file)
                .await
                .map_err(|e| failed(chain(&e)))?;
            tokio::io::AsyncWriteExt::flush(&mut file)
                .await
                .map_err(Error::file(&path))?;
        }
        let store = self.clone();
        let name = reference.clone();
        let unpacked =
            tokio::task::spawn_blocking(move || store.take_in(&name, &manifest, config, &scratch.0));
        unpacked
            .await
            .map_err(|e| Error::file("unpacking")(io::Error::other(e)))??;
        Ok(reference)
    }

    fn take_in(
        &self,
        name: &str,
        manifest: &OciImageManifest,
        config: String,
        scratch: &Path,
    ) -> Result<(), Error> {
        let _lock = self.lock()?;
        let found = Found {
            references: vec![name.to_string()],
            config: config.into_bytes(),
            layers: manifest
                .layers
                .iter()
                .map(|layer| layer.digest.replace(':', "-"))
                .collect(),
        };
        let mut images = self.add(&Archive::Folder(scratch.to_path_buf()), &found, scratch)?;
        images.iter_mut().for_each(|image| image.pulled = true);
        self.store(images).map(drop)
    }
}

fn own_platform(entries: &[ImageIndexEntry]) -> Option<String> {
    let ours = |entry: &&ImageIndexEntry| {
        entry.platform.as_ref().is_some_and(|platform| {
            let text = |value: &dyn std::fmt::Display| value.to_string();
            text(&platform.os) == "linux" && text(&platform.architecture) == architecture()
        })
    };
    entries.iter().find(ours).map(|entry| entry.digest.clone())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
