//! Keys and completeness of locations, whatever their store (rules X-ART-01 to X-ART-10).
//! Which location a template gets is decided by the controller.

use argosy_model::artifact::{
    ArtifactLocation, ArtifactoryArtifact, AzureArtifact, GcsArtifact, HdfsArtifact, HttpArtifact,
    OssArtifact, PluginArtifact, S3Artifact,
};

use crate::store::Error;

/// The kinds of stores.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// S3 and what speaks its protocol.
    S3,
    /// An HTTP(S) address.
    Http,
    /// A git repository.
    Git,
    /// Artifactory.
    Artifactory,
    /// HDFS.
    Hdfs,
    /// A text in the workflow itself.
    Raw,
    /// Alibaba Cloud OSS.
    Oss,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// A plugin's.
    Plugin,
}

impl Kind {
    /// The key of the location's JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Http => "http",
            Self::Git => "git",
            Self::Artifactory => "artifactory",
            Self::Hdfs => "hdfs",
            Self::Raw => "raw",
            Self::Oss => "oss",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
            Self::Plugin => "plugin",
        }
    }
}

/// The store that a location names, the first one when there are several (X-ART-01).
pub fn kind(location: &ArtifactLocation) -> Option<Kind> {
    [
        (location.s3.is_some(), Kind::S3),
        (location.http.is_some(), Kind::Http),
        (location.git.is_some(), Kind::Git),
        (location.artifactory.is_some(), Kind::Artifactory),
        (location.hdfs.is_some(), Kind::Hdfs),
        (location.raw.is_some(), Kind::Raw),
        (location.oss.is_some(), Kind::Oss),
        (location.gcs.is_some(), Kind::Gcs),
        (location.azure.is_some(), Kind::Azure),
        (location.plugin.is_some(), Kind::Plugin),
    ]
    .into_iter()
    .find_map(|(there, kind)| there.then_some(kind))
}

/// Whether a location says everything that is needed to find the artifact (X-ART-02).
pub fn is_complete(location: &ArtifactLocation) -> bool {
    let all = |parts: &[&str]| parts.iter().all(|p| !p.is_empty());
    let l = location;
    l.s3.as_ref()
        .is_some_and(|s| all(&[&s.store.endpoint, &s.store.bucket, &s.key]))
        || l.git.as_ref().is_some_and(|g| all(&[&g.repo]))
        || l.http.as_ref().is_some_and(|h| all(&[&h.url]))
        || l.artifactory
            .as_ref()
            .is_some_and(|a| all(&[&a.url]) && a.auth.username_secret.is_some())
        || l.hdfs.as_ref().is_some_and(|h| !h.config.addresses.is_empty())
        || l.raw.is_some()
        || l.oss
            .as_ref()
            .is_some_and(|o| all(&[&o.store.endpoint, &o.store.bucket, &o.key]))
        || l.gcs.as_ref().is_some_and(|g| all(&[&g.store.bucket, &g.key]))
        || l.azure
            .as_ref()
            .is_some_and(|a| all(&[&a.store.endpoint, &a.store.container, &a.blob]))
        || l.plugin
            .as_ref()
            .is_some_and(|p| all(&[&p.name, &p.configuration, &p.key]))
}

