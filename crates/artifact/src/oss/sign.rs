//! Signatures of Alibaba's object storage: version 4 where the endpoint tells the region, which
//! it needs, and version 1 elsewhere. What is asked is the driver's affair.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::rest::{escape, escape_but};

/// Keys of an account.
#[derive(Clone)]
pub(super) struct Keys {
    pub id: String,
    pub secret: String,
    /// Token of temporary keys.
    pub token: String,
}

/// A request as far as its signature covers it.
pub(super) struct Signed<'a> {
    pub method: &'a str,
    pub bucket: &'a str,
    pub key: &'a str,
    pub query: &'a [(&'a str, String)],
    /// All header fields that are sent, with lower-case names.
    pub fields: &'a [(&'a str, String)],
}

/// Parts of a query that version 1 covers, of those that we send.
const COVERED: &[&str] = &["uploads", "uploadId", "partNumber", "lifecycle"];

/// The region that an endpoint of Alibaba names, as in `oss-cn-hangzhou-internal.aliyuncs.com`.
pub(super) fn region_of(host: &str) -> Option<&str> {
    let name = host.strip_suffix(".aliyuncs.com")?.rsplit('.').next()?;
    let region = name.strip_prefix("oss-")?;
    let region = region.strip_suffix("-internal").unwrap_or(region);
    (!region.is_empty() && !region.starts_with("accelerate")).then_some(region)
}

/// The `Authorization` of version 1. The fields must have a `date`.
pub(super) fn version_1(keys: &Keys, request: &Signed<'_>) -> String {
    let field = |wanted: &str| {
        let found = request.fields.iter().find(|(name, _)| *name == wanted);
        found.map_or("", |(_, value)| value)
    };
    let mut text = format!(
        "{}\n{}\n{}\n{}\n",
        request.method,
        field("content-md5"),
        field("content-type"),
        field("date")
    );
    let mut fields: Vec<_> = request
        .fields
        .iter()
        .filter(|(n, _)| n.starts_with("x-oss-"))
        .collect();
    fields.sort();
    for (name, value) in fields {
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(&format!("/{}/{}", request.bucket, request.key));
    let mut covered: Vec<_> = request
        .query
        .iter()
        .filter(|(name, _)| COVERED.contains(name))
        .map(|(name, value)| match value.as_str() {
            "" => (*name).to_owned(),
            value => format!("{name}={value}"),
        })
        .collect();
    covered.sort();
    if !covered.is_empty() {
        text.push_str(&format!("?{}", covered.join("&")));
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, keys.secret.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    format!("OSS {}:{signature}", keys.id)
}

/// The `Authorization` of version 4. The fields must have `x-oss-date` and
/// `x-oss-content-sha256`.
pub(super) fn version_4(keys: &Keys, region: &str, now: Timestamp, request: &Signed<'_>) -> String {
    let date = now.strftime("%Y%m%d").to_string();
    let scope = format!("{date}/{region}/oss/aliyun_v4_request");
    let digested = hex(digest::digest(&digest::SHA256, canonical(request).as_bytes()).as_ref());
    let text = format!(
        "OSS4-HMAC-SHA256\n{}\n{scope}\n{digested}",
        now.strftime("%Y%m%dT%H%M%SZ")
    );
    let secret = format!("aliyun_v4{}", keys.secret);
    let key = [date.as_str(), region, "oss", "aliyun_v4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| sha256(&key, part));
    let signature = hex(&sha256(&key, &text));
    format!(
        "OSS4-HMAC-SHA256 Credential={}/{scope},Signature={signature}",
        keys.id
    )
}

fn canonical(request: &Signed<'_>) -> String {
    let path = match (request.bucket, request.key) {
        ("", _) => "/".to_owned(),
        (bucket, key) => format!("/{}/{}", escape(bucket), escape_but(key, "/")),
    };
    let mut query: Vec<_> = request
        .query
        .iter()
        .map(|(name, value)| match value.as_str() {
            "" => escape(name),
            value => format!("{}={}", escape(name), escape(value)),
        })
        .collect();
    query.sort();
    let is_covered =
        |name: &str| name.starts_with("x-oss-") || matches!(name, "content-type" | "content-md5");
    let mut fields: Vec<_> = request
        .fields
        .iter()
        .filter(|(name, _)| is_covered(name))
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    fields.sort();
    // No further header fields are covered, and the body is not.
    format!(
        "{}\n{path}\n{}\n{}\n\nUNSIGNED-PAYLOAD",
        request.method,
        query.join("&"),
        fields.concat()
    )
}

fn sha256(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions() {
        for (host, region) in [
            ("oss-cn-hangzhou.aliyuncs.com", Some("cn-hangzhou")),
            ("oss-us-west-1-internal.aliyuncs.com", Some("us-west-1")),
            ("oss-accelerate.aliyuncs.com", None),
            ("localhost", None),
        ] {
            assert_eq!(region_of(host), region, "{host}");
        }
    }

    /// The example of the documentation of version 1.
    #[test]
    fn documented_signature() {
        let keys = Keys {
            id: "44CF9590006BF252F707".into(),
            secret: "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV".into(),
            token: String::new(),
        };
        let field = |name: &'static str, value: &str| (name, value.to_owned());
        let request = Signed {
            method: "PUT",
            bucket: "oss-example",
            key: "nelson",
            query: &[],
            fields: &[
                field("content-md5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM="),
                field("content-type", "text/html"),
                field("date", "Thu, 17 Nov 2005 18:49:58 GMT"),
                field("x-oss-meta-author", "foo@bar.com"),
                field("x-oss-magic", "abracadabra"),
            ],
        };
        assert_eq!(
            version_1(&keys, &request),
            "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA="
        );
    }
}
