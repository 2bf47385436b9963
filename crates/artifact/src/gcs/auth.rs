//! Tokens for Google's storage (rule X-GCS-01): from a service account's key, from the machine's
//! own credentials, or from the metadata server, which also stands for Workload Identity.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use crate::store::Error;
use crate::token::{Kept, of_answer};
use crate::{environment, rest};

const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const METADATA_HOST: &str = "metadata.google.internal";
/// Seconds that a token shall live; Google gives no more.
const LIFE_SECS: i64 = 3600;

/// Where tokens come from.
pub(super) enum Source {
    /// A stand-in wants none.
    None,
    Key(Box<Key>),
    Metadata,
}

/// The tokens of one driver.
pub(super) struct Tokens {
    client: Client,
    source: Source,
    kept: Kept,
}

/// The file that Google gives out for an account.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Key {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key_id: String,
    private_key: String,
    token_uri: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
}

impl Default for Key {
    fn default() -> Self {
        Self {
            kind: String::new(),
            client_email: String::new(),
            private_key_id: String::new(),
            private_key: String::new(),
            token_uri: TOKEN_URL.to_owned(),
            client_id: String::new(),
            client_secret: String::new(),
            refresh_token: String::new(),
        }
    }
}

impl Source {
    /// The key of a secret.
    pub fn of_secret(text: &str) -> Result<Self, Error> {
        let key = Self::of_json(text, "the secret with the service account's key")?;
        match &key {
            Self::Key(key) if key.kind != "service_account" => Err(Error::Location(format!(
                "the secret with the service account's key holds credentials of type {:?}",
                key.kind
            ))),
            _ => Ok(key),
        }
    }

    /// What the machine offers.
    pub fn of_machine() -> Result<Self, Error> {
        let Some(path) = environment::get(environment::GOOGLE_CREDENTIALS) else {
            return Ok(Self::Metadata);
        };
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io("read", path.as_ref(), e))?;
        Self::of_json(&text, &path)
    }

    fn of_json(text: &str, place: &str) -> Result<Self, Error> {
        let key: Key = serde_json::from_str(text)
            .map_err(|e| Error::Location(format!("{place} holds no Google credentials: {e}")))?;
        match key.kind.as_str() {
            "service_account" | "authorized_user" => Ok(Self::Key(Box::new(key))),
            kind => Err(Error::Unsupported(format!(
                "{place} holds credentials of type {kind:?}, which are not supported; \
                 service_account and authorized_user are"
            ))),
        }
    }
}

impl Tokens {
    pub fn new(client: Client, source: Source) -> Self {
        Self {
            client,
            source,
            kept: Kept::default(),
        }
    }

    /// A token that is good for some minutes; `None` where none is wanted.
    pub async fn get(&self) -> Result<Option<String>, Error> {
        let fetched = match &self.source {
            Source::None => return Ok(None),
            Source::Key(key) => self.kept.get(|| self.exchange(key)).await,
            Source::Metadata => self.kept.get(|| self.ask_metadata()).await,
        };
        fetched.map(Some)
    }

    async fn exchange(&self, key: &Key) -> Result<(String, Duration), Error> {
        let form = if key.kind == "authorized_user" {
            vec![
                ("grant_type", "refresh_token".to_owned()),
                ("client_id", key.client_id.clone()),
                ("client_secret", key.client_secret.clone()),
                ("refresh_token", key.refresh_token.clone()),
            ]
        } else {
            vec![
                (
                    "grant_type",
                    "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(),
                ),
                ("assertion", assertion(key, Timestamp::now())?),
            ]
        };
        let request = self.client.post(&key.token_uri);
        self.answer(rest::form(request, &form)).await
    }

    async fn ask_metadata(&self) -> Result<(String, Duration), Error> {
        let host = environment::get(environment::GCE_METADATA).unwrap_or_else(|| METADATA_HOST.to_owned());
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
        let request = self.client.get(rest::with_query(&url, &[("scopes", SCOPE)]));
        self.answer(request.header("metadata-flavor", "Google")).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<(String, Duration), Error> {
        let answer = rest::accept(rest::send(request).await?)
            .await
            .map_err(|e| match e {
                // That no token is there does not mean that the artifact is not.
                Error::NotFound(message) => Error::Store {
                    message,
                    is_transient: false,
                },
                other => other,
            })?;
        of_answer(&rest::json(answer).await?)
    }
}

/// What says that we are the account, signed with its key.
fn assertion(key: &Key, now: Timestamp) -> Result<String, Error> {
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let issued = now.as_second();
    let head = encode(json!({"alg": "RS256", "typ": "JWT", "kid": key.private_key_id}));
    let claims = encode(json!({
        "iss": key.client_email,
        "scope": SCOPE,
        "aud": key.token_uri,
        "iat": issued,
        "exp": issued + LIFE_SECS,
    }));
    let signed = format!("{head}.{claims}");
    let pair = key_pair(&key.private_key)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .map_err(|_| Error::Location("the service account's key cannot sign".to_owned()))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn key_pair(pem: &str) -> Result<KeyPair, Error> {
    let invalid = |reason: &str| Error::Location(format!("the service account's private key: {reason}"));
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    let der = STANDARD.decode(body).map_err(|_| invalid("it is no PEM"))?;
    KeyPair::from_pkcs8(&der).map_err(|_| invalid("it is no RSA key in PKCS #8"))
}
