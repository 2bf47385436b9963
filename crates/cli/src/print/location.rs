//! Where an artifact lies, in the form that `get` prints.

use argosy_model::go_json;
use argosy_model::{Artifact, GcsArtifact, S3Artifact};

/// The location of an artifact; empty when it has none.
///
/// For the common stores this is the text that the published command line prints, fields in order with `nil` for what is
/// not set; other stores are shown as JSON, which is easier to read.
pub fn text(artifact: &Artifact) -> String {
    let location = &artifact.location;
    if let Some(s3) = &location.s3 {
        return s3_text(s3);
    }
    if let Some(raw) = &location.raw {
        return format!("&RawArtifact{{Data:{},}}", raw.data);
    }
    if let Some(gcs) = &location.gcs {
        return gcs_text(gcs);
    }
    let json = go_json::to_string(location).unwrap_or_default();
    if json == "{}" { String::new() } else { json }
}

fn s3_text(s3: &S3Artifact) -> String {
    let bucket = &s3.store;
    format!(
        "&S3Artifact{{S3Bucket:S3Bucket{{Endpoint:{},Bucket:{},Region:{},Insecure:{},AccessKeySecret:{},SecretKeySecret:{},\
         RoleARN:{},UseSDKCreds:{},CreateBucketIfNotPresent:{},EncryptionOptions:{},CASecret:{},SessionTokenSecret:{},\
         AddressingStyle:{},}},Key:{},}}",
        bucket.endpoint,
        bucket.bucket,
        bucket.region,
        bucket.insecure.map_or("nil".to_owned(), |b| format!("*{b}")),
        or_nil(bucket.access_key_secret.as_ref()),
        or_nil(bucket.secret_key_secret.as_ref()),
        bucket.role_arn,
        bucket.use_sdk_creds,
        or_nil(bucket.create_bucket_if_not_present.as_ref()),
        or_nil(bucket.encryption_options.as_ref()),
        or_nil(bucket.ca_secret.as_ref()),
        or_nil(bucket.session_token_secret.as_ref()),
        bucket.addressing_style,
        s3.key,
    )
}

fn gcs_text(gcs: &GcsArtifact) -> String {
    let secret = or_nil(gcs.store.service_account_key_secret.as_ref());
    format!(
        "&GCSArtifact{{GCSBucket:GCSBucket{{Bucket:{},ServiceAccountKeySecret:{secret},}},Key:{},}}",
        gcs.store.bucket, gcs.key
    )
}

fn or_nil<T: serde::Serialize>(part: Option<&T>) -> String {
    part.map_or("nil".to_owned(), |p| go_json::to_string(p).unwrap_or_default())
}
