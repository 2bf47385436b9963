//! Exchanges as data: a request, and what its answer must hold.
//!
//! Deliberately absent: expectations about everything else in an answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_apiserver::{ApiServer, Options, definition};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::ServiceExt;

/// One request and the expected answer. `{name}` in the path or body is replaced by what was kept before.
pub struct Exchange {
    method: &'static str,
    path: String,
    content: &'static str,
    body: Option<Value>,
    code: u16,
    expected: Value,
    kept: Option<(&'static str, &'static str)>,
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
        }
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

/// A server with two custom kinds, the second with a status subresource, and a node.
pub fn server() -> Arc<ApiServer> {
    let mut gadgets = definition("example.com", "v1", "gadgets", "Gadget", true);
    gadgets["spec"]["versions"][0]["subresources"] = json!({"status": {}});
    let widgets = definition("example.com", "v1", "widgets", "Widget", true);
    let options = Options {
        definitions: vec![widgets, gadgets],
        bind_to_node: Some("here".into()),
        ..Options::default()
    };
    ApiServer::new(options).expect("the server starts")
}

/// Runs the exchanges one after the other on a new server.
pub async fn check(exchanges: Vec<Exchange>) {
    check_on(&server(), exchanges).await;
}

/// Runs the exchanges one after the other.
pub async fn check_on(server: &Arc<ApiServer>, exchanges: Vec<Exchange>) {
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
        let request = Request::builder()
            .method(exchange.method)
            .uri(&path)
            .header("content-type", exchange.content)
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
        let response = server
            .service()
            .oneshot(request)
            .await
            .expect("the service never fails");
        let code = response.status().as_u16();
        let text = response
            .into_body()
            .collect()
            .await
            .expect("a whole body")
            .to_bytes();
        let got: Value = serde_json::from_slice(&text).unwrap_or(Value::Null);
        assert_eq!(code, exchange.code, "{name}: {}", String::from_utf8_lossy(&text));
        if !exchange.expected.is_null() {
            let expected = kept
                .iter()
                .fold(exchange.expected.to_string(), |text, (name, value)| {
                    text.replace(&format!("{{{name}}}"), value)
                });
            let expected = serde_json::from_str(&expected).expect("what was kept fits into JSON");
            holds(&got, &expected, &name, &got);
        }
        if let Some((pointer, as_name)) = exchange.kept {
            let part = got.pointer(pointer).and_then(Value::as_str);
            kept.insert(
                as_name,
                part.unwrap_or_else(|| panic!("{name}: no {pointer} in {got}"))
                    .to_owned(),
            );
        }
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
