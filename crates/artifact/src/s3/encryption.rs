//! How an S3 server is asked to encrypt what it stores (rule X-S3-06): with keys of its own, with a
//! key of the key service, or with one that we send along.

use argon2::{Algorithm, Argon2, Params, Version};
use argosy_model::artifact::S3Bucket;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use crate::store::{Error, Secrets, secret};

/// What the place wants.
#[derive(Clone, Debug)]
pub(super) enum Encryption {
    /// The server's keys, or those of the key service.
    Server {
        method: ServerSideEncryption,
        kms_key_id: Option<String>,
        /// Base64 of a JSON object.
        kms_context: Option<String>,
    },
    /// A key made of this password and the object's name. Without it nobody can read the object.
    Customer { password: String },
}

/// The key of one object, as header fields want it.
#[derive(Clone, Debug, Default)]
pub(super) struct CustomerKey {
    pub algorithm: Option<String>,
    pub key: Option<String>,
    pub md5: Option<String>,
}

impl Encryption {
    /// What a place wants, if anything.
    ///
    /// # Errors
    /// Wishes that exclude each other, or a secret that cannot be read.
    pub async fn of(store: &S3Bucket, secrets: &dyn Secrets) -> Result<Option<Self>, Error> {
        let Some(wanted) = store.encryption_options.as_ref().filter(|e| e.enable_encryption) else {
            return Ok(None);
        };
        if let Some(selector) = &wanted.server_side_customer_key_secret {
            if !wanted.kms_key_id.is_empty() {
                return Err(Error::Location(
                    "encryption with a customer key and with KMS exclude each other".to_owned(),
                ));
            }
            if store.insecure == Some(true) {
                return Err(Error::Location(
                    "encryption with a customer key needs TLS: the key is sent along".to_owned(),
                ));
            }
            let password = secret(secrets, Some(selector)).await?.unwrap_or_default();
            return Ok(Some(Self::Customer { password }));
        }
        if wanted.kms_key_id.is_empty() {
            return Ok(Some(Self::Server {
                method: ServerSideEncryption::Aes256,
                kms_key_id: None,
                kms_context: None,
            }));
        }
        let context = &wanted.kms_encryption_context;
        Ok(Some(Self::Server {
            method: ServerSideEncryption::AwsKms,
            kms_key_id: Some(wanted.kms_key_id.clone()),
            kms_context: (!context.is_empty()).then(|| STANDARD.encode(context)),
        }))
    }

    /// The key of an object; empty when the server has its own.
    pub fn customer_key(&self, bucket: &str, key: &str) -> Result<CustomerKey, Error> {
        let Self::Customer { password } = self else {
            return Ok(CustomerKey::default());
        };
        let failed = |e: argon2::Error| Error::Location(format!("the customer key: {e}"));
        // 64 MiB of memory, one pass, four lanes, as every client of these artifacts does it.
        let params = Params::new(64 * 1024, 1, 4, Some(32)).map_err(failed)?;
        let mut made = [0_u8; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(
                password.as_bytes(),
                format!("{bucket}{key}").as_bytes(),
                &mut made,
            )
            .map_err(failed)?;
        Ok(CustomerKey {
            algorithm: Some("AES256".to_owned()),
            key: Some(STANDARD.encode(made)),
            md5: Some(STANDARD.encode(Md5::digest(made))),
        })
    }
}

/// Puts an object's key into a request of any kind that takes one.
macro_rules! with_customer_key {
    ($request:expr, $key:expr) => {{
        let key: &$crate::s3::encryption::CustomerKey = $key;
        $request
            .set_sse_customer_algorithm(key.algorithm.clone())
            .set_sse_customer_key(key.key.clone())
            .set_sse_customer_key_md5(key.md5.clone())
    }};
}
pub(super) use with_customer_key;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_s3_06_customer_keys() {
        let encryption = Encryption::Customer {
            password: "password".to_owned(),
        };
        let key = encryption.customer_key("bucket", "a/key").unwrap();
        assert_eq!(key.algorithm.as_deref(), Some("AES256"));
        // From the reference program: argon2 "bucketa/key" -id -t 1 -k 65536 -p 4 -l 32 -r.
        let bytes = STANDARD.decode(key.key.unwrap()).unwrap();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "3f4aeb0f7c4414e2758c62ef916cc26f274825bc0c1cb0901609dfd8c7f86d4c"
        );
        assert_ne!(key.md5, encryption.customer_key("bucket", "other").unwrap().md5);
    }
}
