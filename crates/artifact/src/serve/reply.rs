//! Answers of the store: objects, and the XML of everything else. What is in them is decided by
//! the callers.

use std::io;
use std::time::SystemTime;

use bytes::Bytes;
use futures::TryStreamExt as _;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use jiff::Timestamp;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

/// The body of an answer.
pub type Answer = BoxBody<Bytes, io::Error>;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A request that is not carried out.
#[derive(Debug)]
pub struct Refusal {
    /// Status of the answer.
    pub status: StatusCode,
    /// The protocol's word for it.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &str, message: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    pub fn bad(code: &str, message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn denied(code: &str, message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub fn missing(code: &str, message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub fn conflict(message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "OperationAborted", message)
    }

    pub fn range() -> Self {
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "InvalidRange",
            "the range is not within the object",
        )
    }

    pub fn not_implemented() -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "this store does not do that",
        )
    }

    /// A full disk is told apart: trying again does not help there.
    pub fn disk(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "StorageFull",
                "the store's disk is full",
            ),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                &error.to_string(),
            ),
        }
    }
}

/// An object to be sent.
pub struct Object {
    pub file: File,
    pub size: u64,
    /// Start and end (exclusive), when only a part was asked for.
    pub part: Option<(u64, u64)>,
    pub tag: String,
    pub modified: Option<SystemTime>,
    pub key: String,
}

/// An object in a list.
pub struct Listed {
    pub key: String,
    pub size: u64,
    pub modified: Option<SystemTime>,
}

/// One page of a list.
#[derive(Default)]
pub struct Listing<'a> {
    pub bucket: &'a str,
    pub prefix: &'a str,
    pub delimiter: &'a str,
    pub objects: Vec<Listed>,
    pub common: Vec<String>,
    /// Where a next page would begin.
    pub last: Option<String>,
    /// Set when there is a next page.
    pub next: Option<String>,
}

impl Listing<'_> {
    pub fn xml(&self) -> String {
        let mut out = format!("<ListBucketResult xmlns=\"{NAMESPACE}\">");
        element(&mut out, "Name", self.bucket);
        element(&mut out, "Prefix", self.prefix);
        element(&mut out, "Delimiter", self.delimiter);
        element(
            &mut out,
            "KeyCount",
            &(self.objects.len() + self.common.len()).to_string(),
        );
        element(&mut out, "MaxKeys", "1000");
        element(
            &mut out,
            "IsTruncated",
            if self.next.is_some() { "true" } else { "false" },
        );
        if let Some(next) = &self.next {
            element(&mut out, "NextContinuationToken", next);
            element(&mut out, "NextMarker", next);
        }
        for object in &self.objects {
            out.push_str("<Contents>");
            element(&mut out, "Key", &object.key);
            element(&mut out, "LastModified", &iso(object.modified));
            element(&mut out, "Size", &object.size.to_string());
            element(&mut out, "StorageClass", "STANDARD");
            out.push_str("</Contents>");
        }
        for common in &self.common {
            out.push_str("<CommonPrefixes>");
            element(&mut out, "Prefix", common);
            out.push_str("</CommonPrefixes>");
        }
        out.push_str("</ListBucketResult>");
        out
    }
}

pub fn buckets(names: &[String]) -> String {
    let mut out = format!("<ListAllMyBucketsResult xmlns=\"{NAMESPACE}\"><Buckets>");
    for name in names {
        out.push_str("<Bucket>");
        element(&mut out, "Name", name);
        element(&mut out, "CreationDate", &iso(None));
        out.push_str("</Bucket>");
    }
    out.push_str("</Buckets></ListAllMyBucketsResult>");
    out
}

pub fn deleted(keys: &[String]) -> String {
    let mut out = format!("<DeleteResult xmlns=\"{NAMESPACE}\">");
    for key in keys {
        out.push_str("<Deleted>");
        element(&mut out, "Key", key);
        out.push_str("</Deleted>");
    }
    out.push_str("</DeleteResult>");
    out
}

