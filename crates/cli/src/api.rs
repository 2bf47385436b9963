//! Calls to a Kubernetes API server, with the model's types in and out.

use argosy_model::Workflow;
use argosy_model::compression::{self, Effort, Unpacked};
use futures::{AsyncBufRead, Stream, StreamExt};
use http::{Method, Request};
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manifest::API_VERSION;

/// Longest page of a list, in objects, when the user asked for none: a list is read in pages so that a large one does not
/// have to fit into one answer.
const PAGE: u32 = 500;

/// How often an edit is tried on a workflow that others change all the time: a controller writes a workflow some times a
/// second, and an attempt takes milliseconds.
const EDIT_ATTEMPTS: u32 = 10;

/// From how many bytes on the nodes of a workflow are written compressed, as controllers do by default.
const PACKED_FROM: usize = 1 << 20;

/// An API server and the namespace that commands are about.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
    /// The namespace.
    pub namespace: String,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused it.
    #[error("{message}")]
    Refused {
        /// The server's words.
        message: String,
        /// The HTTP status.
        code: u16,
    },
    /// The server can't be talked to.
    #[error("the API server can't be reached: {0}")]
    Unreachable(String),
    /// The server's answer makes no sense.
    #[error("the API server gave an answer that can't be read")]
    Answer(#[source] Box<kube::Error>),
    /// The request can't be put together.
    #[error("building the request")]
    Request(#[from] http::Error),
    /// An object can't be written as JSON.
    #[error("writing an object as JSON")]
    Json(#[from] serde_json::Error),
    /// A name that would lead to another address.
    #[error("\"{0}\" is no name of an object")]
    Name(String),
}

impl Error {
    /// Whether the server says that there is no such object.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }

    /// Whether the server says that there is such an object already.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { code: 409, .. })
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused {
                message: status.message.clone(),
                code: status.code,
            },
            kube::Error::HyperError(e) => Self::Unreachable(chain(&e)),
            kube::Error::Service(e) => Self::Unreachable(chain(e.as_ref())),
            other => Self::Answer(Box::new(other)),
        }
    }
}

/// The messages of an error and its causes, without what a cause repeats.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}

/// Which objects of a list are wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// A label selector.
    pub labels: String,
    /// A field selector.
    pub fields: String,
    /// Objects of every namespace.
    pub all_namespaces: bool,
    /// Objects of one answer; 0 leaves it to us.
    pub chunk: u32,
}

/// How an object is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Creation {
    /// Check only.
    pub dry_run: bool,
}

/// A part of a list, as the server gives it.
#[derive(Deserialize)]
pub struct Page<T> {
    #[serde(default)]
    metadata: PageMeta,
    /// The objects.
    #[serde(default = "Vec::new")]
    pub items: Vec<T>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    more: String,
}

impl Api {
    /// Talks to a server through a client.
    pub fn new(client: kube::Client, namespace: impl Into<String>) -> Self {
        Self {
            client,
            namespace: namespace.into(),
        }
    }

    /// The same server, another namespace.
    pub fn within(&self, namespace: &str) -> Self {
        Self {
            client: self.client.clone(),
            namespace: namespace.to_owned(),
        }
    }

    fn workflows(&self) -> String {
        format!("/apis/{API_VERSION}/namespaces/{}/workflows", self.namespace)
    }

    fn workflow(&self, name: &str) -> Result<String, Error> {
        Ok(format!("{}/{}", self.workflows(), segment(name)?))
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Result<T, Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", kind)
            .body(body)?;
        Ok(self.client.request(request).await?)
    }

