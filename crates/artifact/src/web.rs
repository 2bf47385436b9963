//! Files at HTTP(S) addresses, and in Artifactory, which is one with a fixed way to log in (rules
//! X-HTA-01 to X-HTA-04): GET, PUT, and everything by which a server may know who we are.

use std::path::Path;
use std::time::Duration;

use argosy_model::artifact::{ArtifactoryArtifact, HttpArtifact, HttpAuth, OAuth2Auth};
use argosy_model::k8s::SecretKeySelector;
use async_trait::async_trait;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, header};

use crate::rest::{self, Connecting, Retry};
use crate::store::{Error, Options, Secrets, Store, Stream, secret};
use crate::token::{Kept, of_answer};
use crate::trust;

/// Further than this no answer leads.
const MOST_REDIRECTS: usize = 10;

/// Header fields that another host must not see.
const PRIVATE: &[&str] = &["authorization", "cookie", "proxy-authorization"];

/// One address.
pub struct Web {
    client: Client,
    url: Url,
    headers: Vec<(String, String)>,
    access: Access,
    retry: Retry,
    kind: &'static str,
}

/// Who we are.
enum Access {
    Nobody,
    Login(String, String),
    Tokens(Box<Tokens>),
}

/// A client that gets tokens in its own name.
struct Tokens {
    client: Client,
    url: String,
    id: String,
    secret: String,
    form: Vec<(String, String)>,
    kept: Kept,
}

impl Web {
    /// A client for an artifact's address.
    ///
    /// # Errors
    /// A secret or certificate that cannot be read, or an address that is none.
    pub async fn open(place: &HttpArtifact, secrets: &dyn Secrets, options: &Options) -> Result<Self, Error> {
        let none = HttpAuth::default();
        let auth = place.auth.as_deref().unwrap_or(&none);
        let certificate = text(secrets, auth.client_cert.client_cert_secret.as_ref()).await?;
        let key = text(secrets, auth.client_cert.client_key_secret.as_ref()).await?;
        let identity = (!certificate.is_empty()).then(|| format!("{certificate}\n{key}"));
        let user = text(secrets, auth.basic_auth.username_secret.as_ref()).await?;
        let password = text(secrets, auth.basic_auth.password_secret.as_ref()).await?;
        let access = if !user.is_empty() && !password.is_empty() {
            // Sent only when both are there.
            Access::Login(user, password)
        } else if auth.oauth2.token_url_secret.is_some() && identity.is_none() {
            Access::Tokens(Box::new(Tokens::of(&auth.oauth2, secrets).await?))
        } else {
            Access::Nobody
        };
        let headers = place.headers.iter();
        let mut web = Self::new("http", &place.url, access, identity, options)?;
        web.headers = headers.map(|h| (h.name.clone(), h.value.clone())).collect();
        Ok(web)
    }

    /// A client for a file in Artifactory.
    ///
    /// # Errors
    /// A secret that cannot be read, or an address that is none.
    pub async fn open_artifactory(
        place: &ArtifactoryArtifact,
        secrets: &dyn Secrets,
        options: &Options,
    ) -> Result<Self, Error> {
        let user = text(secrets, place.auth.username_secret.as_ref()).await?;
        let password = text(secrets, place.auth.password_secret.as_ref()).await?;
        let access = Access::Login(user, password);
        Self::new("artifactory", &place.url, access, None, options)
    }

    fn new(
        kind: &'static str,
        url: &str,
        access: Access,
        identity: Option<String>,
        options: &Options,
    ) -> Result<Self, Error> {
        trust::provide();
        let url =
            Url::parse(url).map_err(|e| Error::Location(format!("{kind} artifact's url {url}: {e}")))?;
        let connecting = Connecting {
            identity,
            keeps_redirects: true,
        };
        Ok(Self {
            client: rest::client(&connecting)?,
            url,
            headers: Vec::new(),
            access,
            retry: Retry::new(options.backoff, options),
            kind,
        })
    }

    /// A request to our address or to where it led. Another host learns nothing about us.
    async fn request(&self, method: &Method, url: &Url) -> Result<RequestBuilder, Error> {
        let mut request = self.client.request(method.clone(), url.clone());
        let is_ours = url.host_str() == self.url.host_str();
        for (name, value) in &self.headers {
            if is_ours || !PRIVATE.contains(&name.to_ascii_lowercase().as_str()) {
                request = request.header(name, value);
            }
        }
        Ok(match &self.access {
            Access::Login(user, password) if is_ours => request.basic_auth(user, Some(password)),
            Access::Tokens(tokens) if is_ours => request.bearer_auth(tokens.get().await?),
            _ => request,
        })
    }

