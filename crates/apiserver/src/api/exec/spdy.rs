//! The streams of a command over SPDY/3.1, which kubectl before 1.31 speaks and newer ones fall back to.
//!
//! Deliberately absent: flow control, which no Kubernetes client asks for; the pipes of the command slow a sender down.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::spdy_frames::{Frame, Packer, Unpacker, read};
use super::{Asked, Channel, Inbox, Line, Out};

type Half = ReadHalf<TokioIo<Upgraded>>;

/// How long a client may take to open the streams that it asked for, as a kubelet's.
const OPENED_WITHIN: Duration = Duration::from_secs(30);

/// Waits until all streams are open.
///
/// # Errors
/// What breaks the connection, or a client that does not open them in time.
pub async fn open(
    upgraded: Upgraded,
    asked: Asked,
    inbox: Inbox,
    messages: mpsc::Sender<Out>,
    queue: mpsc::Receiver<Out>,
) -> io::Result<Line> {
    let (mut source, mut sink) = tokio::io::split(TokioIo::new(upgraded));
    let mut wanted = vec![Channel::Error];
    for (asked, channel) in [
        (asked.stdin, Channel::Stdin),
        (asked.stdout, Channel::Stdout),
        (asked.stderr, Channel::Stderr),
        (asked.tty, Channel::Resize),
    ] {
        wanted.extend(asked.then_some(channel));
    }
    let opening = open_streams(&mut source, &mut sink, &wanted);
    let streams = timeout(OPENED_WITHIN, opening)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let back = streams.iter().map(|(channel, id)| (*id, *channel)).collect();
    Ok(Line {
        reader: Box::pin(receive(source, back, inbox, messages)),
        writer: Box::pin(send(sink, streams, queue)),
    })
}

/// Answers the client's first frames until every wanted stream has its number.
async fn open_streams(
    source: &mut Half,
    sink: &mut WriteHalf<TokioIo<Upgraded>>,
    wanted: &[Channel],
) -> io::Result<BTreeMap<Channel, u32>> {
    let (mut unpacker, mut packer) = (Unpacker::new(), Packer::new());
    let mut streams = BTreeMap::new();
    while !wanted.iter().all(|channel| streams.contains_key(channel)) {
        match read(source).await? {
            Frame::Opened { stream, headers } => {
                let headers = unpacker.read(&headers)?;
                let channel = headers.get("streamtype").and_then(|name| named(name));
                let channel = channel.ok_or_else(|| io::Error::other("a stream of no known type"))?;
                streams.insert(channel, stream);
                sink.write_all(&packer.reply(stream)?).await?;
            }
            Frame::Ping(number) => sink.write_all(&super::spdy_frames::ping(number)).await?,
            Frame::Data { .. } | Frame::Reset(_) | Frame::Other => {}
            Frame::Bye => return Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
    sink.flush().await?;
    Ok(streams)
}

fn named(name: &str) -> Option<Channel> {
    Some(match name {
        "stdin" => Channel::Stdin,
        "stdout" => Channel::Stdout,
        "stderr" => Channel::Stderr,
        "error" => Channel::Error,
        "resize" => Channel::Resize,
        _ => return None,
    })
}

async fn send(
    mut sink: WriteHalf<TokioIo<Upgraded>>,
    streams: BTreeMap<Channel, u32>,
    mut queue: mpsc::Receiver<Out>,
) {
    use super::spdy_frames::{data, goodbye, ping};
    while let Some(out) = queue.recv().await {
        let bytes = match &out {
            Out::Data(channel, bytes) => streams.get(channel).map(|id| data(*id, bytes, false)),
            Out::Pong(number) => number
                .first_chunk()
                .map(|number| ping(u32::from_be_bytes(*number))),
            Out::Ended(status) => {
                let last = |(channel, id): (&Channel, &u32)| match channel {
                    Channel::Error => data(*id, status, true),
                    _ => data(*id, &[], true),
                };
                let mut all: Vec<u8> = streams.iter().flat_map(last).collect();
                all.extend(goodbye());
                Some(all)
            }
        };
        let Some(bytes) = bytes else { continue };
        let sent = async {
            sink.write_all(&bytes).await?;
            sink.flush().await
        };
        if sent.await.is_err() {
            return;
        }
        if matches!(out, Out::Ended(_)) {
            let _ = sink.shutdown().await;
            return;
        }
    }
}

/// Takes what the client sends until it is gone.
async fn receive(
    mut source: Half,
    streams: BTreeMap<u32, Channel>,
    mut inbox: Inbox,
    messages: mpsc::Sender<Out>,
) {
    loop {
        match read(&mut source).await {
            Ok(Frame::Data { stream, bytes, last }) => {
                let Some(channel) = streams.get(&stream) else {
                    continue;
                };
                if !bytes.is_empty() {
                    inbox.take(*channel, &bytes).await;
                }
                if last {
                    inbox.end(*channel);
                }
            }
            Ok(Frame::Ping(number)) => {
                // A full queue has output in it, which proves as well that we are alive.
                let _ = messages.try_send(Out::Pong(number.to_be_bytes().to_vec().into()));
            }
            Ok(Frame::Opened { .. } | Frame::Reset(_) | Frame::Other) => {}
            Ok(Frame::Bye) | Err(_) => return,
        }
    }
}
