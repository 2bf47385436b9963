//! The store for artifacts: a folder, offered to pods as an S3 bucket, so that workflows read as they do on a cluster.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use argosy_artifact::serve::{Options, Server};
use kube::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::folder::Kept;

/// Name of the one bucket.
const BUCKET: &str = "artifacts";

/// The Secret with the keys, in the namespace of workflows.
const SECRET: &str = "argosy-artifacts";

/// A running store.
pub struct Store {
    pub address: SocketAddr,
    keys: (String, String),
    pub server: JoinHandle<()>,
}

/// Serves the folder to pods that reach `host`, at the address and with the keys of the last start if there was one.
///
/// # Errors
/// When the folder can't be made or no port is free.
pub async fn serve(
    folder: &Path,
    host: IpAddr,
    kept: &Kept,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<Store> {
    let keys = kept.artifact_keys.clone();
    let options = Options {
        root: folder.to_owned(),
        access_key: keys.0.clone(),
        secret_key: keys.1.clone(),
        buckets: vec![BUCKET.to_owned()],
    };
    let store = Server::open(&options)?;
    let listener = match kept.artifacts.filter(|address| address.ip() == host) {
        Some(address) => match TcpListener::bind(address).await {
            // Pods that run know the old address and will fail on it; new ones learn the new one.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                tracing::warn!(%address, "Another program has the address of the artifact store; it moves");
                TcpListener::bind(SocketAddr::new(host, 0)).await?
            }
            bound => bound?,
        },
        None => TcpListener::bind(SocketAddr::new(host, 0)).await?,
    };
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let stopped = async move { drop(stop.wait_for(|stopped| *stopped).await) };
        if let Err(error) = store.listen(listener, stopped).await {
            tracing::error!(%error, "The artifact store's listener failed");
        }
    });
    Ok(Store {
        address,
        keys,
        server,
    })
}

impl Store {
    /// Makes the Secret with the keys.
    ///
    /// # Errors
    /// The API's refusal.
    pub async fn publish_keys(&self, client: &Client, namespace: &str) -> Result<(), kube::Error> {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": namespace},
            "stringData": {"accesskey": self.keys.0, "secretkey": self.keys.1},
        });
        crate::apply::secret(client, namespace, SECRET, &secret).await
    }

    /// The store as an artifact repository of the controller's configuration.
    pub fn repository(&self) -> Value {
        let key = |key: &str| json!({"name": SECRET, "key": key});
        json!({"s3": {
            "endpoint": self.address.to_string(), "bucket": BUCKET, "insecure": true,
            "accessKeySecret": key("accesskey"), "secretKeySecret": key("secretkey"),
        }})
    }
}
