//! Lets the API ask the node for logs and commands: the two know nothing of each other.

use std::sync::Arc;

use argosy_apiserver::{
    Connection, ContainerRef, ExecOptions, ExecStreams, Kubelet, KubeletError, LogOptions, LogStream, PodRef,
};
use argosy_node::{AccessError, Node, Process};
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

/// The node as the API sees it.
pub struct Bridge(pub Arc<Node>);

impl Kubelet for Bridge {
    fn logs(
        &self,
        container: ContainerRef,
        options: LogOptions,
    ) -> BoxFuture<'static, Result<LogStream, KubeletError>> {
        let node = self.0.clone();
        let now = jiff::Timestamp::now();
        let since = options.since_secs.and_then(|secs| {
            now.checked_sub(jiff::SignedDuration::from_secs(i64::try_from(secs).ok()?))
                .ok()
        });
        let options = argosy_node::LogOptions {
            follow: options.follow,
            tail_lines: options.tail_lines,
            since: options.since.or(since),
            previous: options.previous,
            timestamps: options.timestamps,
            limit_bytes: options.limit_bytes,
        };
        Box::pin(async move {
            let log = node.logs(
                &container.namespace,
                &container.pod,
                Some(&container.container),
                options,
            );
            Ok(log.map_err(refusal)?.boxed())
        })
    }

    fn exec(
        &self,
        container: ContainerRef,
        options: ExecOptions,
        streams: ExecStreams,
    ) -> BoxFuture<'static, Result<i32, KubeletError>> {
        let node = self.0.clone();
        Box::pin(async move {
            let ContainerRef {
                namespace,
                pod,
                container,
                ..
            } = container;
            let wanted = argosy_node::Streams {
                stdin: streams.stdin.is_some(),
                terminal: options.tty,
            };
            let process = match options.command.is_empty() {
                true => node.attach(&namespace, &pod, Some(&container)).await,
                false => {
                    node.exec(&namespace, &pod, Some(&container), options.command, wanted)
                        .await
                }
            };
            converse(process.map_err(refusal)?, streams).await
        })
    }

    fn connect(&self, pod: PodRef, port: u16) -> BoxFuture<'static, Result<Connection, KubeletError>> {
        let node = self.0.clone();
        Box::pin(async move {
            let connected = node.connect(&pod.namespace, &pod.name, port).await;
            Ok(Box::new(connected.map_err(refusal)?) as Connection)
        })
    }
}

/// Carries the streams until the process ends or the user is gone.
async fn converse(process: Process, streams: ExecStreams) -> Result<i32, KubeletError> {
    let Process {
        stdin,
        stdout,
        stderr,
        terminal,
        exit,
    } = process;
    let mut sizes = streams.resize;
    let resizes = async {
        while let (Some(size), Some(terminal)) = (sizes.recv().await, &terminal) {
            // One that is gone tells its end by its output.
            let _ = terminal.resize(size.width, size.height);
        }
        std::future::pending::<()>().await;
    };
    let input = async {
        if let (Some(mut from), Some(mut to)) = (streams.stdin, stdin) {
            let _ = tokio::io::copy(&mut from, &mut to).await;
        }
        std::future::pending::<()>().await;
    };
    let output = async { tokio::join!(carry(stdout, streams.stdout), carry(stderr, streams.stderr)) };
    let ended = async {
        let (_, exit) = tokio::join!(output, exit);
        exit.map(|e| e.code())
            .map_err(|_| KubeletError::NotReady("the container ended first".to_owned()))
    };
    tokio::select! {
        code = ended => code,
        () = input => unreachable!("input never ends by itself"),
        () = resizes => unreachable!("nor do its sizes"),
        _ = streams.hangup => Err(KubeletError::NotReady("the user is gone".to_owned())),
    }
}

async fn carry(mut from: impl AsyncRead + Unpin, to: Option<Box<dyn AsyncWrite + Send + Unpin>>) {
    // A reader that is gone must not stop the process: what it prints is thrown away then.
    let sent = match to {
        Some(mut to) => {
            let sent = tokio::io::copy(&mut from, &mut to).await;
            let _ = to.shutdown().await;
            sent
        }
        None => Ok(0),
    };
    if sent.is_ok() {
        let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    }
}

fn refusal(error: AccessError) -> KubeletError {
    let text = error.to_string();
    match error {
        AccessError::PodNotFound(_)
        | AccessError::ContainerNotFound { .. }
        | AccessError::NoPrevious { .. } => KubeletError::NotFound(text),
        AccessError::Io(source) => KubeletError::Failed(source),
        _ => KubeletError::NotReady(text),
    }
}
