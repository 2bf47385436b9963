//! The server: its state, and which handler answers which request.
//!
//! Deliberately absent: sockets and TLS (see `serve`), and the handlers themselves.

mod authorize;
mod cascade;
mod create;
mod definitions;
mod delete;
mod discovery;
mod exec;
mod kubelet;
mod patch;
mod read;
mod reviews;
mod roles;
mod start;
mod tokens;
mod update;
mod watch;

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::auth::{Authority, User};
use crate::body::Body;
use crate::kinds::{Kind, Origin, Registry};
use crate::kubelet::Kubelet;
use crate::managed::Writer;
use crate::options::Options;
use crate::reply;
use crate::request::{Query, Target};
use crate::status::{Cause, Result, Status};
use crate::store::{Key, Object, Store};
use crate::table::Printing;
use crate::types;

pub use start::StartError;

/// A Kubernetes-compatible API in one process.
pub struct ApiServer {
    options: Options,
    store: Store,
    kinds: RwLock<Arc<Registry>>,
    kubelet: OnceLock<Arc<dyn Kubelet>>,
    authority: Authority,
}

/// How long a request waits for a slow disk before it gives up; for one that refuses to be written, a second. The
/// write itself goes on.
const SAFE_WITHIN_SECS: u32 = 30;
/// Warnings in one answer: their headers stay below what clients take.
const MAX_WARNINGS: usize = 20;

/// One request, taken apart.
struct Call {
    kind: Arc<Kind>,
    target: Target,
    query: Query,
    user: User,
    parts: http::request::Parts,
    body: Bytes,
    now: jiff::Timestamp,
    /// What the client is told beside the answer.
    warnings: Arc<Mutex<Vec<String>>>,
}

impl Call {
    /// Where the named object is stored.
    fn key(&self) -> Key {
        Key::new(&self.target.namespace, &self.target.name)
    }

    fn header(&self, name: http::HeaderName) -> &str {
        self.parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The content type without its parameters.
    fn content(&self) -> &str {
        self.header(http::header::CONTENT_TYPE)
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
    }

    /// Whether this is a server-side apply.
    fn applies(&self) -> bool {
        self.parts.method == Method::PATCH && self.content() == "application/apply-patch+yaml"
    }

    /// Who writes, for the record of owned fields.
    fn writer<'a>(&'a self, now: &'a str) -> Writer<'a> {
        let agent = self
            .header(http::header::USER_AGENT)
            .split('/')
            .next()
            .unwrap_or_default();
        let given = self.query.get("fieldManager");
        let name = if !given.is_empty() {
            given
        } else if !agent.is_empty() {
            agent
        } else {
            "unknown"
        };
        Writer {
            name,
            subresource: &self.target.subresource,
            now,
        }
    }

    /// How tables for this request are made.
    fn printing(&self) -> Printing<'_> {
        Printing {
            kind: &self.kind,
            now: self.now,
            include: self.query.get("includeObject"),
        }
    }

    /// The body as JSON.
    fn json(&self) -> Result<Value> {
        let content = self.content();
        if content == "application/vnd.kubernetes.protobuf" && self.kind.origin != Origin::Custom {
            let said = "the protobuf message cannot be read as an object of a known kind";
            return types::protobuf::read(&self.body).ok_or_else(|| Status::bad_request(said));
        }
        if !matches!(content, "" | "application/json") {
            return Err(Status::unsupported_media_type(&[
                "application/json",
                "application/vnd.kubernetes.protobuf",
            ]));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            Status::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse \
                error: {error}",
                self.kind.kind
            ))
        })
    }

    /// Tells the client something beside the answer.
    fn warn(&self, said: impl IntoIterator<Item = String>) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for said in said {
            // A change that is tried again would say it again.
            if warnings.len() < MAX_WARNINGS && !warnings.contains(&said) {
                warnings.push(said);
            }
        }
    }

    /// Whether everything is to be checked but nothing done.
    ///
    /// # Errors
    /// 422 for any other value than `All`.
    fn dry_run(&self) -> Result<bool> {
        match self.query.all("dryRun") {
            [] => Ok(false),
            [only] if only == "All" => Ok(true),
            other => {
                let options = match self.parts.method {
                    Method::PUT => "UpdateOptions",
                    Method::PATCH => "PatchOptions",
                    Method::DELETE => "DeleteOptions",
                    _ => "CreateOptions",
                };
                let causes = [Cause::not_supported("dryRun", &other.into(), &["All".to_owned()])];
                Err(Status::invalid("meta.k8s.io", options, "", &causes))
            }
        }
    }

    fn not_found(&self) -> Status {
        Status::not_found(&self.kind.group, &self.kind.plural, &self.target.name)
    }
}

impl ApiServer {
    /// Plugs in whoever runs the pods; the first one stays.
    pub fn set_kubelet(&self, kubelet: Arc<dyn Kubelet>) {
        if self.kubelet.set(kubelet).is_err() {
            tracing::warn!("A second kubelet was offered and ignored");
        }
    }

    /// Writes what is left into the file and closes it; blocks until that is done. Later writes are refused, and the
    /// file can be used by another server.
    pub fn close(&self) {
        self.store.close();
    }

