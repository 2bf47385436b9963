//! The API that tests speak to, and exchanges as data: a request, and what its answer must hold. The API is ours, or a
//! real kube-apiserver when `ARGOSY_REAL_API` names a kubeconfig (see `real`).
//!
//! Deliberately absent: expectations about everything else in an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argosy_apiserver::{ApiServer, Options, definition};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::real::{REAL, Real};

/// How long what is true a moment later may take. The controllers of a real server look again at a namespace that ends
/// after half the grace of its pods.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request and the expected answer. `{name}` in the path or body is replaced by what was kept before.
pub struct Exchange {
    method: &'static str,
    path: String,
    content: &'static str,
    body: Option<Value>,
    code: u16,
    expected: Value,
    kept: Option<(&'static str, &'static str)>,
    /// Only with our own server.
    ours: bool,
    /// The user for whom the owner asks.
    by: Option<&'static str>,
    /// May be true only a moment later on a real server.
    later: bool,
}

impl Exchange {
    pub fn new(method: &'static str, path: &str, body: Option<Value>) -> Self {
        let content = "application/json";
        Exchange {
            method,
            path: path.into(),
            content,
            body,
            code: 200,
            expected: json!({}),
            kept: None,
            ours: false,
            by: None,
            later: false,
        }
    }

    /// On behalf of a user who is held to rules.
    pub fn by(mut self, user: &'static str) -> Self {
        self.by = Some(user);
        self
    }

    /// Asked again until it is so: a real server learns of roles by a watch, and leaves much to its controllers.
    pub fn later(mut self) -> Self {
        self.later = true;
        self
    }

    /// Left out with a real server, which without nodes answers otherwise.
    pub fn ours(mut self) -> Self {
        self.ours = true;
        self
    }

    /// The answer has this code and holds this: null means absent, lists have the same length.
    pub fn gives(mut self, code: u16, expected: Value) -> Self {
        self.code = code;
        self.expected = expected;
        self
    }

    /// Keeps a part of the answer for later exchanges.
    pub fn keeps(mut self, pointer: &'static str, name: &'static str) -> Self {
        self.kept = Some((pointer, name));
        self
    }
}

pub fn get(path: &str) -> Exchange {
    Exchange::new("GET", path, None)
}

pub fn post(path: &str, body: Value) -> Exchange {
    Exchange::new("POST", path, Some(body))
}

pub fn put(path: &str, body: Value) -> Exchange {
    Exchange::new("PUT", path, Some(body))
}

pub fn delete(path: &str, options: Value) -> Exchange {
    Exchange::new("DELETE", path, (!options.is_null()).then_some(options))
}

fn patch(path: &str, content: &'static str, body: Value) -> Exchange {
    Exchange {
        content,
        ..Exchange::new("PATCH", path, Some(body))
    }
}

pub fn merge(path: &str, body: Value) -> Exchange {
    patch(path, "application/merge-patch+json", body)
}

pub fn json_patch(path: &str, body: Value) -> Exchange {
    patch(path, "application/json-patch+json", body)
}

pub fn strategic(path: &str, body: Value) -> Exchange {
    patch(path, "application/strategic-merge-patch+json", body)
}

pub fn apply(path: &str, body: Value) -> Exchange {
    patch(path, "application/apply-patch+yaml", body)
}

/// Two custom kinds, the second with a status subresource.
pub fn definitions() -> Vec<Value> {
    let mut gadgets = definition("example.com", "v1", "gadgets", "Gadget", true);
    gadgets["spec"]["versions"][0]["subresources"] = json!({"status": {}});
    let widgets = definition("example.com", "v1", "widgets", "Widget", true);
    vec![widgets, gadgets]
}

/// A server with two custom kinds and a node.
pub fn server() -> Arc<ApiServer> {
    let options = Options {
        definitions: definitions(),
        rbac: true,
        ..Options::default()
    };
    ApiServer::new(options).expect("the server starts")
}

/// The API that a test speaks to.
pub enum TestApi {
    /// Ours, in process.
    Ours(Arc<ApiServer>),
    /// A real one.
    Real(Box<Real>),
}

impl TestApi {
    /// An API without objects: the real one if the environment names one, else a new one of ours.
    pub async fn empty() -> Self {
        match Real::empty().await {
            Some(real) => TestApi::Real(Box::new(real)),
            None => TestApi::Ours(server()),
        }
    }

    /// The answer, whose body may go on for long.
    pub async fn answer(&self, request: Request<Full<Bytes>>) -> Response<Answer> {
        match self {
            TestApi::Ours(server) => {
                let response = server.service().oneshot(request).await;
                let response = response.expect("the service never fails");
                response.map(|body| body.map_err(|error| error.to_string()).boxed_unsync())
            }
            TestApi::Real(real) => {
                let response = real.answer(request).await;
                response.map(|body| body.map_err(|error| error.to_string()).boxed_unsync())
            }
        }
    }

