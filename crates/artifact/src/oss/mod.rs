//! Alibaba Cloud's object storage (rules X-OSS-01 to X-OSS-04). What folders are is in `objects`,
//! signatures in `sign`, keys in `access`.

mod access;
mod sign;

use std::path::Path;

use argosy_model::artifact::{OssArtifact, OssLifecycleRule};
use async_trait::async_trait;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use reqwest::{Body, Client, Method, Response, header};

use crate::objects::{Habits, Keyed, Object, Objects, Page};
use crate::rest::{self, Retry, escape};
use crate::store::{Error, Options, Secrets, content_type, secret};
use crate::sums::{Sum, md5_of};
use crate::{trust, xml};

use access::Access;
use sign::{Keys, Signed, hex, region_of};

/// An object has no more parts than this.
const MOST_PARTS: u64 = 10_000;

/// Codes after which trying again may help.
const TRANSIENT: &[&str] = &[
    "RequestTimeout",
    "QuotaExceeded.Refresh",
    "Default",
    "ServiceUnavailable",
    "Throttling",
    "RequestTimeTooSkewed",
    "SocketException",
    "SocketTimeout",
    "ServiceBusy",
    "DomainNetWorkVisitedException",
    "ConnectionTimeout",
    "CachedTimeTooLarge",
    "InternalError",
];

/// A bucket.
pub(crate) struct Oss {
    client: Client,
    access: Access,
    scheme: String,
    host: String,
    bucket: String,
    key: String,
    makes_bucket: bool,
    rule: Option<OssLifecycleRule>,
    retry: Retry,
    part: u64,
    threads: usize,
    largest_whole: u64,
}

