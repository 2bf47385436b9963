//! Pulls images from registries: from a mirror if one has it, with the logins that fit, only the layers that are missing,
//! and on from where a broken transfer stopped.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use oci_client::Reference;
use oci_client::client::{
    BlobResponse, Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol, SizedStream,
};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{ImageIndexEntry, OciDescriptor, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::archive::{Archive, Found, architecture};
use super::registry::{PullOptions, words};
use super::store::Scratch;
use super::{Credentials, Error, Store, hex, login, normalize};

/// Layers downloaded at the same time, as containerd does.
const DOWNLOADS: usize = 3;
/// Attempts for one answer of a registry when the connection breaks. A transfer that moved on starts counting anew.
const ATTEMPTS: u32 = 4;
/// Wait before the second attempt; doubled for every further one.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// How long a registry may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a transfer may stand still.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

impl Store {
    /// Downloads an image and unpacks it; returns its normalised reference.
    ///
    /// `logins` are tried in their order, then those of the user's docker configuration, then none.
    ///
    /// # Errors
    /// [`Error::Pull`] with what the registry answered, or what `import` answers.
    pub async fn pull(
        &self,
        reference: &str,
        logins: &[Credentials],
        options: &PullOptions,
    ) -> Result<String, Error> {
        let reference = normalize(reference)?;
        let failed = |message: String| Error::Pull {
            reference: reference.clone(),
            message,
        };
        let parsed: Reference = reference.parse().map_err(|e| failed(format!("{e}")))?;
        let registry = parsed.registry().to_owned();
        for mirror in options.mirrors.get(&registry).into_iter().flatten() {
            let mut mirrored = parsed.clone();
            mirrored.set_mirror_registry(host_of(mirror).to_owned());
            // Logins of a pod are for the registry that it names.
            let known = login::of_user(options, host_of(mirror), parsed.repository()).await;
            match self.pull_from(&mirrored, &reference, &known, options).await {
                Ok(()) => return Ok(reference),
                Err(Failure::Store(error)) => return Err(error),
                Err(Failure::Registry(message)) => {
                    tracing::debug!(
                        image = reference,
                        mirror,
                        message,
                        "A mirror does not have the image"
                    );
                }
            }
        }
        let mut known = logins.to_vec();
        known.extend(login::of_user(options, &registry, parsed.repository()).await);
        match self.pull_from(&parsed, &reference, &known, options).await {
            Ok(()) => Ok(reference),
            Err(Failure::Store(error)) => Err(error),
            Err(Failure::Registry(message)) => Err(failed(message)),
        }
    }

    async fn pull_from(
        &self,
        from: &Reference,
        name: &str,
        logins: &[Credentials],
        options: &PullOptions,
    ) -> Result<(), Failure> {
        let (client, manifest, config) = resolve(from, name, logins, options).await?;
        let unpacked = self.unpacked(config.as_bytes()).map_err(Failure::Store)?;
        let scratch = self.scratch().map_err(Failure::Store)?;
        let mut downloads = Vec::new();
        for (number, layer) in manifest.layers.iter().enumerate() {
            if !unpacked.get(number).copied().unwrap_or(false) {
                let path = scratch.path.join(file_of(&layer.digest));
                downloads.push(download(&client, from, layer, path));
            }
        }
        stream::iter(downloads)
            .buffer_unordered(DOWNLOADS)
            .try_collect::<()>()
            .await?;
        let (store, name) = (self.clone(), name.to_owned());
        let taken = tokio::task::spawn_blocking(move || store.take_in(&name, &manifest, config, &scratch));
        taken
            .await
            .unwrap_or_else(|e| Err(Error::file("unpacking")(io::Error::other(e))))
            .map_err(Failure::Store)
    }

    fn take_in(
        &self,
        name: &str,
        manifest: &OciImageManifest,
        config: String,
        scratch: &Scratch,
    ) -> Result<(), Error> {
        let _lock = self.lock()?;
        let layers = manifest.layers.iter().map(|layer| file_of(&layer.digest));
        let found = Found {
            references: vec![name.to_string()],
            config: config.into_bytes(),
            layers: layers.collect(),
        };
        let mut images = self.add(&Archive::Folder(scratch.path.clone()), &found, &scratch.path)?;
        images.iter_mut().for_each(|image| image.pulled = true);
        self.store(images).map(drop)
    }
}

/// Why one registry did not give an image.
enum Failure {
    /// The registry is to blame, or the way to it: another may do better.
    Registry(String),
    /// This machine is.
    Store(Error),
}

/// Finds out what the image consists of; the client that was let in goes on with the layers.
async fn resolve(
    from: &Reference,
    name: &str,
    logins: &[Credentials],
    options: &PullOptions,
) -> Result<(Client, OciImageManifest, String), Failure> {
    let logins = logins
        .iter()
        .map(|login| RegistryAuth::Basic(login.username.clone(), login.password.clone()));
    let mut refused = None;
    for login in logins.chain([RegistryAuth::Anonymous]) {
        let client = Client::try_from(client_config(from, options).map_err(Failure::Store)?)
            .map_err(|e| Failure::Registry(words(&e, name)))?;
        match with_patience(|| client.pull_manifest_and_config(from, &login)).await {
            Ok((manifest, _digest, config)) => return Ok((client, manifest, config)),
            Err(error) if is_refusal(&error) => {
                // The first refusal is about the login that was meant for this image.
                refused.get_or_insert(error);
            }
            Err(error) => return Err(Failure::Registry(words(&error, name))),
        }
    }
    let refused = refused.map(|error| words(&error, name));
    Err(Failure::Registry(refused.unwrap_or_default()))
}

fn client_config(from: &Reference, options: &PullOptions) -> Result<ClientConfig, Error> {
    let registry = from.resolve_registry();
    let certificates = options.certificates.iter().map(|path| {
        let data = std::fs::read(path).map_err(Error::file(path))?;
        let encoding = CertificateEncoding::Pem;
        Ok(Certificate { encoding, data })
    });
    Ok(ClientConfig {
        protocol: match options.is_plain(registry) {
            true => ClientProtocol::HttpsExcept(vec![registry.to_owned()]),
            false => ClientProtocol::Https,
        },
        platform_resolver: Some(Box::new(own_platform)),
        extra_root_certificates: certificates.collect::<Result<_, Error>>()?,
        read_timeout: Some(READ_TIMEOUT),
        connect_timeout: Some(CONNECT_TIMEOUT),
        user_agent: concat!("argosy/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    })
}

/// Asks again while connections break.
async fn with_patience<T, F>(ask: impl Fn() -> F) -> Result<T, OciDistributionError>
where
    F: Future<Output = Result<T, OciDistributionError>>,
{
    let mut attempt = 1;
    loop {
        match ask().await {
            Err(OciDistributionError::RequestError(error)) if attempt < ATTEMPTS && !error.is_connect() => {
                tracing::debug!(%error, attempt, "A registry's answer broke off");
                tokio::time::sleep(FIRST_WAIT * (1 << (attempt - 1))).await;
                attempt += 1;
            }
            answer => return answer,
        }
    }
}

/// Downloads a layer and checks it.
async fn download(
    client: &Client,
    from: &Reference,
    layer: &OciDescriptor,
    path: PathBuf,
) -> Result<(), Failure> {
    let here = |error: io::Error| Failure::Store(Error::file(&path)(error));
    let mut part = Part {
        file: File::create(&path).await.map_err(here)?,
        hash: Sha256::new(),
        bytes: 0,
        size: u64::try_from(layer.size).unwrap_or(0),
    };
    let (mut attempt, mut furthest) = (1, 0);
    while part.bytes < part.size {
        let error = match part.go_on(client, from, layer).await {
            Ok(()) if part.bytes == part.size => break,
            Ok(()) => format!("the transfer ended after {} of {} bytes", part.bytes, part.size),
            Err(Broken::Disk(error)) => return Err(here(error)),
            Err(Broken::TooLong) => {
                let message = format!(
                    "failed size validation: more than the {} bytes of the manifest",
                    part.size
                );
                return Err(Failure::Registry(message));
            }
            Err(Broken::Transfer(error)) => words(&error, &layer.digest),
        };
        if part.bytes > furthest {
            (attempt, furthest) = (1, part.bytes);
        }
        if attempt == ATTEMPTS {
            return Err(Failure::Registry(format!("failed to copy: {error}")));
        }
        tracing::debug!(
            layer = layer.digest,
            error,
            bytes = part.bytes,
            "A transfer broke off"
        );
        tokio::time::sleep(FIRST_WAIT * (1 << (attempt - 1))).await;
        attempt += 1;
    }
    part.file.flush().await.map_err(here)?;
    let actual = format!("sha256:{}", hex(&part.hash.finalize()));
    if actual != layer.digest {
        return Err(Failure::Registry(format!(
            "failed commit on ref {:?}: unexpected commit digest {actual}, expected {}: failed precondition",
            format!("layer-{}", layer.digest),
            layer.digest
        )));
    }
    Ok(())
}

/// What is there of a layer.
struct Part {
    file: File,
    hash: Sha256,
    bytes: u64,
    size: u64,
}

enum Broken {
    Transfer(OciDistributionError),
    Disk(io::Error),
    TooLong,
}

impl Part {
    /// Downloads what is missing, or everything if the registry does not give parts.
    async fn go_on(
        &mut self,
        client: &Client,
        from: &Reference,
        layer: &OciDescriptor,
    ) -> Result<(), Broken> {
        let mut stream = self.ask(client, from, layer).await?;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|e| Broken::Transfer(e.into()))?;
            self.bytes += chunk.len() as u64;
            if self.bytes > self.size {
                return Err(Broken::TooLong);
            }
            self.hash.update(&chunk);
            self.file.write_all(&chunk).await.map_err(Broken::Disk)?;
        }
        Ok(())
    }

    async fn ask(
        &mut self,
        client: &Client,
        from: &Reference,
        layer: &OciDescriptor,
    ) -> Result<SizedStream, Broken> {
        if self.bytes > 0 {
            // Some registries understand only ranges with both ends.
            let left = Some(self.size - self.bytes);
            let part = client
                .pull_blob_stream_partial(from, layer, self.bytes, left)
                .await;
            match part {
                Ok(BlobResponse::Partial(stream)) => return Ok(stream),
                Err(OciDistributionError::RequestError(error)) => {
                    return Err(Broken::Transfer(OciDistributionError::RequestError(error)));
                }
                // It gives no parts.
                Ok(BlobResponse::Full(_)) | Err(_) => self.start_over().await.map_err(Broken::Disk)?,
            }
        }
        client
            .pull_blob_stream(from, layer)
            .await
            .map_err(Broken::Transfer)
    }

    async fn start_over(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.set_len(0).await?;
        tokio::io::AsyncSeekExt::rewind(&mut self.file).await?;
        (self.hash, self.bytes) = (Sha256::new(), 0);
        Ok(())
    }
}

fn is_refusal(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
            true
        }
        OciDistributionError::RegistryError { envelope, .. } => envelope.errors.iter().any(|error| {
            use oci_client::errors::OciErrorCode::{Denied, Unauthorized};
            matches!(error.code, Denied | Unauthorized)
        }),
        OciDistributionError::ServerError { code, .. } => *code == 403,
        _ => false,
    }
}

/// File name of a layer in the scratch folder.
fn file_of(digest: &str) -> String {
    Path::new(&digest.replace(':', "-"))
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn host_of(mirror: &str) -> &str {
    let bare = mirror
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    bare.trim_end_matches('/')
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
