//! Keys and certificates. Making them needs the cargo feature `certificates`, since it brings a crypto library that
//! nothing else here uses; without it these functions say so.

#[cfg(feature = "certificates")]
mod make;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Outcome, string, text};
use crate::value::{Struct, Value};

/// A certificate and its key, both PEM.
fn pair(cert: &str, key: &str) -> Value {
    let fields = BTreeMap::from([("Cert", Value::str(cert)), ("Key", Value::str(key))]);
    Value::Struct(Arc::new(Struct {
        name: "sprig.certificate",
        fields,
        text: format!("{{{cert} {key}}}"),
    }))
}

/// Checks a certificate and key given in base64 of PEM, and gives them as a pair.
pub fn build_custom(a: &[Value]) -> Outcome {
    let decode = |at: usize, what: &str| {
        crate::builtins::json::decode(text(a, at)).map_err(|_| format!("unable to decode base64 {what}"))
    };
    let (cert, key) = (decode(0, "certificate")?, decode(1, "private key")?);
    let (cert, key) = (crate::text::lossy(&cert), crate::text::lossy(&key));
    if !cert.contains("-----BEGIN ") {
        return Err("unable to decode certificate".into());
    }
    if !key.contains("-----BEGIN ") {
        return Err("unable to decode private key".into());
    }
    Ok(pair(&cert, &key))
}

#[cfg(not(feature = "certificates"))]
mod make {
    //! Stands in when the feature is off, and says so.

    use super::{Outcome, Value};

    fn off() -> Outcome {
        Err("this program was built without the functions that make certificates".into())
    }

    pub fn private_key(_: &str) -> Outcome {
        off()
    }

    pub fn ca(_: &[Value], _: Option<&str>) -> Outcome {
        off()
    }

    pub fn leaf(_: &[Value], _: Option<&Value>, _: Option<&str>) -> Outcome {
        off()
    }
}

/// A key that was given must at least be PEM.
fn given_key(a: &[Value], at: usize) -> Result<String, String> {
    let key = string(a, at);
    if key.contains("-----BEGIN ") {
        Ok(key)
    } else {
        Err("parsing private key: no PEM data in input".into())
    }
}

pub fn gen_private_key(a: &[Value]) -> Outcome {
    match string(a, 0).as_str() {
        kind @ ("" | "rsa" | "ecdsa" | "ed25519") => make::private_key(kind),
        "dsa" => Err("keys of type dsa are not made: no current library makes them".into()),
        other => Ok(Value::str(format!("Unknown type {other}"))),
    }
}

pub fn gen_ca(a: &[Value]) -> Outcome {
    make::ca(a, None)
}

pub fn gen_ca_with_key(a: &[Value]) -> Outcome {
    make::ca(a, Some(&given_key(a, 2)?))
}

pub fn gen_self_signed(a: &[Value]) -> Outcome {
    make::leaf(a, None, None)
}

pub fn gen_self_signed_with_key(a: &[Value]) -> Outcome {
    make::leaf(a, None, Some(&given_key(a, 4)?))
}

pub fn gen_signed(a: &[Value]) -> Outcome {
    make::leaf(a, a.get(4), None)
}

pub fn gen_signed_with_key(a: &[Value]) -> Outcome {
    make::leaf(a, a.get(4), Some(&given_key(a, 5)?))
}