    /// kube's client of it, which may do all.
    pub fn client(&self) -> kube::Client {
        match self {
            TestApi::Ours(server) => kube::Client::new(server.service(), "default"),
            TestApi::Real(real) => real.client(),
        }
    }

    /// Runs exchanges one after the other.
    pub async fn check(&self, exchanges: Vec<Exchange>) {
        let real = matches!(self, TestApi::Real(_));
        let exchanges = exchanges.into_iter().filter(|exchange| !(real && exchange.ours));
        run(exchanges.collect(), async |request| {
            let response = self.answer(request).await;
            let code = response.status().as_u16();
            let body = response.into_body().collect().await.expect("a whole body");
            (code, body.to_bytes())
        })
        .await;
    }
}

/// The body of an answer.
pub type Answer = UnsyncBoxBody<Bytes, String>;

/// Lets time pass at once whenever nothing else happens, unless a real server tells the time.
pub fn skip_waiting() {
    if std::env::var_os(REAL).is_none() {
        tokio::time::pause();
    }
}

/// Runs the exchanges one after the other on a new server, or on the real one.
pub async fn check(exchanges: Vec<Exchange>) {
    TestApi::empty().await.check(exchanges).await;
}

/// Runs the exchanges one after the other on a server of ours.
pub async fn check_on(server: &Arc<ApiServer>, exchanges: Vec<Exchange>) {
    TestApi::Ours(server.clone()).check(exchanges).await;
}

async fn run(exchanges: Vec<Exchange>, answer: impl AsyncFn(Request<Full<Bytes>>) -> (u16, Bytes)) {
    let mut kept: BTreeMap<&str, String> = BTreeMap::new();
    for (number, exchange) in exchanges.into_iter().enumerate() {
        let fill = |text: String| {
            kept.iter().fold(text, |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
        };
        let path = fill(exchange.path);
        let body = exchange
            .body
            .map(|body| fill(body.to_string()))
            .unwrap_or_default();
        let name = format!("exchange {number}: {} {path}", exchange.method);
        let expected = (!exchange.expected.is_null()).then(|| {
            let expected = fill(exchange.expected.to_string());
            serde_json::from_str::<Value>(&expected).expect("what was kept fits into JSON")
        });
        let begin = Instant::now();
        let (code, text, got) = loop {
            let mut request = Request::builder().method(exchange.method).uri(&path);
            request = request.header("content-type", exchange.content);
            if let Some(user) = exchange.by {
                request = request.header("impersonate-user", user);
            }
            let request = request.body(Full::new(Bytes::from(body.clone())));
            let (code, text) = answer(request.expect("a request")).await;
            let got: Value = serde_json::from_slice(&text).unwrap_or(Value::Null);
            let met = code == exchange.code && expected.as_ref().is_none_or(|wanted| contains(&got, wanted));
            if met || !exchange.later || begin.elapsed() > PATIENCE {
                break (code, text, got);
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(code, exchange.code, "{name}: {}", String::from_utf8_lossy(&text));
        if let Some(expected) = &expected {
            holds(&got, expected, &name, &got);
        }
        if let Some((pointer, as_name)) = exchange.kept {
            let part = got.pointer(pointer).and_then(Value::as_str);
            let part = part.unwrap_or_else(|| panic!("{name}: no {pointer} in {got}"));
            kept.insert(as_name, part.to_owned());
        }
    }
}

/// Whether the answer holds an expectation, as [`holds`] judges it.
fn contains(got: &Value, expected: &Value) -> bool {
    match expected {
        Value::Object(fields) => fields
            .iter()
            .all(|(field, expected)| contains(got.get(field).unwrap_or(&Value::Null), expected)),
        Value::Array(elements) => got.as_array().is_some_and(|list| {
            let pairs = list.iter().zip(elements);
            list.len() == elements.len() && pairs.into_iter().all(|(got, expected)| contains(got, expected))
        }),
        scalar => got == scalar,
    }
}

fn holds(got: &Value, expected: &Value, place: &str, whole: &Value) {
    match expected {
        Value::Object(fields) => {
            for (field, expected) in fields {
                holds(
                    got.get(field).unwrap_or(&Value::Null),
                    expected,
                    &format!("{place}.{field}"),
                    whole,
                );
            }
        }
        Value::Array(elements) => {
            let list = got
                .as_array()
                .unwrap_or_else(|| panic!("{place}: no list in {whole:#}"));
            assert_eq!(list.len(), elements.len(), "{place}: {whole:#}");
            for (at, expected) in elements.iter().enumerate() {
                holds(&list[at], expected, &format!("{place}[{at}]"), whole);
            }
        }
        scalar => assert_eq!(got, scalar, "{place}: {whole:#}"),
    }
}
