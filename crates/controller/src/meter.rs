//! Counts and times the requests to Kubernetes, and holds them to a rate where one is set.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use http::{Method, Request, Response};
use tower::{BoxError, Layer, Service};

use crate::metrics::Registry;

/// Requests per second over a long time, and how many at once.
#[derive(Debug)]
struct Bucket {
    per_sec: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// Takes a token, on credit if need be; gives how long to wait for it.
    fn take(&mut self, now: Instant) -> Duration {
        let grown = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_sec;
        self.tokens = (self.tokens + grown).min(self.burst) - 1.0;
        self.filled = now;
        Duration::from_secs_f64((-self.tokens / self.per_sec).max(0.0))
    }
}

/// Puts a [`Metered`] around a client.
#[derive(Debug, Clone)]
pub struct Meter {
    registry: Arc<Registry>,
    bucket: Option<Arc<Mutex<Bucket>>>,
}

impl Meter {
    /// Counts into a registry; at most `per_sec` requests a second, `burst` at once. A rate of 0 is no limit.
    pub fn new(registry: Arc<Registry>, per_sec: f64, burst: u32) -> Self {
        let limited = per_sec > 0.0 && per_sec.is_finite();
        let bucket = limited.then(|| {
            let burst = f64::from(burst.max(1));
            Arc::new(Mutex::new(Bucket {
                per_sec,
                burst,
                tokens: burst,
                filled: Instant::now(),
            }))
        });
        Self { registry, bucket }
    }

    /// Waits for this request's turn.
    async fn turn(&self) {
        let Some(bucket) = &self.bucket else { return };
        let wait = bucket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(Instant::now());
        tokio::time::sleep(wait).await;
        self.registry
            .observe("client_rate_limiter_latency", &[], wait.as_secs_f64());
    }
}

impl<S> Layer<S> for Meter {
    type Service = Metered<S>;

    fn layer(&self, inner: S) -> Metered<S> {
        Metered {
            inner,
            meter: self.clone(),
        }
    }
}

/// A client whose requests are counted.
#[derive(Debug, Clone)]
pub struct Metered<S> {
    inner: S,
    meter: Meter,
}

impl<S, B, R> Service<Request<B>> for Metered<S>
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
        let meter = self.meter.clone();
        let (kind, verb) = describe(&request);
        // Nothing is sent before the future is polled.
        let answer = self.inner.call(request);
        Box::pin(async move {
            meter.turn().await;
            let begun = Instant::now();
            let answer = answer.await.map_err(Into::into);
            let code = match &answer {
                Ok(response) => response.status().as_u16().to_string(),
                Err(_) => "0".to_owned(),
            };
            let labels = [
                ("kind", kind.as_str()),
                ("verb", verb),
                ("status_code", code.as_str()),
            ];
            meter.registry.add("k8s_request_total", &labels, 1.0);
            let took = begun.elapsed().as_secs_f64();
            meter.registry.observe("k8s_request_duration", &labels, took);
            answer
        })
    }
}

/// The resource and the verb of a request, in Kubernetes' words.
fn describe<B>(request: &Request<B>) -> (String, &'static str) {
    let parts: Vec<&str> = request
        .uri()
        .path()
        .split('/')
        .filter(|p| !p.is_empty())
        .collect();
    // `/api/VERSION/…` or `/apis/GROUP/VERSION/…`, then perhaps `namespaces/NAME/`.
    let rest = match parts.first() {
        Some(&"api") => parts.get(2..),
        Some(&"apis") => parts.get(3..),
        _ => None,
    }
    .unwrap_or_default();
    let rest = match rest {
        ["namespaces", _, inner @ ..] if !inner.is_empty() => inner,
        other => other,
    };
    let kind = rest
        .first()
        .map_or_else(|| "Unknown".to_owned(), |k| (*k).to_owned());
    let one = rest.len() > 1;
    let query = request.uri().query().unwrap_or_default();
    let verb = match *request.method() {
        Method::GET if query.contains("watch=true") || query.contains("watch=1") => "Watch",
        Method::GET if one => "Get",
        Method::GET => "List",
        Method::POST => "Create",
        Method::PUT => "Update",
        Method::PATCH => "Patch",
        Method::DELETE if one => "Delete",
        Method::DELETE => "DeleteCollection",
        _ => "Unknown",
    };
    (kind, verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_described_in_kubernetes_words() {
        for (method, uri, kind, verb) in [
            ("GET", "/api/v1/pods?limit=500", "pods", "List"),
            ("GET", "/api/v1/pods?watch=true", "pods", "Watch"),
            ("GET", "/api/v1/namespaces/n/pods/p/exec?command=x", "pods", "Get"),
            ("POST", "/api/v1/namespaces/n/pods", "pods", "Create"),
            (
                "PATCH",
                "/apis/argoproj.io/v1alpha1/namespaces/n/workflows/w",
                "workflows",
                "Patch",
            ),
            (
                "DELETE",
                "/apis/argoproj.io/v1alpha1/namespaces/n/workflowtaskresults",
                "workflowtaskresults",
                "DeleteCollection",
            ),
            ("GET", "/api/v1/namespaces/n", "namespaces", "Get"),
            ("GET", "/version", "Unknown", "List"),
        ] {
            let request = Request::builder().method(method).uri(uri).body(());
            let request = request.expect("a well-formed request");
            assert_eq!(describe(&request), (kind.to_owned(), verb), "{method} {uri}");
        }
    }

    #[test]
    fn a_rate_holds_after_the_burst() {
        let start = Instant::now();
        let mut bucket = Bucket {
            per_sec: 10.0,
            burst: 2.0,
            tokens: 2.0,
            filled: start,
        };
        let waits: Vec<u128> = (0..4).map(|_| bucket.take(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 100, 200]);
        assert_eq!(bucket.take(start + Duration::from_secs(5)).as_millis(), 0);
    }
}
