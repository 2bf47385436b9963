//! Artifact repositories: where artifacts go when a template names no place.

use std::collections::BTreeMap;

use crate::artifact::{
    Artifact, ArtifactoryAuth, AzureBlobContainer, GcsBucket, HdfsConfig, OssBucket, S3Bucket,
};
use crate::object::objects;

objects! {
    "v1alpha1"

    /// `ArtifactRepositoryRef` of the wire form.
    pub struct ArtifactRepositoryRef ("ArtifactRepositoryRef") {
        /// Key `configMap`.
        pub config_map: String = "configMap", omit;
        /// Key `key`.
        pub key: String = "key", omit;
    }

    /// `ArtifactRepositoryRefStatus` of the wire form.
    pub struct ArtifactRepositoryRefStatus ("ArtifactRepositoryRefStatus") {
        /// The keys of this type, which stand directly among the others.
        pub reference: ArtifactRepositoryRef = "", inline;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `default`.
        pub default: bool = "default", omit;
        /// Key `artifactRepository`.
        pub artifact_repository: Option<Box<ArtifactRepository>> = "artifactRepository", omit;
    }

    /// `ArtifactRepository` of the wire form.
    pub struct ArtifactRepository ("ArtifactRepository") {
        /// Key `archiveLogs`.
        pub archive_logs: Option<bool> = "archiveLogs", omit;
        /// Key `s3`.
        pub s3: Option<Box<S3ArtifactRepository>> = "s3", omit;
        /// Key `artifactory`.
        pub artifactory: Option<Box<ArtifactoryArtifactRepository>> = "artifactory", omit;
        /// Key `hdfs`.
        pub hdfs: Option<Box<HdfsArtifactRepository>> = "hdfs", omit;
        /// Key `oss`.
        pub oss: Option<Box<OssArtifactRepository>> = "oss", omit;
        /// Key `gcs`.
        pub gcs: Option<GcsArtifactRepository> = "gcs", omit;
        /// Key `azure`.
        pub azure: Option<Box<AzureArtifactRepository>> = "azure", omit;
        /// Key `plugin`.
        pub plugin: Option<PluginArtifactRepository> = "plugin", omit;
    }

    /// `S3ArtifactRepository` of the wire form.
    pub struct S3ArtifactRepository ("S3ArtifactRepository") {
        /// The keys of this type, which stand directly among the others.
        pub store: S3Bucket = "", inline;
        /// Key `keyFormat`.
        pub key_format: String = "keyFormat", omit;
        /// Key `keyPrefix`.
        pub key_prefix: String = "keyPrefix", omit;
    }

    /// `OSSArtifactRepository` of the wire form.
    pub struct OssArtifactRepository ("OSSArtifactRepository") {
        /// The keys of this type, which stand directly among the others.
        pub store: OssBucket = "", inline;
        /// Key `keyFormat`.
        pub key_format: String = "keyFormat", omit;
    }

    /// `GCSArtifactRepository` of the wire form.
    pub struct GcsArtifactRepository ("GCSArtifactRepository") {
        /// The keys of this type, which stand directly among the others.
        pub store: GcsBucket = "", inline;
        /// Key `keyFormat`.
        pub key_format: String = "keyFormat", omit;
    }

    /// `ArtifactoryArtifactRepository` of the wire form.
    pub struct ArtifactoryArtifactRepository ("ArtifactoryArtifactRepository") {
        /// The keys of this type, which stand directly among the others.
        pub auth: ArtifactoryAuth = "", inline;
        /// Key `repoURL`.
        pub repo_url: String = "repoURL", omit;
        /// Key `keyFormat`.
        pub key_format: String = "keyFormat", omit;
    }

    /// `AzureArtifactRepository` of the wire form.
    pub struct AzureArtifactRepository ("AzureArtifactRepository") {
        /// The keys of this type, which stand directly among the others.
        pub store: AzureBlobContainer = "", inline;
        /// Key `blobNameFormat`.
        pub blob_name_format: String = "blobNameFormat", omit;
    }

    /// `HDFSArtifactRepository` of the wire form.
    pub struct HdfsArtifactRepository ("HDFSArtifactRepository") {
        /// The keys of this type, which stand directly among the others.
        pub config: HdfsConfig = "", inline;
        /// Key `pathFormat`.
        pub path_format: String = "pathFormat", omit;
        /// Key `force`.
        pub force: bool = "force", omit;
    }

    /// `PluginArtifactRepository` of the wire form.
    pub struct PluginArtifactRepository ("PluginArtifactRepository") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `keyFormat`.
        pub key_format: String = "keyFormat", omit;
        /// Key `configuration`.
        pub configuration: String = "configuration", keep;
    }

    /// `ArtifactSearchQuery` of the wire form.
    pub struct ArtifactSearchQuery ("ArtifactSearchQuery") {
        /// Key `artifactGCStrategies`.
        pub artifact_gc_strategies: BTreeMap<String, bool> = "artifactGCStrategies", omit;
        /// Key `artifactName`.
        pub artifact_name: String = "artifactName", omit;
        /// Key `templateName`.
        pub template_name: String = "templateName", omit;
        /// Key `nodeId`.
        pub node_id: String = "nodeId", omit;
        /// Key `deleted`.
        pub deleted: Option<bool> = "deleted", omit;
        /// Key `nodeTypes`.
        pub node_types: BTreeMap<String, bool> = "nodeTypes", omit;
    }

    /// `ArtifactSearchResult` of the wire form.
    pub struct ArtifactSearchResult ("ArtifactSearchResult") {
        /// The keys of this type, which stand directly among the others.
        pub artifact: Artifact = "", inline;
        /// Key `NodeID`.
        pub node_id: String = "NodeID", keep;
    }
}
