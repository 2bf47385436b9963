//! Requests to stores that speak plain HTTP: sending, reading answers, bytes to and from files.
//! What a request says and how it is signed is the drivers' affair.

use std::io;
use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt as _;
use reqwest::{Body, Client, RequestBuilder, Response, StatusCode, header};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use crate::retry::Backoff;
use crate::store::{Error, Options, Stream, chain};
use crate::sums::Sum;

/// A server that says nothing for so long is taken to be gone. The slowest known answer is the
/// list of a large bucket, which takes seconds.
const SILENCE: Duration = Duration::from_secs(120);

/// Bytes of an answer that are read to say why a request was refused.
const LONGEST_REASON: usize = 64 * 1024;

/// Longest answer that is read into memory: a list of 5,000 names of 1 KiB each, five times over.
const LONGEST_TEXT: usize = 32 * 1024 * 1024;

/// What a client is made of beyond the usual.
#[derive(Default)]
pub(crate) struct Connecting {
    /// Our own certificate and key as PEM.
    pub identity: Option<String>,
    /// Whether redirects are given back instead of followed.
    pub keeps_redirects: bool,
}

/// A client that trusts what the machine trusts.
///
/// # Errors
/// Certificates that cannot be read.
pub(crate) fn client(connecting: &Connecting) -> Result<Client, Error> {
    let built = |e: reqwest::Error| Error::Location(format!("http client: {}", chain(&e)));
    let roots = reqwest::Certificate::from_pem_bundle(crate::trust::cached_roots()).map_err(built)?;
    let mut builder = Client::builder()
        .tls_certs_only(roots)
        .connect_timeout(Duration::from_secs(30))
        .tcp_keepalive(Duration::from_secs(30));
    if connecting.keeps_redirects {
        builder = builder.redirect(reqwest::redirect::Policy::none());
    }
    if let Some(pem) = &connecting.identity {
        builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).map_err(built)?);
    }
    builder.build().map_err(built)
}

/// How requests are repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    backoff: Backoff,
    more: fn(&str) -> bool,
}

impl Retry {
    /// Repeats as often as this says.
    pub fn new(backoff: Backoff, options: &Options) -> Self {
        Self {
            backoff,
            more: options.is_transient,
        }
    }

    /// Repeats an attempt while that may help.
    pub async fn run<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let more = self.more;
        let is_transient = |e: &Error| e.is_transient() || more(&e.to_string());
        self.backoff.retry(is_transient, attempt).await
    }
}

/// Sends a request that has a short body or none.
pub(crate) async fn send(request: RequestBuilder) -> Result<Response, Error> {
    match tokio::time::timeout(SILENCE, request.send()).await {
        Ok(answer) => answer.map_err(|e| failed(&e)),
        Err(_) => Err(silent()),
    }
}

/// Sends a request that may take as long as its body needs. A peer that is gone is noticed by the
/// connection itself.
pub(crate) async fn upload(request: RequestBuilder) -> Result<Response, Error> {
    request.send().await.map_err(|e| failed(&e))
}

/// The answer if it is a good one, else the server's reason.
pub(crate) async fn accept(response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let place = response.url().clone();
    let reason = reason_of(response).await;
    // What a query holds may be a key.
    let place = format!(
        "{}://{}{}",
        place.scheme(),
        place.authority().rsplit('@').next().unwrap_or_default(),
        place.path()
    );
    let message = if reason.is_empty() {
        format!("{place} answered {status}")
    } else {
        format!("{place} answered {status}: {reason}")
    };
    if status == StatusCode::NOT_FOUND {
        return Err(Error::NotFound(message));
    }
    Err(Error::Store {
        message,
        is_transient: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
    })
}

/// What the server says about a refusal: the message of a JSON or XML error, else nothing.
async fn reason_of(mut response: Response) -> String {
    let mut text = Vec::new();
    while text.len() < LONGEST_REASON {
        // A reason that cannot be read is none; the status is told anyway.
        match tokio::time::timeout(SILENCE, response.chunk()).await {
            Ok(Ok(Some(bytes))) => text.extend_from_slice(&bytes),
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&text);
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) {
        let message = [
            "/error/message",
            "/RemoteException/message",
            "/errors/0/message",
            "/error_description",
            "/message",
            "/error",
        ]
        .iter()
        .find_map(|place| json.pointer(place)?.as_str());
        return one_line(message.unwrap_or_default());
    }
    let code = crate::xml::text(&text, "Code").unwrap_or_default();
    let message = crate::xml::text(&text, "Message").unwrap_or_default();
    match (code.as_str(), message.as_str()) {
        ("", message) => one_line(message),
        (code, "") => one_line(code),
        (code, message) => one_line(&format!("{code}: {message}")),
    }
}

fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    line.chars().take(500).collect()
}

/// A short answer as text.
pub(crate) async fn text(mut response: Response) -> Result<String, Error> {
    let mut text = Vec::new();
    while let Some(bytes) = next(&mut response).await? {
        if text.len() + bytes.len() > LONGEST_TEXT {
            return Err(Error::Store {
                message: format!("the answer of {} is too long", response.url()),
                is_transient: false,
            });
        }
        text.extend_from_slice(&bytes);
    }
    String::from_utf8(text).map_err(|_| Error::Store {
        message: "the answer is no text".to_owned(),
        is_transient: false,
    })
}

/// A short answer as JSON.
pub(crate) async fn json(response: Response) -> Result<serde_json::Value, Error> {
    serde_json::from_str(&text(response).await?).map_err(|e| Error::Store {
        message: format!("the answer is no JSON: {e}"),
        is_transient: false,
    })
}