    async fn get(&self) -> Result<Response, Error> {
        let mut url = self.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let answer = rest::send(self.request(&Method::GET, &url).await?).await?;
            match next(&answer, &url)? {
                Some(next) => url = next,
                None => return rest::accept(answer).await,
            }
        }
        Err(self.too_far())
    }

    /// Sends the file, again to each address that says to send it elsewhere.
    async fn put(&self, source: &Path, size: u64) -> Result<(), Error> {
        let mut url = self.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let request = self.request(&Method::PUT, &url).await?;
            let request = request.header(header::CONTENT_LENGTH, size);
            let answer = rest::upload(request.body(rest::body(source, 0, size).await?)).await?;
            let again = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
            if !again.contains(&answer.status()) {
                return rest::accept(answer).await.map(drop).map_err(Error::not_missing);
            }
            match next(&answer, &url)? {
                Some(next) => url = next,
                None => return rest::accept(answer).await.map(drop),
            }
        }
        Err(self.too_far())
    }

    fn too_far(&self) -> Error {
        Error::Store {
            message: format!("more than {MOST_REDIRECTS} redirects"),
            is_transient: false,
        }
    }

    fn unsupported(&self, what: &str) -> Error {
        Error::Unsupported(format!(
            "{what} not supported for this artifact storage ({})",
            self.kind
        ))
    }
}

/// Where an answer leads, if it does.
fn next(answer: &Response, from: &Url) -> Result<Option<Url>, Error> {
    let Some(place) = answer
        .status()
        .is_redirection()
        .then(|| rest::header_of(answer, header::LOCATION.as_str()))
        .flatten()
    else {
        return Ok(None);
    };
    let next = from.join(place).map_err(|e| Error::Store {
        message: format!("redirect to {place}: {e}"),
        is_transient: false,
    })?;
    Ok(Some(next))
}

/// A secret's text without the newline that editors add; empty when none is named.
async fn text(secrets: &dyn Secrets, selector: Option<&SecretKeySelector>) -> Result<String, Error> {
    let text = secret(secrets, selector).await?.unwrap_or_default();
    Ok(text.trim().to_owned())
}

impl Tokens {
    async fn of(auth: &OAuth2Auth, secrets: &dyn Secrets) -> Result<Self, Error> {
        let mut form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        if !auth.scopes.is_empty() {
            form.push(("scope".to_owned(), auth.scopes.join(" ")));
        }
        let more = auth.endpoint_params.iter();
        form.extend(more.map(|p| (p.key.clone(), p.value.clone())));
        trust::provide();
        Ok(Self {
            client: rest::client(&Connecting::default())?,
            url: text(secrets, auth.token_url_secret.as_ref()).await?,
            id: text(secrets, auth.client_id_secret.as_ref()).await?,
            secret: text(secrets, auth.client_secret_secret.as_ref()).await?,
            form,
            kept: Kept::default(),
        })
    }

    async fn get(&self) -> Result<String, Error> {
        self.kept.get(|| self.fetch()).await
    }

    /// Servers want the client's secret in the header or in the form; the header is tried first.
    async fn fetch(&self) -> Result<(String, Duration), Error> {
        let mut form: Vec<(&str, &str)> = self.form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let request = self.client.post(&self.url);
        let request = request.basic_auth(rest::escape(&self.id), Some(rest::escape(&self.secret)));
        let mut answer = rest::send(rest::form(request, &form)).await?;
        if matches!(
            answer.status(),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED
        ) {
            form.push(("client_id", &self.id));
            form.push(("client_secret", &self.secret));
            answer = rest::send(rest::form(self.client.post(&self.url), &form)).await?;
        }
        let answer = rest::accept(answer).await.map_err(Error::not_missing)?;
        of_answer(&rest::json(answer).await?)
    }
}

#[async_trait]
impl Store for Web {
    async fn load(&self, target: &Path) -> Result<(), Error> {
        // The peer does not repeat reads; a read can be repeated without harm (X-DRV-06).
        let attempt = || async { rest::receive(self.get().await?, None, target).await };
        self.retry.run(attempt).await
    }

    async fn read(&self) -> Result<Stream, Error> {
        Ok(rest::stream(self.retry.run(|| self.get()).await?))
    }

    async fn save(&self, source: &Path) -> Result<(), Error> {
        let size = rest::file_size(source, self.kind)?;
        self.retry.run(|| self.put(source, size)).await
    }

    async fn delete(&self) -> Result<(), Error> {
        Err(self.unsupported("delete"))
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        Err(self.unsupported("list"))
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        Err(self.unsupported("folder check"))
    }
}
