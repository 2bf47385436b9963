//! Artifacts that a plugin keeps: a program of the user's that speaks gRPC over a unix socket
//! (section 15 of the executor's rules). Starting and ending plugins is the caller's.

mod call;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use argosy_model::artifact::Artifact;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::StreamReader;

use crate::store::{Error, Options, Store, Stream};
use call::{Answers, Call};
use wire::{Reply, Writer};

/// How long connecting may take when nobody says (X-APLG-04).
const CONNECTS: Duration = Duration::from_secs(5);

/// Bytes of one piece of a stream (X-APLG-03).
const PIECE: u64 = 2 * 1024 * 1024;

/// One artifact and the plugin that keeps it.
pub struct Plugin {
    artifact: Artifact,
    name: String,
    socket: PathBuf,
    appears: Duration,
    connects: Duration,
}

/// The driver for an artifact whose location is a plugin's.
///
/// # Errors
/// No name, or a place where no plugins run.
pub fn open(artifact: &Artifact, options: &Options) -> Result<Plugin, Error> {
    let place = artifact.location.plugin.clone().unwrap_or_default();
    if place.name.is_empty() {
        return Err(Error::Location("plugin artifact needs a name".to_owned()));
    }
    let Some(sockets) = &options.plugins else {
        return Err(Error::Unsupported(format!(
            "the artifact is kept by plugin {}, and no plugins run here",
            place.name
        )));
    };
    let secs = u64::try_from(place.connection_timeout_seconds).unwrap_or(0);
    Ok(Plugin {
        socket: sockets.join(&place.name).join("socket"),
        artifact: artifact.clone(),
        name: place.name,
        appears: options.plugin_appears,
        connects: if secs == 0 {
            CONNECTS
        } else {
            Duration::from_secs(secs)
        },
    })
}

impl Plugin {
    async fn begin(&self, method: &str) -> Result<Call, Error> {
        let method = format!("artifact.ArtifactService/{method}");
        let begun = Call::begin(&self.socket, self.appears, self.connects, &method).await;
        begun.map_err(|e| self.failed("connect", e))
    }

    /// A call with one message there and one back.
    async fn ask(&self, method: &str, operation: &str, message: Writer) -> Result<Reply, Error> {
        let mut call = self.begin(method).await?;
        let answer = async {
            call.send(&message.finish()).await?;
            call.answers().await?.next().await
        };
        let answer = answer.await.map_err(|e| self.failed(operation, e))?;
        let answer = answer.ok_or_else(|| self.said(operation, "it answered nothing"))?;
        let reply = Reply::read(&answer, 2).map_err(|e| self.said(operation, &e.to_string()))?;
        if reply.error.is_empty() {
            return Ok(reply);
        }
        Err(self.said(operation, &reply.error))
    }

    /// As [`Plugin::ask`], for calls that must say that they succeeded (X-APLG-05).
    async fn order(&self, method: &str, operation: &str, message: Writer) -> Result<(), Error> {
        match self.ask(method, operation, message).await?.yes {
            true => Ok(()),
            false => Err(self.said(operation, "it does not say why")),
        }
    }

    /// The plugin's own words about a failure. It has no other way to say that something is not there (X-DRV-05).
    fn said(&self, operation: &str, words: &str) -> Error {
        let message = self.prefixed(operation, words);
        let lower = words.to_ascii_lowercase();
        let is_missing = [
            "not found",
            "no such file or directory",
            "does not exist",
            "nosuchkey",
        ];
        if is_missing.iter().any(|sign| lower.contains(sign)) {
            return Error::NotFound(message);
        }
        Error::Store {
            message,
            is_transient: false,
        }
    }

    fn failed(&self, operation: &str, error: call::Error) -> Error {
        let message = self.prefixed(operation, &error.to_string());
        match error {
            call::Error::NotFound(_) => Error::NotFound(message),
            call::Error::Unimplemented(_) => Error::Unsupported(message),
            call::Error::Refused { is_transient, .. } => Error::Store {
                message,
                is_transient,
            },
            call::Error::Connect(_) | call::Error::Lost(_) => Error::Store {
                message,
                is_transient: false,
            },
        }
    }

    fn prefixed(&self, operation: &str, words: &str) -> String {
        format!("plugin {} {operation} failed: {words}", self.name)
    }

