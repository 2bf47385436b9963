//! Artifacts at HTTP(S) addresses (rules X-HTA-01 to X-HTA-04): GET, PUT, headers and basic
//! authentication. OAuth2 and client certificates are refused, not ignored.

use std::path::Path;

use argosy_model::artifact::HttpArtifact;
use async_trait::async_trait;
use futures::TryStreamExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::store::{Error, Options, Secrets, Store, Stream, secret};

/// One address.
#[derive(Clone, Debug)]
pub struct Web {
    client: reqwest::Client,
    url: String,
    headers: Vec<(String, String)>,
    login: Option<(String, String)>,
    options: Options,
}

impl Web {
    /// A client for an artifact's address.
    ///
    /// # Errors
    /// A secret that cannot be read, or a way of authentication that is not supported yet.
    pub async fn open(place: &HttpArtifact, secrets: &dyn Secrets, options: &Options) -> Result<Self, Error> {
        let mut login = None;
        if let Some(auth) = &place.auth {
            if auth.oauth2.token_url_secret.is_some() || auth.client_cert.client_cert_secret.is_some() {
                return Err(Error::Unsupported(
                    "http artifacts with OAuth2 or client certificates are not supported yet".to_owned(),
                ));
            }
            let user = secret(secrets, auth.basic_auth.username_secret.as_ref())
                .await?
                .unwrap_or_default();
            let password = secret(secrets, auth.basic_auth.password_secret.as_ref())
                .await?
                .unwrap_or_default();
            // Sent only when both are there (X-HTA-01).
            login = (!user.is_empty() && !password.is_empty()).then_some((user, password));
        }
        Ok(Self {
            client: client()?,
            url: place.url.clone(),
            headers: place
                .headers
                .iter()
                .map(|h| (h.name.clone(), h.value.clone()))
                .collect(),
            login,
            options: *options,
        })
    }

    fn request(&self, method: reqwest::Method) -> reqwest::RequestBuilder {
        let mut request = self.client.request(method, &self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    async fn get(&self) -> Result<reqwest::Response, Error> {
        accept(
            self.request(reqwest::Method::GET)
                .send()
                .await
                .map_err(|e| failed(&e))?,
        )
    }

    async fn download(&self, target: &Path) -> Result<(), Error> {
        let io = |e| Error::io("write", target, e);
        let mut response = self.get().await?;
        let file = tokio::fs::File::create(target).await.map_err(io)?;
        let mut file = tokio::io::BufWriter::with_capacity(512 * 1024, file);
        while let Some(bytes) = response.chunk().await.map_err(|e| failed(&e))? {
            file.write_all(&bytes).await.map_err(io)?;
        }
        file.flush().await.map_err(io)
    }
}

#[async_trait]
impl Store for Web {
    async fn load(&self, target: &Path) -> Result<(), Error> {
        let more = self.options.is_transient;
        let is_transient = |e: &Error| e.is_transient() || more(&e.to_string());
        // The peer does not repeat reads; a read can be repeated without harm (X-DRV-06).
        self.options
            .backoff
            .retry(is_transient, || self.download(target))
            .await
    }

    async fn read(&self) -> Result<Stream, Error> {
        let bytes = self.get().await?.bytes_stream().map_err(std::io::Error::other);
        Ok(Box::new(tokio_util::io::StreamReader::new(bytes)))
    }

    async fn save(&self, source: &Path) -> Result<(), Error> {
        let file = tokio::fs::File::open(source)
            .await
            .map_err(|e| Error::io("open", source, e))?;
        let metadata = file.metadata().await.map_err(|e| Error::io("open", source, e))?;
        if !metadata.is_file() {
            return Err(Error::Unsupported(format!(
                "{} is no file, which http artifacts must be",
                source.display()
            )));
        }
        let body = reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::new(file));
        let request = self.request(reqwest::Method::PUT);
        let request = request.header(reqwest::header::CONTENT_LENGTH, metadata.len());
        accept(request.body(body).send().await.map_err(|e| failed(&e))?).map(drop)
    }

    async fn delete(&self) -> Result<(), Error> {
        Err(Error::Unsupported(
            "delete not supported for this artifact storage (http)".to_owned(),
        ))
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        Err(Error::Unsupported(
            "list not supported for http artifacts".to_owned(),
        ))
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        Err(Error::Unsupported(
            "folder check not supported for http artifacts".to_owned(),
        ))
    }
}

fn client() -> Result<reqwest::Client, Error> {
    let built = |e: reqwest::Error| Error::Location(format!("http client: {}", chain(&e)));
    let roots = reqwest::Certificate::from_pem_bundle(&crate::trust::roots()).map_err(built)?;
    reqwest::Client::builder()
        .tls_certs_only(roots)
        .build()
        .map_err(built)
}

fn accept(response: reqwest::Response) -> Result<reqwest::Response, Error> {
    let status = response.status();
    if status == reqwest::StatusCode::NOT_FOUND {
        return Err(Error::NotFound(format!("{} answered {status}", response.url())));
    }
    if !status.is_success() {
        return Err(Error::Store {
            message: format!("{} answered {status}", response.url()),
            is_transient: status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS,
        });
    }
    Ok(response)
}

fn failed(error: &reqwest::Error) -> Error {
    let is_transient = error.is_connect() || error.is_timeout() || error.is_body();
    Error::Store {
        message: chain(error),
        is_transient,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
