//! Credentials of artifact stores: volumes with only the keys that are used (C-BLD-17, X-POD-08).

use argosy_model::k8s::{
    KeyToPath, SecretKeySelector, SecretVolumeSource, Volume, VolumeMount, VolumeSource,
};
use argosy_model::{ArtifactLocation, Template};

/// Where credentials are mounted.
const DIRECTORY: &str = "/argo/secret";

/// The secrets that the template's artifacts name, each with the keys that are used.
pub(super) fn volumes(template: &Template) -> Vec<Volume> {
    let data = template
        .data
        .as_ref()
        .and_then(|data| data.source.artifact_paths.as_deref())
        .map(|p| &p.artifact);
    let artifacts = template
        .outputs
        .artifacts
        .iter()
        .chain(&template.inputs.artifacts)
        .chain(data);
    let locations = template
        .archive_location
        .as_deref()
        .into_iter()
        .chain(artifacts.map(|a| &a.location));
    volumes_of(locations)
}

/// The secrets that locations name, each with the keys that are used.
pub(super) fn volumes_of<'a>(locations: impl Iterator<Item = &'a ArtifactLocation>) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    for secret in locations.flat_map(secrets) {
        add(&mut volumes, secret);
    }
    volumes
}

/// The mount of a secret's volume.
pub(super) fn mount(volume: &Volume) -> VolumeMount {
    VolumeMount {
        name: volume.name.clone(),
        mount_path: format!("{DIRECTORY}/{}", volume.name),
        read_only: true,
        ..VolumeMount::default()
    }
}

fn add(volumes: &mut Vec<Volume>, secret: &SecretKeySelector) {
    let name = &secret.reference.name;
    if name.is_empty() {
        return;
    }
    let at = volumes.iter().position(|v| v.name == *name).unwrap_or_else(|| {
        let source = SecretVolumeSource {
            secret_name: name.clone(),
            ..SecretVolumeSource::default()
        };
        let source = VolumeSource {
            secret: Some(source),
            ..VolumeSource::default()
        };
        volumes.push(Volume {
            name: name.clone(),
            source,
        });
        volumes.len() - 1
    });
    if let Some(source) = &mut volumes[at].source.secret
        && !source.items.iter().any(|item| item.key == secret.key)
    {
        source.items.push(KeyToPath {
            key: secret.key.clone(),
            path: secret.key.clone(),
            mode: None,
        });
    }
}

/// The secrets that a location names.
fn secrets(location: &ArtifactLocation) -> Vec<&SecretKeySelector> {
    let mut found: Vec<Option<&SecretKeySelector>> = Vec::new();
    if let Some(s3) = &location.s3 {
        let store = &s3.store;
        let customer_key = store
            .encryption_options
            .as_ref()
            .and_then(|e| e.server_side_customer_key_secret.as_ref());
        found.extend([
            store.access_key_secret.as_ref(),
            store.secret_key_secret.as_ref(),
            store.session_token_secret.as_ref(),
            customer_key,
            store.ca_secret.as_ref(),
        ]);
    }
    if let Some(git) = &location.git {
        found.extend([
            git.username_secret.as_ref(),
            git.password_secret.as_ref(),
            git.ssh_private_key_secret.as_ref(),
        ]);
    }
    if let Some(auth) = location.http.as_ref().and_then(|http| http.auth.as_deref()) {
        found.extend([
            auth.client_cert.client_cert_secret.as_ref(),
            auth.client_cert.client_key_secret.as_ref(),
            auth.oauth2.client_id_secret.as_ref(),
            auth.oauth2.client_secret_secret.as_ref(),
            auth.oauth2.token_url_secret.as_ref(),
            auth.basic_auth.username_secret.as_ref(),
            auth.basic_auth.password_secret.as_ref(),
        ]);
    }
    if let Some(artifactory) = &location.artifactory {
        found.extend([
            artifactory.auth.username_secret.as_ref(),
            artifactory.auth.password_secret.as_ref(),
        ]);
    }
    if let Some(hdfs) = &location.hdfs {
        let kerberos = &hdfs.config.kerberos;
        found.extend([
            kerberos.krb_c_cache_secret.as_ref(),
            kerberos.krb_keytab_secret.as_ref(),
        ]);
    }
    if let Some(oss) = &location.oss {
        found.extend([
            oss.store.access_key_secret.as_ref(),
            oss.store.secret_key_secret.as_ref(),
        ]);
    }
    found.push(
        location
            .gcs
            .as_ref()
            .and_then(|gcs| gcs.store.service_account_key_secret.as_ref()),
    );
    found.push(
        location
            .azure
            .as_ref()
            .and_then(|azure| azure.store.account_key_secret.as_ref()),
    );
    found.into_iter().flatten().collect()
}