    fn message(&self) -> Writer {
        wire::artifact(&self.artifact)
    }
}

#[async_trait]
impl Store for Plugin {
    async fn load(&self, target: &Path) -> Result<(), Error> {
        let request = Writer::default().message(1, &self.message());
        let request = request.text(2, &target.to_string_lossy());
        self.order("Load", "load", request).await
    }

    async fn read(&self) -> Result<Stream, Error> {
        let mut call = self.begin("OpenStream").await?;
        let request = Writer::default().message(1, &self.message()).finish();
        let answers = async {
            call.send(&request).await?;
            call.answers().await
        };
        let answers = answers.await.map_err(|e| self.failed("open stream", e))?;
        let name = self.prefixed("open stream", "");
        let pieces = stream::unfold(Some(answers), move |answers| {
            let name = name.clone();
            async move {
                let mut answers = answers?;
                match next_piece(&mut answers).await {
                    Ok(None) => None,
                    Ok(Some((piece, true))) => Some((Ok(piece), None)),
                    Ok(Some((piece, false))) => Some((Ok(piece), Some(answers))),
                    Err(words) => Some((Err(std::io::Error::other(format!("{name}{words}"))), None)),
                }
            }
        });
        Ok(Box::new(StreamReader::new(Box::pin(pieces))))
    }

    async fn save(&self, source: &Path) -> Result<(), Error> {
        let request = Writer::default().text(1, &source.to_string_lossy());
        self.order("Save", "save", request.message(2, &self.message()))
            .await
    }

    async fn takes_streams(&self) -> Result<bool, Error> {
        match self
            .ask("GetCapabilities", "get capabilities", Writer::default())
            .await
        {
            Ok(reply) => Ok(reply.yes),
            Err(Error::Unsupported(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn save_stream(&self, _name: &Path, mut content: Stream) -> Result<(), Error> {
        let mut call = self.begin("SaveStream").await?;
        let first = Writer::default().message(1, &self.message()).finish();
        call.send(&first)
            .await
            .map_err(|e| self.failed("save stream", e))?;
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let read = (&mut content).take(PIECE).read_to_end(&mut piece).await;
            // The call is dropped unfinished, by which the plugin sees that this is not all.
            read.map_err(|e| Error::io("read", Path::new("artifact"), e))?;
            if piece.is_empty() {
                break;
            }
            let message = Writer::default().bytes(2, &piece).finish();
            call.send(&message)
                .await
                .map_err(|e| self.failed("save stream", e))?;
        }
        let answer = async { call.answers().await?.next().await };
        let answer = answer.await.map_err(|e| self.failed("save stream", e))?;
        let reply = Reply::read(&answer.unwrap_or_default(), 2);
        let reply = reply.map_err(|e| self.said("save stream", &e.to_string()))?;
        match (reply.yes, reply.error.as_str()) {
            (true, "") => Ok(()),
            (_, "") => Err(self.said("save stream", "it does not say why")),
            (_, words) => Err(self.said("save stream", words)),
        }
    }

    async fn delete(&self) -> Result<(), Error> {
        let request = Writer::default().message(1, &self.message());
        match self.order("Delete", "delete", request).await {
            Err(Error::NotFound(_)) => Ok(()),
            other => other,
        }
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        let request = Writer::default().message(1, &self.message());
        let reply = self.ask("ListObjects", "list objects", request).await?;
        let text = |key: Vec<u8>| String::from_utf8_lossy(&key).into_owned();
        Ok(reply.items.into_iter().map(text).collect())
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        let request = Writer::default().message(1, &self.message());
        Ok(self.ask("IsDirectory", "is directory", request).await?.yes)
    }
}

/// The next bytes of a stream and whether they are the last; `None` when it ended before.
async fn next_piece(answers: &mut Answers) -> Result<Option<(Bytes, bool)>, String> {
    let Some(message) = answers.next().await.map_err(|e| e.to_string())? else {
        return Ok(None);
    };
    let mut reply = Reply::read(&message, 3).map_err(|e| e.to_string())?;
    if !reply.error.is_empty() {
        return Err(reply.error);
    }
    Ok(Some((reply.items.pop().unwrap_or_default().into(), reply.is_end)))
}
