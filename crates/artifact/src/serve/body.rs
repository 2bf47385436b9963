//! Bodies of requests, checked against what their headers promise: length, SHA-256, MD5. Clients
//! may send them in chunks of their own within the body (`aws-chunked`), which are undone here.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use bytes::{Buf as _, Bytes, BytesMut};
use http::request::Parts;
use http_body_util::BodyExt as _;
use hyper::body::Body;
use md5::{Digest as _, Md5};

use super::auth::hex;
use super::reply::Refusal;

/// Longest line between two chunks: a size, a signature, or a trailing checksum.
const LONGEST_LINE: usize = 8 * 1024;

/// A body being read.
pub struct Content<B> {
    body: B,
    chunks: Option<Chunks>,
    promised: Promised,
    length: u64,
    md5: Md5,
    sha256: Context,
}

/// What the headers say about the content.
struct Promised {
    length: Option<u64>,
    md5: Option<Vec<u8>>,
    sha256: Option<String>,
}

impl<B> Content<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    /// The content of a request with this head.
    pub fn new(body: B, head: &Parts) -> Self {
        let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok());
        let payload = header("x-amz-content-sha256").unwrap_or_default();
        let chunked = payload.starts_with("STREAMING-");
        let length = if chunked {
            "x-amz-decoded-content-length"
        } else {
            "content-length"
        };
        let decode = |text| {
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .unwrap_or_default()
        };
        Self {
            body,
            chunks: chunked.then(Chunks::default),
            promised: Promised {
                length: header(length).and_then(|l| l.parse().ok()),
                md5: header("content-md5").map(decode),
                sha256: (payload.len() == 64).then(|| payload.to_ascii_lowercase()),
            },
            length: 0,
            md5: Md5::new(),
            sha256: Context::new(&SHA256),
        }
    }

    /// The next bytes; `None` after the last, when everything was as promised.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            if let Some(bytes) = self.chunks.as_mut().map(Chunks::take).transpose()?.flatten() {
                return Ok(Some(self.count(bytes)));
            }
            let Some(frame) = self.body.frame().await else {
                self.finish()?;
                return Ok(None);
            };
            let frame = frame.map_err(|e| Refusal::bad("IncompleteBody", &e.to_string()))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            match &mut self.chunks {
                Some(chunks) => chunks.waiting.extend_from_slice(&data),
                None => return Ok(Some(self.count(data))),
            }
        }
    }

    fn count(&mut self, bytes: Bytes) -> Bytes {
        self.length += bytes.len() as u64;
        if self.promised.md5.is_some() {
            self.md5.update(&bytes);
        }
        if self.promised.sha256.is_some() {
            self.sha256.update(&bytes);
        }
        bytes
    }

    fn finish(&mut self) -> Result<(), Refusal> {
        if self.promised.length.is_some_and(|l| l != self.length)
            || self.chunks.as_ref().is_some_and(|c| !c.ended)
        {
            return Err(Refusal::bad(
                "IncompleteBody",
                "the body is not as long as its header says",
            ));
        }
        let md5 = std::mem::take(&mut self.md5).finalize();
        if self
            .promised
            .md5
            .as_ref()
            .is_some_and(|wanted| wanted.as_slice() != md5.as_slice())
        {
            return Err(Refusal::bad(
                "BadDigest",
                "the Content-MD5 is not that of the body",
            ));
        }
        let sha256 = std::mem::replace(&mut self.sha256, Context::new(&SHA256)).finish();
        if self
            .promised
            .sha256
            .as_ref()
            .is_some_and(|wanted| *wanted != hex(sha256.as_ref()))
        {
            return Err(Refusal::bad(
                "XAmzContentSHA256Mismatch",
                "the SHA-256 is not that of the body",
            ));
        }
        Ok(())
    }
}

/// A whole body that is no object.
pub async fn collect<B>(body: B, head: &Parts, longest: usize) -> Result<String, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let mut content = Content::new(body, head);
    let mut all = Vec::new();
    while let Some(bytes) = content.next().await? {
        if all.len() + bytes.len() > longest {
            return Err(Refusal::bad(
                "MaxMessageLengthExceeded",
                "the request is too long",
            ));
        }
        all.extend_from_slice(&bytes);
    }
    String::from_utf8(all).map_err(|_| Refusal::bad("MalformedXML", "the request is not valid UTF-8"))
}

/// `<size in hex>[;chunk-signature=…]\r\n<bytes>\r\n`, ended by a chunk of size 0 and trailers.
#[derive(Default)]
struct Chunks {
    waiting: BytesMut,
    /// What is left of the chunk that is being read.
    left: usize,
    /// Whether the line end after a chunk is still to come.
    closing: bool,
    ended: bool,
}

impl Chunks {
    /// Content that is there already; `None` when more must be read first.
    fn take(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            if self.ended {
                self.waiting.clear();
                return Ok(None);
            }
            if self.left > 0 {
                let ready = self.left.min(self.waiting.len());
                if ready == 0 {
                    return Ok(None);
                }
                self.left -= ready;
                self.closing = self.left == 0;
                return Ok(Some(self.waiting.split_to(ready).freeze()));
            }
            let Some(end) = self.waiting.windows(2).position(|w| w == b"\r\n") else {
                if self.waiting.len() > LONGEST_LINE {
                    return Err(Refusal::bad("InvalidChunkSizeError", "a chunk has no size"));
                }
                return Ok(None);
            };
            let line = self.waiting.split_to(end);
            self.waiting.advance(2);
            if self.closing {
                self.closing = false;
                continue;
            }
            let text = String::from_utf8_lossy(&line);
            let size = text.split(';').next().unwrap_or_default().trim();
            self.left = usize::from_str_radix(size, 16)
                .map_err(|_| Refusal::bad("InvalidChunkSizeError", "a chunk's size is no number"))?;
            self.ended = self.left == 0;
        }
    }
}
