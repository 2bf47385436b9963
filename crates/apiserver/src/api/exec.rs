//! Commands in containers over a WebSocket: `pods/exec` and `pods/attach`.
//!
//! Deliberately absent: SPDY, which kubectl before 1.31 speaks, and running the commands (see `Kubelet`).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::SplitStream;
use futures::{SinkExt, StreamExt};
use http::{HeaderValue, Response, StatusCode, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use super::kubelet::{container, failed};
use super::{ApiServer, Call};
use crate::body::Body;
use crate::kubelet::{ContainerRef, ExecOptions, ExecStreams, Kubelet, KubeletError, TerminalSize};
use crate::status::{Result, Status};

/// Subprotocols that we speak, the best one first. Only v5 can end stdin on its own.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// Bytes that wait in each direction of each stream: one pipe of Linux.
const PIPE: usize = 64 * 1024;
/// Messages that wait for the network; each holds at most one pipe's read of 16 KiB.
const QUEUE: usize = 8;
const READ: usize = 16 * 1024;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

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
        let wants = |name: &str| call.query.is(name);
        let asked = Asked {
            stdin: wants("stdin"),
            stdout: wants("stdout"),
            stderr: wants("stderr"),
            tty: wants("tty"),
        };
        if !(asked.stdin || asked.stdout || asked.stderr) {
            return Err(Status::bad_request(
                "you must specify at least 1 of stdin, stdout, stderr",
            ));
        }
        let offered = call.header(header::SEC_WEBSOCKET_PROTOCOL).to_owned();
        let key = call.header(header::SEC_WEBSOCKET_KEY).to_owned();
        let spoken = PROTOCOLS
            .into_iter()
            .find(|known| offered.split(',').any(|one| one.trim() == *known));
        let (Some(protocol), false) = (spoken, key.is_empty()) else {
            return Err(Status::bad_request(
                "unable to upgrade: only WebSockets with v4.channel.k8s.io or v5.channel.k8s.io are served",
            ));
        };
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
        tokio::spawn(async move {
            match upgrade.await {
                Ok(upgraded) => converse(kubelet, container, options, asked, upgraded).await,
                Err(error) => tracing::debug!(%error, "A client did not go on after the upgrade"),
            }
        });
        let mut response = Response::new(Body::full(Bytes::new()));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        let accept = derive_accept_key(key.as_bytes());
        if let Ok(accept) = HeaderValue::from_str(&accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        Ok(response)
    }
}

/// The streams that the client asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    stdin: bool,
    stdout: bool,
    stderr: bool,
    tty: bool,
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn converse(
    kubelet: Arc<dyn Kubelet>,
    container: ContainerRef,
    options: ExecOptions,
    asked: Asked,
    upgraded: Upgraded,
) {
    let socket: Socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let (mut sink, source) = socket.split();
    let (messages, mut queue) = mpsc::channel::<Message>(QUEUE);
    let (gone, hangup) = oneshot::channel();
    let (sizes, resize) = mpsc::channel(QUEUE);
    let mut pumps = JoinSet::new();
    let mut output = |wanted: bool, channel: u8| {
        let (near, far) = duplex(PIPE);
        wanted.then(|| {
            pumps.spawn(send_output(channel, far, messages.clone()));
            Box::new(near) as Box<dyn tokio::io::AsyncWrite + Send + Unpin>
        })
    };
    let stdout = output(asked.stdout, STDOUT);
    let stderr = output(asked.stderr && !asked.tty, STDERR);
    let (stdin_near, stdin_far) = duplex(PIPE);
    let stdin = asked
        .stdin
        .then(|| Box::new(stdin_far) as Box<dyn tokio::io::AsyncRead + Send + Unpin>);
    let reader = tokio::spawn(receive(
        source,
        asked.stdin.then_some(stdin_near),
        sizes,
        gone,
        messages.clone(),
    ));
    let writer = tokio::spawn(async move {
        while let Some(message) = queue.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
        // The client may be gone by now; there is nobody left to tell.
        let _ = sink.close().await;
    });
    let streams = ExecStreams {
        stdin,
        stdout,
        stderr,
        resize,
        hangup,
    };
    let ended = kubelet.exec(container, options, streams).await;
    // All output goes out before the end is told.
    while pumps.join_next().await.is_some() {}
    let told = Message::Binary(framed(ERROR, outcome(ended).to_string().as_bytes()));
    if messages.send(told).await.is_err() {
        tracing::debug!("A client was gone before its command ended");
    }
    reader.abort();
    // The aborted reader holds the last other sender.
    let _ = reader.await;
    drop(messages);
    let _ = writer.await;
}

fn framed(channel: u8, bytes: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(bytes.len() + 1);
    frame.extend_from_slice(&[channel]);
    frame.extend_from_slice(bytes);
    frame.freeze()
}

async fn send_output(channel: u8, mut from: DuplexStream, messages: mpsc::Sender<Message>) {
    let mut buffer = vec![0; READ];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if messages
            .send(Message::Binary(framed(channel, &buffer[..length])))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// Takes what the client sends until it is gone.
async fn receive(
    mut source: SplitStream<Socket>,
    mut stdin: Option<DuplexStream>,
    sizes: mpsc::Sender<TerminalSize>,
    gone: oneshot::Sender<()>,
    messages: mpsc::Sender<Message>,
) {
    while let Some(Ok(message)) = source.next().await {
        let frame = match message {
            Message::Binary(frame) => frame,
            Message::Text(text) => text.into(),
            Message::Ping(bytes) => {
                // A full queue has output in it, which proves as well that we are alive.
                let _ = messages.try_send(Message::Pong(bytes));
                continue;
            }
            Message::Close(_) => break,
            _ => continue,
        };
        let Some((channel, bytes)) = frame.split_first() else {
            continue;
        };
        match *channel {
            STDIN => {
                let broken = match &mut stdin {
                    Some(pipe) => pipe.write_all(bytes).await.is_err(),
                    None => false,
                };
                if broken {
                    stdin = None;
                }
            }
            RESIZE => {
                let size: Value = serde_json::from_slice(bytes).unwrap_or_default();
                let side = |name: &str| size[name].as_u64().and_then(|side| u16::try_from(side).ok());
                if let (Some(width), Some(height)) = (side("Width"), side("Height")) {
                    // Only the latest size matters, and a full queue still holds newer ones than the command saw.
                    let _ = sizes.try_send(TerminalSize { width, height });
                }
            }
            CLOSE if bytes == [STDIN] => stdin = None,
            _ => {}
        }
    }
    // Nobody listens when the command has ended already.
    let _ = gone.send(());
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
