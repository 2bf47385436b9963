//! Whose name requests to S3 carry (rules X-S3-02, X-S3-03): keys from Secrets, a role, the
//! machine's AWS configuration, or what the cloud gives a pod. All but the first are fetched anew
//! before they run out, by the client that uses them.

use argosy_model::artifact::S3Bucket;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use crate::environment;
use crate::store::{Error, Secrets, secret};

/// The credentials of a place, by the first route that applies.
///
/// # Errors
/// A secret that cannot be read, or only one half of a pair of keys.
pub(super) async fn credentials(
    store: &S3Bucket,
    secrets: &dyn Secrets,
) -> Result<SharedCredentialsProvider, Error> {
    let access = secret(secrets, store.access_key_secret.as_ref()).await?;
    let private = secret(secrets, store.secret_key_secret.as_ref()).await?;
    match (access, private) {
        (Some(access), Some(private)) => {
            let token = secret(secrets, store.session_token_secret.as_ref()).await?;
            let token = token.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
            let keys = Credentials::new(access.trim(), private.trim(), token, None, "secret");
            return Ok(SharedCredentialsProvider::new(keys));
        }
        (None, None) => {}
        _ => {
            return Err(Error::Location(
                "s3 artifact needs both accessKeySecret and secretKeySecret, or none of them".to_owned(),
            ));
        }
    }
    // Where keys come from is always asked over TLS if its address says so, whatever the store is.
    let client = super::http_client(false, None)?;
    let region = region(store);
    if !store.role_arn.is_empty() {
        let machine = aws_config::defaults(BehaviorVersion::latest())
            .http_client(client)
            .region(region)
            .load()
            .await;
        let role = AssumeRoleProvider::builder(&store.role_arn).configure(&machine);
        let role = role.session_name("argosy-artifact").build().await;
        return Ok(SharedCredentialsProvider::new(role));
    }
    let machine = ProviderConfig::without_region()
        .with_region(Some(region))
        .with_http_client(client);
    if store.use_sdk_creds {
        let chain = DefaultCredentialsChain::builder()
            .configure(machine)
            .build()
            .await;
        return Ok(SharedCredentialsProvider::new(chain));
    }
    let identity = WebIdentityTokenCredentialsProvider::builder().configure(&machine);
    let container = EcsCredentialsProvider::builder().configure(&machine);
    let instance = ImdsCredentialsProvider::builder().configure(&machine);
    let chain = CredentialsProviderChain::first_try("WebIdentityToken", identity.build())
        .or_else("EcsContainer", container.build())
        .or_else("Ec2InstanceMetadata", instance.build());
    Ok(SharedCredentialsProvider::new(chain))
}

/// Where tokens are asked for: the pod's region, the bucket's, or the first one there was.
fn region(store: &S3Bucket) -> Region {
    let named = [environment::AWS_REGION, environment::AWS_DEFAULT_REGION];
    let own = (!store.region.is_empty()).then(|| store.region.clone());
    let found = named.into_iter().find_map(environment::get).or(own);
    Region::new(found.unwrap_or_else(|| super::DEFAULT_REGION.to_owned()))
}
