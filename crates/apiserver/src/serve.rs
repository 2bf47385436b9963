//! The server over TCP with TLS.
//!
//! Deliberately absent: choosing an address and writing a kubeconfig.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::api::ApiServer;
use crate::service::Service;

/// Connections at the same time: 200 pods with three clients each, and their users. More wait in the backlog.
const MAX_CONNECTIONS: usize = 1024;
/// How long a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

impl ApiServer {
    /// A kubeconfig (JSON, which is YAML too) for the server at `url` and the user of `token`.
    pub fn kubeconfig(&self, url: &str, token: &str) -> String {
        let ca = STANDARD.encode(self.ca_pem());
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "argosy", "cluster": {"server": url, "certificate-authority-data": ca}}],
            "users": [{"name": "argosy", "user": {"token": token}}],
            "contexts": [{"name": "argosy", "context": {"cluster": "argosy", "user": "argosy"}}],
            "current-context": "argosy",
        });
        format!("{config:#}\n")
    }

    /// Answers TLS connections of `listener` until `stop` is ready; open connections are cut then.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve(
        self: &Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let acceptor = TlsAcceptor::from(self.authority().tls());
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = tokio::task::JoinSet::new();
        tokio::pin!(stop);
        loop {
            let slot = tokio::select! {
                () = &mut stop => return Ok(()),
                slot = slots.clone().acquire_owned() => slot.map_err(io::Error::other)?,
            };
            let stream = tokio::select! {
                () = &mut stop => return Ok(()),
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match stream {
                Ok((stream, _)) => {
                    let (acceptor, service) = (acceptor.clone(), Service::of_network(self.clone()));
                    connections.spawn(async move {
                        if let Err(error) = converse(stream, acceptor, service).await {
                            tracing::debug!(%error, "A connection broke off");
                        }
                        drop(slot);
                    });
                }
                // The client went away, or we are out of descriptors: the next one may do better.
                Err(error) => {
                    tracing::warn!(%error, "A connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

async fn converse(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    service: Service,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let stream = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await??;
    let builder = auto::Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(service);
    builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await
}
