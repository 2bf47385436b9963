//! Amazon S3 and every store that speaks its protocol (rules X-S3-01 to X-S3-14). This file makes
//! the client and answers what concerns keys; bytes are moved in `transfer`.

mod error;
mod transfer;

use std::path::Path;

use argosy_model::artifact::{S3Artifact, S3Bucket};
use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_http_client::tls;

use crate::store::{Error, Options, Secrets, Store, Stream, secret};

use error::service;

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

/// How the server is asked to encrypt.
#[derive(Clone, Debug)]
struct Encryption {
    method: ServerSideEncryption,
    kms_key_id: Option<String>,
    /// Base64 of a JSON object.
    kms_context: Option<String>,
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
        if store.endpoint.is_empty() || store.bucket.is_empty() || place.key.is_empty() {
            return Err(Error::Location(
                "s3 artifact needs endpoint, bucket and key".to_owned(),
            ));
        }
        let credentials = credentials(store, secrets).await?;
        let is_insecure = store.insecure == Some(true);
        let ca = secret(secrets, store.ca_secret.as_ref()).await?;
        let scheme = if is_insecure { "http" } else { "https" };
        let region = if store.region.is_empty() {
            DEFAULT_REGION
        } else {
            &store.region
        };
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(credentials)
            .region(Region::new(region.to_owned()))
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
        Ok(Self {
            client: Client::from_conf(config),
            bucket: store.bucket.clone(),
            key: place.key.clone(),
            encryption: encryption(store)?,
            create_bucket: store.create_bucket_if_not_present.as_ref().map(|new| NewBucket {
                region: store.region.clone(),
                object_lock: new.object_locking,
            }),
            options: *options,
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
        let object = self
            .retry(|| async {
                let request = self.client.get_object().bucket(&self.bucket).key(key);
                request.send().await.map_err(service)
            })
            .await?;
        Ok(Box::new(object.body.into_async_read()))
    }

    async fn save(&self, source: &Path) -> Result<(), Error> {
        self.upload(source).await
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
        if keys.is_empty() {
            let head = self.client.head_object().bucket(&self.bucket).key(&self.key);
            head.send().await.map_err(service)?;
        }
        Ok(keys)
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        Ok(!self.keys_below(&self.folder_prefix()).await?.is_empty())
    }
}

/// Where the keys come from (X-S3-02). Only keys from secrets so far.
async fn credentials(store: &S3Bucket, secrets: &dyn Secrets) -> Result<Credentials, Error> {
    let access = secret(secrets, store.access_key_secret.as_ref()).await?;
    let private = secret(secrets, store.secret_key_secret.as_ref()).await?;
    let token = secret(secrets, store.session_token_secret.as_ref()).await?;
    let (Some(access), Some(private)) = (access, private) else {
        return Err(Error::Unsupported(
            "s3 artifact without accessKeySecret and secretKeySecret: credentials of the cloud are not supported yet"
                .to_owned(),
        ));
    };
    let token = token.map(|t| t.trim().to_owned());
    Ok(Credentials::new(
        access.trim(),
        private.trim(),
        token,
        None,
        "secret",
    ))
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

fn encryption(store: &S3Bucket) -> Result<Option<Encryption>, Error> {
    use base64::Engine as _;
    let Some(wanted) = store.encryption_options.as_ref().filter(|e| e.enable_encryption) else {
        return Ok(None);
    };
    if wanted.server_side_customer_key_secret.is_some() {
        if !wanted.kms_key_id.is_empty() {
            return Err(Error::Location(
                "encryption with a customer key and with KMS exclude each other".to_owned(),
            ));
        }
        return Err(Error::Unsupported(
            "encryption with a customer key is not supported yet".to_owned(),
        ));
    }
    if wanted.kms_key_id.is_empty() {
        return Ok(Some(Encryption {
            method: ServerSideEncryption::Aes256,
            kms_key_id: None,
            kms_context: None,
        }));
    }
    let context = &wanted.kms_encryption_context;
    let encode = |text: &String| base64::engine::general_purpose::STANDARD.encode(text);
    Ok(Some(Encryption {
        method: ServerSideEncryption::AwsKms,
        kms_key_id: Some(wanted.kms_key_id.clone()),
        kms_context: (!context.is_empty()).then(|| encode(context)),
    }))
}
