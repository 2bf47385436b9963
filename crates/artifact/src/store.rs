//! What every store can do with one artifact, and the choice of the driver for a location
//! (rules X-DRV-01 to X-DRV-05). The drivers are in their own files.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use argosy_model::artifact::{Artifact, ArtifactLocation};
use argosy_model::k8s::SecretKeySelector;
use async_trait::async_trait;
use tokio::io::AsyncRead;

use crate::retry::{Backoff, is_transient_text};

/// The bytes of an artifact as they arrive.
pub type Stream = Box<dyn AsyncRead + Send + Unpin>;

/// One artifact in a store.
#[async_trait]
pub trait Store: Send + Sync {
    /// Brings the artifact to `target`, where nothing is yet: a file, or a folder when the store
    /// holds several objects below the key.
    async fn load(&self, target: &Path) -> Result<(), Error>;

    /// Opens the artifact for reading. Folders cannot be opened.
    async fn read(&self) -> Result<Stream, Error>;

    /// Puts a file, or a folder with everything in it, into the store. It is not there before it
    /// is there whole.
    async fn save(&self, source: &Path) -> Result<(), Error>;

    /// Whether [`Store::save_stream`] works; else what is to be saved must be a file.
    ///
    /// # Errors
    /// A store that must be asked, and did not answer.
    async fn takes_streams(&self) -> Result<bool, Error> {
        Ok(false)
    }

    /// Puts what arrives into the store as one object, without a copy on the disk. An error of the
    /// stream leaves nothing that looks complete. The name tells the kind of content.
    async fn save_stream(&self, _name: &Path, _content: Stream) -> Result<(), Error> {
        Err(Error::Unsupported(
            "this kind of store takes no streams".to_owned(),
        ))
    }

    /// Removes the artifact; one that is not there is fine.
    async fn delete(&self) -> Result<(), Error>;

    /// Full keys of everything below the artifact's key.
    async fn list(&self) -> Result<Vec<String>, Error>;

    /// Whether the store holds a folder at the artifact's key.
    async fn is_folder(&self) -> Result<bool, Error>;
}

/// Why something could not be done with an artifact.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there. Steps may run without optional ones (X-DRV-05).
    #[error("{0}")]
    NotFound(String),
    /// The kind of store cannot do this.
    #[error("{0}")]
    Unsupported(String),
    /// The location lacks something, or contradicts itself.
    #[error("{0}")]
    Location(String),
    /// A secret that the location names cannot be read.
    #[error("secret {name}, key {key}: {reason}")]
    Secret {
        /// Name of the secret.
        name: String,
        /// Key within it.
        key: String,
        /// What went wrong.
        reason: String,
    },
    /// The store said no, or was not reached.
    #[error("{message}")]
    Store {
        /// What the store said.
        message: String,
        /// Whether trying again may help.
        is_transient: bool,
    },
    /// A local file could not be read or written.
    #[error("{operation} {path}: {source}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// To which file.
        path: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// An error about a local file.
    pub fn io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            operation,
            path: path.display().to_string(),
            source,
        }
    }

    /// Says that what is missing is not the artifact but what should hold it: then nobody may go
    /// on as if the artifact were optional.
    #[cfg(feature = "rest")]
    pub(crate) fn not_missing(self) -> Self {
        match self {
            Self::NotFound(message) => Self::Store {
                message,
                is_transient: false,
            },
            other => other,
        }
    }

    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store {
                message,
                is_transient,
            } => *is_transient || is_transient_text(message),
            _ => false,
        }
    }
}

/// Where secrets come from: files in pods, the API elsewhere (X-DRV-02).
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The value of one key of a secret.
    async fn get(&self, name: &str, key: &str) -> io::Result<String>;
}

/// An error with everything that caused it, without repeating itself.
#[cfg(any(feature = "s3", feature = "rest"))]
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// The value that a selector points to; `None` when there is no selector.
#[cfg_attr(
    not(any(feature = "s3", feature = "rest", feature = "git")),
    expect(dead_code, reason = "a build without drivers reads no secret")
)]
pub(crate) async fn secret(
    secrets: &dyn Secrets,
    selector: Option<&SecretKeySelector>,
) -> Result<Option<String>, Error> {
    let Some(selector) = selector else {
        return Ok(None);
    };
    let (name, key) = (&selector.reference.name, &selector.key);
    let value = secrets.get(name, key).await.map_err(|e| Error::Secret {
        name: name.clone(),
        key: key.clone(),
        reason: e.to_string(),
    })?;
    Ok(Some(value))
}

