//! Google Cloud Storage by its JSON interface (rules X-GCS-01 to X-GCS-04). What folders are is in
//! `objects`, where tokens come from in `auth`.

mod auth;

use std::path::Path;

use argosy_model::artifact::GcsArtifact;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use serde_json::json;

use crate::objects::{Habits, Keyed, Object, Objects, Page};
use crate::rest::{self, Retry, escape};
use crate::store::{Error, Options, Secrets, content_type, secret};
use crate::sums::{Sum, md5_of};
use crate::{environment, trust};

use auth::{Source, Tokens};

const ADDRESS: &str = "https://storage.googleapis.com";

/// Pieces of a long upload must be a multiple of this.
const PIECE_UNIT: u64 = 256 * 1024;

/// A bucket.
pub(crate) struct Gcs {
    client: Client,
    tokens: Tokens,
    address: String,
    bucket: String,
    retry: Retry,
    piece: u64,
}

/// A driver for an artifact's place.
///
/// # Errors
/// A place that is not complete, or credentials that cannot be read.
pub(crate) async fn open(
    place: &GcsArtifact,
    secrets: &dyn Secrets,
    options: &Options,
) -> Result<Keyed<Gcs>, Error> {
    if place.store.bucket.is_empty() || place.key.is_empty() {
        return Err(Error::Location("gcs artifact needs bucket and key".to_owned()));
    }
    trust::provide();
    let client = rest::client(&rest::Connecting::default())?;
    let emulator = environment::get(environment::GCS_EMULATOR);
    let key = secret(secrets, place.store.service_account_key_secret.as_ref()).await?;
    let source = match (&emulator, key) {
        (_, Some(key)) => Source::of_secret(&key)?,
        (Some(_), None) => Source::None,
        (None, None) => Source::of_machine()?,
    };
    let address = match emulator {
        Some(host) if host.contains("://") => host,
        Some(host) => format!("http://{host}"),
        None => ADDRESS.to_owned(),
    };
    let gcs = Gcs {
        tokens: Tokens::new(client.clone(), source),
        client,
        address: address.trim_end_matches('/').to_owned(),
        bucket: place.store.bucket.clone(),
        retry: Retry::new(options.cloud_backoff, options),
        piece: options.part_bytes.next_multiple_of(PIECE_UNIT),
    };
    Ok(Keyed::new(gcs, &place.key))
}

