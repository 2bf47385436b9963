//! Azure Blob Storage (rules X-AZ-01 to X-AZ-04). What folders are is in `objects`, what allows
//! requests in `auth`.

mod auth;

use std::path::Path;

use argosy_model::artifact::AzureArtifact;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use reqwest::{Body, Client, Method, Response, Url, header};

use crate::objects::{Habits, Keyed, Object, Objects, Page};
use crate::rest::{self, Retry, escape};
use crate::store::{Error, Options, Secrets, content_type, secret};
use crate::sums::{Sum, md5_of};
use crate::{trust, xml};

use auth::{Access, Signed, Tokens};

/// Version of the interface; the first that takes blocks and blobs of the sizes that we send.
const VERSION: &str = "2020-10-02";

/// A blob has no more blocks than this.
const MOST_BLOCKS: u64 = 50_000;

/// A container.
pub(crate) struct Azure {
    client: Client,
    access: Access,
    endpoint: Url,
    container: String,
    retry: Retry,
    part: u64,
    threads: usize,
}

/// A request before it is signed.
struct Ask<'a> {
    method: Method,
    /// What comes after the container; empty for the container itself.
    key: &'a str,
    query: Vec<(&'a str, String)>,
    /// Header fields that begin with `x-ms-`.
    fields: Vec<(&'a str, String)>,
    md5: String,
    content_type: &'a str,
    body: Option<(Body, u64)>,
}

impl<'a> Ask<'a> {
    fn new(method: Method, key: &'a str) -> Self {
        Self {
            method,
            key,
            query: Vec::new(),
            fields: Vec::new(),
            md5: String::new(),
            content_type: "",
            body: None,
        }
    }
}

/// A driver for an artifact's place.
///
/// # Errors
/// A place that is not complete, or credentials that cannot be read.
pub(crate) async fn open(
    place: &AzureArtifact,
    secrets: &dyn Secrets,
    options: &Options,
) -> Result<Keyed<Azure>, Error> {
    let store = &place.store;
    if store.endpoint.is_empty() || store.container.is_empty() || place.blob.is_empty() {
        return Err(Error::Location(
            "azure artifact needs endpoint, container and blob".to_owned(),
        ));
    }
    let endpoint = Url::parse(&store.endpoint)
        .map_err(|e| Error::Location(format!("azure endpoint {}: {e}", store.endpoint)))?;
    trust::provide();
    let client = rest::client(&rest::Connecting::default())?;
    let access = if store.use_sdk_creds {
        Access::Tokens(Tokens::new(client.clone()))
    } else {
        let key = secret(secrets, store.account_key_secret.as_ref()).await?;
        let key = key.ok_or_else(|| {
            Error::Location("azure artifact needs accountKeySecret or useSDKCreds".to_owned())
        })?;
        Access::of_secret(&key, &endpoint)?
    };
    let azure = Azure {
        client,
        access,
        endpoint,
        container: store.container.clone(),
        retry: Retry::new(options.backoff, options),
        part: options.part_bytes,
        threads: options.upload_threads.max(1),
    };
    Ok(Keyed::new(azure, &place.blob))
}

impl Azure {
    async fn send(&self, ask: Ask<'_>) -> Result<Response, Error> {
        let path = self.endpoint.path().trim_end_matches('/');
        let mut path = format!("{path}/{}", escape(&self.container));
        if !ask.key.is_empty() {
            path = format!("{path}/{}", escape(ask.key));
        }
        let url = format!("{}{path}", self.endpoint.origin().ascii_serialization());
        let mut url = rest::with_query(&url, &ask.query);
        let mut fields = ask.fields;
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        fields.push(("x-ms-date", date));
        fields.push(("x-ms-version", VERSION.to_owned()));
        fields.sort();
        let length = ask.body.as_ref().map_or(0, |(_, length)| *length);
        let authorization = match &self.access {
            Access::Key { account, key } => Some(auth::authorization(
                account,
                key,
                &Signed {
                    method: ask.method.as_str(),
                    path: &path,
                    query: &ask.query,
                    length,
                    md5: &ask.md5,
                    content_type: ask.content_type,
                    fields: &fields,
                },
            )),
            Access::Signature(query) => {
                url = format!("{url}{}{query}", if url.contains('?') { '&' } else { '?' });
                None
            }
            Access::Tokens(tokens) => Some(format!("Bearer {}", tokens.get().await?)),
        };
        let mut request = self.client.request(ask.method.clone(), url);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        if !ask.md5.is_empty() {
            request = request.header("content-md5", &ask.md5);
        }
        if !ask.content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, ask.content_type);
        }
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let response = match ask.body {
            Some((body, length)) => {
                let request = request.header(header::CONTENT_LENGTH, length);
                rest::upload(request.body(body)).await?
            }
            None => rest::send(request).await?,
        };
        rest::accept(response).await
    }

    /// A part of a file as a body.
    async fn part(&self, source: &Path, offset: u64, size: u64) -> Result<Option<(Body, u64)>, Error> {
        Ok(Some((rest::body(source, offset, size).await?, size)))
    }

    async fn put_whole(&self, key: &str, source: &Path, size: u64, md5: &str) -> Result<(), Error> {
        let ask = Ask {
            fields: vec![
                ("x-ms-blob-type", "BlockBlob".to_owned()),
                ("x-ms-blob-content-md5", md5.to_owned()),
                ("x-ms-blob-content-type", content_type(source).to_owned()),
            ],
            md5: md5.to_owned(),
            body: self.part(source, 0, size).await?,
            ..Ask::new(Method::PUT, key)
        };
        self.send(ask).await.map(drop).map_err(Error::not_missing)
    }

    async fn put_block(
        &self,
        key: &str,
        source: &Path,
        index: u64,
        offset: u64,
        size: u64,
    ) -> Result<(), Error> {
        let ask = Ask {
            query: vec![("comp", "block".to_owned()), ("blockid", block_id(index))],
            md5: md5_of(source, offset, size).await?,
            body: self.part(source, offset, size).await?,
            ..Ask::new(Method::PUT, key)
        };
        self.send(ask).await.map(drop).map_err(Error::not_missing)
    }

    /// Makes the blob of its blocks; before that there is none.
    async fn put_list(&self, key: &str, source: &Path, blocks: u64, md5: &str) -> Result<(), Error> {
        let ids = (0..blocks).map(|index| format!("<Latest>{}</Latest>", block_id(index)));
        let list = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{}</BlockList>",
            ids.collect::<String>()
        );
        let length = list.len() as u64;
        let ask = Ask {
            query: vec![("comp", "blocklist".to_owned())],
            fields: vec![
                ("x-ms-blob-content-md5", md5.to_owned()),
                ("x-ms-blob-content-type", content_type(source).to_owned()),
            ],
            content_type: "application/xml",
            body: Some((Body::from(list), length)),
            ..Ask::new(Method::PUT, key)
        };
        self.send(ask).await.map(drop).map_err(Error::not_missing)
    }
}

