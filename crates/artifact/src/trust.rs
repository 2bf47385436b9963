//! Certificates by which stores are trusted: the machine's, or a built-in set where an image has
//! none. A store's own CA replaces both (rule X-S3-05), and is the driver's affair.

use std::sync::OnceLock;

use base64::Engine as _;

/// The roots as PEM, read once.
#[cfg(feature = "rest")]
pub fn cached_roots() -> &'static [u8] {
    static ROOTS: OnceLock<Vec<u8>> = OnceLock::new();
    ROOTS.get_or_init(roots)
}

/// Makes sure that there is a provider of cryptography; programs choose theirs first.
#[cfg(feature = "rest")]
pub fn provide() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only if another thread was quicker, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

/// The roots as PEM.
pub fn roots() -> Vec<u8> {
    let native = rustls_native_certs::load_native_certs().certs;
    let mut pem = String::new();
    if native.is_empty() {
        for der in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
            push(&mut pem, der);
        }
    } else {
        for der in &native {
            push(&mut pem, der);
        }
    }
    pem.into_bytes()
}

fn push(pem: &mut String, der: &[u8]) {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    pem.push_str("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
}
