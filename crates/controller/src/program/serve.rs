//! The two listeners of the program: health on port 6060, metrics on the port of the configuration.
//!
//! One small handler each; what they answer comes from outside.

use std::convert::Infallible;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

/// Connections at a time: probes and a few scrapers. More wait in the backlog.
const CONNECTIONS_MAX: usize = 32;

/// How long a client may take for its handshake and for the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers a path with a status and a text; `None` is 404.
pub type Answer = Arc<dyn Fn(&str) -> Option<(StatusCode, String)> + Send + Sync>;

/// Opens a port on all addresses of the machine.
///
/// # Errors
/// When the port is taken.
pub async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let listener = match TcpListener::bind(any).await {
        Ok(listener) => Ok(listener),
        // Machines without IPv6.
        Err(_) => TcpListener::bind(("0.0.0.0", port)).await,
    };
    listener.with_context(|| format!("listening on port {port}"))
}

/// A certificate of our own, made for this run.
///
/// # Errors
/// When the key can't be made.
pub fn self_signed() -> anyhow::Result<TlsAcceptor> {
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves until the task is aborted.
pub async fn run(listener: TcpListener, tls: Option<TlsAcceptor>, answer: Answer) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                debug!(%error, "A connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (tls, answer) = (tls.clone(), answer.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, answer).await,
                Some(tls) => match tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => converse(stream, answer).await,
                    _ => debug!("A client did not finish its handshake"),
                },
            }
            drop(slot);
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, answer: Answer) {
    let respond = |request: Request<Incoming>| {
        let answered = match *request.method() {
            Method::GET | Method::HEAD => answer(request.uri().path()),
            _ => None,
        };
        let (status, text) = answered.unwrap_or((StatusCode::NOT_FOUND, "not found\n".to_owned()));
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        let plain = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(http::header::CONTENT_TYPE, plain);
        async move { Ok::<_, Infallible>(response) }
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service_fn(respond));
    if let Err(error) = served.await {
        debug!(%error, "A connection broke off");
    }
}
