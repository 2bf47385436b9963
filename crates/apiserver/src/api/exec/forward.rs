//! Ports of pods (`pods/portforward`): many connections over one, in SPDY frames, either plainly or inside a WebSocket as
//! kubectl sends them since 1.31.
//!
//! Deliberately absent: connecting (see `Kubelet`), and the older form with a fixed list of ports over a WebSocket.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{Response, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use super::spdy_frames::{Frame, Packer, Unpacker, data, ping, read};
use super::{
    ApiServer, Body, Call, PIPE, QUEUE, READ, Result, STREAM_PROTOCOL, Status, accepted, accepted_socket,
    failed, offers,
};
use crate::kubelet::{Duplex, Kubelet, PodRef};
use crate::meta;

const PROTOCOL: &str = "portforward.k8s.io";
/// The same inside a WebSocket.
const TUNNELLED: &str = "SPDY/3.1+portforward.k8s.io";
/// Most connections at a time over one; each has two streams.
const MOST: usize = 1000;

impl ApiServer {
    pub(in crate::api) async fn forward(&self, mut call: Call) -> Result<Response<Body>> {
        let pod = self.found(&call)?;
        let phase = pod.value["status"]["phase"].as_str().unwrap_or_default();
        if phase != "Running" {
            let said = format!("unable to forward port because pod is not running. Current status={phase}");
            return Err(Status::bad_request(said));
        }
        let pod = PodRef {
            namespace: call.target.namespace.clone(),
            name: call.target.name.clone(),
            uid: meta::text(&pod.value, "uid").to_owned(),
        };
        let (tunnelled, response) = agree(&call)?;
        let Some(kubelet) = self.kubelet.get().cloned() else {
            return Err(Status::unavailable(
                "no node is connected that could forward ports",
            ));
        };
        let upgrade = hyper::upgrade::on(http::Request::from_parts(call.parts.clone(), ()));
        call.parts.extensions.clear();
        tokio::spawn(async move {
            let upgraded = match upgrade.await {
                Ok(upgraded) => upgraded,
                Err(error) => return tracing::debug!(%error, "A client did not go on after the upgrade"),
            };
            let line: Box<dyn Duplex> = match tunnelled {
                true => Box::new(tunnel(upgraded).await),
                false => Box::new(TokioIo::new(upgraded)),
            };
            let ended = serve(line, &kubelet, &pod).await;
            if let Err(error) = ended {
                tracing::debug!(%error, "A client that forwards ports is gone");
            }
        });
        Ok(response)
    }
}

/// Whether frames come inside a WebSocket, and the answer that says so.
fn agree(call: &Call) -> Result<(bool, Response<Body>)> {
    let wanted = call.header(header::UPGRADE).to_ascii_lowercase();
    if wanted == "spdy/3.1" && offers(call, &STREAM_PROTOCOL, PROTOCOL) {
        return Ok((false, accepted("SPDY/3.1", &STREAM_PROTOCOL, PROTOCOL)));
    }
    let named = header::SEC_WEBSOCKET_PROTOCOL;
    if wanted == "websocket" && offers(call, &named, TUNNELLED) {
        let key = call.header(header::SEC_WEBSOCKET_KEY);
        return Ok((true, accepted_socket(key, TUNNELLED)));
    }
    Err(Status::bad_request(format!(
        "unable to upgrade: ports are forwarded with {PROTOCOL} over SPDY/3.1 or {TUNNELLED} over a WebSocket"
    )))
}

/// The bytes that come in messages of a WebSocket.
async fn tunnel(upgraded: Upgraded) -> DuplexStream {
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let (mut sink, mut source) = socket.split();
    let (near, far) = duplex(PIPE);
    let (mut from, mut to) = split(far);
    tokio::spawn(async move {
        while let Some(Ok(message)) = source.next().await {
            let bytes: Bytes = match message {
                Message::Binary(bytes) => bytes,
                Message::Close(_) => break,
                _ => continue,
            };
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    });
    tokio::spawn(async move {
        let mut buffer = vec![0; READ];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let bytes = Bytes::copy_from_slice(&buffer[..length]);
            if sink.send(Message::Binary(bytes)).await.is_err() {
                return;
            }
        }
        let _ = sink.close().await;
    });
    near
}

/// One connection that a client asks for: two streams with the same number of the request.
#[derive(Default)]
struct Asked {
    port: u16,
    error: Option<u32>,
    data: Option<u32>,
}

/// One that is open.
struct Open {
    /// What the client sends; `None` when it has sent all.
    to_pod: Option<WriteHalf<DuplexStream>>,
    task: AbortHandle,
    error: u32,
}

/// Serves until the client is gone.
async fn serve(line: Box<dyn Duplex>, kubelet: &Arc<dyn Kubelet>, pod: &PodRef) -> io::Result<()> {
    let (source, mut sink) = split(line);
    let (frames, mut queue) = mpsc::channel::<Vec<u8>>(QUEUE);
    let writer = tokio::spawn(async move {
        while let Some(frame) = queue.recv().await {
            if sink.write_all(&frame).await.is_err() || sink.flush().await.is_err() {
                return;
            }
        }
    });
    let mut session = Session {
        kubelet,
        pod,
        frames,
        asked: BTreeMap::new(),
        open: BTreeMap::new(),
        unpacker: Unpacker::new(),
        packer: Packer::new(),
    };
    let ended = session.run(source).await;
    for open in session.open.values() {
        open.task.abort();
    }
    writer.abort();
    ended
}