/// The artifact's place within its store; `None` where there is no such thing, or none is given.
pub fn key(location: &ArtifactLocation) -> Option<String> {
    let text = match kind(location)? {
        Kind::S3 => location.s3.as_ref()?.key.clone(),
        Kind::Http => path_of(&location.http.as_ref()?.url),
        Kind::Artifactory => path_of(&location.artifactory.as_ref()?.url),
        Kind::Hdfs => location.hdfs.as_ref()?.path.clone(),
        Kind::Oss => location.oss.as_ref()?.key.clone(),
        Kind::Gcs => location.gcs.as_ref()?.key.clone(),
        Kind::Azure => location.azure.as_ref()?.blob.clone(),
        Kind::Plugin => location.plugin.as_ref()?.key.clone(),
        Kind::Git | Kind::Raw => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Gives a location another key.
///
/// # Errors
/// A kind of store without keys, or no store at all.
pub fn set_key(location: &mut ArtifactLocation, key: &str) -> Result<(), Error> {
    let key_text = key.to_owned();
    let none = || {
        Error::Location(
            "key unsupported: cannot set key for artifact location, because it is invalid".to_owned(),
        )
    };
    let l = location;
    match kind(l).ok_or_else(none)? {
        Kind::S3 => l.s3.get_or_insert_default().key = key_text,
        Kind::Http => {
            let http = l.http.get_or_insert_default();
            http.url = with_path(&http.url, key);
        }
        Kind::Artifactory => {
            let artifactory = l.artifactory.get_or_insert_default();
            artifactory.url = with_path(&artifactory.url, key);
        }
        Kind::Hdfs => l.hdfs.get_or_insert_default().path = key_text,
        Kind::Oss => l.oss.get_or_insert_default().key = key_text,
        Kind::Gcs => l.gcs.get_or_insert_default().key = key_text,
        Kind::Azure => l.azure.get_or_insert_default().blob = key_text,
        Kind::Plugin => l.plugin.get_or_insert_default().key = key_text,
        kind @ (Kind::Git | Kind::Raw) => {
            return Err(Error::Location(format!("{} artifacts have no key", kind.name())));
        }
    }
    Ok(())
}

/// A location of the same store with nothing but the key: what is reported for artifacts that
/// went to the template's own archive location (X-WAIT-33).
///
/// # Errors
/// As for [`set_key`].
pub fn key_only(archive: &ArtifactLocation, key: &str) -> Result<ArtifactLocation, Error> {
    let mut only = ArtifactLocation::default();
    match kind(archive) {
        Some(Kind::S3) => only.s3 = Some(Box::<S3Artifact>::default()),
        Some(Kind::Http) => {
            let url = archive.http.as_ref().map(|h| h.url.clone()).unwrap_or_default();
            only.http = Some(HttpArtifact {
                url,
                ..HttpArtifact::default()
            });
        }
        Some(Kind::Artifactory) => {
            let url = archive
                .artifactory
                .as_ref()
                .map(|a| a.url.clone())
                .unwrap_or_default();
            only.artifactory = Some(Box::new(ArtifactoryArtifact {
                url,
                ..ArtifactoryArtifact::default()
            }));
        }
        Some(Kind::Hdfs) => only.hdfs = Some(Box::<HdfsArtifact>::default()),
        Some(Kind::Oss) => only.oss = Some(Box::<OssArtifact>::default()),
        Some(Kind::Gcs) => only.gcs = Some(GcsArtifact::default()),
        Some(Kind::Azure) => only.azure = Some(Box::<AzureArtifact>::default()),
        Some(Kind::Plugin) => only.plugin = Some(PluginArtifact::default()),
        Some(Kind::Git | Kind::Raw) | None => {}
    }
    set_key(&mut only, key)?;
    Ok(only)
}

/// A complete location for an artifact that may give only its key (X-ART-10).
///
/// # Errors
/// Neither the artifact nor the template says where it is.
pub fn complete(
    own: &ArtifactLocation,
    archive: Option<&ArtifactLocation>,
) -> Result<ArtifactLocation, Error> {
    if is_complete(own) {
        return Ok(own.clone());
    }
    let missing = || Error::Location("template artifact location not set".to_owned());
    let mut location = archive.filter(|a| kind(a).is_some()).ok_or_else(missing)?.clone();
    // Also when there is none: then the whole store is meant, not what this pod puts into it.
    set_key(&mut location, &key(own).unwrap_or_default())?;
    Ok(location)
}

fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn with_path(url: &str, path: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/{}", path.trim_start_matches('/'))
}