/// All ids of a blob must have the same length.
fn block_id(index: u64) -> String {
    STANDARD.encode(format!("{index:09}"))
}

#[async_trait]
impl Objects for Azure {
    fn retry(&self) -> Retry {
        self.retry
    }

    fn habits(&self) -> Habits {
        Habits {
            has_empty_marks: true,
            deletes_below: true,
            lists_raw: true,
            ..Habits::default()
        }
    }

    async fn get(&self, key: &str) -> Result<Object, Error> {
        let response = self.send(Ask::new(Method::GET, key)).await?;
        let sum = rest::header_of(&response, "content-md5").map(|sum| Sum::Md5(sum.to_owned()));
        Ok(Object { response, sum })
    }

    async fn put(&self, key: &str, source: &Path) -> Result<(), Error> {
        let size = rest::size_of(source)?;
        let md5 = md5_of(source, 0, size).await?;
        let part = self.part.max(size.div_ceil(MOST_BLOCKS));
        if size <= part {
            return self.retry.run(|| self.put_whole(key, source, size, &md5)).await;
        }
        let blocks = size.div_ceil(part);
        stream::iter(0..blocks)
            .map(|index| {
                let offset = index * part;
                let length = part.min(size - offset);
                self.retry
                    .run(move || self.put_block(key, source, index, offset, length))
            })
            .buffer_unordered(self.threads)
            .try_collect::<()>()
            .await?;
        self.retry.run(|| self.put_list(key, source, blocks, &md5)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let ask = Ask {
            fields: vec![("x-ms-delete-snapshots", "include".to_owned())],
            ..Ask::new(Method::DELETE, key)
        };
        self.send(ask).await.map(drop)
    }

    async fn list(&self, prefix: &str, from: Option<&str>) -> Result<Page, Error> {
        let mut ask = Ask::new(Method::GET, "");
        ask.query = vec![
            ("restype", "container".to_owned()),
            ("comp", "list".to_owned()),
            ("prefix", prefix.to_owned()),
        ];
        ask.query.extend(from.map(|marker| ("marker", marker.to_owned())));
        let text = rest::text(self.send(ask).await.map_err(Error::not_missing)?).await?;
        let blobs = xml::all(&text, "Blob").into_iter();
        Ok(Page {
            keys: blobs.filter_map(|blob| xml::text(blob, "Name")).collect(),
            next: xml::text(&text, "NextMarker"),
        })
    }
}
