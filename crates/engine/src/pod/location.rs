//! Where artifacts and logs of a pod go: the archive location, from the default repository when needed (C-BLD-70).

use argosy_model::{
    Artifact, ArtifactLocation, ArtifactRepository, ArtifactoryArtifact, AzureArtifact, GcsArtifact,
    HdfsArtifact, OssArtifact, PluginArtifact, S3Artifact, Template,
};

use super::PodRequest;

/// The key of artifacts for which nothing else is configured.
const KEY: &str = "{{workflow.name}}/{{pod.name}}";

/// Whether logs of the template's pods are archived; known once the location was filled in.
pub(super) fn archives_logs(template: &Template) -> bool {
    template
        .archive_location
        .as_deref()
        .and_then(|location| location.archive_logs)
        == Some(true)
}

/// Decides on logs (C-ARC-30): the repository's yes, else the template's word, else the workflow's.
fn logs(request: &PodRequest<'_>, template: &Template) -> bool {
    request.repository.and_then(|r| r.archive_logs) == Some(true)
        || template
            .archive_location
            .as_deref()
            .and_then(|location| location.archive_logs)
            .or(request.spec.archive_logs)
            .unwrap_or(false)
}

/// Gives the template the location that its artifacts without a place of their own need.
pub(super) fn fill(request: &PodRequest<'_>, template: &mut Template) {
    if template.archive_location.as_deref().is_some_and(has_location) {
        return;
    }
    let archive_logs = logs(request, template);
    let data = template
        .data
        .as_ref()
        .and_then(|data| data.source.artifact_paths.as_deref())
        .map(|p| &p.artifact);
    let lacking = template
        .inputs
        .artifacts
        .iter()
        .chain(&template.outputs.artifacts)
        .chain(data)
        .any(|artifact: &Artifact| !has_location(&artifact.location));
    if !archive_logs && !lacking {
        return;
    }
    if let Some(mut location) = request.repository.and_then(archive_location) {
        location.archive_logs = Some(archive_logs);
        template.archive_location = Some(Box::new(location));
    }
}

/// Whether a location is complete: store and key (X-ART-02).
pub(crate) fn has_location(location: &ArtifactLocation) -> bool {
    location
        .s3
        .as_ref()
        .is_some_and(|s| !s.store.endpoint.is_empty() && !s.store.bucket.is_empty() && !s.key.is_empty())
        || location.git.as_ref().is_some_and(|g| !g.repo.is_empty())
        || location.http.as_ref().is_some_and(|h| !h.url.is_empty())
        || location
            .artifactory
            .as_ref()
            .is_some_and(|a| !a.url.is_empty() && a.auth.username_secret.is_some())
        || location
            .hdfs
            .as_ref()
            .is_some_and(|h| !h.config.addresses.is_empty())
        || location.raw.is_some()
        || location
            .oss
            .as_ref()
            .is_some_and(|o| !o.store.endpoint.is_empty() && !o.store.bucket.is_empty() && !o.key.is_empty())
        || location
            .gcs
            .as_ref()
            .is_some_and(|g| !g.store.bucket.is_empty() && !g.key.is_empty())
        || location.azure.as_ref().is_some_and(|a| {
            !a.store.endpoint.is_empty() && !a.store.container.is_empty() && !a.blob.is_empty()
        })
        || location
            .plugin
            .as_ref()
            .is_some_and(|p| !p.name.is_empty() && !p.configuration.is_empty() && !p.key.is_empty())
}

/// Whether a location has at least a key, to be completed from the archive location.
pub(crate) fn has_key(location: &ArtifactLocation) -> bool {
    location.s3.as_ref().is_some_and(|s| !s.key.is_empty())
        || location.oss.as_ref().is_some_and(|o| !o.key.is_empty())
        || location.gcs.as_ref().is_some_and(|g| !g.key.is_empty())
        || location.azure.as_ref().is_some_and(|a| !a.blob.is_empty())
        || location.hdfs.as_ref().is_some_and(|h| !h.path.is_empty())
        || location.plugin.as_ref().is_some_and(|p| !p.key.is_empty())
}

/// The location that a repository stands for, with variables in its key; `None` for a repository without a store.
#[must_use]
pub fn archive_location(repository: &ArtifactRepository) -> Option<ArtifactLocation> {
    let key = |format: &str| {
        if format.is_empty() {
            KEY.to_owned()
        } else {
            format.to_owned()
        }
    };
    let mut location = ArtifactLocation {
        archive_logs: repository.archive_logs,
        ..ArtifactLocation::default()
    };
    if let Some(r) = &repository.artifactory {
        let slash = if r.repo_url.ends_with('/') { "" } else { "/" };
        let url = format!("{}{slash}{}", r.repo_url, key(&r.key_format));
        location.artifactory = Some(Box::new(ArtifactoryArtifact {
            url,
            auth: r.auth.clone(),
        }));
    } else if let Some(r) = &repository.azure {
        let blob = key(&r.blob_name_format);
        location.azure = Some(Box::new(AzureArtifact {
            store: r.store.clone(),
            blob,
        }));
    } else if let Some(r) = &repository.gcs {
        location.gcs = Some(GcsArtifact {
            store: r.store.clone(),
            key: key(&r.key_format),
        });
    } else if let Some(r) = &repository.hdfs {
        let path = key(&r.path_format);
        location.hdfs = Some(Box::new(HdfsArtifact {
            config: r.config.clone(),
            path,
            force: r.force,
        }));
    } else if let Some(r) = &repository.oss {
        location.oss = Some(Box::new(OssArtifact {
            store: r.store.clone(),
            key: key(&r.key_format),
        }));
    } else if let Some(r) = &repository.plugin {
        location.plugin = Some(PluginArtifact {
            name: r.name.clone(),
            configuration: r.configuration.clone(),
            key: key(&r.key_format),
            ..PluginArtifact::default()
        });
    } else {
        let r = repository.s3.as_ref()?;
        let key = match (r.key_format.as_str(), r.key_prefix.as_str()) {
            ("", "") => KEY.to_owned(),
            ("", prefix) => format!("{}/{KEY}", prefix.trim_end_matches('/')),
            (format, _) => format.to_owned(),
        };
        location.s3 = Some(Box::new(S3Artifact {
            store: r.store.clone(),
            key,
        }));
    }
    Some(location)
}
