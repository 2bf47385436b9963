//! Amazon S3 and every store that speaks its protocol (rules X-S3-01 to X-S3-14). This file makes
//! the client and answers what concerns keys; bytes are moved in `transfer`.

mod access;
mod encryption;
mod error;
mod transfer;

use std::path::Path;

use argosy_model::artifact::{S3Artifact, S3Bucket};
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_smithy_http_client::tls;

use crate::store::{Error, Options, Secrets, Store, Stream, secret};

use encryption::{CustomerKey, Encryption, with_customer_key};
use error::{has_code, service};

/// One object, or everything below one key, in a bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: String,
    key: String,
    encryption: Option<Encryption>,
    create_bucket: Option<NewBucket>,
    options: Options,
}

/// A bucket that is made when it is not there.
#[derive(Clone, Debug)]
struct NewBucket {
    region: String,
    object_lock: bool,
}

/// The region of servers that know none.
const DEFAULT_REGION: &str = "us-east-1";

impl S3 {
    /// A client for an artifact's place.
    ///
    /// # Errors
    /// A place that is not complete, a secret that cannot be read, or options that contradict
    /// each other.
    pub async fn open(place: &S3Artifact, secrets: &dyn Secrets, options: &Options) -> Result<Self, Error> {
        let store = &place.store;
        if store.endpoint.is_empty() || store.bucket.is_empty() {
            return Err(Error::Location(
                "s3 artifact needs endpoint and bucket".to_owned(),
            ));
        }
        let credentials = access::credentials(store, secrets).await?;
        let is_insecure = store.insecure == Some(true);
        let ca = secret(secrets, store.ca_secret.as_ref()).await?;
        let scheme = if is_insecure { "http" } else { "https" };
        let region = region_of(store).unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(credentials)
            .region(Region::new(region))
            .endpoint_url(format!("{scheme}://{}", store.endpoint))
            .force_path_style(is_path_style(store))
            .http_client(http_client(is_insecure, ca)?)
            // Our own attempts follow the rules of the product (X-S3-13), and are not multiplied.
            .retry_config(RetryConfig::disabled())
            // Other servers do not all know the newer checksums; Content-MD5 is sent instead.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        let mut client = Client::from_conf(config);
        if region_of(store).is_none()
            && let Some(region) = discover(&client, &store.bucket).await
        {
            let config = client.config().to_builder().region(Region::new(region));
            client = Client::from_conf(config.build());
        }
        Ok(Self {
            client,
            bucket: store.bucket.clone(),
            key: place.key.clone(),
            encryption: Encryption::of(store, secrets).await?,
            create_bucket: store.create_bucket_if_not_present.as_ref().map(|new| NewBucket {
                region: store.region.clone(),
                object_lock: new.object_locking,
            }),
            options: options.clone(),
        })
    }

