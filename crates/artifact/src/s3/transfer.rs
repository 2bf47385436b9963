//! Bytes to and from S3 (rules X-S3-07 to X-S3-10, X-S3-14). Files go in parts that are read from
//! the disk as they are sent: memory does not grow with the artifact.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CompletedMultipartUpload, CompletedPart, CreateBucketConfiguration,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use aws_smithy_types::byte_stream::Length;
use bytes::Bytes;
use futures::future::TryFutureExt as _;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::S3;
use super::encryption::{CustomerKey, Encryption, with_customer_key};
use super::error::{has_code, service};
use crate::archive::remove_all;
use crate::folder::{FILES_AT_ONCE, below, key_of, make_parent, walk};
use crate::store::{Error, Stream, chain, content_type};
use crate::sums::{md5_of, md5_of_bytes};

/// More parts than this no server takes.
const MOST_PARTS: u64 = 10_000;

/// Parts of a stream double in size after so many: 16 MiB parts reach 5 TiB, the largest object
/// there may be, within 10,000 parts, at the price of memory that only such streams need.
const GROWING: u64 = 2_000;

/// Streams' parts grow no further.
const LARGEST_STREAMED: u64 = 512 * 1024 * 1024;

/// An upload in parts that has begun.
struct Upload<'a> {
    key: &'a str,
    id: String,
    customer: CustomerKey,
}

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
        let customer = self.customer_key(key)?;
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let object = with_customer_key!(request, &customer)
            .send()
            .await
            .map_err(service)?;
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
        let customer = self.customer_key(key)?;
        if size <= part {
            return self.retry(|| self.put(source, size, key, &customer)).await;
        }
        let id = self.retry(|| self.begin_parts(source, key, &customer)).await?;
        let upload = Upload { key, id, customer };
        let result = self.put_parts(source, size, part, &upload).await;
        self.give_up_unless(result, &upload).await
    }

    /// Parts that nobody completes cost money until they are given up; if even that fails, the
    /// first error is still the one to report.
    async fn give_up_unless(&self, result: Result<(), Error>, upload: &Upload<'_>) -> Result<(), Error> {
        if result.is_err() {
            let abort = self.client.abort_multipart_upload().bucket(&self.bucket);
            let _ = abort.key(upload.key).upload_id(&upload.id).send().await;
        }
        result
    }

    async fn put(&self, source: &Path, size: u64, key: &str, customer: &CustomerKey) -> Result<(), Error> {
        let body = body_of(source, 0, size).await?;
        self.put_body(source, key, size, body, customer).await
    }

    async fn put_body(
        &self,
        name: &Path,
        key: &str,
        size: u64,
        (body, md5): (ByteStream, String),
        customer: &CustomerKey,
    ) -> Result<(), Error> {
        let mut request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type(name))
            .content_length(length(size)?)
            .content_md5(md5)
            .body(body);
        if let Some(Encryption::Server {
            method,
            kms_key_id,
            kms_context,
        }) = &self.encryption
        {
            request = request
                .server_side_encryption(method.clone())
                .set_ssekms_key_id(kms_key_id.clone())
                .set_ssekms_encryption_context(kms_context.clone());
        }
        let request = with_customer_key!(request, customer);
        request.send().await.map(drop).map_err(service)
    }

    async fn begin_parts(&self, name: &Path, key: &str, customer: &CustomerKey) -> Result<String, Error> {
        let mut request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type(name));
        if let Some(Encryption::Server {
            method,
            kms_key_id,
            kms_context,
        }) = &self.encryption
        {
            request = request
                .server_side_encryption(method.clone())
                .set_ssekms_key_id(kms_key_id.clone())
                .set_ssekms_encryption_context(kms_context.clone());
        }
        let begun = with_customer_key!(request, customer)
            .send()
            .await
            .map_err(service)?;
        begun.upload_id().map(str::to_owned).ok_or_else(|| Error::Store {
            message: "the s3 server began an upload without an id".to_owned(),
            is_transient: false,
        })
    }

    async fn put_parts(&self, source: &Path, size: u64, part: u64, upload: &Upload<'_>) -> Result<(), Error> {
        let count = size.div_ceil(part);
        let has_failed = AtomicBool::new(false);
        // Parts on their way are awaited also after a failure: those that arrive after the upload was given up stay.
        let parts: Vec<_> = stream::iter(0..count)
            .take_while(|_| std::future::ready(!has_failed.load(Relaxed)))
            .map(|index| {
                let offset = index * part;
                let length = part.min(size - offset);
                self.retry(move || async move {
                    let (body, md5) = body_of(source, offset, length).await?;
                    self.put_part(upload, index, length, body, md5).await
                })
                .inspect_err(|_| has_failed.store(true, Relaxed))
            })
            .buffer_unordered(self.options.upload_threads.max(1))
            .collect()
            .await;
        let parts = parts.into_iter().collect::<Result<_, _>>()?;
        self.complete(upload, parts).await
    }

    async fn put_part(
        &self,
        upload: &Upload<'_>,
        index: u64,
        size: u64,
        body: ByteStream,
        md5: String,
    ) -> Result<CompletedPart, Error> {
        let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let request = self.client.upload_part().bucket(&self.bucket).key(upload.key);
        let request = request
            .upload_id(&upload.id)
            .part_number(number)
            .content_length(length(size)?)
            .content_md5(md5);
        let request = with_customer_key!(request, &upload.customer);
        let done = request.body(body).send().await.map_err(service)?;
        let tag = done.e_tag().map(str::to_owned);
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(tag)
            .build())
    }

    /// Makes the object of its parts; before that there is none.
    async fn complete(&self, upload: &Upload<'_>, mut parts: Vec<CompletedPart>) -> Result<(), Error> {
        parts.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.retry(|| async {
            let request = self.client.complete_multipart_upload().bucket(&self.bucket);
            let request = request.key(upload.key).upload_id(&upload.id);
            let request = request.multipart_upload(parts.clone());
            request.send().await.map(drop).map_err(service)
        })
        .await
    }

    /// Puts what arrives into the bucket, without a copy on the disk. A part is kept in memory
    /// until the server has it, so that it can be sent again; the next one is read meanwhile.
    pub(super) async fn upload_stream(&self, name: &Path, mut content: Stream) -> Result<(), Error> {
        self.make_bucket().await?;
        let (key, part_bytes) = (self.key.as_str(), self.options.part_bytes);
        let customer = self.customer_key(key)?;
        let first = next_part(&mut content, part_bytes).await?;
        if (first.len() as u64) < part_bytes {
            let md5 = md5_of_bytes(&first);
            let put = || self.put_bytes(name, first.clone(), md5.clone(), &customer);
            return self.retry(put).await;
        }
        let id = self.retry(|| self.begin_parts(name, key, &customer)).await?;
        let upload = Upload { key, id, customer };
        let result = self.stream_parts(first, content, &upload).await;
        self.give_up_unless(result, &upload).await
    }

    async fn stream_parts(
        &self,
        first: Bytes,
        mut content: Stream,
        upload: &Upload<'_>,
    ) -> Result<(), Error> {
        let mut part_bytes = self.options.part_bytes;
        let (mut parts, mut bytes) = (Vec::new(), first);
        while !bytes.is_empty() {
            let index = parts.len() as u64;
            if index >= MOST_PARTS {
                return Err(Error::Location(format!(
                    "artifact has more than {MOST_PARTS} parts"
                )));
            }
            // The size is not known beforehand, so that parts grow on the way.
            if index > 0 && index.is_multiple_of(GROWING) {
                part_bytes = part_bytes.saturating_mul(2).min(LARGEST_STREAMED.max(part_bytes));
            }
            let md5 = md5_of_bytes(&bytes);
            let send = self.retry(|| {
                let body = ByteStream::from(bytes.clone());
                self.put_part(upload, index, bytes.len() as u64, body, md5.clone())
            });
            // As above, a part on its way is awaited also when there is no next one.
            let (part, next) = futures::join!(send, next_part(&mut content, part_bytes));
            parts.push(part?);
            bytes = next?;
        }
        self.complete(upload, parts).await
    }

    async fn put_bytes(
        &self,
        name: &Path,
        bytes: Bytes,
        md5: String,
        customer: &CustomerKey,
    ) -> Result<(), Error> {
        let size = bytes.len() as u64;
        self.put_body(name, &self.key, size, (bytes.into(), md5), customer)
            .await
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
        let Some(Encryption::Server {
            method, kms_key_id, ..
        }) = &self.encryption
        else {
            return Ok(());
        };
        let built = |e: aws_sdk_s3::error::BuildError| Error::Location(e.to_string());
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(method.clone())
            .set_kms_master_key_id(kms_key_id.clone())
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

/// The next bytes of a stream, as many as a part has; fewer only at its end.
async fn next_part(content: &mut Stream, size: u64) -> Result<Bytes, Error> {
    let mut part = Vec::new();
    content
        .take(size)
        .read_to_end(&mut part)
        .await
        .map_err(|source| Error::Io {
            operation: "read",
            path: "artifact".to_owned(),
            source,
        })?;
    Ok(part.into())
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
