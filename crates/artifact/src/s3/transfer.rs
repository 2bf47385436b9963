//! Bytes to and from S3 (rules X-S3-07 to X-S3-10, X-S3-14). Files go in parts that are read from
//! the disk as they are sent: memory does not grow with the artifact.

use std::io;
use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CompletedMultipartUpload, CompletedPart, CreateBucketConfiguration,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use aws_smithy_types::byte_stream::Length;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::io::AsyncWriteExt as _;

use super::S3;
use super::error::{chain, has_code, service};
use crate::archive::remove_all;
use crate::folder::{FILES_AT_ONCE, below, key_of, make_parent, walk};
use crate::store::{Error, content_type};
use crate::sums::md5_of;

/// More parts than this no server takes.
const MOST_PARTS: u64 = 10_000;

impl S3 {
    /// Brings the object, or all objects below the key, to `target`.
    pub(super) async fn download(&self, target: &Path) -> Result<(), Error> {
        let key = self.key.trim_end_matches('/');
        let missing = match self.retry(|| self.download_object(key, target)).await {
            Err(error @ Error::NotFound(_)) => error,
            other => return other,
        };
        let prefix = self.folder_prefix();
        let keys = self.keys_below(&prefix).await?;
        if keys.is_empty() {
            return Err(missing);
        }
        std::fs::create_dir_all(target).map_err(|e| Error::io("mkdir", target, e))?;
        stream::iter(keys.into_iter().map(Ok))
            .try_for_each_concurrent(FILES_AT_ONCE, |key| {
                let prefix = &prefix;
                async move {
                    let path = below(target, key.strip_prefix(prefix.as_str()).unwrap_or(&key))?;
                    make_parent(&path)?;
                    self.retry(|| self.download_object(&key, &path)).await
                }
            })
            .await
    }

