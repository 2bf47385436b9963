//! The client of everything in this process: calls go straight into the API, and only what needs a connection of its
//! own (exec, attach) goes over the socket.

use std::sync::Arc;

use argosy_apiserver::ApiServer;
use http::header::UPGRADE;
use http::{Request, Response};
use http_body_util::Either;
use kube::Client;
use kube::client::Body;
use tower::{Service, service_fn};

/// A client for the API in this process. `socket` is the same API over its listener.
pub fn client(api: &Arc<ApiServer>, socket: Client, namespace: &str) -> Client {
    let inside = api.service();
    let service = service_fn(move |request: Request<Body>| {
        let mut inside = inside.clone();
        let socket = socket.clone();
        async move {
            if request.headers().contains_key(UPGRADE) {
                return socket.send(request).await.map(|answer| answer.map(Either::Left));
            }
            let Ok(answer) = inside.call(request).await;
            Ok::<Response<_>, kube::Error>(answer.map(Either::Right))
        }
    });
    Client::new(service, namespace)
}
