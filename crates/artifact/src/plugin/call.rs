//! Calls of a gRPC server behind a unix socket (X-APLG-01, X-APLG-04): HTTP/2 without encryption,
//! one connection for each call. Which calls there are is not known here.

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

/// How often it is looked whether the socket is there.
const LOOK: Duration = Duration::from_millis(50);

/// How much the other side may send before it hears from us.
const WINDOW: u32 = 4 * 1024 * 1024;

/// Longest message that is taken, in bytes. A list of a hundred thousand keys is a tenth of that.
const LONGEST: usize = 128 * 1024 * 1024;

/// Numbers of states of gRPC that mean more than "it failed".
const NOT_FOUND: u32 = 5;
const UNIMPLEMENTED: u32 = 12;
const UNAVAILABLE: u32 = 14;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens.
    #[error("{0}")]
    Connect(String),
    /// The connection broke.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The server says that what is asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// The server has no such call.
    #[error("{0}")]
    Unimplemented(String),
    /// The server said no.
    #[error("{message}")]
    Refused {
        /// Its words.
        message: String,
        /// Whether it may be otherwise soon.
        is_transient: bool,
    },
}

impl From<h2::Error> for Error {
    fn from(error: h2::Error) -> Self {
        Self::Lost(error.to_string())
    }
}

/// A call that has begun: what is sent to the server, and its answer when it comes.
pub struct Call {
    send: SendStream<Bytes>,
    response: ResponseFuture,
}

impl Call {
    /// Waits for the socket, connects and begins a call.
    ///
    /// # Errors
    /// No socket within `appears`, or no connection within `connects` after that.
    pub async fn begin(
        socket: &Path,
        appears: Duration,
        connects: Duration,
        method: &str,
    ) -> Result<Self, Error> {
        wait_for(socket, appears).await?;
        let connected = timeout(connects, connect(socket)).await.map_err(|_| {
            let secs = connects.as_secs_f64();
            Error::Connect(format!("no connection to {} within {secs} s", socket.display()))
        })??;
        let mut client = connected.ready().await?;
        let request = http::Request::post(format!("http://localhost/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("user-agent", "argosy")
            .body(())
            .map_err(|e| Error::Connect(e.to_string()))?;
        let (response, send) = client.send_request(request, false)?;
        Ok(Self { send, response })
    }

    /// Sends one message, as fast as the server takes it.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(message.len()).map_err(|_| Error::Lost("message too long".to_owned()))?;
        let mut frame = BytesMut::with_capacity(message.len() + 5);
        frame.put_u8(0);
        frame.put_u32(length);
        frame.put_slice(message);
        let mut frame = frame.freeze();
        while !frame.is_empty() {
            self.send.reserve_capacity(frame.len());
            let room = std::future::poll_fn(|cx| self.send.poll_capacity(cx)).await;
            let room = room.ok_or_else(|| Error::Lost("the plugin ended the call".to_owned()))??;
            let piece = frame.split_to(room.min(frame.len()));
            self.send.send_data(piece, false)?;
        }
        Ok(())
    }

    /// Says that nothing more comes, and waits for the begin of the answer.
    ///
    /// # Errors
    /// The connection broke, or the server said no.
    pub async fn answers(mut self) -> Result<Answers, Error> {
        self.send.send_data(Bytes::new(), true)?;
        let response = self.response.await?;
        if response.status() != http::StatusCode::OK {
            return Err(Error::Lost(format!("HTTP status {}", response.status())));
        }
        // An answer without messages may say how it ended in its head.
        if response.headers().contains_key("grpc-status") {
            outcome(response.headers())?;
        }
        Ok(Answers {
            body: response.into_body(),
            bytes: BytesMut::new(),
        })
    }
}

/// The messages of an answer as they arrive.
pub struct Answers {
    body: RecvStream,
    bytes: BytesMut,
}

impl Answers {
    /// The next message; `None` after the last one.
    ///
    /// # Errors
    /// The connection broke, or the server says that it failed.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(Some(message));
            }
            match self.body.data().await {
                Some(piece) => {
                    let piece = piece?;
                    self.body.flow_control().release_capacity(piece.len())?;
                    self.bytes.extend_from_slice(&piece);
                }
                None if self.bytes.is_empty() => {
                    if let Some(end) = self.body.trailers().await? {
                        outcome(&end)?;
                    }
                    return Ok(None);
                }
                None => return Err(Error::Lost("it ended within a message".to_owned())),
            }
        }
    }

    /// Takes a message off what has arrived, if one is there whole.
    fn whole(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(mut head) = self.bytes.get(..5) else {
            return Ok(None);
        };
        if head.get_u8() != 0 {
            return Err(Error::Lost(
                "the answer is compressed, which nobody asked for".to_owned(),
            ));
        }
        let length = usize::try_from(head.get_u32()).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(Error::Lost(format!("a message of {length} bytes is too long")));
        }
        if self.bytes.len() - 5 < length {
            return Ok(None);
        }
        self.bytes.advance(5);
        Ok(Some(self.bytes.split_to(length).freeze()))
    }
}

async fn wait_for(socket: &Path, appears: Duration) -> Result<(), Error> {
    let end = Instant::now() + appears;
    while !socket.exists() {
        if Instant::now() >= end {
            let secs = appears.as_secs();
            return Err(Error::Connect(format!(
                "{} did not appear within {secs} s",
                socket.display()
            )));
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// A socket that is there may not be listened to yet, so that a refusal is tried again until the caller's time is up.
async fn connect(socket: &Path) -> Result<h2::client::SendRequest<Bytes>, Error> {
    let stream = loop {
        match UnixStream::connect(socket).await {
            Ok(stream) => break stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => sleep(LOOK).await,
            Err(error) => return Err(Error::Connect(format!("{}: {error}", socket.display()))),
        }
    };
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .handshake(stream)
        .await?;
    // It ends with the last handle of the call; what breaks it is seen by the call.
    tokio::spawn(connection);
    Ok(client)
}

/// What the server says of the whole call.
fn outcome(fields: &HeaderMap) -> Result<(), Error> {
    let text = |name: &str| fields.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let status: u32 = text("grpc-status").parse().unwrap_or(2);
    let message = decoded(text("grpc-message"));
    match status {
        0 => Ok(()),
        NOT_FOUND => Err(Error::NotFound(message)),
        UNIMPLEMENTED => Err(Error::Unimplemented(message)),
        other => Err(Error::Refused {
            message: if message.is_empty() {
                format!("gRPC status {other}")
            } else {
                message
            },
            is_transient: other == UNAVAILABLE,
        }),
    }
}

/// Text whose special characters are `%` and two digits.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits
            .and_then(|d| u8::from_str_radix(d, 16).ok())
            .filter(|_| *first == b'%')
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