pub fn upload_begun(bucket: &str, key: &str, upload: &str) -> String {
    let mut out = format!("<InitiateMultipartUploadResult xmlns=\"{NAMESPACE}\">");
    element(&mut out, "Bucket", bucket);
    element(&mut out, "Key", key);
    element(&mut out, "UploadId", upload);
    out.push_str("</InitiateMultipartUploadResult>");
    out
}

pub fn upload_completed(bucket: &str, key: &str, tag: &str) -> String {
    let mut out = format!("<CompleteMultipartUploadResult xmlns=\"{NAMESPACE}\">");
    element(&mut out, "Bucket", bucket);
    element(&mut out, "Key", key);
    element(&mut out, "ETag", tag);
    out.push_str("</CompleteMultipartUploadResult>");
    out
}

pub fn xml(text: &str) -> Response<Answer> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}");
    let mut response = Response::new(full(text));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

pub fn empty(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(full(String::new()));
    *response.status_mut() = status;
    response
}

pub fn tagged(tag: &str) -> Response<Answer> {
    let mut response = empty(StatusCode::OK);
    set(&mut response, header::ETAG, tag);
    response
}

pub fn refusal(refusal: &Refusal, is_head: bool) -> Response<Answer> {
    let mut out = String::from("<Error>");
    element(&mut out, "Code", &refusal.code);
    element(&mut out, "Message", &refusal.message);
    out.push_str("</Error>");
    let mut response = if is_head { empty(refusal.status) } else { xml(&out) };
    *response.status_mut() = refusal.status;
    // What is left of the body was not read, so that nothing can follow on this connection.
    set(&mut response, header::CONNECTION, "close");
    response
}

pub fn object(object: Object, is_head: bool) -> Response<Answer> {
    let (start, end) = object.part.unwrap_or((0, object.size));
    let body = if is_head {
        full(String::new())
    } else {
        let stream = ReaderStream::with_capacity(object.file.take(end - start), 256 * 1024);
        BodyExt::boxed(StreamBody::new(stream.map_ok(Frame::data)))
    };
    let mut response = Response::new(body);
    if object.part.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(
            &mut response,
            header::CONTENT_RANGE,
            &format!("bytes {start}-{}/{}", end - 1, object.size),
        );
    }
    set(&mut response, header::CONTENT_LENGTH, &(end - start).to_string());
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::ETAG, &object.tag);
    set(&mut response, header::LAST_MODIFIED, &http_date(object.modified));
    set(
        &mut response,
        header::CONTENT_TYPE,
        crate::store::content_type(std::path::Path::new(&object.key)),
    );
    response
}

/// The texts of all elements of a name, in order. Enough for the two requests that have a list;
/// nothing else in them matters.
pub fn values(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find(&open) {
        rest = &rest[start + open.len()..];
        let Some(end) = rest.find(&close) else {
            break;
        };
        found.push(unescape(&rest[..end]));
        rest = &rest[end + close.len()..];
    }
    found
}

fn full(text: String) -> Answer {
    Full::new(Bytes::from(text))
        .map_err(|never| match never {})
        .boxed()
}

fn set(response: &mut Response<Answer>, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn element(out: &mut String, name: &str, text: &str) {
    out.push_str(&format!("<{name}>"));
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out.push_str(&format!("</{name}>"));
}

fn unescape(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    text.replace("&apos;", "'")
        .replace("&#13;", "\r")
        .replace("&#xD;", "\r")
        .replace("&amp;", "&")
}

/// `2026-01-02T03:04:05.000Z`
fn iso(time: Option<SystemTime>) -> String {
    format!("{:.3}", timestamp(time))
}

/// `Fri, 02 Jan 2026 03:04:05 GMT`
fn http_date(time: Option<SystemTime>) -> String {
    timestamp(time).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Times that no calendar holds become the first second of 1970.
fn timestamp(time: Option<SystemTime>) -> Timestamp {
    time.and_then(|t| Timestamp::try_from(t).ok()).unwrap_or_default()
}