/// Choices that do not belong to a location.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often requests to a store are repeated. Default five times over about 14 seconds.
    pub backoff: Backoff,
    /// The same for stores whose makers want longer pauses, Google's and Alibaba's. Default five
    /// times over about 30 seconds (R-CLOUD).
    pub cloud_backoff: Backoff,
    /// Parts of one file that are sent at the same time. Default 4; each is read from the disk as
    /// it is sent, so that more cost no memory.
    pub upload_threads: usize,
    /// Size of those parts in bytes, 5 MiB to 5 GiB. Default 16 MiB. Grown where a file would
    /// have more than 10,000 parts.
    pub part_bytes: u64,
    /// Largest file that goes to Alibaba's storage in one request, in bytes. Default and most 5 GiB; larger ones go in
    /// parts.
    pub largest_put: u64,
    /// Whether an error's text says that trying again may help, beyond those that are known.
    pub is_transient: fn(&str) -> bool,
    /// The folder in which plugins have their sockets, each in a folder of its name. Default none: no plugin
    /// is reached.
    pub plugins: Option<PathBuf>,
    /// How long a plugin may take until its socket is there. Default two minutes (X-APLG-04).
    pub plugin_appears: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            cloud_backoff: Backoff {
                first: Duration::from_secs(2),
                factor: 2.0,
                jitter: 0.1,
                cap: Duration::from_secs(600),
                ..Backoff::default()
            },
            upload_threads: 4,
            part_bytes: 16 * 1024 * 1024,
            largest_put: 5 * 1024 * 1024 * 1024,
            is_transient: |_| false,
            plugins: None,
            plugin_appears: Duration::from_secs(120),
        }
    }
}

/// The driver for an artifact with a complete location. Plugins are told all of it, other stores its location only.
///
/// # Errors
/// As [`open`].
pub async fn open_artifact(
    artifact: &Artifact,
    secrets: &dyn Secrets,
    options: &Options,
) -> Result<Box<dyn Store>, Error> {
    #[cfg(feature = "plugin")]
    if crate::location::kind(&artifact.location) == Some(crate::location::Kind::Plugin) {
        return Ok(Box::new(crate::plugin::open(artifact, options)?));
    }
    open(&artifact.location, secrets, options).await
}

/// The driver for a complete location, in the order of X-ART-01.
///
/// # Errors
/// A location without a store, one whose store is not supported, or a secret that cannot be read.
#[cfg_attr(
    not(any(feature = "s3", feature = "rest", feature = "git")),
    expect(unused_variables, reason = "a build without drivers reads no secret")
)]
pub async fn open(
    location: &ArtifactLocation,
    secrets: &dyn Secrets,
    options: &Options,
) -> Result<Box<dyn Store>, Error> {
    #[cfg(feature = "s3")]
    if let Some(place) = &location.s3 {
        return Ok(Box::new(crate::s3::S3::open(place, secrets, options).await?));
    }
    #[cfg(feature = "rest")]
    if let Some(store) = open_rest(location, secrets, options).await? {
        return Ok(store);
    }
    #[cfg(feature = "git")]
    if let Some(place) = &location.git
        && crate::location::kind(location) == Some(crate::location::Kind::Git)
    {
        return Ok(Box::new(crate::git::open(place, secrets, options).await?));
    }
    if let Some(raw) = &location.raw {
        return Ok(Box::new(crate::raw::Raw::new(&raw.data)));
    }
    let kind = crate::location::kind(location).map_or("unknown", |k| k.name());
    Err(Error::Unsupported(format!(
        "unsupported artifact driver: {kind} is not supported by this build"
    )))
}

/// The driver for a store that speaks plain HTTP; `None` for the others.
#[cfg(feature = "rest")]
async fn open_rest(
    location: &ArtifactLocation,
    secrets: &dyn Secrets,
    options: &Options,
) -> Result<Option<Box<dyn Store>>, Error> {
    use crate::location::Kind;
    use crate::{azure, gcs, hdfs, oss, web::Web};
    let l = location;
    let Some(kind) = crate::location::kind(l) else {
        return Ok(None);
    };
    let store: Option<Box<dyn Store>> = match kind {
        Kind::Http => match &l.http {
            Some(place) => Some(Box::new(Web::open(place, secrets, options).await?)),
            None => None,
        },
        Kind::Artifactory => match &l.artifactory {
            Some(place) => Some(Box::new(Web::open_artifactory(place, secrets, options).await?)),
            None => None,
        },
        Kind::Hdfs => match &l.hdfs {
            Some(place) => Some(Box::new(hdfs::open(place, options)?)),
            None => None,
        },
        Kind::Oss => match &l.oss {
            Some(place) => Some(Box::new(oss::open(place, secrets, options).await?)),
            None => None,
        },
        Kind::Gcs => match &l.gcs {
            Some(place) => Some(Box::new(gcs::open(place, secrets, options).await?)),
            None => None,
        },
        Kind::Azure => match &l.azure {
            Some(place) => Some(Box::new(azure::open(place, secrets, options).await?)),
            None => None,
        },
        Kind::S3 | Kind::Git | Kind::Raw | Kind::Plugin => None,
    };
    Ok(store)
}

/// By the file's extension, so that browsers show what they can.
#[cfg(any(feature = "s3", feature = "rest", feature = "serve"))]
pub(crate) fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "txt" | "log" => "text/plain",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "js" => "text/javascript",
        "md" => "text/markdown",
        "xml" => "text/xml",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "gz" => "application/gzip",
        "tgz" => "application/x-compressed-tar",
        "tar" => "application/x-tar",
        "zip" => "application/zip",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "mp4" => "video/mp4",
        "yaml" | "yml" => "application/yaml",
        _ => "application/octet-stream",
    }
}
