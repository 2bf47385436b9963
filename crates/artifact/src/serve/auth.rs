//! Signatures of requests (AWS signature version 4, in the header form). One pair of keys; who
//! has it may do everything. Not here: signatures of single chunks within a streamed body.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use http::request::Parts;

use super::reply::Refusal;

/// The one pair of keys.
pub struct Keys {
    access: String,
    secret: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What the `Authorization` header says.
struct Claim<'a> {
    /// `date/region/service/aws4_request`
    scope: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl Keys {
    /// The pair of keys.
    pub fn new(access: &str, secret: &str) -> Self {
        Self {
            access: access.to_owned(),
            secret: secret.to_owned(),
        }
    }

    /// Refuses a request that is not signed with our key.
    pub fn check(&self, head: &Parts) -> Result<(), Refusal> {
        let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok());
        let denied = |why: &str| Refusal::denied("AccessDenied", why);
        let authorization = header("authorization").ok_or_else(|| denied("the request is not signed"))?;
        let claim = self.claim_of(authorization)?;
        let time = header("x-amz-date").ok_or_else(|| denied("the request has no x-amz-date"))?;
        let payload = header("x-amz-content-sha256").unwrap_or("UNSIGNED-PAYLOAD");
        let canonical = canonical(head, claim.signed_headers, payload);
        let text = format!(
            "{ALGORITHM}\n{time}\n{}\n{}",
            claim.scope,
            hex(&sha256(canonical.as_bytes()))
        );
        let wrong = || {
            Refusal::denied(
                "SignatureDoesNotMatch",
                "the signature does not fit the request and the key",
            )
        };
        let given = unhex(claim.signature).ok_or_else(wrong)?;
        hmac::verify(&self.signing_key(claim.scope), text.as_bytes(), &given).map_err(|_| wrong())
    }

    fn claim_of<'a>(&self, authorization: &'a str) -> Result<Claim<'a>, Refusal> {
        let malformed = || {
            Refusal::bad(
                "AuthorizationHeaderMalformed",
                "the authorization header is malformed",
            )
        };
        let fields = authorization.strip_prefix(ALGORITHM).ok_or_else(malformed)?;
        let field = |name: &str| {
            let found = fields
                .split(',')
                .find_map(|f| f.trim().strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(malformed)
        };
        let (access, scope) = field("Credential")?.split_once('/').ok_or_else(malformed)?;
        if access != self.access {
            return Err(Refusal::denied(
                "InvalidAccessKeyId",
                "the access key is not known",
            ));
        }
        Ok(Claim {
            scope,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
        })
    }

    /// The key of one day, region and service.
    fn signing_key(&self, scope: &str) -> hmac::Key {
        let start = format!("AWS4{}", self.secret).into_bytes();
        let key = scope.split('/').fold(start, |key, part| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
            hmac::sign(&key, part.as_bytes()).as_ref().to_vec()
        });
        hmac::Key::new(hmac::HMAC_SHA256, &key)
    }
}

/// The request as both sides write it down before signing.
fn canonical(head: &Parts, signed_headers: &str, payload: &str) -> String {
    let mut pairs: Vec<String> = head
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| {
            if p.contains('=') {
                p.to_owned()
            } else {
                format!("{p}=")
            }
        })
        .collect();
    pairs.sort();
    let mut headers = String::new();
    for name in signed_headers.split(';') {
        let values = head.headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
        let values: Vec<String> = values
            .map(|v| v.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    let path = head.uri.path();
    format!(
        "{}\n{path}\n{}\n{headers}\n{signed_headers}\n{payload}",
        head.method,
        pairs.join("&")
    )
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}
