//! Files in HDFS by its HTTP interface, WebHDFS (rules X-HDFS-01, X-HDFS-02). The binary protocol
//! of name nodes and Kerberos are not here: a plugin can bring them.

use std::path::Path;

use argosy_model::artifact::HdfsArtifact;
use async_trait::async_trait;
use reqwest::{Body, Client, Method, Response, StatusCode, header};

use crate::rest::{self, Connecting, Retry, escape_but};
use crate::store::{Error, Options, Store, Stream};
use crate::trust;

/// Ports on which name nodes speak only their binary protocol.
const BINARY_PORTS: &[&str] = &["8020", "8022", "9000"];

/// Where name nodes speak HTTP, unless an address says otherwise.
const HTTP_PORT: &str = "9870";

/// A file is written under its name with this after it, and gets its own name when it is whole.
const HALF: &str = "._COPYING_";

/// One file.
pub(crate) struct Hdfs {
    client: Client,
    /// Name nodes; all but one may be on standby.
    addresses: Vec<String>,
    user: String,
    path: String,
    force: bool,
    retry: Retry,
}

/// A driver for an artifact's place.
///
/// # Errors
/// A place that is not complete, or one that wants Kerberos.
pub(crate) fn open(place: &HdfsArtifact, options: &Options) -> Result<Hdfs, Error> {
    let config = &place.config;
    let kerberos = &config.kerberos;
    if kerberos.krb_c_cache_secret.is_some() || kerberos.krb_keytab_secret.is_some() {
        return Err(Error::Unsupported(
            "hdfs artifacts with Kerberos are not supported; use an artifact plugin".to_owned(),
        ));
    }
    let missing = |what: &str| Error::Location(format!("hdfs artifact needs {what}"));
    if config.addresses.is_empty() {
        return Err(missing("addresses"));
    }
    if config.hdfs_user.is_empty() {
        return Err(missing("hdfsUser, since Kerberos is not used"));
    }
    if !place.path.starts_with('/') {
        return Err(missing("an absolute path"));
    }
    trust::provide();
    let connecting = Connecting {
        keeps_redirects: true,
        ..Connecting::default()
    };
    Ok(Hdfs {
        client: rest::client(&connecting)?,
        addresses: config.addresses.iter().map(|a| address_of(a)).collect(),
        user: config.hdfs_user.clone(),
        path: place.path.clone(),
        force: place.force,
        retry: Retry::new(options.backoff, options),
    })
}

/// Where a name node speaks HTTP. Addresses are usually those of the binary protocol.
fn address_of(address: &str) -> String {
    if address.contains("://") {
        return address.trim_end_matches('/').to_owned();
    }
    match address.rsplit_once(':') {
        Some((host, port)) if BINARY_PORTS.contains(&port) => format!("http://{host}:{HTTP_PORT}"),
        Some(_) => format!("http://{address}"),
        None => format!("http://{address}:{HTTP_PORT}"),
    }
}

impl Hdfs {
    /// Asks the name nodes in turn until one is not on standby.
    async fn ask(
        &self,
        method: &Method,
        path: &str,
        operation: &str,
        more: &[(&str, &str)],
    ) -> Result<Response, Error> {
        let mut query = vec![("op", operation), ("user.name", &self.user)];
        query.extend(more);
        let mut last = None;
        for address in &self.addresses {
            let url = format!("{address}/webhdfs/v1{}", escape_but(path, "/"));
            let request = self
                .client
                .request(method.clone(), rest::with_query(&url, &query));
            let answer = match rest::send(request.header(header::CONTENT_LENGTH, 0)).await {
                Ok(answer) if answer.status() == StatusCode::TEMPORARY_REDIRECT => return Ok(answer),
                Ok(answer) => rest::accept(answer).await,
                Err(error) => Err(error),
            };
            match answer {
                Err(error) if error.is_transient() || error.to_string().contains("state standby") => {
                    last = Some(error);
                }
                other => return other,
            }
        }
        Err(last.unwrap_or_else(|| Error::Location("hdfs artifact needs addresses".to_owned())))
    }