impl Gcs {
    async fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, Error> {
        let request = self.client.request(method, url);
        Ok(match self.tokens.get().await? {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    fn object_url(&self, key: &str) -> String {
        let (bucket, key) = (escape(&self.bucket), escape(key));
        format!("{}/storage/v1/b/{bucket}/o/{key}", self.address)
    }

    fn upload_url(&self) -> String {
        format!("{}/upload/storage/v1/b/{}/o", self.address, escape(&self.bucket))
    }

    /// Says what will come, and gives the address to which it goes. The object appears when all
    /// of it is there and adds up to the sum.
    async fn begin(&self, key: &str, source: &Path, size: u64, md5: &str) -> Result<String, Error> {
        let url = rest::with_query(&self.upload_url(), &[("uploadType", "resumable"), ("name", key)]);
        let request = self.request(Method::POST, &url).await?;
        let about = json!({"name": key, "contentType": content_type(source), "md5Hash": md5});
        let request = request
            .header("x-upload-content-length", size)
            .header("x-upload-content-type", content_type(source))
            .header(header::CONTENT_TYPE, "application/json; charset=UTF-8")
            .body(about.to_string());
        let answer = rest::accept(rest::send(request).await?)
            .await
            .map_err(no_bucket)?;
        rest::header_of(&answer, "location")
            .map(str::to_owned)
            .ok_or_else(|| Error::Store {
                message: "the server began an upload without saying where to".to_owned(),
                is_transient: false,
            })
    }

    async fn put_piece(
        &self,
        session: &str,
        source: &Path,
        offset: u64,
        length: u64,
        size: u64,
    ) -> Result<Response, Error> {
        let range = if size == 0 {
            "bytes */0".to_owned()
        } else {
            format!("bytes {offset}-{}/{size}", offset + length - 1)
        };
        let request = self.request(Method::PUT, session).await?;
        let request = request
            .header(header::CONTENT_LENGTH, length)
            .header(header::CONTENT_RANGE, range)
            .body(rest::body(source, offset, length).await?);
        let answer = rest::upload(request).await?;
        // 308 says "so far, so good".
        if answer.status() == StatusCode::PERMANENT_REDIRECT {
            return Ok(answer);
        }
        rest::accept(answer).await.map_err(no_bucket)
    }

    /// What the server says of the object that it made, held against what was sent.
    async fn confirm(&self, key: &str, answer: Response, size: u64, md5: &str) -> Result<(), Error> {
        let about = rest::json(answer).await?;
        let text = |name: &str| about[name].as_str().map(str::to_owned);
        let is_size = text("size").is_none_or(|s| s.parse() == Ok(size));
        let is_sum = text("md5Hash").is_none_or(|sum| sum == md5);
        if is_size && is_sum {
            return Ok(());
        }
        // An object that is not what was sent must not be taken for it.
        let _ = self.delete(key).await;
        Err(Error::Store {
            message: format!("object {key} arrived damaged: its size or checksum is wrong"),
            is_transient: false,
        })
    }

    async fn put_whole(&self, key: &str, source: &Path, size: u64, md5: &str) -> Result<(), Error> {
        let session = self.retry.run(|| self.begin(key, source, size, md5)).await?;
        let mut offset = 0;
        loop {
            let length = self.piece.min(size - offset);
            let send = || self.put_piece(&session, source, offset, length, size);
            let answer = self.retry.run(send).await?;
            offset += length;
            if answer.status() != StatusCode::PERMANENT_REDIRECT {
                return self.confirm(key, answer, size, md5).await;
            }
            if offset >= size {
                return Err(Error::Store {
                    message: format!("the server waits for more of object {key} than there is"),
                    is_transient: true,
                });
            }
        }
    }
}

#[async_trait]
impl Objects for Gcs {
    fn retry(&self) -> Retry {
        self.retry
    }

    fn habits(&self) -> Habits {
        Habits::default()
    }

    async fn get(&self, key: &str) -> Result<Object, Error> {
        let url = rest::with_query(&self.object_url(key), &[("alt", "media")]);
        let request = self.request(Method::GET, &url).await?;
        // What is stored compressed comes as it is stored, so that its sum fits.
        let request = request.header(header::ACCEPT_ENCODING, "gzip");
        let response = rest::accept(rest::send(request).await?).await?;
        let sum = sum_of(&response);
        Ok(Object { response, sum })
    }

    async fn put(&self, key: &str, source: &Path) -> Result<(), Error> {
        let size = rest::size_of(source)?;
        let md5 = md5_of(source, 0, size).await?;
        self.put_whole(key, source, size, &md5).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let request = self.request(Method::DELETE, &self.object_url(key)).await?;
        rest::accept(rest::send(request).await?).await.map(drop)
    }

    async fn list(&self, prefix: &str, from: Option<&str>) -> Result<Page, Error> {
        let url = format!("{}/storage/v1/b/{}/o", self.address, escape(&self.bucket));
        let mut query = vec![
            ("prefix", prefix),
            ("maxResults", "1000"),
            ("fields", "items(name),nextPageToken"),
        ];
        query.extend(from.map(|token| ("pageToken", token)));
        let request = self.request(Method::GET, &rest::with_query(&url, &query)).await?;
        let answer = rest::accept(rest::send(request).await?)
            .await
            .map_err(no_bucket)?;
        let page = rest::json(answer).await?;
        let items = page["items"].as_array().into_iter().flatten();
        Ok(Page {
            keys: items
                .filter_map(|i| i["name"].as_str().map(str::to_owned))
                .collect(),
            next: page["nextPageToken"].as_str().map(str::to_owned),
        })
    }
}

/// A bucket that is not there is no missing artifact.
fn no_bucket(error: Error) -> Error {
    match error {
        Error::NotFound(message) => Error::Store {
            message,
            is_transient: false,
        },
        other => other,
    }
}

/// The sum that comes with an object; none if the server unpacked it for us.
fn sum_of(response: &Response) -> Option<Sum> {
    let stored = rest::header_of(response, "x-goog-stored-content-encoding");
    if stored.is_some_and(|s| s != "identity") && response.headers().get(header::CONTENT_ENCODING).is_none() {
        return None;
    }
    let all = response.headers().get_all("x-goog-hash");
    let part = all
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|part| part.trim().strip_prefix("crc32c="))?;
    let bytes: [u8; 4] = STANDARD.decode(part).ok()?.try_into().ok()?;
    Some(Sum::Crc32c(u32::from_be_bytes(bytes)))
}