    /// Reads any object by its path.
    ///
    /// # Errors
    /// When the server refuses or can't be reached.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.call(Method::GET, path, "application/json", Vec::new()).await
    }

    /// Reads a workflow; the name `@latest` means the one made last.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn get(&self, name: &str) -> Result<Workflow, Error> {
        let name = self.resolve(name).await?;
        Ok(self.read::<Unpacked>(&self.workflow(&name)?).await?.0)
    }

    /// The name that `@latest` stands for; any other name is its own.
    ///
    /// # Errors
    /// As [`Api::read`], and when there is no workflow.
    pub async fn resolve(&self, name: &str) -> Result<String, Error> {
        if name != "@latest" {
            return Ok(name.to_owned());
        }
        let all = self.list(&Selection::default()).await?;
        let newest = all
            .into_iter()
            .max_by_key(|w| (w.metadata.creation_timestamp, w.metadata.name.clone()));
        let none = || Error::Refused {
            message: format!("no workflow in namespace {}", self.namespace),
            code: 404,
        };
        Ok(newest.ok_or_else(none)?.metadata.name)
    }

    /// Every workflow of a selection, page by page.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn list(&self, selection: &Selection) -> Result<Vec<Workflow>, Error> {
        let path = if selection.all_namespaces {
            format!("/apis/{API_VERSION}/workflows")
        } else {
            self.workflows()
        };
        let limit = if selection.chunk == 0 {
            PAGE
        } else {
            selection.chunk
        };
        let mut all = Vec::new();
        let mut more = String::new();
        loop {
            let mut query = format!("?limit={limit}");
            for (key, value) in [
                ("labelSelector", &selection.labels),
                ("fieldSelector", &selection.fields),
                ("continue", &more),
            ] {
                if !value.is_empty() {
                    query.push_str(&format!("&{key}={}", encode(value)));
                }
            }
            let page: Page<Unpacked> = self.read(&(path.clone() + &query)).await?;
            all.extend(page.items.into_iter().map(|one| one.0));
            more = page.metadata.more;
            if more.is_empty() {
                return Ok(all);
            }
        }
    }

    /// Makes a workflow.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn create(&self, workflow: &Workflow, creation: Creation) -> Result<Workflow, Error> {
        let query = if creation.dry_run { "?dryRun=All" } else { "" };
        self.post(&(self.workflows() + query), workflow).await
    }

    /// Makes any object at a path.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, object: &B) -> Result<T, Error> {
        self.call(
            Method::POST,
            path,
            "application/json",
            serde_json::to_vec(object)?,
        )
        .await
    }

    /// Replaces the object at a path; the server refuses when it was changed since it was read.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn put<B: Serialize, T: DeserializeOwned>(&self, path: &str, object: &B) -> Result<T, Error> {
        self.call(Method::PUT, path, "application/json", serde_json::to_vec(object)?)
            .await
    }

    /// Deletes the object at a path, what belongs to it after it.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn remove(&self, path: &str) -> Result<(), Error> {
        let path = format!("{path}?propagationPolicy=Background");
        let _: Value = self
            .call(Method::DELETE, &path, "application/json", Vec::new())
            .await?;
        Ok(())
    }

    /// Merges a patch into the object at a path.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn merge<T: DeserializeOwned>(&self, path: &str, patch: &Value) -> Result<T, Error> {
        self.call(
            Method::PATCH,
            path,
            "application/merge-patch+json",
            serde_json::to_vec(patch)?,
        )
        .await
    }

    /// Merges a patch into a workflow.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn patch(&self, name: &str, patch: &Value) -> Result<Workflow, Error> {
        Ok(self.merge::<Unpacked>(&self.workflow(name)?, patch).await?.0)
    }

    /// Changes a workflow as a function says, again on the newer object when someone else changed it meanwhile.
    ///
    /// # Errors
    /// When the function refuses, or as [`Api::read`].
    pub async fn edit<E>(
        &self,
        name: &str,
        change: impl Fn(&mut Workflow) -> Result<(), E>,
    ) -> anyhow::Result<Workflow>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let name = self.resolve(name).await?;
        let mut attempts = 0;
        loop {
            let mut workflow = self.get(&name).await?;
            change(&mut workflow)?;
            attempts += 1;
            match self.replace(&workflow).await {
                Err(error) if error.is_conflict() && attempts < EDIT_ATTEMPTS => {}
                done => return Ok(done?),
            }
        }
    }

    /// Replaces a workflow; the server refuses when it was changed since it was read.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn replace(&self, workflow: &Workflow) -> Result<Workflow, Error> {
        let path = self.workflow(&workflow.metadata.name)?;
        let stored: Unpacked = if compression::size(workflow) < PACKED_FROM {
            self.put(&path, workflow).await?
        } else {
            let mut packed = workflow.clone();
            packed.status.compressed_nodes = compression::compress(&workflow.status.nodes, Effort::Usual);
            packed.status.nodes.clear();
            self.put(&path, &packed).await?
        };
        Ok(stored.0)
    }

    /// Deletes a workflow, what belongs to it after it.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        self.remove(&self.workflow(name)?).await
    }

    /// Deletes a pod; one that is gone is no error.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn delete_pod(&self, name: &str) -> Result<(), Error> {
        let path = format!("/api/v1/namespaces/{}/pods/{}", self.namespace, segment(name)?);
        match self
            .call::<Value>(Method::DELETE, &path, "application/json", Vec::new())
            .await
        {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// What happens to one workflow from now on, its present state first.
    ///
    /// # Errors
    /// As [`Api::read`]; later errors come with the stream.
    pub async fn watch(
        &self,
        name: &str,
    ) -> Result<impl Stream<Item = kube::Result<WatchEvent<Workflow>>> + use<>, Error> {
        let field = encode(&format!("metadata.name={}", segment(name)?));
        // Version 0 gives what the server knows at once, then the changes.
        let path = format!(
            "{}?watch=true&resourceVersion=0&fieldSelector={field}",
            self.workflows()
        );
        let request = Request::builder().uri(path).body(Vec::new())?;
        let events = self.client.request_events::<Unpacked>(request).await?;
        Ok(events.map(|event| Ok(unpacked(event?))))
    }

    /// The pods of a workflow.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn pods(&self, labels: &str) -> Result<Vec<argosy_model::k8s::Pod>, Error> {
        let path = format!(
            "/api/v1/namespaces/{}/pods?labelSelector={}",
            self.namespace,
            encode(labels)
        );
        Ok(self.read::<Page<argosy_model::k8s::Pod>>(&path).await?.items)
    }

    /// The lines of a container's log; `query` holds further parameters of the request, such as `&follow=true`.
    ///
    /// # Errors
    /// As [`Api::read`].
    pub async fn log(
        &self,
        pod: &str,
        container: &str,
        query: &str,
    ) -> Result<impl AsyncBufRead + use<>, Error> {
        let base = format!("/api/v1/namespaces/{}/pods/{}/log", self.namespace, segment(pod)?);
        let request = Request::builder()
            .uri(format!("{base}?container={}{query}", encode(container)))
            .body(Vec::new())?;
        Ok(self.client.request_stream(request).await?)
    }
}

fn unpacked(event: WatchEvent<Unpacked>) -> WatchEvent<Workflow> {
    match event {
        WatchEvent::Added(one) => WatchEvent::Added(one.0),
        WatchEvent::Modified(one) => WatchEvent::Modified(one.0),
        WatchEvent::Deleted(one) => WatchEvent::Deleted(one.0),
        WatchEvent::Bookmark(mark) => WatchEvent::Bookmark(mark),
        WatchEvent::Error(error) => WatchEvent::Error(error),
    }
}

/// A name as a part of a path.
fn segment(name: &str) -> Result<&str, Error> {
    let fits = !name.is_empty()
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"/?#%\\\"<>".contains(&b));
    if fits {
        Ok(name)
    } else {
        Err(Error::Name(name.to_owned()))
    }
}

/// A value of a query.
pub fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
