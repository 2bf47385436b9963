//! Every environment variable that a driver looks at. The AWS library reads its own as well.

/// The region in which a pod is.
#[cfg(feature = "s3")]
pub(crate) const AWS_REGION: &str = "AWS_REGION";
/// The region of the machine's AWS configuration.
#[cfg(feature = "s3")]
pub(crate) const AWS_DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";

/// Address of a stand-in for Google's storage, which needs no credentials.
pub(crate) const GCS_EMULATOR: &str = "STORAGE_EMULATOR_HOST";
/// File with Google credentials.
pub(crate) const GOOGLE_CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// Host of Google's metadata server.
pub(crate) const GCE_METADATA: &str = "GCE_METADATA_HOST";

/// Tenant, client and client secret of an Azure application.
pub(crate) const AZURE_TENANT: &str = "AZURE_TENANT_ID";
pub(crate) const AZURE_CLIENT: &str = "AZURE_CLIENT_ID";
pub(crate) const AZURE_SECRET: &str = "AZURE_CLIENT_SECRET";
/// File with the token of a service account that Azure trusts.
pub(crate) const AZURE_TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
/// Where Azure gives tokens.
pub(crate) const AZURE_AUTHORITY: &str = "AZURE_AUTHORITY_HOST";
/// Where a managed identity gives tokens, and the header that it wants.
pub(crate) const AZURE_IDENTITY: &str = "IDENTITY_ENDPOINT";
pub(crate) const AZURE_IDENTITY_HEADER: &str = "IDENTITY_HEADER";
/// Host of Azure's metadata server.
pub(crate) const AZURE_METADATA: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// Keys of an Alibaba account.
pub(crate) const ALIBABA_KEY: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
pub(crate) const ALIBABA_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
pub(crate) const ALIBABA_TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";
/// Role, provider and token file of a service account that Alibaba trusts.
pub(crate) const ALIBABA_ROLE: &str = "ALIBABA_CLOUD_ROLE_ARN";
pub(crate) const ALIBABA_PROVIDER: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
pub(crate) const ALIBABA_TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";
/// Where Alibaba gives tokens.
pub(crate) const ALIBABA_STS: &str = "ALIBABA_CLOUD_STS_ENDPOINT";

/// The value of a variable that is set to something.
pub(crate) fn get(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