struct Session<'a> {
    kubelet: &'a Arc<dyn Kubelet>,
    pod: &'a PodRef,
    frames: mpsc::Sender<Vec<u8>>,
    /// By the number of the request.
    asked: BTreeMap<String, Asked>,
    /// By the stream that carries the data.
    open: BTreeMap<u32, Open>,
    unpacker: Unpacker,
    packer: Packer,
}

impl Session<'_> {
    async fn run(&mut self, mut source: ReadHalf<Box<dyn Duplex>>) -> io::Result<()> {
        loop {
            match read(&mut source).await? {
                Frame::Opened { stream, headers } => self.opened(stream, &headers).await?,
                Frame::Data { stream, bytes, last } => self.data(stream, &bytes, last).await,
                Frame::Reset(stream) => self.reset(stream).await,
                Frame::Ping(number) => self.send(ping(number)).await,
                Frame::Other => {}
                Frame::Bye => return Ok(()),
            }
        }
    }

    async fn send(&self, frame: Vec<u8>) {
        // A writer that is gone means a client that is gone, which the next read tells.
        let _ = self.frames.send(frame).await;
    }

    async fn opened(&mut self, stream: u32, headers: &[u8]) -> io::Result<()> {
        let headers = self.unpacker.read(headers)?;
        let header = |name: &str| headers.get(name).map(String::as_str).unwrap_or_default();
        self.open
            .retain(|_, open| !open.task.is_finished() || open.to_pod.is_some());
        if self.asked.len() + self.open.len() >= MOST {
            return Err(io::Error::other("too many connections"));
        }
        let request = header("requestid").to_owned();
        let asked = self.asked.entry(request.clone()).or_default();
        asked.port = header("port")
            .parse()
            .map_err(|_| io::Error::other("a stream of no port"))?;
        match header("streamtype") {
            "error" => asked.error = Some(stream),
            "data" => asked.data = Some(stream),
            _ => return Err(io::Error::other("a stream of no known type")),
        }
        let reply = self.packer.reply(stream)?;
        self.send(reply).await;
        if let Some(Asked {
            port,
            error: Some(error),
            data: Some(data),
        }) = self.asked.get(&request)
        {
            let (port, error, data) = (*port, *error, *data);
            self.asked.remove(&request);
            self.connect(port, error, data);
        }
        Ok(())
    }

    fn connect(&mut self, port: u16, error: u32, stream: u32) {
        let (near, far) = duplex(PIPE);
        let (_, to_pod) = split(near);
        let connecting = self.kubelet.connect(self.pod.clone(), port);
        let (frames, uid) = (self.frames.clone(), self.pod.uid.clone());
        let task = tokio::spawn(async move {
            let said = match connecting.await {
                Ok(connection) => {
                    carry(connection, far, stream, &frames).await;
                    Vec::new()
                }
                Err(refused) => {
                    let why = failed(refused);
                    format!("error forwarding port {port} to pod {uid}: {why}").into_bytes()
                }
            };
            let _ = frames.send(data(error, &said, true)).await;
            let _ = frames.send(data(stream, &[], true)).await;
        });
        self.open.insert(
            stream,
            Open {
                to_pod: Some(to_pod),
                task: task.abort_handle(),
                error,
            },
        );
    }

    async fn data(&mut self, stream: u32, bytes: &[u8], last: bool) {
        let Some(open) = self.open.get_mut(&stream) else {
            return;
        };
        let broken = match &mut open.to_pod {
            Some(to_pod) => to_pod.write_all(bytes).await.is_err(),
            None => false,
        };
        if (last || broken)
            && let Some(mut to_pod) = open.to_pod.take()
        {
            let _ = to_pod.shutdown().await;
        }
    }

    async fn reset(&mut self, stream: u32) {
        if let Some(open) = self.open.remove(&stream)
            && !open.task.is_finished()
        {
            open.task.abort();
            self.send(data(open.error, &[], true)).await;
        }
    }
}

/// Carries bytes both ways until the pod has said all.
async fn carry(
    connection: Box<dyn Duplex>,
    from_client: DuplexStream,
    stream: u32,
    frames: &mpsc::Sender<Vec<u8>>,
) {
    let (mut from_pod, mut to_pod) = split(connection);
    let (mut from_client, _) = split(from_client);
    let inward = async {
        let _ = tokio::io::copy(&mut from_client, &mut to_pod).await;
        let _ = to_pod.shutdown().await;
        std::future::pending::<()>().await;
    };
    let outward = async {
        let mut buffer = vec![0; READ];
        while let Ok(length @ 1..) = from_pod.read(&mut buffer).await {
            if frames.send(data(stream, &buffer[..length], false)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = outward => {}
        () = inward => unreachable!("what comes in never ends it"),
    }
}
