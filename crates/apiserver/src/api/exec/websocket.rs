//! The streams of a command over a WebSocket: the first byte of each message says to which stream it belongs.
//!
//! Deliberately absent: the handshake (see `exec`).

use bytes::{Bytes, BytesMut};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role};

use super::{Channel, Inbox, Line, Out};

/// In v5: the stream that the next byte names has ended.
const CLOSE: u8 = 255;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

pub async fn open(
    upgraded: Upgraded,
    inbox: Inbox,
    messages: mpsc::Sender<Out>,
    queue: mpsc::Receiver<Out>,
) -> Line {
    let socket: Socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let (sink, source) = socket.split();
    Line {
        reader: Box::pin(receive(source, inbox, messages)),
        writer: Box::pin(send(sink, queue)),
    }
}

fn number(channel: Channel) -> u8 {
    match channel {
        Channel::Stdin => 0,
        Channel::Stdout => 1,
        Channel::Stderr => 2,
        Channel::Error => 3,
        Channel::Resize => 4,
    }
}

fn framed(channel: Channel, bytes: &[u8]) -> Message {
    let mut frame = BytesMut::with_capacity(bytes.len() + 1);
    frame.extend_from_slice(&[number(channel)]);
    frame.extend_from_slice(bytes);
    Message::Binary(frame.freeze())
}

async fn send(mut sink: SplitSink<Socket, Message>, mut queue: mpsc::Receiver<Out>) {
    while let Some(out) = queue.recv().await {
        let sent = match out {
            Out::Data(channel, bytes) => sink.send(framed(channel, &bytes)).await,
            Out::Pong(bytes) => sink.send(Message::Pong(bytes)).await,
            Out::Ended(bytes) => {
                // Without this code kubectl takes the end for an accident.
                let close = CloseFrame {
                    code: CloseCode::Normal,
                    reason: "".into(),
                };
                let last = sink.send(framed(Channel::Error, &bytes)).await;
                if last.is_ok() {
                    // The client may be gone by now; there is nobody left to tell.
                    let _ = sink.send(Message::Close(Some(close))).await;
                }
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Takes what the client sends until it is gone.
async fn receive(mut source: SplitStream<Socket>, mut inbox: Inbox, messages: mpsc::Sender<Out>) {
    while let Some(Ok(message)) = source.next().await {
        let frame: Bytes = match message {
            Message::Binary(frame) => frame,
            Message::Text(text) => text.into(),
            Message::Ping(bytes) => {
                // A full queue has output in it, which proves as well that we are alive.
                let _ = messages.try_send(Out::Pong(bytes));
                continue;
            }
            Message::Close(_) => return,
            _ => continue,
        };
        match frame.split_first() {
            Some((0, bytes)) => inbox.take(Channel::Stdin, bytes).await,
            Some((4, bytes)) => inbox.take(Channel::Resize, bytes).await,
            Some((&CLOSE, [0])) => inbox.end(Channel::Stdin),
            _ => {}
        }
    }
}
