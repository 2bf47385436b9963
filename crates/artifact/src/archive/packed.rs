//! A packed file or folder as a stream, made on another thread as it is read: nothing of it lies on
//! the disk. What the archive holds is in `tar`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use bytes::Bytes;
use futures::stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::io::StreamReader;

use super::{Compression, Report, tar};
use crate::store::Stream;

/// Size of the pieces that are handed over; each is a hop between threads.
const PIECE: usize = 256 * 1024;

/// Pieces that wait to be read, 1 MiB in all: more would only make the packer run ahead.
const WAITING: usize = 4;

/// A packed tar of a file or folder. It ends in an error, never just early, when packing fails.
/// `tell` gets what was packed differently than it was.
pub fn packed(source: PathBuf, level: Compression, tell: impl FnOnce(Report) + Send + 'static) -> Stream {
    let (to, from) = channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let writer = BufWriter::with_capacity(PIECE, Pieces(to.clone()));
        let packed = tar::pack(&source, level, writer).and_then(|(mut writer, report)| {
            writer.flush()?;
            Ok(report)
        });
        let end = match packed {
            Ok(report) => {
                tell(report);
                Ok(Bytes::new())
            }
            Err(error) => {
                let text = format!("archive {}: {error}", source.display());
                Err(io::Error::new(error.kind(), text))
            }
        };
        // Nobody reads any more: then there is nobody to tell.
        let _ = to.blocking_send(end);
    });
    Box::new(StreamReader::new(Box::pin(stream::unfold(Some(from), next))))
}

/// The next piece. An empty one is the end; without it the packer has died.
async fn next(
    from: Option<Receiver<io::Result<Bytes>>>,
) -> Option<(io::Result<Bytes>, Option<Receiver<io::Result<Bytes>>>)> {
    let mut from = from?;
    match from.recv().await {
        Some(Ok(piece)) if piece.is_empty() => None,
        Some(Ok(piece)) => Some((Ok(piece), Some(from))),
        Some(Err(error)) => Some((Err(error), None)),
        None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
    }
}

/// Hands over what is written.
struct Pieces(Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let piece = Bytes::copy_from_slice(bytes);
        let sent = self.0.blocking_send(Ok(piece));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
