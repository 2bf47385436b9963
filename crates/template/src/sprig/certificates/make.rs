//! Makes keys and certificates. RSA keys have 2,048 bits and ECDSA keys are on P-256, where the original takes 4,096
//! and P-256 for single keys, and 2,048 for certificates.

use std::net::IpAddr;

use base64::Engine;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize, SanType,
};

use super::super::{Outcome, int, string};
use super::pair;
use crate::value::Value;

/// A random key in PEM. An empty kind is RSA.
pub fn private_key(kind: &str) -> Outcome {
    let failed = |e: rcgen::Error| format!("failed to generate private key: {e}");
    let key = match kind {
        "ecdsa" => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        "ed25519" => KeyPair::generate_for(&PKCS_ED25519),
        _ => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
    };
    Ok(Value::str(key_pem(&key.map_err(failed)?)))
}

/// The key in the older form that the original writes: PKCS #1 for RSA and SEC 1 for ECDSA, else PKCS #8.
fn key_pem(key: &KeyPair) -> String {
    let der = key.serialize_der();
    let label = if *key.algorithm() == PKCS_RSA_SHA256 {
        "RSA PRIVATE KEY"
    } else if *key.algorithm() == PKCS_ECDSA_P256_SHA256 {
        "EC PRIVATE KEY"
    } else {
        "PRIVATE KEY"
    };
    match inner_key(&der) {
        Some(inner) if label != "PRIVATE KEY" => pem(label, inner),
        _ => pem("PRIVATE KEY", &der),
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// The key inside PKCS #8: `SEQUENCE { INTEGER, SEQUENCE algorithm, OCTET STRING key }`.
fn inner_key(der: &[u8]) -> Option<&[u8]> {
    let (body, _) = element(der, 0x30)?;
    let (_, rest) = element(body, 0x02)?;
    let (_, rest) = element(rest, 0x30)?;
    element(rest, 0x04).map(|(inner, _)| inner)
}

/// The content of the first element and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    if *der.first()? != tag {
        return None;
    }
    let first = *der.get(1)?;
    let (len, start) = if first < 0x80 {
        (usize::from(first), 2)
    } else {
        let count = usize::from(first & 0x7f);
        let digits = der.get(2..2 + count)?;
        (
            digits
                .iter()
                .try_fold(0usize, |n, b| n.checked_mul(256)?.checked_add(usize::from(*b)))?,
            2 + count,
        )
    };
    Some((der.get(start..start + len)?, der.get(start + len..)?))
}

fn params(name: &str, days: i64) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = Timestamp::now();
    let end = now
        .checked_add(days.saturating_mul(24).hours())
        .map_err(|_| "certificate is valid for too long".to_owned())?;
    let date = |t: Timestamp| {
        let t = t.to_zoned(jiff::tz::TimeZone::UTC);
        rcgen::date_time_ymd(
            i32::from(t.year()),
            u8::try_from(t.month()).unwrap_or(1),
            u8::try_from(t.day()).unwrap_or(1),
        )
    };
    params.not_before = date(now);
    // Whole days: the end is rounded up, so that a certificate for a day is valid for a day.
    params.not_after = date(end.checked_add(24.hours()).unwrap_or(end));
    params.key_usages = vec![
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::DigitalSignature,
    ];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

fn key(given: Option<&str>) -> Result<KeyPair, String> {
    match given {
        Some(pem) => KeyPair::from_pem(pem).map_err(|e| format!("parsing private key: {e}")),
        None => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            .map_err(|e| format!("error generating rsa key: {e}")),
    }
}

/// A certificate authority: name, days, and perhaps its key.
pub fn ca(a: &[Value], given: Option<&str>) -> Outcome {
    let mut params = params(&string(a, 0), int(a, 1))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let key = key(given)?;
    let cert = params
        .self_signed(&key)
        .map_err(|e| format!("error creating certificate: {e}"))?;
    Ok(pair(&cert.pem(), &key_pem(&key)))
}

/// A server's certificate: name, addresses, other names, days; signed by an authority or by itself.
pub fn leaf(a: &[Value], authority: Option<&Value>, given: Option<&str>) -> Outcome {
    let mut params = params(&string(a, 0), int(a, 3))?;
    for address in texts(a.get(1), "ip")? {
        let ip: IpAddr = address
            .parse()
            .map_err(|_| format!("error parsing ip: {address}"))?;
        params.subject_alt_names.push(SanType::IpAddress(ip));
    }
    for name in texts(a.get(2), "alternate dns name")? {
        let name = name
            .as_str()
            .try_into()
            .map_err(|_| format!("error processing alternate dns name: {name}"))?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    let key = key(given)?;
    let cert = match authority {
        None => params.self_signed(&key),
        Some(Value::Struct(ca)) => {
            let part = |name: &str| match ca.fields.get(name) {
                Some(Value::Str(s)) => s.lossy().into_owned(),
                _ => String::new(),
            };
            let signer = KeyPair::from_pem(&part("Key")).map_err(|e| format!("error parsing CA key: {e}"))?;
            let issuer = Issuer::from_ca_cert_pem(&part("Cert"), signer)
                .map_err(|e| format!("error parsing CA certificate: {e}"))?;
            params.signed_by(&key, &issuer)
        }
        Some(_) => return Err("unable to decode certificate".into()),
    };
    let cert = cert.map_err(|e| format!("error creating certificate: {e}"))?;
    Ok(pair(&cert.pem(), &key_pem(&key)))
}

fn texts(list: Option<&Value>, what: &str) -> Result<Vec<String>, String> {
    let Some(Value::List(list)) = list else {
        return Ok(Vec::new());
    };
    list.items
        .iter()
        .map(|v| match v {
            Value::Str(s) => Ok(s.lossy().into_owned()),
            other => Err(format!(
                "error parsing {what}: {} is not a string",
                crate::value::print::plain(other)
            )),
        })
        .collect()
}
