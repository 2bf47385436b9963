//! Who is asking: certificates, bearer tokens and the users behind them.
//!
//! Deliberately absent: what a user may do (see `rbac`).

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyUsagePurpose};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

use crate::options::Options;

/// Who issues service-account tokens, and for whom.
pub const AUDIENCE: &str = "https://kubernetes.default.svc.cluster.local";

/// Names by which pods call the server.
const NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "10.96.0.1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// Why the server's identity could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A certificate could not be made.
    #[error("making a certificate failed")]
    Certificate(#[from] rcgen::Error),
    /// The key for tokens could not be made.
    #[error("making the key for tokens failed")]
    Key,
    /// TLS refused the certificate.
    #[error("TLS refused the server's certificate")]
    Tls(#[from] rustls::Error),
}

/// A user as rules see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: String,
    /// The user's uid, often empty.
    pub uid: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// More that is known, for example the pod that uses the token.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// The owner of the server, who may do everything.
    pub fn admin() -> Self {
        User {
            name: "admin".into(),
            groups: vec!["system:masters".into(), "system:authenticated".into()],
            ..User::default()
        }
    }
}

/// What makes a server the same one after a restart: its certificate authority and its key for tokens.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Identity {
    ca_pem: String,
    ca_key_pem: String,
    signing_key: String,
}

impl Identity {
    /// Makes a new one.
    ///
    /// # Errors
    /// [`Error`] when a library refuses.
    pub fn new() -> Result<Self, Error> {
        let key = rcgen::KeyPair::generate()?;
        let ca_pem = ca_params()?.self_signed(&key)?.pem();
        let signing = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| Error::Key)?;
        let signing = signing.to_pkcs8v1().map_err(|_| Error::Key)?;
        let signing_key = URL_SAFE_NO_PAD.encode(signing.as_ref());
        Ok(Identity {
            ca_pem,
            ca_key_pem: key.serialize_pem(),
            signing_key,
        })
    }
}

fn ca_params() -> Result<CertificateParams, rcgen::Error> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    ca.distinguished_name = rcgen::DistinguishedName::new();
    ca.distinguished_name.push(DnType::CommonName, "kubernetes");
    Ok(ca)
}

/// Certificates and keys of one server.
pub struct Authority {
    ca_pem: String,
    tls: Arc<rustls::ServerConfig>,
    signing: EcdsaKeyPair,
    admin_token: Option<String>,
}

impl Authority {
    /// Makes the server's certificate, signed by its identity.
    ///
    /// # Errors
    /// [`Error`] when a library refuses, for example for a host that is no name.
    pub fn new(options: &Options, identity: Identity) -> Result<Self, Error> {
        let ca = Issuer::new(ca_params()?, rcgen::KeyPair::from_pem(&identity.ca_key_pem)?);
        let mut names: Vec<String> = NAMES.iter().map(ToString::to_string).collect();
        names.extend(
            options
                .hosts
                .iter()
                .filter(|host| !NAMES.contains(&host.as_str()))
                .cloned(),
        );
        let mut server = CertificateParams::new(names)?;
        server
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        server.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let key = rcgen::KeyPair::generate()?;
        let certificate = server.signed_by(&key, &ca)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let signing = URL_SAFE_NO_PAD
            .decode(&identity.signing_key)
            .map_err(|_| Error::Key)?;
        let signing = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &signing);
        Ok(Authority {
            ca_pem: identity.ca_pem,
            tls: Arc::new(tls),
            signing: signing.map_err(|_| Error::Key)?,
            admin_token: options.admin_token.clone(),
        })
    }

    /// The certificate that clients must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What TLS connections are accepted with.
    pub fn tls(&self) -> Arc<rustls::ServerConfig> {
        self.tls.clone()
    }

    /// Whether this is the owner's token. Compares in the same time for all tokens of one length.
    pub fn is_admin(&self, token: &str) -> bool {
        self.admin_token.as_ref().is_some_and(|own| {
            aws_lc_rs::constant_time::verify_slices_are_equal(own.as_bytes(), token.as_bytes()).is_ok()
        })
    }

    /// A signed JSON web token (ES256).
    pub fn sign(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!(
            "{}.{}",
            part(&json!({"alg": "ES256", "kid": "argosy", "typ": "JWT"})),
            part(claims)
        );
        let signature = self.signing.sign(&SystemRandom::new(), text.as_bytes());
        let signature = signature.expect("a P-256 key signs every message");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// The claims of a token that we signed.
    pub fn verify(&self, token: &str) -> Option<Value> {
        let (text, signature) = token.rsplit_once('.')?;
        let (_, claims) = text.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.signing.public_key().as_ref());
        key.verify(text.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}
