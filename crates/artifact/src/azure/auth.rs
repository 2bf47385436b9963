//! How requests to Azure are allowed (rules X-AZ-01, X-AZ-02): an account's key signs them, a
//! shared access signature stands in the address, or a token comes from where Azure's libraries
//! look for one.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Url};

use crate::environment::{self, get};
use crate::rest;
use crate::store::Error;
use crate::token::{Kept, of_answer};

const SCOPE: &str = "https://storage.azure.com/.default";
const RESOURCE: &str = "https://storage.azure.com/";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const METADATA: &str = "http://169.254.169.254";

/// What allows requests.
pub(super) enum Access {
    /// The account's key.
    Key { account: String, key: Vec<u8> },
    /// A query that is appended to every address.
    Signature(String),
    /// Tokens.
    Tokens(Tokens),
}

impl Access {
    /// What a secret allows: it holds a key, or a signature that looks like a query.
    pub fn of_secret(text: &str, endpoint: &Url) -> Result<Self, Error> {
        let text = text.trim();
        let is_query = text.split(['?', '&']).skip(1).any(|part| {
            part.split_once('=').is_some_and(|(name, value)| {
                !name.is_empty() && !value.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
            })
        });
        if is_query {
            return Ok(Self::Signature(text.trim_start_matches('?').to_owned()));
        }
        let key = STANDARD
            .decode(text)
            .map_err(|_| Error::Location("the azure account's key is no base64".to_owned()))?;
        Ok(Self::Key {
            account: account_of(endpoint)?,
            key,
        })
    }
}

/// The account is the first part of the host; local servers have it in the path.
fn account_of(endpoint: &Url) -> Result<String, Error> {
    let host = endpoint.host_str().unwrap_or_default();
    let account = if matches!(host, "127.0.0.1" | "localhost") {
        endpoint.path().trim_start_matches('/').split('/').next()
    } else {
        host.split('.').next()
    };
    match account {
        Some(account) if !account.is_empty() => Ok(account.to_owned()),
        _ => Err(Error::Location(format!(
            "azure endpoint {endpoint} names no account"
        ))),
    }
}

/// A request as far as its signature covers it.
pub(super) struct Signed<'a> {
    pub method: &'a str,
    /// Address without query, as it is sent.
    pub path: &'a str,
    pub query: &'a [(&'a str, String)],
    pub length: u64,
    pub md5: &'a str,
    pub content_type: &'a str,
    /// Header fields that begin with `x-ms-`, in order of their names.
    pub fields: &'a [(&'a str, String)],
}

/// The `Authorization` of a request by an account's key.
pub(super) fn authorization(account: &str, key: &[u8], request: &Signed<'_>) -> String {
    let length = match request.length {
        0 => String::new(),
        length => length.to_string(),
    };
    let mut text = format!(
        "{}\n\n\n{length}\n{}\n{}\n\n\n\n\n\n\n",
        request.method, request.md5, request.content_type
    );
    for (name, value) in request.fields {
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(&format!("/{account}{}", request.path));
    let mut query: Vec<_> = request.query.iter().collect();
    query.sort();
    for (name, value) in query {
        text.push_str(&format!("\n{name}:{value}"));
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    format!("SharedKey {account}:{signature}")
}

/// Tokens of the machine: of an application, of a service account, or of a managed identity.
pub(super) struct Tokens {
    client: Client,
    kept: Kept,
}

impl Tokens {
    pub fn new(client: Client) -> Self {
        Self {
            client,
            kept: Kept::default(),
        }
    }

    /// A token that is good for some minutes.
    pub async fn get(&self) -> Result<String, Error> {
        self.kept.get(|| self.fetch()).await
    }

    async fn fetch(&self) -> Result<(String, Duration), Error> {
        let ids = (get(environment::AZURE_TENANT), get(environment::AZURE_CLIENT));
        if let (Some(tenant), Some(client)) = ids {
            let mut form = vec![
                ("grant_type", "client_credentials".to_owned()),
                ("client_id", client),
                ("scope", SCOPE.to_owned()),
            ];
            if let Some(secret) = get(environment::AZURE_SECRET) {
                form.push(("client_secret", secret));
                return self.application(&tenant, &form).await;
            }
            if let Some(path) = get(environment::AZURE_TOKEN_FILE) {
                let token =
                    std::fs::read_to_string(&path).map_err(|e| Error::io("read", path.as_ref(), e))?;
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form.push(("client_assertion_type", kind.to_owned()));
                form.push(("client_assertion", token.trim().to_owned()));
                return self.application(&tenant, &form).await;
            }
        }
        self.identity().await
    }

    async fn application(&self, tenant: &str, form: &[(&str, String)]) -> Result<(String, Duration), Error> {
        let authority = get(environment::AZURE_AUTHORITY).unwrap_or_else(|| AUTHORITY.to_owned());
        let url = format!(
            "{}/{}/oauth2/v2.0/token",
            authority.trim_end_matches('/'),
            rest::escape(tenant)
        );
        self.answer(rest::form(self.client.post(url), form)).await
    }

    async fn identity(&self) -> Result<(String, Duration), Error> {
        let mut query = vec![("resource", RESOURCE.to_owned())];
        query.extend(get(environment::AZURE_CLIENT).map(|client| ("client_id", client)));
        let service = (
            get(environment::AZURE_IDENTITY),
            get(environment::AZURE_IDENTITY_HEADER),
        );
        let request = if let (Some(endpoint), Some(header)) = service {
            query.push(("api-version", "2019-08-01".to_owned()));
            let request = self.client.get(rest::with_query(&endpoint, &query));
            request.header("x-identity-header", header)
        } else {
            query.push(("api-version", "2018-02-01".to_owned()));
            let host = get(environment::AZURE_METADATA).unwrap_or_else(|| METADATA.to_owned());
            let url = format!("{}/metadata/identity/oauth2/token", host.trim_end_matches('/'));
            let request = self.client.get(rest::with_query(&url, &query));
            request.header("metadata", "true")
        };
        self.answer(request).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<(String, Duration), Error> {
        let answer = rest::accept(rest::send(request).await?)
            .await
            .map_err(Error::not_missing)?;
        of_answer(&rest::json(answer).await?)
    }
}
