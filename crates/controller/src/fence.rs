//! A fence in front of the Kubernetes API: requests that write pass only while this controller leads.
//!
//! Stopping tasks takes time, and a request that is already on its way can't be called back. The fence closes by the
//! clock: once the lease can be somebody else's, nothing that writes leaves this process any more.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use futures::future::BoxFuture;
use http::{Method, Request, Response};
use tower::{BoxError, Layer, Service};

/// Who may write, and until when.
#[derive(Debug, Clone, Default)]
pub struct Fence {
    /// The end of what is known of the lease; `None` is shut.
    open_until: Arc<Mutex<Option<Until>>>,
}

#[derive(Debug, Clone, Copy)]
enum Until {
    Instant(Instant),
    Forever,
}

/// The fence is shut.
#[derive(Debug, thiserror::Error)]
#[error("this controller does not lead, so it does not write")]
pub struct Shut;

impl Fence {
    /// Lets writing requests pass until a time.
    pub fn open_until(&self, end: Instant) {
        self.put(Some(Until::Instant(end)));
    }

    /// Lets writing requests pass for good, for a controller without election.
    pub fn open(&self) {
        self.put(Some(Until::Forever));
    }

    /// Stops writing requests from now on.
    pub fn shut(&self) {
        self.put(None);
    }

    /// Whether writing requests pass now.
    pub fn is_open(&self) -> bool {
        match *self.open_until.lock().unwrap_or_else(PoisonError::into_inner) {
            None => false,
            Some(Until::Forever) => true,
            Some(Until::Instant(end)) => Instant::now() < end,
        }
    }

    fn put(&self, until: Option<Until>) {
        *self.open_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl<S> Layer<S> for Fence {
    type Service = Fenced<S>;

    fn layer(&self, inner: S) -> Fenced<S> {
        Fenced {
            inner,
            fence: self.clone(),
        }
    }
}

/// A client behind a [`Fence`].
#[derive(Debug, Clone)]
pub struct Fenced<S> {
    inner: S,
    fence: Fence,
}

impl<S, B, R> Service<Request<B>> for Fenced<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    R: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        // What runs in a pod is changed by a GET that becomes a stream.
        let executes = request.uri().path().ends_with("/exec");
        if (!reads || executes) && !self.fence.is_open() {
            return Box::pin(async { Err(Shut.into()) });
        }
        let answer = self.inner.call(request);
        Box::pin(async move { answer.await.map_err(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn only_a_leader_writes() {
        let fence = Fence::default();
        let inner = tower::service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(())) });
        let client = fence.layer(inner);
        let ask = |method: Method, path: &'static str| {
            let request = Request::builder().method(method).uri(path).body(());
            let request = request.expect("a well-formed request");
            let client = client.clone();
            async move { client.oneshot(request).await.is_ok() }
        };
        let later = Instant::now() + Duration::from_secs(3600);
        for (act, writes) in [
            ((|f| drop(f)) as fn(Fence), false),
            (|f| f.open(), true),
            (|f| f.shut(), false),
            (|f| f.open_until(Instant::now()), false),
        ] {
            act(fence.clone());
            assert!(ask(Method::GET, "/api/v1/pods").await);
            assert_eq!(ask(Method::PATCH, "/api/v1/pods/p").await, writes);
            assert_eq!(ask(Method::GET, "/api/v1/namespaces/n/pods/p/exec").await, writes);
        }
        fence.open_until(later);
        assert!(ask(Method::DELETE, "/api/v1/pods/p").await);
    }
}