    /// The certificate that signs the server's own, in PEM.
    pub fn ca_pem(&self) -> &str {
        self.authority.ca_pem()
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    fn kinds(&self) -> Arc<Registry> {
        self.kinds.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers one request of a user who is known.
    pub(crate) async fn answer(self: &Arc<Self>, request: Request<Bytes>, user: User) -> Response<Body> {
        let response = match self.route(request, user).await {
            Ok(response) => response,
            Err(status) => reply::error(&status),
        };
        // Nobody hears of what a crash could still take back.
        for _ in 0..SAFE_WITHIN_SECS {
            if tokio::time::timeout(Duration::from_secs(1), self.store.settle())
                .await
                .is_ok()
            {
                return response;
            }
            if self.store.is_stuck() {
                break;
            }
        }
        reply::error(&Status::storage_stuck())
    }

    async fn route(self: &Arc<Self>, request: Request<Bytes>, user: User) -> Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let user = self.impersonated(user, &parts.headers)?;
        let path = parts.uri.path();
        let Some(target) = Target::parse(path) else {
            return self.plain(&parts, &user);
        };
        let Some(kind) = self.kinds().get(&target.group, &target.version, &target.plural) else {
            return Ok(reply::no_such_path());
        };
        if !kind.namespaced && !target.namespace.is_empty() {
            return Ok(reply::no_such_path());
        }
        let query = Query::parse(parts.uri.query());
        self.authorize(&user, &parts.method, &target, &query)?;
        let warnings = Arc::default();
        let now = self.options.clock.now();
        let call = Call {
            now,
            kind,
            target,
            query,
            user,
            parts,
            body,
            warnings: Arc::clone(&warnings),
        };
        let mut response = if call.target.subresource.is_empty() {
            self.resource(call).await?
        } else {
            self.subresource(call).await?
        };
        for said in warnings.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let text = said.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(value) = http::HeaderValue::from_str(&format!("299 - \"{text}\"")) {
                response.headers_mut().append(http::header::WARNING, value);
            }
        }
        Ok(response)
    }

    async fn resource(self: &Arc<Self>, call: Call) -> Result<Response<Body>> {
        let method = call.parts.method.clone();
        if call.kind.origin == Origin::Review {
            return match (method, call.target.name.is_empty()) {
                (Method::POST, true) => self.review(&call),
                _ => Err(Status::method_not_allowed()),
            };
        }
        if call.kind.namespaced && call.target.namespace.is_empty() && method != Method::GET {
            return Err(Status::method_not_allowed());
        }
        match (method, call.target.name.is_empty()) {
            (Method::GET, _) if call.query.is("watch") => self.watch(call),
            (Method::GET, true) => self.list(&call),
            (Method::GET, false) => self.get(&call),
            (Method::POST, true) => self.create(&call),
            (Method::PUT, false) => self.update(&call),
            (Method::PATCH, false) => self.patch(&call),
            (Method::DELETE, true) if call.kind.plural != "namespaces" => self.delete_collection(&call),
            (Method::DELETE, false) => self.delete(&call),
            _ => Err(Status::method_not_allowed()),
        }
    }

    async fn subresource(self: &Arc<Self>, call: Call) -> Result<Response<Body>> {
        let kind = call.kind.clone();
        let core = |plural: &str| kind.group.is_empty() && kind.plural == plural;
        let method = call.parts.method.clone();
        match (call.target.subresource.as_str(), method) {
            ("status", Method::GET) if kind.status => self.get(&call),
            ("status", Method::PUT) if kind.status => self.update(&call),
            ("status", Method::PATCH) if kind.status => self.patch(&call),
            ("scale", Method::GET) if kind.scale.is_some() => self.get_scale(&call),
            ("scale", Method::PUT | Method::PATCH) if kind.scale.is_some() => self.set_scale(&call),
            ("finalize", Method::PUT) if core("namespaces") => self.update(&call),
            ("log", Method::GET) if core("pods") => self.log(&call).await,
            ("exec" | "attach", Method::GET | Method::POST) if core("pods") => self.exec(call).await,
            ("portforward", Method::GET | Method::POST) if core("pods") => self.forward(call).await,
            ("binding", Method::POST) if core("pods") => self.bind(&call),
            ("eviction", Method::POST) if core("pods") => self.evict(&call),
            ("ephemeralcontainers" | "resize", Method::GET) if core("pods") => self.get(&call),
            ("ephemeralcontainers" | "resize", Method::PUT) if core("pods") => self.update(&call),
            ("ephemeralcontainers" | "resize", Method::PATCH) if core("pods") => self.patch(&call),
            ("token", Method::POST) if core("serviceaccounts") => self.request_token(&call),
            ("status", _) if kind.status => Err(Status::method_not_allowed()),
            _ => Ok(reply::no_such_path()),
        }
    }

    /// The stored object that the call names.
    fn found(&self, call: &Call) -> Result<Arc<Object>> {
        self.store
            .read()
            .get(&call.kind.resource, &call.key())
            .ok_or_else(|| call.not_found())
    }
}

/// The response that shows one stored object.
fn shown(code: StatusCode, call: &Call, object: &Object) -> Response<Body> {
    match read::Form::of(call) {
        read::Form::Object => {}
        read::Form::Table => return reply::json(code, &call.printing().one(object)),
        read::Form::Metadata => return reply::json(code, &read::metadata_of(object)),
    }
    match versioned(&call.kind, &object.value) {
        Some(value) => reply::json(code, &value),
        None => reply::text(code, "application/json", object.bytes.clone()),
    }
}

/// The object in the asked-for version, when it is stored in another one.
fn versioned(kind: &Kind, object: &Value) -> Option<Value> {
    let wanted = kind.api_version();
    if object.get("apiVersion").and_then(Value::as_str) == Some(wanted.as_str()) {
        return None;
    }
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.insert("apiVersion".to_owned(), wanted.into());
    }
    Some(object)
}
