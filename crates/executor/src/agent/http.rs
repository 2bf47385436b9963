//! HTTP templates (X-HTTP-01 to X-HTTP-08): one request, its answer as the result, and whether
//! that is a success.

use std::collections::BTreeMap;
use std::time::Duration;

use argosy_model::template::Http;
use argosy_template::{Env, Expr, Value as Term};
use base64::Engine as _;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::json;

use super::{Agent, Answer};
use crate::api::Api;
use crate::paths::Layout;

/// Longest body that is read: what is longer fits into no object of the API (X-HTTP-08).
const LONGEST_BODY: usize = 1_536 * 1024;

/// Redirects that are followed (X-HTTP-04).
const REDIRECTS: usize = 10;

/// How often a silent connection is asked whether it is still there; there is no time limit
/// unless the template sets one (X-HTTP-02).
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Certificates that the controller mounts beside the system's (X-AGT-03).
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates";

/// The roots that requests trust, as PEM.
pub fn roots(layout: &Layout) -> Vec<u8> {
    let mut pem = argosy_artifact::trust::roots();
    let files = std::fs::read_dir(layout.place(CERTIFICATES));
    for file in files.into_iter().flatten().flatten() {
        // Folders and links to them are the mount's own affair.
        pem.extend(std::fs::read(file.path()).unwrap_or_default());
        pem.push(b'\n');
    }
    pem
}

/// Makes the request and judges the answer. Whatever goes wrong is told by the answer.
pub async fn execute(agent: &Agent, http: &Http) -> Answer {
    let asked = match Request::new(agent, http).await {
        Ok(asked) => asked,
        Err(message) => return Answer::of("Failed", message),
    };
    let got = match asked.send(agent, http).await {
        Ok(got) => got,
        Err(message) => return Answer::of("Failed", message),
    };
    let (phase, message) = match judge(http, &asked, &got) {
        Ok(()) => ("Succeeded", String::new()),
        Err(message) => ("Failed", message),
    };
    let mut answer = Answer::of(phase, message);
    answer.node["outputs"] = json!({ "result": String::from_utf8_lossy(&got.body) });
    answer
}

/// What is sent.
struct Request {
    method: String,
    headers: HeaderMap,
    /// Those that may be shown to an expression.
    shown: BTreeMap<String, Vec<String>>,
    body: Vec<u8>,
}

/// What came back.
struct Received {
    status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: Vec<u8>,
}

impl Request {
    async fn new(agent: &Agent, http: &Http) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for header in &http.headers {
            let secret = header.value_from.as_ref().and_then(|v| v.secret_key_ref.as_ref());
            let value = match secret {
                Some(secret) => secret_value(&agent.api, &secret.reference.name, &secret.key).await?,
                None => {
                    let values = shown.entry(header.name.clone()).or_default();
                    values.push(header.value.clone());
                    header.value.clone()
                }
            };
            let name = HeaderName::from_bytes(header.name.as_bytes())
                .map_err(|_| format!("net/http: invalid header field name {:?}", header.name))?;
            let value = HeaderValue::from_bytes(value.trim().as_bytes())
                .map_err(|_| format!("net/http: invalid header field value for {:?}", header.name))?;
            headers.append(name, value);
        }
        let method = if http.method.is_empty() {
            "GET"
        } else {
            &http.method
        };
        let body = match &http.body_from {
            // An empty source is an empty body (X-HTTP-08).
            Some(source) => source.bytes.0.clone(),
            None => http.body.clone().into_bytes(),
        };
        Ok(Self {
            method: method.to_owned(),
            headers,
            shown,
            body,
        })
    }

    async fn send(&self, agent: &Agent, http: &Http) -> Result<Received, String> {
        let told = |what: String| format!("{} {:?}: {what}", capitalised(&self.method), http.url);
        let client = client(agent, http).map_err(|e| told(chain(&e)))?;
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| format!("net/http: invalid method {:?}", self.method))?;
        let mut request = client.request(method, &http.url).headers(self.headers.clone());
        // Whoever asks for an encoding gets the answer as it comes.
        let unpacks = !self.headers.contains_key(ACCEPT_ENCODING);
        if unpacks {
            request = request.header(ACCEPT_ENCODING, "gzip");
        }
        if !self.body.is_empty() {
            request = request.body(self.body.clone());
        }
        let response = request.send().await.map_err(|e| told(reason(&e, http)))?;
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let is_packed = unpacks
            && response
                .headers()
                .get(CONTENT_ENCODING)
                .is_some_and(|v| v == "gzip");
        for (name, value) in response.headers() {
            let values = headers.entry(canonical(name.as_str())).or_default();
            values.push(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
        let mut body = read(response, http).await?;
        if is_packed && !body.is_empty() {
            body = unpack(&body)?;
            headers.remove("Content-Encoding");
            headers.remove("Content-Length");
        }
        Ok(Received {
            status,
            headers,
            body,
        })
    }
}

