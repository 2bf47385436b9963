//! Commands in containers: `pods/exec` and `pods/attach`, whatever the client speaks; and ports of pods (see `forward`).
//!
//! Deliberately absent: running the commands (see `Kubelet`), and the two ways to carry streams over one connection
//! (see `websocket` and `spdy`).

mod forward;
mod spdy;
mod spdy_frames;
mod websocket;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::upgrade::Upgraded;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::kubelet::{container, failed};
use super::{ApiServer, Call};
use crate::body::Body;
use crate::kubelet::{ContainerRef, ExecOptions, ExecStreams, Kubelet, KubeletError, TerminalSize};
use crate::status::{Result, Status};

/// Subprotocols that we speak over WebSockets, the best one first. Only v5 can end stdin on its own.
const WEBSOCKET: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// The one that we speak over SPDY; every kubectl that uses SPDY knows it.
const SPDY: &str = "v4.channel.k8s.io";
/// Bytes that wait in each direction of each stream: one pipe of Linux.
const PIPE: usize = 64 * 1024;
/// Messages that wait for the network; each holds at most one pipe's read of 16 KiB.
const QUEUE: usize = 8;
const READ: usize = 16 * 1024;

const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

impl ApiServer {
    pub(super) async fn exec(&self, mut call: Call) -> Result<Response<Body>> {
        let pod = self.found(&call)?;
        let container = container(&pod.value, call.query.get("container"))?;
        let attach = call.target.subresource == "attach";
        let command = if attach {
            Vec::new()
        } else {
            call.query.all("command").to_vec()
        };
        if !attach && command.is_empty() {
            return Err(Status::bad_request(
                "you must specify at least one command for the container",
            ));
        }
        let asked = Asked::of(&call);
        if !(asked.stdin || asked.stdout || asked.stderr) {
            return Err(Status::bad_request(
                "you must specify at least 1 of stdin, stdout, stderr",
            ));
        }
        let (wire, response) = agree(&call)?;
        let Some(kubelet) = self.kubelet.get().cloned() else {
            return Err(Status::unavailable(
                "no node is connected that could run commands",
            ));
        };
        let upgrade = hyper::upgrade::on(http::Request::from_parts(call.parts.clone(), ()));
        call.parts.extensions.clear();
        let options = ExecOptions {
            command,
            tty: asked.tty,
        };
        let session = Session {
            kubelet,
            container,
            options,
            asked,
        };
        tokio::spawn(async move {
            match upgrade.await {
                Ok(upgraded) => session.over(wire, upgraded).await,
                Err(error) => tracing::debug!(%error, "A client did not go on after the upgrade"),
            }
        });
        Ok(response)
    }
}

/// How the streams share the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    WebSocket,
    Spdy,
}

/// Chooses how to go on, and the answer that says so.
fn agree(call: &Call) -> Result<(Wire, Response<Body>)> {
    let wanted = call.header(header::UPGRADE).to_ascii_lowercase();
    if wanted == "spdy/3.1" {
        if !offers(call, &STREAM_PROTOCOL, SPDY) {
            return Err(Status::bad_request(format!(
                "unable to upgrade: only {SPDY} is spoken over SPDY"
            )));
        }
        return Ok((Wire::Spdy, accepted("SPDY/3.1", &STREAM_PROTOCOL, SPDY)));
    }
    let named = header::SEC_WEBSOCKET_PROTOCOL;
    let key = call.header(header::SEC_WEBSOCKET_KEY);
    let spoken = WEBSOCKET.into_iter().find(|known| offers(call, &named, known));
    let (Some(protocol), false) = (spoken, key.is_empty()) else {
        return Err(Status::bad_request(
            "unable to upgrade: only SPDY/3.1 and WebSockets with v4.channel.k8s.io or v5.channel.k8s.io are served",
        ));
    };
    Ok((Wire::WebSocket, accepted_socket(key, protocol)))
}

/// Whether a client speaks a protocol: one of those that it names in a header, or in several.
fn offers(call: &Call, named: &HeaderName, protocol: &str) -> bool {
    let offered = call.parts.headers.get_all(named).iter();
    let mut offered = offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|one| one.split(','));
    offered.any(|one| one.trim() == protocol)
}

/// The answer after which another protocol is spoken.
fn accepted(upgrade: &'static str, named: &HeaderName, protocol: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::full(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static(upgrade));
    headers.insert(named, HeaderValue::from_static(protocol));
    response
}

/// The same for a WebSocket, whose client has sent `key`.
fn accepted_socket(key: &str, protocol: &'static str) -> Response<Body> {
    let mut response = accepted("websocket", &header::SEC_WEBSOCKET_PROTOCOL, protocol);
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

/// The streams that the client asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    stdin: bool,
    stdout: bool,
    stderr: bool,
    tty: bool,
}

