//! Artifact repositories: where artifacts go when a template names no place.

use std::collections::BTreeMap;

use crate::artifact::{
    Artifact, ArtifactoryAuth, AzureBlobContainer, GcsBucket, HdfsConfig, OssBucket, S3Bucket,
};
use crate::object::objects;

objects! {
    "v1alpha1"

    /// Name of a configured repository.
    pub struct ArtifactRepositoryRef ("ArtifactRepositoryRef") {
        /// ConfigMap with repositories; `artifact-repositories` when empty.
        pub config_map: String = "configMap", omit;
        /// Key in the ConfigMap; an annotation of it names the default.
        pub key: String = "key", omit;
    }

    /// The repository that was found.
    pub struct ArtifactRepositoryRefStatus ("ArtifactRepositoryRefStatus") {
        /// What was asked for.
        pub reference: ArtifactRepositoryRef = "", inline;
        /// Namespace of the ConfigMap.
        pub namespace: String = "namespace", omit;
        /// Whether it is the one of the controller's configuration.
        pub default: bool = "default", omit;
        /// The repository itself.
        pub artifact_repository: Option<Box<ArtifactRepository>> = "artifactRepository", omit;
    }

    /// Where artifacts go that name no place; one of the kinds is set.
    pub struct ArtifactRepository ("ArtifactRepository") {
        /// Whether logs of containers are kept as artifacts.
        pub archive_logs: Option<bool> = "archiveLogs", omit;
        /// A service with the interface of S3.
        pub s3: Option<Box<S3ArtifactRepository>> = "s3", omit;
        /// JFrog Artifactory.
        pub artifactory: Option<Box<ArtifactoryArtifactRepository>> = "artifactory", omit;
        /// A Hadoop file system.
        pub hdfs: Option<Box<HdfsArtifactRepository>> = "hdfs", omit;
        /// Alibaba's object storage.
        pub oss: Option<Box<OssArtifactRepository>> = "oss", omit;
        /// Google's object storage.
        pub gcs: Option<GcsArtifactRepository> = "gcs", omit;
        /// Azure's object storage.
        pub azure: Option<Box<AzureArtifactRepository>> = "azure", omit;
        /// A plugin.
        pub plugin: Option<PluginArtifactRepository> = "plugin", omit;
    }

    /// A repository in S3.
    pub struct S3ArtifactRepository ("S3ArtifactRepository") {
        /// The bucket.
        pub store: S3Bucket = "", inline;
        /// Key of artifacts, with variables; the usual one is `{{workflow.name}}/{{pod.name}}`.
        pub key_format: String = "keyFormat", omit;
        /// Former setting in place of `keyFormat`: what stands before workflow and pod.
        pub key_prefix: String = "keyPrefix", omit;
    }

    /// A repository in Alibaba's object storage.
    pub struct OssArtifactRepository ("OSSArtifactRepository") {
        /// The bucket.
        pub store: OssBucket = "", inline;
        /// Key of artifacts, with variables; the usual one is `{{workflow.name}}/{{pod.name}}`.
        pub key_format: String = "keyFormat", omit;
    }

    /// A repository in Google's object storage.
    pub struct GcsArtifactRepository ("GCSArtifactRepository") {
        /// The bucket.
        pub store: GcsBucket = "", inline;
        /// Key of artifacts, with variables; the usual one is `{{workflow.name}}/{{pod.name}}`.
        pub key_format: String = "keyFormat", omit;
    }

    /// A repository in JFrog Artifactory.
    pub struct ArtifactoryArtifactRepository ("ArtifactoryArtifactRepository") {
        /// Credentials.
        pub auth: ArtifactoryAuth = "", inline;
        /// URL of the repository.
        pub repo_url: String = "repoURL", omit;
        /// Key of artifacts, with variables; the usual one is `{{workflow.name}}/{{pod.name}}`.
        pub key_format: String = "keyFormat", omit;
    }

    /// A repository in Azure's object storage.
    pub struct AzureArtifactRepository ("AzureArtifactRepository") {
        /// The container.
        pub store: AzureBlobContainer = "", inline;
        /// Name of blobs, with variables.
        pub blob_name_format: String = "blobNameFormat", omit;
    }

    /// A repository in a Hadoop file system.
    pub struct HdfsArtifactRepository ("HDFSArtifactRepository") {
        /// How to reach the file system.
        pub config: HdfsConfig = "", inline;
        /// Path of files, with variables.
        pub path_format: String = "pathFormat", omit;
        /// Whether existing files are replaced.
        pub force: bool = "force", omit;
    }

    /// A repository that a plugin keeps.
    pub struct PluginArtifactRepository ("PluginArtifactRepository") {
        /// Name of the plugin.
        pub name: String = "name", keep;
        /// Key of artifacts, with variables; the usual one is `{{workflow.name}}/{{pod.name}}`.
        pub key_format: String = "keyFormat", omit;
        /// Text that only the plugin understands.
        pub configuration: String = "configuration", keep;
    }

    /// Which artifacts of a workflow are looked for. Empty fields match all.
    pub struct ArtifactSearchQuery ("ArtifactSearchQuery") {
        /// With one of these strategies.
        pub artifact_gc_strategies: BTreeMap<String, bool> = "artifactGCStrategies", omit;
        /// With this name.
        pub artifact_name: String = "artifactName", omit;
        /// Of nodes of this template.
        pub template_name: String = "templateName", omit;
        /// Of this node.
        pub node_id: String = "nodeId", omit;
        /// Only deleted ones, or only others.
        pub deleted: Option<bool> = "deleted", omit;
        /// Of nodes of these types.
        pub node_types: BTreeMap<String, bool> = "nodeTypes", omit;
    }

    /// An artifact that was found.
    pub struct ArtifactSearchResult ("ArtifactSearchResult") {
        /// The artifact.
        pub artifact: Artifact = "", inline;
        /// Id of its node.
        pub node_id: String = "NodeID", keep;
    }
}