fn client(agent: &Agent, http: &Http) -> Result<Client, reqwest::Error> {
    let mut client = Client::builder()
        .redirect(reqwest::redirect::Policy::custom(|attempt| {
            if attempt.previous().len() >= REDIRECTS {
                attempt.error(format!("stopped after {REDIRECTS} redirects"))
            } else {
                attempt.follow()
            }
        }))
        .user_agent(concat!(
            "argo-workflows/v",
            env!("CARGO_PKG_VERSION"),
            " argo-executor"
        ))
        .tcp_keepalive(KEEPALIVE);
    if http.insecure_skip_verify {
        client = client.tls_danger_accept_invalid_certs(true).no_proxy();
    } else {
        client = client.tls_certs_only(reqwest::Certificate::from_pem_bundle(&agent.roots)?);
    }
    let secs = http
        .timeout_seconds
        .and_then(|s| u64::try_from(s).ok())
        .filter(|s| *s > 0);
    if let Some(secs) = secs {
        client = client.timeout(Duration::from_secs(secs));
    }
    client.build()
}

async fn read(mut response: Response, http: &Http) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|e| reason(&e, http))? {
        if body.len() + bytes.len() > LONGEST_BODY {
            return Err(too_long());
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

fn too_long() -> String {
    format!("the response's body is longer than {LONGEST_BODY} bytes, which is more than a result may hold")
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut body = Vec::new();
    let limit = LONGEST_BODY as u64 + 1;
    flate2::read::MultiGzDecoder::new(packed)
        .take(limit)
        .read_to_end(&mut body)
        .map_err(|e| format!("gzip: {e}"))?;
    if body.len() > LONGEST_BODY {
        return Err(too_long());
    }
    Ok(body)
}

fn judge(http: &Http, asked: &Request, got: &Received) -> Result<(), String> {
    let condition = &http.success_condition;
    if condition.is_empty() {
        return match got.status {
            200..=299 => Ok(()),
            code => Err(format!("received non-2xx response code: {code}")),
        };
    }
    let expression = Expr::compile(condition).map_err(|e| e.to_string())?;
    match expression.eval_bool(&scope(http, asked, got)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("successCondition '{condition}' evaluated false")),
        Err(error) => Err(error.to_string()),
    }
}

/// What a condition sees (X-HTTP-07).
fn scope(http: &Http, asked: &Request, got: &Received) -> Env {
    let text = |bytes: &[u8]| Term::str(&*String::from_utf8_lossy(bytes));
    let map =
        |members: Vec<(&str, Term)>| Term::map(members.into_iter().map(|(name, value)| (name.into(), value)));
    let headers = |headers: &BTreeMap<String, Vec<String>>| {
        let list = |values: &Vec<String>| Term::list(values.iter().map(|v| Term::str(v.as_str())).collect());
        let members = headers.iter();
        Term::map(members.map(|(name, values)| (name.as_str().into(), list(values))))
    };
    let request = map(vec![
        ("method", Term::str(http.method.as_str())),
        ("url", Term::str(http.url.as_str())),
        ("body", text(&asked.body)),
        ("bodyBytes", Term::Bytes(asked.body.as_slice().into())),
        ("headers", headers(&asked.shown)),
    ]);
    let response = map(vec![
        ("statusCode", Term::Int(i64::from(got.status))),
        ("body", text(&got.body)),
        ("headers", headers(&got.headers)),
    ]);
    Env::bare(BTreeMap::from([
        ("request".to_owned(), request),
        ("response".to_owned(), response),
    ]))
}

/// One key of a Secret, read with the rights of the agent (X-HTTP-03).
async fn secret_value(api: &Api, name: &str, key: &str) -> Result<String, String> {
    let path = format!("/api/v1/namespaces/{}/secrets/{name}", api.namespace());
    let secret = crate::retry::DEFAULT
        .retry(|e: &crate::api::Error| e.is_transient, || api.get(&path))
        .await
        .map_err(|e| e.message)?;
    let data = secret["data"][key]
        .as_str()
        .ok_or_else(|| format!("secret '{name}' does not have the key '{key}'"))?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(data)
        .map_err(|e| format!("secret '{name}', key '{key}': {e}"))?;
    String::from_utf8(bytes).map_err(|e| format!("secret '{name}', key '{key}': {e}"))
}

/// Why a request failed, in the words that users of the peer know.
fn reason(error: &reqwest::Error, http: &Http) -> String {
    if error.is_timeout() {
        return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".to_owned();
    }
    let mut causes: Vec<&(dyn std::error::Error + 'static)> = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    let system = causes
        .iter()
        .rev()
        .find_map(|c| c.downcast_ref::<std::io::Error>());
    match system.filter(|e| e.raw_os_error().is_some()) {
        Some(system) if error.is_connect() => {
            let url = reqwest::Url::parse(&http.url).ok();
            let host = url.as_ref().and_then(|u| u.host_str()).unwrap_or_default();
            let port = url
                .as_ref()
                .and_then(reqwest::Url::port_or_known_default)
                .unwrap_or_default();
            format!("dial tcp {host}:{port}: connect: {}", crate::text::reason(system))
        }
        Some(system) => crate::text::reason(system),
        None => causes
            .last()
            .map_or_else(|| error.to_string(), ToString::to_string),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// `GET` as the words of errors begin: `Get`.
fn capitalised(method: &str) -> String {
    let mut letters = method.chars();
    let first = letters.next().map(String::from).unwrap_or_default();
    first + &letters.as_str().to_lowercase()
}

/// `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        match letters.next() {
            Some(first) => first
                .to_uppercase()
                .chain(letters.flat_map(char::to_lowercase))
                .collect(),
            None => String::new(),
        }
    };
    name.split('-').map(part).collect::<Vec<String>>().join("-")
}
