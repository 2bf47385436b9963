//! A folder as an S3 store: what a standalone platform offers its pods, so that workflows name
//! artifacts as they do on a cluster. Objects are plain files that people can read.
//!
//! A subset: objects (put, get, head, delete, in parts), buckets (make, head, list). Deliberately
//! absent: versions, permissions beyond one pair of keys, copies, encryption.

mod auth;
mod body;
mod folder;
mod parts;
mod reply;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Body;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use folder::Folder;
use reply::{Answer, Refusal};

/// Connections at the same time: a hundred pods with a few transfers each. More wait.
const MOST_CONNECTIONS: usize = 512;

/// Longest body of a request that is no object, in bytes: a list of 10,000 parts is about 1 MiB.
const LONGEST_LIST: usize = 4 * 1024 * 1024;

/// What the owner of the store chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder. Each bucket is a folder in it; made when it is not there.
    pub root: PathBuf,
    /// Names the one user there is.
    pub access_key: String,
    /// Signs that user's requests.
    pub secret_key: String,
    /// Buckets that are made at the start.
    pub buckets: Vec<String>,
}

/// A running store.
#[derive(Debug)]
pub struct Server {
    folder: Folder,
    keys: auth::Keys,
}

impl Server {
    /// Opens the folder.
    ///
    /// # Errors
    /// The folder cannot be made, or a bucket's name is none.
    pub fn open(options: &Options) -> io::Result<Arc<Self>> {
        let folder = Folder::open(&options.root)?;
        for bucket in &options.buckets {
            folder
                .make_bucket(bucket)
                .map_err(|refusal| io::Error::other(refusal.message))?;
        }
        let keys = auth::Keys::new(&options.access_key, &options.secret_key);
        Ok(Arc::new(Self { folder, keys }))
    }

    /// Answers plain HTTP connections until `stop` is ready; open connections are cut then.
    ///
    /// # Errors
    /// The listener fails for good.
    pub async fn listen(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut connections = tokio::task::JoinSet::new();
        tokio::pin!(stop);
        loop {
            let slot = Arc::clone(&slots)
                .acquire_owned()
                .await
                .map_err(io::Error::other)?;
            let stream = tokio::select! {
                () = &mut stop => return Ok(()),
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = stream else {
                // The client went away, or descriptors ran out: the next one may do better.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let server = Arc::clone(&self);
            connections.spawn(async move {
                let service = hyper::service::service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(server.answer(request).await) }
                });
                // A connection that broke off is the client's to report.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
                drop(slot);
            });
        }
    }

    /// Answers one request.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Answer>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: std::fmt::Display,
    {
        let is_head = request.method() == Method::HEAD;
        match self.route(request).await {
            Ok(response) => response,
            Err(refusal) => reply::refusal(&refusal, is_head),
        }
    }

    async fn route<B>(&self, request: Request<B>) -> Result<Response<Answer>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: std::fmt::Display,
    {
        let (parts, body) = request.into_parts();
        self.keys.check(&parts)?;
        let query = query_of(parts.uri.query().unwrap_or_default());
        let path = decode(parts.uri.path().trim_start_matches('/'))?;
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        let call = Call {
            folder: &self.folder,
            head: &parts,
            query: &query,
            bucket,
            key,
        };
        match (bucket, key) {
            ("", _) => Ok(reply::xml(&call.folder.list_buckets()?)),
            (_, "") => call.bucket(body).await,
            _ => call.object(body).await,
        }
    }
}

/// One request, taken apart.
struct Call<'a> {
    folder: &'a Folder,
    head: &'a http::request::Parts,
    query: &'a BTreeMap<String, String>,
    bucket: &'a str,
    key: &'a str,
}

impl Call<'_> {
    async fn bucket<B>(&self, body: B) -> Result<Response<Answer>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: std::fmt::Display,
    {
        match self.head.method {
            Method::PUT => {
                self.folder.make_bucket(self.bucket)?;
                Ok(reply::empty(StatusCode::OK))
            }
            Method::HEAD => {
                self.folder.bucket(self.bucket)?;
                Ok(reply::empty(StatusCode::OK))
            }
            Method::GET if self.query.contains_key("location") => {
                self.folder.bucket(self.bucket)?;
                Ok(reply::xml(
                    "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>",
                ))
            }
            Method::GET => Ok(reply::xml(&self.folder.list(self.bucket, self.query)?)),
            Method::POST if self.query.contains_key("delete") => {
                let text = body::collect(body, self.head, LONGEST_LIST).await?;
                let keys = reply::values(&text, "Key");
                for key in &keys {
                    self.folder.delete(self.bucket, key)?;
                }
                Ok(reply::xml(&reply::deleted(&keys)))
            }
            _ => Err(Refusal::not_implemented()),
        }
    }

    async fn object<B>(&self, body: B) -> Result<Response<Answer>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin + Send,
        B::Error: std::fmt::Display,
    {
        let upload = self.query.get("uploadId");
        match (&self.head.method, upload) {
            (&Method::PUT, None) => {
                if self.head.headers.contains_key("x-amz-copy-source") {
                    return Err(Refusal::not_implemented());
                }
                let tag = self.folder.put(self.bucket, self.key, self.head, body).await?;
                Ok(reply::tagged(&tag))
            }
            (&Method::PUT, Some(upload)) => {
                let tag = self.folder.put_part(upload, self.query, self.head, body).await?;
                Ok(reply::tagged(&tag))
            }
            (&Method::POST, None) if self.query.contains_key("uploads") => {
                let upload = self.folder.begin_parts(self.bucket, self.key)?;
                Ok(reply::xml(&reply::upload_begun(self.bucket, self.key, &upload)))
            }
            (&Method::POST, Some(upload)) => {
                let text = body::collect(body, self.head, LONGEST_LIST).await?;
                let numbers = reply::values(&text, "PartNumber");
                let tag = self
                    .folder
                    .complete_parts(self.bucket, self.key, upload, &numbers)
                    .await?;
                Ok(reply::xml(&reply::upload_completed(self.bucket, self.key, &tag)))
            }
            (&Method::DELETE, Some(upload)) => {
                self.folder.abort_parts(upload)?;
                Ok(reply::empty(StatusCode::NO_CONTENT))
            }
            (&Method::DELETE, None) => {
                self.folder.delete(self.bucket, self.key)?;
                Ok(reply::empty(StatusCode::NO_CONTENT))
            }
            (&Method::GET | &Method::HEAD, None) => {
                let range = self
                    .head
                    .headers
                    .get(http::header::RANGE)
                    .and_then(|r| r.to_str().ok());
                let object = self.folder.get(self.bucket, self.key, range).await?;
                Ok(reply::object(object, self.head.method == Method::HEAD))
            }
            _ => Err(Refusal::not_implemented()),
        }
    }
}

fn query_of(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter(|p| !p.is_empty());
    let pair = |p: &str| {
        let (key, value) = p.split_once('=').unwrap_or((p, ""));
        let value = value.replace('+', " ");
        Some((decode(key).ok()?, decode(&value).ok()?))
    };
    pairs.filter_map(pair).collect()
}

/// Undoes percent signs.
fn decode(text: &str) -> Result<String, Refusal> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_err(|_| Refusal::bad("InvalidURI", "the path is not valid UTF-8"))
}