    /// Repeats a request as the rules say.
    async fn retry<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let more = self.options.is_transient;
        let is_transient = |e: &Error| e.is_transient() || more(&e.to_string());
        self.options.backoff.retry(is_transient, attempt).await
    }

    /// Keys of the objects below a prefix, without those that stand for folders.
    async fn keys_below(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .retry(|| async {
                    let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
                    request
                        .set_continuation_token(token.clone())
                        .send()
                        .await
                        .map_err(service)
                })
                .await?;
            keys.extend(page.contents().iter().filter_map(|o| o.key()).map(str::to_owned));
            token = page.next_continuation_token().map(str::to_owned);
            if token.is_none() || page.is_truncated() != Some(true) {
                break;
            }
        }
        keys.retain(|key| !key.ends_with('/'));
        Ok(keys)
    }

    /// The key with which an object is encrypted, if that is ours.
    fn customer_key(&self, key: &str) -> Result<CustomerKey, Error> {
        let encryption = self.encryption.as_ref();
        encryption.map_or_else(
            || Ok(CustomerKey::default()),
            |e| e.customer_key(&self.bucket, key),
        )
    }

    fn folder_prefix(&self) -> String {
        format!("{}/", self.key.trim_end_matches('/'))
    }

    async fn delete_key(&self, key: &str) -> Result<(), Error> {
        let deleted = self
            .retry(|| async {
                let request = self.client.delete_object().bucket(&self.bucket).key(key);
                request.send().await.map_err(service)
            })
            .await;
        match deleted {
            Ok(_) | Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Store for S3 {
    async fn load(&self, target: &Path) -> Result<(), Error> {
        self.download(target).await
    }

    async fn read(&self) -> Result<Stream, Error> {
        let key = self.key.trim_end_matches('/');
        let customer = self.customer_key(key)?;
        let object = self
            .retry(|| async {
                let request = self.client.get_object().bucket(&self.bucket).key(key);
                let request = with_customer_key!(request, &customer);
                request.send().await.map_err(service)
            })
            .await?;
        Ok(Box::new(object.body.into_async_read()))
    }

    async fn save(&self, source: &Path) -> Result<(), Error> {
        self.upload(source).await
    }

    async fn takes_streams(&self) -> Result<bool, Error> {
        Ok(true)
    }

    async fn save_stream(&self, name: &Path, content: Stream) -> Result<(), Error> {
        self.upload_stream(name, content).await
    }

    async fn delete(&self) -> Result<(), Error> {
        if !self.key.ends_with('/') {
            return self.delete_key(&self.key).await;
        }
        // Folder marks are objects too, and go with the rest (X-S3-11).
        for key in self.keys_below(&self.key).await? {
            self.delete_key(&key).await?;
        }
        self.delete_key(&self.key).await
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        let keys = self.keys_below(&self.key).await?;
        // Without a key the bucket is meant, which is there.
        if keys.is_empty() && !self.key.is_empty() {
            let customer = self.customer_key(&self.key)?;
            self.retry(|| async {
                let head = self.client.head_object().bucket(&self.bucket).key(&self.key);
                with_customer_key!(head, &customer).send().await.map_err(service)
            })
            .await?;
        }
        Ok(keys)
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        Ok(!self.keys_below(&self.folder_prefix()).await?.is_empty())
    }
}

/// The region that a place names, itself or in the name of Amazon's host.
fn region_of(store: &S3Bucket) -> Option<String> {
    if !store.region.is_empty() {
        return Some(store.region.clone());
    }
    let host = store.endpoint.split(':').next().unwrap_or_default();
    let amazon = host
        .strip_suffix(".cn")
        .unwrap_or(host)
        .strip_suffix(".amazonaws.com")?;
    let region = amazon.strip_prefix("s3.")?;
    let region = region.strip_prefix("dualstack.").unwrap_or(region);
    (!region.is_empty()).then(|| region.to_owned())
}

/// The region in which the server says a bucket is; a server that knows none has the usual one.
async fn discover(client: &Client, bucket: &str) -> Option<String> {
    let region = match client.get_bucket_location().bucket(bucket).send().await {
        Ok(answer) => answer.location_constraint()?.as_str().to_owned(),
        // Some servers want even this question to be signed for the right region, and name it.
        Err(error) if has_code(&error, "AuthorizationHeaderMalformed") => {
            let named = error.message()?.split_once("expecting ")?.1;
            named.trim_matches(['\'', '"', '.']).to_owned()
        }
        Err(_) => return None,
    };
    match region.as_str() {
        "" => None,
        "EU" => Some("eu-west-1".to_owned()),
        _ => Some(region),
    }
}

/// Path style everywhere but at those stores that want the bucket in the host (X-S3-04).
fn is_path_style(store: &S3Bucket) -> bool {
    match store.addressing_style.as_str() {
        "path" => return true,
        "virtual-hosted" => return false,
        _ => {}
    }
    let host = store.endpoint.split(':').next().unwrap_or_default();
    let of = |suffixes: &[&str]| {
        suffixes
            .iter()
            .any(|s| host == s.trim_start_matches('.') || host.ends_with(s))
    };
    let wants_host = of(&[
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".googleapis.com",
        ".aliyuncs.com",
    ]);
    let dotted_over_tls = store.insecure != Some(true) && store.bucket.contains('.');
    !wants_host || dotted_over_tls
}

fn http_client(is_insecure: bool, ca: Option<String>) -> Result<SharedHttpClient, Error> {
    let builder = aws_smithy_http_client::Builder::new();
    if is_insecure {
        // Without TLS no certificates are loaded, which takes most of the start-up time.
        return Ok(builder.build_http());
    }
    let pem = ca.map_or_else(crate::trust::roots, String::into_bytes);
    let store = tls::TrustStore::empty()
        .with_native_roots(false)
        .with_pem_certificate(pem);
    let context = tls::TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|e| Error::Location(format!("certificates of the s3 store: {e}")))?;
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    Ok(builder.tls_provider(provider).tls_context(context).build_https())
}
