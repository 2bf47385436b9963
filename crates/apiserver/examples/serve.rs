//! Serves an API on 127.0.0.1 and writes a kubeconfig, for trying kubectl by hand.
//!
//! Deliberately absent: a clean stop: the process is ended by a signal, and the store takes that.

use argosy_apiserver::{ApiServer, Options};
use serde_json::Value;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let kubeconfig = arguments
        .next()
        .ok_or("usage: serve KUBECONFIG [STORE.db] [DEFINITION.json]...")?;
    let (files, definitions): (Vec<String>, Vec<String>) = arguments.partition(|path| path.ends_with(".db"));
    let definitions: Result<Vec<Value>, Box<dyn std::error::Error>> = definitions
        .iter()
        .map(|path| Ok(serde_json::from_slice(&std::fs::read(path)?)?))
        .collect();
    let options = Options {
        definitions: definitions?,
        file: files.first().map(Into::into),
        admin_token: Some("owner".into()),
        ..Options::default()
    };
    let server = ApiServer::new(options)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    std::fs::write(
        &kubeconfig,
        server.kubeconfig(&format!("https://{address}"), "owner"),
    )?;
    server.serve(listener, std::future::pending()).await?;
    Ok(())
}
