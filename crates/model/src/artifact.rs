//! Artifacts and where they are stored. Configured repositories are in `repository`.

use crate::k8s::{ConfigMapKeySelector, SecretKeySelector};
use crate::object::objects;
use crate::text::ArtifactGcStrategy;
use crate::workflow::Metadata;

objects! {
    "v1alpha1"

    /// `Artifact` of the wire form.
    pub struct Artifact ("Artifact") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `path`.
        pub path: String = "path", omit;
        /// Key `mode`.
        pub mode: Option<i32> = "mode", omit;
        /// Key `from`.
        pub from: String = "from", omit;
        /// The keys of this type, which stand directly among the others.
        pub location: ArtifactLocation = "", inline;
        /// Key `globalName`.
        pub global_name: String = "globalName", omit;
        /// Key `archive`.
        pub archive: Option<ArchiveStrategy> = "archive", omit;
        /// Key `optional`.
        pub optional: bool = "optional", omit;
        /// Key `subPath`.
        pub sub_path: String = "subPath", omit;
        /// Key `recurseMode`.
        pub recurse_mode: bool = "recurseMode", omit;
        /// Key `fromExpression`.
        pub from_expression: String = "fromExpression", omit;
        /// Key `artifactGC`.
        pub artifact_gc: Option<ArtifactGc> = "artifactGC", omit;
        /// Key `deleted`.
        pub deleted: bool = "deleted", omit;
    }

    /// `ArtifactLocation` of the wire form.
    pub struct ArtifactLocation ("ArtifactLocation") {
        /// Key `archiveLogs`.
        pub archive_logs: Option<bool> = "archiveLogs", omit;
        /// Key `s3`.
        pub s3: Option<Box<S3Artifact>> = "s3", omit;
        /// Key `git`.
        pub git: Option<Box<GitArtifact>> = "git", omit;
        /// Key `http`.
        pub http: Option<HttpArtifact> = "http", omit;
        /// Key `artifactory`.
        pub artifactory: Option<Box<ArtifactoryArtifact>> = "artifactory", omit;
        /// Key `hdfs`.
        pub hdfs: Option<Box<HdfsArtifact>> = "hdfs", omit;
        /// Key `raw`.
        pub raw: Option<RawArtifact> = "raw", omit;
        /// Key `oss`.
        pub oss: Option<Box<OssArtifact>> = "oss", omit;
        /// Key `gcs`.
        pub gcs: Option<GcsArtifact> = "gcs", omit;
        /// Key `azure`.
        pub azure: Option<Box<AzureArtifact>> = "azure", omit;
        /// Key `plugin`.
        pub plugin: Option<PluginArtifact> = "plugin", omit;
    }

    /// `ArchiveStrategy` of the wire form.
    pub struct ArchiveStrategy ("ArchiveStrategy") {
        /// Key `tar`.
        pub tar: Option<TarStrategy> = "tar", omit;
        /// Key `none`.
        pub none: Option<NoneStrategy> = "none", omit;
        /// Key `zip`.
        pub zip: Option<ZipStrategy> = "zip", omit;
    }

    /// `TarStrategy` of the wire form.
    pub struct TarStrategy ("TarStrategy") {
        /// Key `compressionLevel`.
        pub compression_level: Option<i32> = "compressionLevel", omit;
    }

    /// `NoneStrategy` of the wire form.
    pub struct NoneStrategy ("NoneStrategy") {
    }

    /// `ZipStrategy` of the wire form.
    pub struct ZipStrategy ("ZipStrategy") {
    }

    /// `ArtifactGC` of the wire form.
    pub struct ArtifactGc ("ArtifactGC") {
        /// Key `strategy`.
        pub strategy: ArtifactGcStrategy = "strategy", omit;
        /// Key `podMetadata`.
        pub pod_metadata: Option<Metadata> = "podMetadata", omit;
        /// Key `serviceAccountName`.
        pub service_account_name: String = "serviceAccountName", omit;
    }

    /// `WorkflowLevelArtifactGC` of the wire form.
    pub struct WorkflowLevelArtifactGc ("WorkflowLevelArtifactGC") {
        /// The keys of this type, which stand directly among the others.
        pub gc: ArtifactGc = "", inline;
        /// Key `forceFinalizerRemoval`.
        pub force_finalizer_removal: bool = "forceFinalizerRemoval", omit;
        /// Key `podSpecPatch`.
        pub pod_spec_patch: String = "podSpecPatch", omit;
    }

    /// `S3Bucket` of the wire form.
    pub struct S3Bucket ("S3Bucket") {
        /// Key `endpoint`.
        pub endpoint: String = "endpoint", omit;
        /// Key `bucket`.
        pub bucket: String = "bucket", omit;
        /// Key `region`.
        pub region: String = "region", omit;
        /// Key `insecure`.
        pub insecure: Option<bool> = "insecure", omit;
        /// Key `accessKeySecret`.
        pub access_key_secret: Option<SecretKeySelector> = "accessKeySecret", omit;
        /// Key `secretKeySecret`.
        pub secret_key_secret: Option<SecretKeySelector> = "secretKeySecret", omit;
        /// Key `sessionTokenSecret`.
        pub session_token_secret: Option<SecretKeySelector> = "sessionTokenSecret", omit;
        /// Key `roleARN`.
        pub role_arn: String = "roleARN", omit;
        /// Key `useSDKCreds`.
        pub use_sdk_creds: bool = "useSDKCreds", omit;
        /// Key `createBucketIfNotPresent`.
        pub create_bucket_if_not_present: Option<CreateS3BucketOptions> = "createBucketIfNotPresent", omit;
        /// Key `encryptionOptions`.
        pub encryption_options: Option<S3EncryptionOptions> = "encryptionOptions", omit;
        /// Key `caSecret`.
        pub ca_secret: Option<SecretKeySelector> = "caSecret", omit;
        /// Key `addressingStyle`.
        pub addressing_style: String = "addressingStyle", omit;
    }

    /// `S3EncryptionOptions` of the wire form.
    pub struct S3EncryptionOptions ("S3EncryptionOptions") {
        /// Key `kmsKeyId`.
        pub kms_key_id: String = "kmsKeyId", omit;
        /// Key `kmsEncryptionContext`.
        pub kms_encryption_context: String = "kmsEncryptionContext", omit;
        /// Key `enableEncryption`.
        pub enable_encryption: bool = "enableEncryption", omit;
        /// Key `serverSideCustomerKeySecret`.
        pub server_side_customer_key_secret: Option<SecretKeySelector> = "serverSideCustomerKeySecret", omit;
    }

    /// `CreateS3BucketOptions` of the wire form.
    pub struct CreateS3BucketOptions ("CreateS3BucketOptions") {
        /// Key `objectLocking`.
        pub object_locking: bool = "objectLocking", omit;
    }

    /// `S3Artifact` of the wire form.
    pub struct S3Artifact ("S3Artifact") {
        /// The keys of this type, which stand directly among the others.
        pub store: S3Bucket = "", inline;
        /// Key `key`.
        pub key: String = "key", omit;
    }

    /// `GitArtifact` of the wire form.
    pub struct GitArtifact ("GitArtifact") {
        /// Key `repo`.
        pub repo: String = "repo", keep;
        /// Key `revision`.
        pub revision: String = "revision", omit;
        /// Key `depth`.
        pub depth: Option<u64> = "depth", omit;
        /// Key `fetch`.
        pub fetch: Vec<String> = "fetch", omit;
        /// Key `usernameSecret`.
        pub username_secret: Option<SecretKeySelector> = "usernameSecret", omit;
        /// Key `passwordSecret`.
        pub password_secret: Option<SecretKeySelector> = "passwordSecret", omit;
        /// Key `sshPrivateKeySecret`.
        pub ssh_private_key_secret: Option<SecretKeySelector> = "sshPrivateKeySecret", omit;
        /// Key `insecureIgnoreHostKey`.
        pub insecure_ignore_host_key: bool = "insecureIgnoreHostKey", omit;
        /// Key `disableSubmodules`.
        pub disable_submodules: bool = "disableSubmodules", omit;
        /// Key `singleBranch`.
        pub single_branch: bool = "singleBranch", omit;
        /// Key `branch`.
        pub branch: String = "branch", omit;
        /// Key `insecureSkipTLS`.
        pub insecure_skip_tls: bool = "insecureSkipTLS", omit;
    }

    /// `ArtifactoryAuth` of the wire form.
    pub struct ArtifactoryAuth ("ArtifactoryAuth") {
        /// Key `usernameSecret`.
        pub username_secret: Option<SecretKeySelector> = "usernameSecret", omit;
        /// Key `passwordSecret`.
        pub password_secret: Option<SecretKeySelector> = "passwordSecret", omit;
    }

    /// `ArtifactoryArtifact` of the wire form.
    pub struct ArtifactoryArtifact ("ArtifactoryArtifact") {
        /// Key `url`.
        pub url: String = "url", keep;
        /// The keys of this type, which stand directly among the others.
        pub auth: ArtifactoryAuth = "", inline;
    }

    /// `AzureBlobContainer` of the wire form.
    pub struct AzureBlobContainer ("AzureBlobContainer") {
        /// Key `endpoint`.
        pub endpoint: String = "endpoint", keep;
        /// Key `container`.
        pub container: String = "container", keep;
        /// Key `accountKeySecret`.
        pub account_key_secret: Option<SecretKeySelector> = "accountKeySecret", omit;
        /// Key `useSDKCreds`.
        pub use_sdk_creds: bool = "useSDKCreds", omit;
    }

    /// `AzureArtifact` of the wire form.
    pub struct AzureArtifact ("AzureArtifact") {
        /// The keys of this type, which stand directly among the others.
        pub store: AzureBlobContainer = "", inline;
        /// Key `blob`.
        pub blob: String = "blob", keep;
    }

    /// `HDFSArtifact` of the wire form.
    pub struct HdfsArtifact ("HDFSArtifact") {
        /// The keys of this type, which stand directly among the others.
        pub config: HdfsConfig = "", inline;
        /// Key `path`.
        pub path: String = "path", keep;
        /// Key `force`.
        pub force: bool = "force", omit;
    }

    /// `HDFSConfig` of the wire form.
    pub struct HdfsConfig ("HDFSConfig") {
        /// The keys of this type, which stand directly among the others.
        pub kerberos: HdfsKrbConfig = "", inline;
        /// Key `addresses`.
        pub addresses: Vec<String> = "addresses", omit;
        /// Key `hdfsUser`.
        pub hdfs_user: String = "hdfsUser", omit;
        /// Key `dataTransferProtection`.
        pub data_transfer_protection: String = "dataTransferProtection", omit;
    }

    /// `HDFSKrbConfig` of the wire form.
    pub struct HdfsKrbConfig ("HDFSKrbConfig") {
        /// Key `krbCCacheSecret`.
        pub krb_c_cache_secret: Option<SecretKeySelector> = "krbCCacheSecret", omit;
        /// Key `krbKeytabSecret`.
        pub krb_keytab_secret: Option<SecretKeySelector> = "krbKeytabSecret", omit;
        /// Key `krbUsername`.
        pub krb_username: String = "krbUsername", omit;
        /// Key `krbRealm`.
        pub krb_realm: String = "krbRealm", omit;
        /// Key `krbConfigConfigMap`.
        pub krb_config_config_map: Option<ConfigMapKeySelector> = "krbConfigConfigMap", omit;
        /// Key `krbServicePrincipalName`.
        pub krb_service_principal_name: String = "krbServicePrincipalName", omit;
    }

    /// `RawArtifact` of the wire form.
    pub struct RawArtifact ("RawArtifact") {
        /// Key `data`.
        pub data: String = "data", keep;
    }

    /// `HTTPArtifact` of the wire form.
    pub struct HttpArtifact ("HTTPArtifact") {
        /// Key `url`.
        pub url: String = "url", keep;
        /// Key `headers`.
        pub headers: Vec<Header> = "headers", omit;
        /// Key `auth`.
        pub auth: Option<Box<HttpAuth>> = "auth", omit;
        /// Key `saveStreamViaFile`.
        pub save_stream_via_file: bool = "saveStreamViaFile", omit;
    }

    /// `Header` of the wire form.
    pub struct Header ("Header") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `value`.
        pub value: String = "value", keep;
    }

    /// `HTTPAuth` of the wire form.
    pub struct HttpAuth ("HTTPAuth") {
        /// Key `clientCert`.
        pub client_cert: ClientCertAuth = "clientCert", omit;
        /// Key `oauth2`.
        pub oauth2: OAuth2Auth = "oauth2", omit;
        /// Key `basicAuth`.
        pub basic_auth: BasicAuth = "basicAuth", omit;
    }

    /// `BasicAuth` of the wire form.
    pub struct BasicAuth ("BasicAuth") {
        /// Key `usernameSecret`.
        pub username_secret: Option<SecretKeySelector> = "usernameSecret", omit;
        /// Key `passwordSecret`.
        pub password_secret: Option<SecretKeySelector> = "passwordSecret", omit;
    }

    /// `ClientCertAuth` of the wire form.
    pub struct ClientCertAuth ("ClientCertAuth") {
        /// Key `clientCertSecret`.
        pub client_cert_secret: Option<SecretKeySelector> = "clientCertSecret", omit;
        /// Key `clientKeySecret`.
        pub client_key_secret: Option<SecretKeySelector> = "clientKeySecret", omit;
    }

    /// `OAuth2Auth` of the wire form.
    pub struct OAuth2Auth ("OAuth2Auth") {
        /// Key `clientIDSecret`.
        pub client_id_secret: Option<SecretKeySelector> = "clientIDSecret", omit;
        /// Key `clientSecretSecret`.
        pub client_secret_secret: Option<SecretKeySelector> = "clientSecretSecret", omit;
        /// Key `tokenURLSecret`.
        pub token_url_secret: Option<SecretKeySelector> = "tokenURLSecret", omit;
        /// Key `scopes`.
        pub scopes: Vec<String> = "scopes", omit;
        /// Key `endpointParams`.
        pub endpoint_params: Vec<OAuth2EndpointParam> = "endpointParams", omit;
    }

    /// `OAuth2EndpointParam` of the wire form.
    pub struct OAuth2EndpointParam ("OAuth2EndpointParam") {
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `value`.
        pub value: String = "value", omit;
    }

    /// `GCSBucket` of the wire form.
    pub struct GcsBucket ("GCSBucket") {
        /// Key `bucket`.
        pub bucket: String = "bucket", omit;
        /// Key `serviceAccountKeySecret`.
        pub service_account_key_secret: Option<SecretKeySelector> = "serviceAccountKeySecret", omit;
    }

    /// `GCSArtifact` of the wire form.
    pub struct GcsArtifact ("GCSArtifact") {
        /// The keys of this type, which stand directly among the others.
        pub store: GcsBucket = "", inline;
        /// Key `key`.
        pub key: String = "key", keep;
    }

    /// `OSSBucket` of the wire form.
    pub struct OssBucket ("OSSBucket") {
        /// Key `endpoint`.
        pub endpoint: String = "endpoint", omit;
        /// Key `bucket`.
        pub bucket: String = "bucket", omit;
        /// Key `accessKeySecret`.
        pub access_key_secret: Option<SecretKeySelector> = "accessKeySecret", omit;
        /// Key `secretKeySecret`.
        pub secret_key_secret: Option<SecretKeySelector> = "secretKeySecret", omit;
        /// Key `createBucketIfNotPresent`.
        pub create_bucket_if_not_present: bool = "createBucketIfNotPresent", omit;
        /// Key `securityToken`.
        pub security_token: String = "securityToken", omit;
        /// Key `lifecycleRule`.
        pub lifecycle_rule: Option<OssLifecycleRule> = "lifecycleRule", omit;
        /// Key `useSDKCreds`.
        pub use_sdk_creds: bool = "useSDKCreds", omit;
    }

    /// `OSSArtifact` of the wire form.
    pub struct OssArtifact ("OSSArtifact") {
        /// The keys of this type, which stand directly among the others.
        pub store: OssBucket = "", inline;
        /// Key `key`.
        pub key: String = "key", keep;
    }

    /// `OSSLifecycleRule` of the wire form.
    pub struct OssLifecycleRule ("OSSLifecycleRule") {
        /// Key `markInfrequentAccessAfterDays`.
        pub mark_infrequent_access_after_days: i32 = "markInfrequentAccessAfterDays", omit;
        /// Key `markDeletionAfterDays`.
        pub mark_deletion_after_days: i32 = "markDeletionAfterDays", omit;
    }

    /// `PluginArtifact` of the wire form.
    pub struct PluginArtifact ("PluginArtifact") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `configuration`.
        pub configuration: String = "configuration", omit;
        /// Key `connectionTimeoutSeconds`.
        pub connection_timeout_seconds: i32 = "connectionTimeoutSeconds", omit;
        /// Key `key`.
        pub key: String = "key", keep;
    }
}