    /// Whether the path is a file; an error if it is something else.
    async fn status(&self) -> Result<(), Error> {
        let answer = self.ask(&Method::GET, &self.path, "GETFILESTATUS", &[]).await?;
        let about = rest::json(answer).await?;
        if about["FileStatus"]["type"] == "FILE" {
            return Ok(());
        }
        Err(Error::Unsupported(format!(
            "{} is no file, which hdfs artifacts must be",
            self.path
        )))
    }

    async fn get(&self) -> Result<Response, Error> {
        self.status().await?;
        let answer = self.ask(&Method::GET, &self.path, "OPEN", &[]).await?;
        match rest::header_of(&answer, header::LOCATION.as_str()) {
            // The data node that has the first block.
            Some(place) => rest::accept(rest::send(self.client.get(place)).await?).await,
            None => Ok(answer),
        }
    }

    /// An operation that answers whether it did what was asked.
    async fn command(
        &self,
        method: &Method,
        path: &str,
        operation: &str,
        more: &[(&str, &str)],
    ) -> Result<bool, Error> {
        let answer = self.ask(method, path, operation, more).await?;
        Ok(rest::json(answer).await?["boolean"] == true)
    }

    async fn put(&self, source: &Path, size: u64, half: &str) -> Result<(), Error> {
        let query = [("overwrite", "true"), ("noredirect", "false")];
        let answer = self.ask(&Method::PUT, half, "CREATE", &query).await?;
        let place = rest::header_of(&answer, header::LOCATION.as_str()).ok_or_else(|| Error::Store {
            message: "the name node began a file without saying where to send it".to_owned(),
            is_transient: false,
        })?;
        let body: Body = rest::body(source, 0, size).await?;
        let request = self.client.put(place).header(header::CONTENT_LENGTH, size);
        let request = request.header(header::CONTENT_TYPE, "application/octet-stream");
        rest::accept(rest::upload(request.body(body)).await?)
            .await
            .map(drop)
            .map_err(Error::not_missing)
    }

    async fn put_whole(&self, source: &Path, size: u64) -> Result<(), Error> {
        match self.retry.run(|| self.status()).await {
            Err(Error::NotFound(_)) => {}
            Ok(()) if self.force => {}
            Ok(()) => {
                return Err(Error::Location(format!(
                    "{} exists already (force is not set)",
                    self.path
                )));
            }
            Err(error) => return Err(error),
        }
        if let Some((parent, _)) = self
            .path
            .rsplit_once('/')
            .filter(|(parent, _)| !parent.is_empty())
        {
            let make = || self.command(&Method::PUT, parent, "MKDIRS", &[("permission", "777")]);
            self.retry.run(make).await?;
        }
        let half = format!("{}{HALF}", self.path);
        self.retry.run(|| self.put(source, size, &half)).await?;
        if self.force {
            let remove = || self.command(&Method::DELETE, &self.path, "DELETE", &[("recursive", "false")]);
            self.retry.run(remove).await?;
        }
        let to = [("destination", self.path.as_str())];
        let rename = || self.command(&Method::PUT, &half, "RENAME", &to);
        if self.retry.run(rename).await? {
            return Ok(());
        }
        Err(Error::Store {
            message: format!("{half} could not be renamed to {}", self.path),
            is_transient: false,
        })
    }
}

fn unsupported(what: &str) -> Error {
    Error::Unsupported(format!("{what} not supported for this artifact storage (hdfs)"))
}

#[async_trait]
impl Store for Hdfs {
    async fn load(&self, target: &Path) -> Result<(), Error> {
        let attempt = || async { rest::receive(self.get().await?, None, target).await };
        self.retry.run(attempt).await
    }

    async fn read(&self) -> Result<Stream, Error> {
        Ok(rest::stream(self.retry.run(|| self.get()).await?))
    }

    async fn save(&self, source: &Path) -> Result<(), Error> {
        self.put_whole(source, rest::file_size(source, "hdfs")?).await
    }

    async fn delete(&self) -> Result<(), Error> {
        Err(unsupported("delete"))
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        Err(unsupported("list"))
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        Err(unsupported("folder check"))
    }
}