/// A request before it is signed.
struct Ask<'a> {
    method: Method,
    key: &'a str,
    query: Vec<(&'a str, String)>,
    fields: Vec<(&'a str, String)>,
    body: Option<(Body, u64)>,
}

impl<'a> Ask<'a> {
    fn new(method: Method, key: &'a str) -> Self {
        Self {
            method,
            key,
            query: Vec::new(),
            fields: Vec::new(),
            body: None,
        }
    }

    /// With a short text as body.
    fn text(mut self, text: String) -> Self {
        let sum = STANDARD.encode(Md5::digest(text.as_bytes()));
        self.fields.push(("content-md5", sum));
        let length = text.len() as u64;
        self.body = Some((Body::from(text), length));
        self
    }
}

/// A driver for an artifact's place.
///
/// # Errors
/// A place that is not complete or contradicts itself, or keys that cannot be read.
pub(crate) async fn open(
    place: &OssArtifact,
    secrets: &dyn Secrets,
    options: &Options,
) -> Result<Keyed<Oss>, Error> {
    let store = &place.store;
    if store.endpoint.is_empty() || store.bucket.is_empty() || place.key.is_empty() {
        return Err(Error::Location(
            "oss artifact needs endpoint, bucket and key".to_owned(),
        ));
    }
    trust::provide();
    let client = rest::client(&rest::Connecting::default())?;
    let access = if store.use_sdk_creds {
        Access::Machine {
            client: client.clone(),
            kept: tokio::sync::Mutex::default(),
        }
    } else {
        let id = secret(secrets, store.access_key_secret.as_ref()).await?;
        let private = secret(secrets, store.secret_key_secret.as_ref()).await?;
        Access::Fixed(Keys {
            id: id.unwrap_or_default().trim().to_owned(),
            secret: private.unwrap_or_default().trim().to_owned(),
            token: store.security_token.clone(),
        })
    };
    let (scheme, host) = store
        .endpoint
        .split_once("://")
        .unwrap_or(("https", &store.endpoint));
    let oss = Oss {
        client,
        access,
        scheme: scheme.to_owned(),
        host: host.trim_end_matches('/').to_owned(),
        bucket: store.bucket.clone(),
        key: place.key.clone(),
        makes_bucket: store.create_bucket_if_not_present,
        rule: checked(store.lifecycle_rule.as_ref())?,
        retry: Retry::new(options.cloud_backoff, options),
        part: options.part_bytes,
        threads: options.upload_threads.max(1),
        largest_whole: options.largest_put,
    };
    Ok(Keyed::new(oss, &place.key))
}

fn checked(rule: Option<&OssLifecycleRule>) -> Result<Option<OssLifecycleRule>, Error> {
    let Some(rule) = rule else { return Ok(None) };
    let (cool, delete) = (
        rule.mark_infrequent_access_after_days,
        rule.mark_deletion_after_days,
    );
    if cool == 0 && delete == 0 {
        return Ok(None);
    }
    if cool > delete && delete != 0 {
        return Err(Error::Location(
            "markInfrequentAccessAfterDays cannot be larger than markDeletionAfterDays".to_owned(),
        ));
    }
    Ok(Some(rule.clone()))
}

impl Oss {
    async fn send(&self, ask: Ask<'_>) -> Result<Response, Error> {
        let keys = self.access.keys().await?;
        let now = Timestamp::now();
        let region = region_of(&self.host);
        let mut fields = ask.fields;
        if !keys.token.is_empty() {
            fields.push(("x-oss-security-token", keys.token.clone()));
        }
        if region.is_some() {
            fields.push(("x-oss-content-sha256", "UNSIGNED-PAYLOAD".to_owned()));
            fields.push(("x-oss-date", now.strftime("%Y%m%dT%H%M%SZ").to_string()));
        } else {
            fields.push(("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        }
        let signed = Signed {
            method: ask.method.as_str(),
            bucket: &self.bucket,
            key: ask.key,
            query: &ask.query,
            fields: &fields,
        };
        let authorization = match region {
            Some(region) => sign::version_4(&keys, region, now, &signed),
            None => sign::version_1(&keys, &signed),
        };
        let url = rest::with_query(&self.url(ask.key), &ask.query);
        let mut request = self.client.request(ask.method.clone(), url);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        if !keys.id.is_empty() {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let response = match ask.body {
            Some((body, length)) => {
                let request = request.header(header::CONTENT_LENGTH, length);
                rest::upload(request.body(body)).await?
            }
            None => rest::send(request).await?,
        };
        rest::accept(response).await.map_err(repeatable)
    }

    /// The bucket is in the host, but for hosts that are numbers.
    fn url(&self, key: &str) -> String {
        let (scheme, host, bucket, key) = (&self.scheme, &self.host, &self.bucket, escape(key));
        let name = host.split(':').next().unwrap_or_default();
        if name == "localhost" || name.parse::<std::net::IpAddr>().is_ok() {
            format!("{scheme}://{host}/{bucket}/{key}")
        } else {
            format!("{scheme}://{bucket}.{host}/{key}")
        }
    }

    async fn put_body(&self, ask: Ask<'_>, source: &Path, offset: u64, size: u64) -> Result<Response, Error> {
        let mut ask = ask;
        ask.fields
            .push(("content-md5", md5_of(source, offset, size).await?));
        ask.body = Some((rest::body(source, offset, size).await?, size));
        self.send(ask).await.map_err(Error::not_missing)
    }

    async fn put_whole(&self, key: &str, source: &Path, size: u64) -> Result<(), Error> {
        let mut ask = Ask::new(Method::PUT, key);
        ask.fields.push(("content-type", content_type(source).to_owned()));
        self.put_body(ask, source, 0, size).await.map(drop)
    }

    async fn put_parts(&self, key: &str, source: &Path, size: u64) -> Result<(), Error> {
        let begun = self.retry.run(|| async {
            let mut ask = Ask::new(Method::POST, key);
            ask.query.push(("uploads", String::new()));
            ask.fields.push(("content-type", content_type(source).to_owned()));
            rest::text(self.send(ask).await.map_err(Error::not_missing)?).await
        });
        let upload = xml::text(&begun.await?, "UploadId").ok_or_else(|| Error::Store {
            message: "the server began an upload without an id".to_owned(),
            is_transient: false,
        })?;
        let result = self.put_and_complete(key, source, size, &upload).await;
        if result.is_err() {
            // Parts that nobody completes cost money until they are given up; if even that
            // fails, the first error is still the one to report.
            let mut ask = Ask::new(Method::DELETE, key);
            ask.query.push(("uploadId", upload));
            let _ = self.send(ask).await;
        }
        result
    }

    async fn put_and_complete(&self, key: &str, source: &Path, size: u64, upload: &str) -> Result<(), Error> {
        let part = self.part.max(size.div_ceil(MOST_PARTS));
        let tags: Vec<String> = stream::iter(0..size.div_ceil(part))
            .map(|index| {
                let offset = index * part;
                let length = part.min(size - offset);
                self.retry.run(move || async move {
                    let mut ask = Ask::new(Method::PUT, key);
                    ask.query.push(("partNumber", (index + 1).to_string()));
                    ask.query.push(("uploadId", upload.to_owned()));
                    let answer = self.put_body(ask, source, offset, length).await?;
                    Ok(rest::header_of(&answer, "etag").unwrap_or_default().to_owned())
                })
            })
            .buffered(self.threads)
            .try_collect()
            .await?;
        let parts: String = tags
            .iter()
            .enumerate()
            .map(|(index, tag)| {
                let (number, tag) = (index + 1, xml::escape(tag));
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>")
            })
            .collect();
        let list = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.retry
            .run(|| async {
                let mut ask = Ask::new(Method::POST, key).text(list.clone());
                ask.query.push(("uploadId", upload.to_owned()));
                self.send(ask).await.map(drop).map_err(Error::not_missing)
            })
            .await
    }

    async fn make_bucket(&self) -> Result<(), Error> {
        match self.send(Ask::new(Method::PUT, "")).await {
            Err(Error::Store { message, .. }) if message.contains("BucketAlreadyExists") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Gives the bucket one rule, for this key (X-OSS-02).
    async fn set_rule(&self, rule: &OssLifecycleRule) -> Result<(), Error> {
        let id = hex(digest::digest(&digest::SHA256, self.key.as_bytes()).as_ref());
        let (cool, delete) = (
            rule.mark_infrequent_access_after_days,
            rule.mark_deletion_after_days,
        );
        let mut text = format!(
            "<LifecycleConfiguration><Rule><ID>{id}</ID><Prefix>{}</Prefix><Status>Enabled</Status>",
            xml::escape(&self.key)
        );
        if delete > 0 {
            text.push_str(&format!("<Expiration><Days>{delete}</Days></Expiration>"));
            text.push_str(&format!(
                "<AbortMultipartUpload><Days>{delete}</Days></AbortMultipartUpload>"
            ));
        }
        if cool > 0 {
            text.push_str(&format!(
                "<Transition><Days>{cool}</Days><StorageClass>IA</StorageClass></Transition>"
            ));
        }
        text.push_str("</Rule></LifecycleConfiguration>");
        let mut ask = Ask::new(Method::PUT, "").text(text);
        ask.query.push(("lifecycle", String::new()));
        self.send(ask).await.map(drop)
    }
}

/// Marks refusals that go away by themselves (X-OSS-04).
fn repeatable(error: Error) -> Error {
    match error {
        Error::Store {
            message,
            is_transient,
        } => {
            let has = |code: &&str| {
                message.contains(&format!(": {code}: ")) || message.ends_with(&format!(": {code}"))
            };
            let is_transient = is_transient || TRANSIENT.iter().any(has);
            Error::Store {
                message,
                is_transient,
            }
        }
        other => other,
    }
}

#[async_trait]
impl Objects for Oss {
    fn retry(&self) -> Retry {
        self.retry
    }

    fn habits(&self) -> Habits {
        Habits {
            stores_folders: true,
            ..Habits::default()
        }
    }

    async fn prepare(&self) -> Result<(), Error> {
        if self.makes_bucket {
            self.make_bucket().await.map_err(Error::not_missing)?;
        }
        match &self.rule {
            Some(rule) => self.set_rule(rule).await.map_err(Error::not_missing),
            None => Ok(()),
        }
    }

    async fn get(&self, key: &str) -> Result<Object, Error> {
        let response = self.send(Ask::new(Method::GET, key)).await?;
        let sum = rest::header_of(&response, "x-oss-hash-crc64ecma");
        let sum = sum.and_then(|sum| sum.parse().ok()).map(Sum::Crc64);
        Ok(Object { response, sum })
    }

    async fn put(&self, key: &str, source: &Path) -> Result<(), Error> {
        let size = rest::size_of(source)?;
        if size > self.largest_whole {
            return self.put_parts(key, source, size).await;
        }
        self.retry.run(|| self.put_whole(key, source, size)).await
    }

    async fn put_mark(&self, key: &str) -> Result<(), Error> {
        let ask = Ask::new(Method::PUT, key).text(String::new());
        self.send(ask).await.map(drop).map_err(Error::not_missing)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.send(Ask::new(Method::DELETE, key)).await.map(drop)
    }

    async fn list(&self, prefix: &str, from: Option<&str>) -> Result<Page, Error> {
        let mut ask = Ask::new(Method::GET, "");
        ask.query = vec![
            ("list-type", "2".to_owned()),
            ("max-keys", "1000".to_owned()),
            ("prefix", prefix.to_owned()),
        ];
        ask.query
            .extend(from.map(|token| ("continuation-token", token.to_owned())));
        let text = rest::text(self.send(ask).await.map_err(Error::not_missing)?).await?;
        let objects = xml::all(&text, "Contents").into_iter();
        Ok(Page {
            keys: objects.filter_map(|object| xml::text(object, "Key")).collect(),
            next: xml::text(&text, "NextContinuationToken"),
        })
    }
}
