//! Artifacts and where they are stored. Configured repositories are in `repository`.

use crate::k8s::{ConfigMapKeySelector, SecretKeySelector};
use crate::object::objects;
use crate::text::ArtifactGcStrategy;
use crate::workflow::Metadata;

objects! {
    "v1alpha1"

    /// A file or folder that is passed on, and where it is stored.
    pub struct Artifact ("Artifact") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Where it is in the container.
        pub path: String = "path", omit;
        /// Permissions of the file when it is put into the container.
        pub mode: Option<i32> = "mode", omit;
        /// Another artifact, as a variable.
        pub from: String = "from", omit;
        /// Where it is stored.
        pub location: ArtifactLocation = "", inline;
        /// Name under which an output is seen by the whole workflow.
        pub global_name: String = "globalName", omit;
        /// How it is packed; a compressed tar file by default.
        pub archive: Option<ArchiveStrategy> = "archive", omit;
        /// Whether it is fine that it does not exist.
        pub optional: bool = "optional", omit;
        /// Path inside the other artifact that `from` names.
        pub sub_path: String = "subPath", omit;
        /// Whether the mode holds for everything inside a folder.
        pub recurse_mode: bool = "recurseMode", omit;
        /// Expression that gives another artifact.
        pub from_expression: String = "fromExpression", omit;
        /// When it is deleted; goes before the workflow's setting.
        pub artifact_gc: Option<ArtifactGc> = "artifactGC", omit;
        /// Whether it was deleted.
        pub deleted: bool = "deleted", omit;
    }

    /// Where an artifact is stored; at most one place.
    pub struct ArtifactLocation ("ArtifactLocation") {
        /// Whether logs of containers are kept as artifacts.
        pub archive_logs: Option<bool> = "archiveLogs", omit;
        /// In a service with the interface of S3.
        pub s3: Option<Box<S3Artifact>> = "s3", omit;
        /// In a git repository; to read only.
        pub git: Option<Box<GitArtifact>> = "git", omit;
        /// Behind a URL.
        pub http: Option<HttpArtifact> = "http", omit;
        /// In JFrog Artifactory.
        pub artifactory: Option<Box<ArtifactoryArtifact>> = "artifactory", omit;
        /// In a Hadoop file system.
        pub hdfs: Option<Box<HdfsArtifact>> = "hdfs", omit;
        /// In the workflow itself; to read only.
        pub raw: Option<RawArtifact> = "raw", omit;
        /// In Alibaba's object storage.
        pub oss: Option<Box<OssArtifact>> = "oss", omit;
        /// In Google's object storage.
        pub gcs: Option<GcsArtifact> = "gcs", omit;
        /// In Azure's object storage.
        pub azure: Option<Box<AzureArtifact>> = "azure", omit;
        /// Wherever a plugin puts it.
        pub plugin: Option<PluginArtifact> = "plugin", omit;
    }

    /// How an artifact is packed; one of three.
    pub struct ArchiveStrategy ("ArchiveStrategy") {
        /// As a tar file.
        pub tar: Option<TarStrategy> = "tar", omit;
        /// Not at all; a folder becomes many objects.
        pub none: Option<NoneStrategy> = "none", omit;
        /// As a zip file.
        pub zip: Option<ZipStrategy> = "zip", omit;
    }

    /// Packing as a tar file.
    pub struct TarStrategy ("TarStrategy") {
        /// Level of gzip from -1 (default) to 9; 0 does not compress.
        pub compression_level: Option<i32> = "compressionLevel", omit;
    }

    /// No packing. Has no settings.
    pub struct NoneStrategy ("NoneStrategy") {
    }

    /// Packing as a zip file. Has no settings.
    pub struct ZipStrategy ("ZipStrategy") {
    }

    /// When artifacts are deleted, and by whom.
    pub struct ArtifactGc ("ArtifactGC") {
        /// The event after which they go.
        pub strategy: ArtifactGcStrategy = "strategy", omit;
        /// Labels and annotations of the pod that deletes.
        pub pod_metadata: Option<Metadata> = "podMetadata", omit;
        /// Service account of the pod that deletes.
        pub service_account_name: String = "serviceAccountName", omit;
    }

    /// When the artifacts of a workflow are deleted.
    pub struct WorkflowLevelArtifactGc ("WorkflowLevelArtifactGC") {
        /// Settings that single artifacts may change.
        pub gc: ArtifactGc = "", inline;
        /// Whether the workflow may go although deleting failed.
        pub force_finalizer_removal: bool = "forceFinalizerRemoval", omit;
        /// Strategic merge patch for the pod that deletes.
        pub pod_spec_patch: String = "podSpecPatch", omit;
    }

    /// A bucket of a service with the interface of S3.
    pub struct S3Bucket ("S3Bucket") {
        /// Host, and port if needed, of the service.
        pub endpoint: String = "endpoint", omit;
        /// Name of the bucket.
        pub bucket: String = "bucket", omit;
        /// Region of the bucket.
        pub region: String = "region", omit;
        /// Whether to talk without TLS.
        pub insecure: Option<bool> = "insecure", omit;
        /// Secret with the access key.
        pub access_key_secret: Option<SecretKeySelector> = "accessKeySecret", omit;
        /// Secret with the secret key.
        pub secret_key_secret: Option<SecretKeySelector> = "secretKeySecret", omit;
        /// Secret with the session token of temporary credentials.
        pub session_token_secret: Option<SecretKeySelector> = "sessionTokenSecret", omit;
        /// Role to take on.
        pub role_arn: String = "roleARN", omit;
        /// Take credentials from where the vendor's libraries look for them.
        pub use_sdk_creds: bool = "useSDKCreds", omit;
        /// Make the bucket if it does not exist.
        pub create_bucket_if_not_present: Option<CreateS3BucketOptions> = "createBucketIfNotPresent", omit;
        /// How objects are encrypted by the service.
        pub encryption_options: Option<S3EncryptionOptions> = "encryptionOptions", omit;
        /// Secret with certificates that the service's own is checked against.
        pub ca_secret: Option<SecretKeySelector> = "caSecret", omit;
        /// Whether the bucket is in the host name (`virtual-hosted`) or the path (`path`); empty finds out.
        pub addressing_style: String = "addressingStyle", omit;
    }

    /// Encryption by the service.
    pub struct S3EncryptionOptions ("S3EncryptionOptions") {
        /// Id of the key.
        pub kms_key_id: String = "kmsKeyId", omit;
        /// Context of the key as JSON.
        pub kms_encryption_context: String = "kmsEncryptionContext", omit;
        /// Whether to encrypt at all.
        pub enable_encryption: bool = "enableEncryption", omit;
        /// Secret with a key of the customer.
        pub server_side_customer_key_secret: Option<SecretKeySelector> = "serverSideCustomerKeySecret", omit;
    }

    /// How a bucket is made.
    pub struct CreateS3BucketOptions ("CreateS3BucketOptions") {
        /// Whether its objects can be locked.
        pub object_locking: bool = "objectLocking", omit;
    }

    /// An object of S3.
    pub struct S3Artifact ("S3Artifact") {
        /// The bucket.
        pub store: S3Bucket = "", inline;
        /// Key of the object.
        pub key: String = "key", omit;
    }

    /// A checkout of a git repository.
    pub struct GitArtifact ("GitArtifact") {
        /// URL of the repository.
        pub repo: String = "repo", keep;
        /// Commit, tag or branch to check out.
        pub revision: String = "revision", omit;
        /// How many commits to fetch; all by default.
        pub depth: Option<u64> = "depth", omit;
        /// Further references to fetch.
        pub fetch: Vec<String> = "fetch", omit;
        /// Secret with the user name.
        pub username_secret: Option<SecretKeySelector> = "usernameSecret", omit;
        /// Secret with the password.
        pub password_secret: Option<SecretKeySelector> = "passwordSecret", omit;
        /// Secret with the private key for ssh.
        pub ssh_private_key_secret: Option<SecretKeySelector> = "sshPrivateKeySecret", omit;
        /// Whether any host key is accepted.
        pub insecure_ignore_host_key: bool = "insecureIgnoreHostKey", omit;
        /// Whether submodules are left out.
        pub disable_submodules: bool = "disableSubmodules", omit;
        /// Whether only one branch is fetched.
        pub single_branch: bool = "singleBranch", omit;
        /// The branch, with `singleBranch`.
        pub branch: String = "branch", omit;
        /// Whether any certificate is accepted.
        pub insecure_skip_tls: bool = "insecureSkipTLS", omit;
    }

    /// Credentials of JFrog Artifactory.
    pub struct ArtifactoryAuth ("ArtifactoryAuth") {
        /// Secret with the user name.
        pub username_secret: Option<SecretKeySelector> = "usernameSecret", omit;
        /// Secret with the password.
        pub password_secret: Option<SecretKeySelector> = "passwordSecret", omit;
    }

    /// A file of JFrog Artifactory.
    pub struct ArtifactoryArtifact ("ArtifactoryArtifact") {
        /// URL of the file.
        pub url: String = "url", keep;
        /// Credentials.
        pub auth: ArtifactoryAuth = "", inline;
    }

    /// A container of Azure's object storage.
    pub struct AzureBlobContainer ("AzureBlobContainer") {
        /// Host, and port if needed, of the service.
        pub endpoint: String = "endpoint", keep;
        /// Name of the container.
        pub container: String = "container", keep;
        /// Secret with the key of the account.
        pub account_key_secret: Option<SecretKeySelector> = "accountKeySecret", omit;
        /// Take credentials from where the vendor's libraries look for them.
        pub use_sdk_creds: bool = "useSDKCreds", omit;
    }

    /// A blob of Azure's object storage.
    pub struct AzureArtifact ("AzureArtifact") {
        /// The container.
        pub store: AzureBlobContainer = "", inline;
        /// Name of the blob.
        pub blob: String = "blob", keep;
    }

    /// A file of a Hadoop file system.
    pub struct HdfsArtifact ("HDFSArtifact") {
        /// How to reach the file system.
        pub config: HdfsConfig = "", inline;
        /// Path.
        pub path: String = "path", keep;
        /// Whether an existing file is replaced.
        pub force: bool = "force", omit;
    }

    /// How to reach a Hadoop file system.
    pub struct HdfsConfig ("HDFSConfig") {
        /// Credentials of Kerberos.
        pub kerberos: HdfsKrbConfig = "", inline;
        /// Addresses of the name nodes.
        pub addresses: Vec<String> = "addresses", omit;
        /// User, where Kerberos is not used.
        pub hdfs_user: String = "hdfsUser", omit;
        /// Protection of the data: `authentication`, `integrity` or `privacy`.
        pub data_transfer_protection: String = "dataTransferProtection", omit;
    }

    /// Credentials of Kerberos: a cache or a key table.
    pub struct HdfsKrbConfig ("HDFSKrbConfig") {
        /// Secret with the credential cache.
        pub krb_c_cache_secret: Option<SecretKeySelector> = "krbCCacheSecret", omit;
        /// Secret with the key table.
        pub krb_keytab_secret: Option<SecretKeySelector> = "krbKeytabSecret", omit;
        /// User, with a key table.
        pub krb_username: String = "krbUsername", omit;
        /// Realm, with a key table.
        pub krb_realm: String = "krbRealm", omit;
        /// ConfigMap with Kerberos' configuration.
        pub krb_config_config_map: Option<ConfigMapKeySelector> = "krbConfigConfigMap", omit;
        /// Principal of the service.
        pub krb_service_principal_name: String = "krbServicePrincipalName", omit;
    }

    /// Content that stands in the workflow itself.
    pub struct RawArtifact ("RawArtifact") {
        /// The content.
        pub data: String = "data", keep;
    }

    /// A file behind a URL.
    pub struct HttpArtifact ("HTTPArtifact") {
        /// The URL; for outputs, where to put it.
        pub url: String = "url", keep;
        /// Header fields of the request.
        pub headers: Vec<Header> = "headers", omit;
        /// Credentials.
        pub auth: Option<Box<HttpAuth>> = "auth", omit;
        /// Whether an upload goes through a temporary file, so that its length is known.
        pub save_stream_via_file: bool = "saveStreamViaFile", omit;
    }

    /// A header field.
    pub struct Header ("Header") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Value.
        pub value: String = "value", keep;
    }

    /// Credentials for a URL.
    pub struct HttpAuth ("HTTPAuth") {
        /// A certificate of our own.
        pub client_cert: ClientCertAuth = "clientCert", omit;
        /// A token from an OAuth 2 service.
        pub oauth2: OAuth2Auth = "oauth2", omit;
        /// User name and password.
        pub basic_auth: BasicAuth = "basicAuth", omit;
    }

    /// User name and password.
    pub struct BasicAuth ("BasicAuth") {
        /// Secret with the user name.
        pub username_secret: Option<SecretKeySelector> = "usernameSecret", omit;
        /// Secret with the password.
        pub password_secret: Option<SecretKeySelector> = "passwordSecret", omit;
    }

    /// A certificate of our own.
    pub struct ClientCertAuth ("ClientCertAuth") {
        /// Secret with the certificate.
        pub client_cert_secret: Option<SecretKeySelector> = "clientCertSecret", omit;
        /// Secret with its private key.
        pub client_key_secret: Option<SecretKeySelector> = "clientKeySecret", omit;
    }

    /// Where to get a token from.
    pub struct OAuth2Auth ("OAuth2Auth") {
        /// Secret with the client's id.
        pub client_id_secret: Option<SecretKeySelector> = "clientIDSecret", omit;
        /// Secret with the client's secret.
        pub client_secret_secret: Option<SecretKeySelector> = "clientSecretSecret", omit;
        /// Secret with the URL that gives tokens.
        pub token_url_secret: Option<SecretKeySelector> = "tokenURLSecret", omit;
        /// Scopes to ask for.
        pub scopes: Vec<String> = "scopes", omit;
        /// Further parameters of the request.
        pub endpoint_params: Vec<OAuth2EndpointParam> = "endpointParams", omit;
    }

    /// A parameter of a token request.
    pub struct OAuth2EndpointParam ("OAuth2EndpointParam") {
        /// Key.
        pub key: String = "key", keep;
        /// Value.
        pub value: String = "value", omit;
    }

    /// A bucket of Google's object storage.
    pub struct GcsBucket ("GCSBucket") {
        /// Name of the bucket.
        pub bucket: String = "bucket", omit;
        /// Secret with the key of a service account.
        pub service_account_key_secret: Option<SecretKeySelector> = "serviceAccountKeySecret", omit;
    }

    /// An object of Google's object storage.
    pub struct GcsArtifact ("GCSArtifact") {
        /// The bucket.
        pub store: GcsBucket = "", inline;
        /// Name of the object.
        pub key: String = "key", keep;
    }

    /// A bucket of Alibaba's object storage.
    pub struct OssBucket ("OSSBucket") {
        /// Host, and port if needed, of the service.
        pub endpoint: String = "endpoint", omit;
        /// Name of the bucket.
        pub bucket: String = "bucket", omit;
        /// Secret with the access key.
        pub access_key_secret: Option<SecretKeySelector> = "accessKeySecret", omit;
        /// Secret with the secret key.
        pub secret_key_secret: Option<SecretKeySelector> = "secretKeySecret", omit;
        /// Whether to make the bucket if it does not exist.
        pub create_bucket_if_not_present: bool = "createBucketIfNotPresent", omit;
        /// Token of temporary credentials.
        pub security_token: String = "securityToken", omit;
        /// What becomes of objects with age.
        pub lifecycle_rule: Option<OssLifecycleRule> = "lifecycleRule", omit;
        /// Take credentials from where the vendor's libraries look for them.
        pub use_sdk_creds: bool = "useSDKCreds", omit;
    }

    /// An object of Alibaba's object storage.
    pub struct OssArtifact ("OSSArtifact") {
        /// The bucket.
        pub store: OssBucket = "", inline;
        /// Name of the object.
        pub key: String = "key", keep;
    }

    /// What becomes of objects with age.
    pub struct OssLifecycleRule ("OSSLifecycleRule") {
        /// Days until objects move to cheaper storage.
        pub mark_infrequent_access_after_days: i32 = "markInfrequentAccessAfterDays", omit;
        /// Days until objects are deleted.
        pub mark_deletion_after_days: i32 = "markDeletionAfterDays", omit;
    }

    /// An artifact that a plugin stores.
    pub struct PluginArtifact ("PluginArtifact") {
        /// Name of the plugin.
        pub name: String = "name", omit;
        /// Text that only the plugin understands.
        pub configuration: String = "configuration", omit;
        /// How long connecting to the plugin may take.
        pub connection_timeout_seconds: i32 = "connectionTimeoutSeconds", omit;
        /// Key of the artifact.
        pub key: String = "key", keep;
    }
}