async fn next(response: &mut Response) -> Result<Option<bytes::Bytes>, Error> {
    match tokio::time::timeout(SILENCE, response.chunk()).await {
        Ok(chunk) => chunk.map_err(|e| failed(&e)),
        Err(_) => Err(silent()),
    }
}

/// Writes what arrives to a new file, and holds it against the length and the sum that were
/// announced. What does not fit is removed again.
pub(crate) async fn receive(response: Response, sum: Option<Sum>, target: &Path) -> Result<(), Error> {
    let result = receive_whole(response, sum, target).await;
    if result.is_err() {
        // The first error is the one to report.
        let _ = crate::archive::remove_all(target);
    }
    result
}

async fn receive_whole(mut response: Response, sum: Option<Sum>, target: &Path) -> Result<(), Error> {
    let io = |e| Error::io("write", target, e);
    let size = length_of(&response);
    let file = tokio::fs::File::create(target).await.map_err(io)?;
    // Each write is a hop to another thread, so that small ones are put together.
    let mut file = tokio::io::BufWriter::with_capacity(512 * 1024, file);
    let mut written = 0_u64;
    let mut summing = sum.as_ref().map(Sum::start);
    while let Some(bytes) = next(&mut response).await? {
        written += bytes.len() as u64;
        if let Some(summing) = &mut summing {
            summing.update(&bytes);
        }
        file.write_all(&bytes).await.map_err(io)?;
    }
    file.flush().await.map_err(io)?;
    if size.is_some_and(|size| size != written) {
        return Err(Error::Store {
            message: format!(
                "received {written} of {} bytes: unexpected end of file",
                size.unwrap_or_default()
            ),
            is_transient: true,
        });
    }
    let is_right = sum.zip(summing).is_none_or(|(sum, summing)| sum.is(summing));
    if is_right {
        return Ok(());
    }
    Err(Error::Store {
        message: format!(
            "what {} sent is damaged: its checksum is wrong",
            response.url().path()
        ),
        is_transient: true,
    })
}

/// The length that an answer announces.
pub(crate) fn length_of(response: &Response) -> Option<u64> {
    header_of(response, header::CONTENT_LENGTH.as_str())?.parse().ok()
}

/// A header field of an answer.
pub(crate) fn header_of<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// What arrives, as a stream. An answer that ends too early is an error there.
pub(crate) fn stream(response: Response) -> Stream {
    let bytes = response.bytes_stream().map_err(|e| io::Error::other(chain(&e)));
    Box::new(tokio_util::io::StreamReader::new(bytes))
}

/// A part of a file as a body, read as it is sent.
pub(crate) async fn body(source: &Path, offset: u64, size: u64) -> Result<Body, Error> {
    let io = |e| Error::io("read", source, e);
    let mut file = tokio::fs::File::open(source).await.map_err(io)?;
    file.seek(io::SeekFrom::Start(offset)).await.map_err(io)?;
    let part = tokio_util::io::ReaderStream::with_capacity(file.take(size), 128 * 1024);
    Ok(Body::wrap_stream(part))
}

/// The size of a file, or why there is none.
pub(crate) fn size_of(source: &Path) -> Result<u64, Error> {
    let metadata = std::fs::metadata(source).map_err(|e| Error::io("open", source, e))?;
    Ok(metadata.len())
}

/// A key as one segment of an address: everything but letters, digits and `-._~` is escaped, also
/// slashes, so that nothing on the way takes `..` for a way up.
pub(crate) fn escape(key: &str) -> String {
    escape_but(key, "")
}

/// As [`escape`], with further characters that stay.
pub(crate) fn escape_but(key: &str, kept: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        let stays =
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte);
        if stays {
            out.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// An address with a query at its end.
pub(crate) fn with_query<V: AsRef<str>>(url: &str, query: &[(&str, V)]) -> String {
    let pairs = pairs(query);
    match (pairs.is_empty(), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&{pairs}"),
        (false, false) => format!("{url}?{pairs}"),
    }
}

/// A request with a form as its body.
pub(crate) fn form<V: AsRef<str>>(request: RequestBuilder, fields: &[(&str, V)]) -> RequestBuilder {
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(pairs(fields))
}

fn pairs<V: AsRef<str>>(of: &[(&str, V)]) -> String {
    let pairs: Vec<_> = of
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value.as_ref())))
        .collect();
    pairs.join("&")
}

/// A request that got no answer.
pub(crate) fn failed(error: &reqwest::Error) -> Error {
    let is_transient = error.is_connect()
        || error.is_timeout()
        || error.is_body()
        || error.is_request()
        || error.is_decode();
    Error::Store {
        message: chain(error),
        is_transient,
    }
}

fn silent() -> Error {
    Error::Store {
        message: format!("the server says nothing for {} seconds", SILENCE.as_secs()),
        is_transient: true,
    }
}

/// The size of a file in bytes, for stores that keep files only.
///
/// # Errors
/// When it can't be read, or is a folder or something else.
pub(crate) fn file_size(source: &Path, kind: &str) -> Result<u64, Error> {
    let metadata = std::fs::metadata(source).map_err(|e| Error::io("open", source, e))?;
    if metadata.is_file() {
        return Ok(metadata.len());
    }
    let place = source.display();
    Err(Error::Unsupported(format!(
        "{place} is no file, which {kind} artifacts must be"
    )))
}