    /// One attempt; it starts clean, and leaves nothing behind when it fails (X-S3-14).
    async fn download_object(&self, key: &str, target: &Path) -> Result<(), Error> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let object = request.send().await.map_err(service)?;
        let size = object.content_length();
        let written = receive(object.body, target).await;
        let result = match (written, size) {
            (Ok(written), Some(size)) if i64::try_from(written) != Ok(size) => Err(Error::Store {
                message: format!("received {written} of {size} bytes of {key}"),
                is_transient: true,
            }),
            (other, _) => other.map(drop),
        };
        if result.is_err() {
            // The first error is the one to report.
            let _ = remove_all(target);
        }
        result
    }

    /// Puts a file or a folder into the bucket.
    pub(super) async fn upload(&self, source: &Path) -> Result<(), Error> {
        self.make_bucket().await?;
        let metadata = std::fs::metadata(source).map_err(|e| Error::io("open", source, e))?;
        if metadata.is_file() {
            return self.upload_file(source, &self.key).await;
        }
        stream::iter(walk(source)?.files.into_iter().map(Ok))
            .try_for_each_concurrent(FILES_AT_ONCE, |path| async move {
                self.upload_file(&path, &key_of(&self.key, source, &path)).await
            })
            .await
    }

    async fn upload_file(&self, source: &Path, key: &str) -> Result<(), Error> {
        let metadata = std::fs::metadata(source).map_err(|e| Error::io("open", source, e))?;
        let size = metadata.len();
        let part = self.options.part_bytes.max(size.div_ceil(MOST_PARTS));
        if size <= part {
            return self.retry(|| self.put(source, size, key)).await;
        }
        let upload = self.retry(|| self.begin_parts(source, key)).await?;
        let result = self.put_parts(source, key, size, part, &upload).await;
        if result.is_err() {
            // Parts that nobody completes cost money until they are given up; if even that
            // fails, the first error is still the one to report.
            let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key);
            let _ = abort.upload_id(&upload).send().await;
        }
        result
    }

    async fn put(&self, source: &Path, size: u64, key: &str) -> Result<(), Error> {
        let (body, md5) = body_of(source, 0, size).await?;
        let mut request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type(source))
            .content_length(length(size)?)
            .content_md5(md5)
            .body(body);
        if let Some(encryption) = &self.encryption {
            request = request
                .server_side_encryption(encryption.method.clone())
                .set_ssekms_key_id(encryption.kms_key_id.clone())
                .set_ssekms_encryption_context(encryption.kms_context.clone());
        }
        request.send().await.map(drop).map_err(service)
    }

    async fn begin_parts(&self, source: &Path, key: &str) -> Result<String, Error> {
        let mut request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type(source));
        if let Some(encryption) = &self.encryption {
            request = request
                .server_side_encryption(encryption.method.clone())
                .set_ssekms_key_id(encryption.kms_key_id.clone())
                .set_ssekms_encryption_context(encryption.kms_context.clone());
        }
        let begun = request.send().await.map_err(service)?;
        begun.upload_id().map(str::to_owned).ok_or_else(|| Error::Store {
            message: "the s3 server began an upload without an id".to_owned(),
            is_transient: false,
        })
    }

    async fn put_parts(
        &self,
        source: &Path,
        key: &str,
        size: u64,
        part: u64,
        upload: &str,
    ) -> Result<(), Error> {
        let count = size.div_ceil(part);
        let mut parts: Vec<CompletedPart> = stream::iter(0..count)
            .map(|index| {
                let offset = index * part;
                let length = part.min(size - offset);
                self.retry(move || self.put_part(source, key, upload, index, offset, length))
            })
            .buffer_unordered(self.options.upload_threads.max(1))
            .try_collect()
            .await?;
        parts.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.retry(|| async {
            let request = self
                .client
                .complete_multipart_upload()
                .bucket(&self.bucket)
                .key(key);
            let request = request.upload_id(upload).multipart_upload(parts.clone());
            request.send().await.map(drop).map_err(service)
        })
        .await
    }

    async fn put_part(
        &self,
        source: &Path,
        key: &str,
        upload: &str,
        index: u64,
        offset: u64,
        size: u64,
    ) -> Result<CompletedPart, Error> {
        let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let (body, md5) = body_of(source, offset, size).await?;
        let request = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload);
        let request = request
            .part_number(number)
            .content_length(length(size)?)
            .content_md5(md5);
        let done = request.body(body).send().await.map_err(service)?;
        let tag = done.e_tag().map(str::to_owned);
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(tag)
            .build())
    }

    /// Makes the bucket if that is wanted and it is not there (X-S3-07).
    async fn make_bucket(&self) -> Result<(), Error> {
        let Some(new) = &self.create_bucket else {
            return Ok(());
        };
        let mut request = self.client.create_bucket().bucket(&self.bucket);
        if new.object_lock {
            request = request.object_lock_enabled_for_bucket(true);
        }
        if !new.region.is_empty() && new.region != super::DEFAULT_REGION {
            let place = BucketLocationConstraint::from(new.region.as_str());
            let place = CreateBucketConfiguration::builder()
                .location_constraint(place)
                .build();
            request = request.create_bucket_configuration(place);
        }
        match request.send().await {
            Ok(_) => self.encrypt_bucket().await,
            Err(e) if has_code(&e, "BucketAlreadyExists") || has_code(&e, "BucketAlreadyOwnedByYou") => {
                Ok(())
            }
            Err(error) => Err(service(error)),
        }
    }

    async fn encrypt_bucket(&self) -> Result<(), Error> {
        let Some(encryption) = &self.encryption else {
            return Ok(());
        };
        let built = |e: aws_sdk_s3::error::BuildError| Error::Location(e.to_string());
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(encryption.method.clone())
            .set_kms_master_key_id(encryption.kms_key_id.clone())
            .build()
            .map_err(built)?;
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .build();
        let rules = ServerSideEncryptionConfiguration::builder()
            .rules(rule)
            .build()
            .map_err(built)?;
        let request = self.client.put_bucket_encryption().bucket(&self.bucket);
        request
            .server_side_encryption_configuration(rules)
            .send()
            .await
            .map(drop)
            .map_err(service)
    }
}

/// Writes what arrives to a new file; gives the number of bytes.
async fn receive(mut body: ByteStream, target: &Path) -> Result<u64, Error> {
    let failed = |e: io::Error| Error::io("write", target, e);
    let file = tokio::fs::File::create(target).await.map_err(failed)?;
    // Each write is a hop to another thread, so that small ones are put together.
    let mut file = tokio::io::BufWriter::with_capacity(512 * 1024, file);
    let mut written = 0;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|e| Error::Store {
            message: chain(&e),
            is_transient: true,
        })?;
        written += bytes.len() as u64;
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(written)
}

/// A part of a file, with the checksum that lets the server refuse a damaged one.
async fn body_of(source: &Path, offset: u64, size: u64) -> Result<(ByteStream, String), Error> {
    let md5 = md5_of(source, offset, size).await?;
    let body = ByteStream::read_from()
        .path(source)
        .offset(offset)
        .length(Length::Exact(size))
        .buffer_size(128 * 1024)
        .build()
        .await
        .map_err(|e| Error::io("read", source, io::Error::other(chain(&e))))?;
    Ok((body, md5))
}

fn length(size: u64) -> Result<i64, Error> {
    i64::try_from(size).map_err(|_| Error::Location("artifact is too large".to_owned()))
}
