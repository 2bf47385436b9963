//! The server as a tower service, for clients in the same process.
//!
//! Deliberately absent: sockets (see `serve`).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;

use crate::api::ApiServer;
use crate::auth::User;
use crate::body::{Body, BoxError};
use crate::reply;
use crate::status::Status;

/// Bytes that a request may hold, as in Kubernetes: an object of 1.5 MiB and a patch of it.
pub const MAX_REQUEST: usize = 3 * 1024 * 1024;

/// Answers requests from the same process: as the owner, or as the user of the bearer token if one is sent.
#[derive(Clone)]
pub struct Service {
    server: Arc<ApiServer>,
    trusts: Trust,
}

/// Who a request without credentials comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// The owner: it comes from the same process.
    Owner,
    /// Nobody: it comes over the network.
    Nobody,
}

impl Service {
    pub(crate) fn of_network(server: Arc<ApiServer>) -> Self {
        Service {
            server,
            trusts: Trust::Nobody,
        }
    }
}

impl ApiServer {
    /// A service for `kube::Client::new(server.service(), "default")`.
    pub fn service(self: &Arc<Self>) -> Service {
        Service {
            server: self.clone(),
            trusts: Trust::Owner,
        }
    }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (server, trusts) = (self.server.clone(), self.trusts);
        Box::pin(async move {
            let in_process = request.extensions().get::<hyper::upgrade::OnUpgrade>().is_none();
            if in_process && request.headers().contains_key(header::UPGRADE) {
                return Ok(upgraded(Service { server, trusts }, request).await);
            }
            let Some(user) = user_of(&server, trusts, &request) else {
                return Ok(reply::error(&Status::unauthorized()));
            };
            let (parts, body) = request.into_parts();
            let limited = Limited::new(body, MAX_REQUEST);
            let bytes = match limited.collect().await {
                Ok(collected) => collected.to_bytes(),
                Err(error) if error.is::<LengthLimitError>() => {
                    return Ok(reply::error(&Status::too_large(MAX_REQUEST)));
                }
                Err(error) => {
                    return Ok(reply::error(&Status::bad_request(format!(
                        "reading the body: {error}"
                    ))));
                }
            };
            Ok(server.answer(Request::from_parts(parts, bytes), user).await)
        })
    }
}

/// Only a connection can be upgraded, so a request from this process that wants it gets one of its own.
async fn upgraded<B>(service: Service, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        let service = TowerToHyperService::new(service);
        let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
        if let Err(error) = served.with_upgrades().await {
            tracing::debug!(%error, "A connection inside the process broke off");
        }
    });
    let answer = async {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, body.boxed_unsync());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await?;
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await
    };
    match answer.await {
        Ok(response) => {
            response.map(|body| Body::stream(body.into_data_stream().map(|b| b.map_err(BoxError::from))))
        }
        Err(error) => reply::error(&Status::internal(error)),
    }
}

fn user_of<B>(server: &ApiServer, trusts: Trust, request: &Request<B>) -> Option<User> {
    let Some(credentials) = request.headers().get(header::AUTHORIZATION) else {
        let open = matches!(
            request.uri().path(),
            "/healthz" | "/livez" | "/readyz" | "/version"
        );
        return match trusts {
            Trust::Owner => Some(User::admin()),
            Trust::Nobody if open => Some(anonymous()),
            Trust::Nobody => None,
        };
    };
    let (scheme, token) = credentials.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    server.authenticate(token.trim())
}

/// Whoever asks without credentials for what everyone may know.
fn anonymous() -> User {
    User {
        name: "system:anonymous".into(),
        groups: vec!["system:unauthenticated".into(), "system:authenticated".into()],
        ..User::default()
    }
}