impl Asked {
    fn of(call: &Call) -> Self {
        let wants = |name: &str| call.query.is(name);
        let tty = wants("tty");
        Asked {
            stdin: wants("stdin"),
            stdout: wants("stdout"),
            // A terminal has one output.
            stderr: wants("stderr") && !tty,
            tty,
        }
    }
}

/// A stream of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Channel {
    Stdin,
    Stdout,
    Stderr,
    /// How the command ended, as a Status.
    Error,
    Resize,
}

/// What goes to the client.
enum Out {
    Data(Channel, Bytes),
    /// The last word: how the command ended. All output went before it.
    Ended(Bytes),
    Pong(Bytes),
}

/// Where what the client sends goes.
struct Inbox {
    stdin: Option<DuplexStream>,
    sizes: mpsc::Sender<TerminalSize>,
}

impl Inbox {
    async fn take(&mut self, channel: Channel, bytes: &[u8]) {
        match channel {
            Channel::Stdin => {
                let broken = match &mut self.stdin {
                    Some(pipe) => pipe.write_all(bytes).await.is_err(),
                    None => false,
                };
                if broken {
                    self.stdin = None;
                }
            }
            Channel::Resize => {
                let size: Value = serde_json::from_slice(bytes).unwrap_or_default();
                let side = |name: &str| size[name].as_u64().and_then(|side| u16::try_from(side).ok());
                if let (Some(width), Some(height)) = (side("Width"), side("Height")) {
                    // Only the latest size matters, and a full queue still holds newer ones than the command saw.
                    let _ = self.sizes.try_send(TerminalSize { width, height });
                }
            }
            Channel::Stdout | Channel::Stderr | Channel::Error => {}
        }
    }

    fn end(&mut self, channel: Channel) {
        if channel == Channel::Stdin {
            self.stdin = None;
        }
    }
}

/// One command and all that is needed to run it.
struct Session {
    kubelet: Arc<dyn Kubelet>,
    container: ContainerRef,
    options: ExecOptions,
    asked: Asked,
}

impl Session {
    async fn over(self, wire: Wire, upgraded: Upgraded) {
        let (messages, queue) = mpsc::channel::<Out>(QUEUE);
        let (gone, hangup) = oneshot::channel();
        let (sizes, resize) = mpsc::channel(QUEUE);
        let (stdin_near, stdin_far) = duplex(PIPE);
        let inbox = Inbox {
            stdin: self.asked.stdin.then_some(stdin_near),
            sizes,
        };
        let line = match wire {
            Wire::WebSocket => websocket::open(upgraded, inbox, messages.clone(), queue).await,
            Wire::Spdy => match spdy::open(upgraded, self.asked, inbox, messages.clone(), queue).await {
                Ok(line) => line,
                Err(error) => {
                    tracing::debug!(%error, "A client did not open its streams");
                    return;
                }
            },
        };
        let Line { reader, writer } = line;
        let reader = tokio::spawn(async move {
            reader.await;
            // Nobody listens when the command has ended already.
            let _ = gone.send(());
        });
        let writer = tokio::spawn(writer);
        let mut pumps = JoinSet::new();
        let mut output = |wanted: bool, channel: Channel| {
            let (near, far) = duplex(PIPE);
            wanted.then(|| {
                pumps.spawn(send_output(channel, far, messages.clone()));
                Box::new(near) as Box<dyn tokio::io::AsyncWrite + Send + Unpin>
            })
        };
        let streams = ExecStreams {
            stdin: self
                .asked
                .stdin
                .then(|| Box::new(stdin_far) as Box<dyn tokio::io::AsyncRead + Send + Unpin>),
            stdout: output(self.asked.stdout, Channel::Stdout),
            stderr: output(self.asked.stderr, Channel::Stderr),
            resize,
            hangup,
        };
        let ended = self.kubelet.exec(self.container, self.options, streams).await;
        // All output goes out before the end is told.
        while pumps.join_next().await.is_some() {}
        let told = Out::Ended(outcome(ended).to_string().into());
        if messages.send(told).await.is_err() {
            tracing::debug!("A client was gone before its command ended");
        }
        // The writer ends after the last word, the reader when the client has hung up.
        let _ = writer.await;
        reader.abort();
    }
}

/// The two directions of a connection.
struct Line {
    /// Ends when the client is gone.
    reader: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Ends after the last word.
    writer: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
}

async fn send_output(channel: Channel, mut from: DuplexStream, messages: mpsc::Sender<Out>) {
    let mut buffer = vec![0; READ];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = Bytes::copy_from_slice(&buffer[..length]);
        if messages.send(Out::Data(channel, bytes)).await.is_err() {
            return;
        }
    }
}

/// What the client is told at the end, as a Status.
fn outcome(ended: Result<i32, KubeletError>) -> Value {
    match ended {
        Ok(0) => json!({"metadata": {}, "status": "Success"}),
        Ok(code) => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
        }),
        Err(error) => failed(error).to_value(),
    }
}
