//! S3 against an independent server, versitygw (rules X-S3-01 to X-S3-14).

use std::path::Path;

use argosy_artifact::{Error, Store, open};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::behaviour::{bad_sources, files, folders, is_missing, read, streams};
use super::programs::{Program, start};
use super::s3::{Fixed, options};

/// A server with one bucket.
pub struct Server {
    program: Program,
    root: TempDir,
    ca: Option<String>,
}

impl Server {
    pub fn start(region: &str, with_tls: bool) -> Self {
        let root = tempdir().unwrap();
        for folder in ["data/bucket", "meta"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let ca = with_tls.then(|| {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            std::fs::write(root.path().join("key"), made.signing_key.serialize_pem()).unwrap();
            std::fs::write(root.path().join("cert"), made.cert.pem()).unwrap();
            made.cert.pem()
        });
        let program = start("versitygw", |command, port| {
            command
                .args([
                    "--access", "user", "--secret", "password", "--quiet", "--region", region,
                ])
                .args(["--port", &format!("127.0.0.1:{port}")]);
            if with_tls {
                command
                    .arg("--cert")
                    .arg(root.path().join("cert"))
                    .arg("--key")
                    .arg(root.path().join("key"));
            }
            command
                .arg("posix")
                .arg("--sidecar")
                .arg(root.path().join("meta"));
            command.arg(root.path().join("data"));
        });
        Self { program, root, ca }
    }

    pub fn port(&self) -> u16 {
        self.program.port
    }

    /// Uploads in parts that are neither complete nor given up.
    pub fn parts(&self) -> usize {
        let folder = self.root.path().join("data/bucket/.sgwtmp/multipart");
        folder.read_dir().map_or(0, Iterator::count)
    }

    pub fn place(&self, key: &str) -> Value {
        let host = if self.ca.is_some() {
            "localhost"
        } else {
            "127.0.0.1"
        };
        json!({
            "endpoint": format!("{host}:{}", self.program.port), "bucket": "bucket",
            "insecure": self.ca.is_none(), "key": key,
            "accessKeySecret": {"name": "s", "key": "user"},
            "secretKeySecret": {"name": "s", "key": "password"},
        })
    }

    pub async fn open_with(&self, key: &str, more: Value) -> Result<Box<dyn Store>, Error> {
        let mut place = self.place(key);
        for (name, value) in more.as_object().unwrap() {
            place[name] = value.clone();
        }
        let location = serde_json::from_value(json!({"s3": place})).unwrap();
        open(&location, &Fixed, &options()).await
    }

    pub async fn open(&self, key: &str) -> Box<dyn Store> {
        self.open_with(key, json!({})).await.unwrap()
    }
}

#[tokio::test]
async fn x_s3_08_to_12_objects_and_folders() {
    let server = Server::start("us-east-1", false);
    let keys = ["plain", "empty", "in/parts", "with space & <signs>?=+ä%41"];
    files(&keys, async |key| server.open(key).await).await;
    folders(1100, true, async |key| server.open(key).await).await;
    streams(async |key| server.open(key).await).await;
    bad_sources(async |key| server.open(key).await).await;
    assert_eq!(server.parts(), 0, "parts that nobody completed are given up");
}

fn file(folder: &Path, content: &str) -> std::path::PathBuf {
    let path = folder.join("file");
    std::fs::write(&path, content).unwrap();
    path
}

#[tokio::test]
async fn x_s3_04_a_region_that_is_not_given_is_asked_for() {
    let server = Server::start("eu-somewhere-3", false);
    let folder = tempdir().unwrap();
    let store = server.open("k").await;
    store.save(&file(folder.path(), "text")).await.unwrap();
    let named = server.open_with("k", json!({"region": "eu-somewhere-3"})).await;
    assert_eq!(read(&*named.unwrap()).await, b"text");
}

#[tokio::test]
async fn x_s3_05_a_ca_replaces_the_machines() {
    let server = Server::start("us-east-1", true);
    let ca = server.ca.clone().unwrap();
    let folder = tempdir().unwrap();
    let with = json!({"caSecret": {"name": "s", "key": ca}});
    let store = server.open_with("k", with).await.unwrap();
    store.save(&file(folder.path(), "text")).await.unwrap();
    assert_eq!(read(&*store).await, b"text");
    let error = server
        .open("k")
        .await
        .load(&folder.path().join("to"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn x_s3_07_buckets_are_made() {
    let server = Server::start("us-east-1", false);
    let folder = tempdir().unwrap();
    let file = file(folder.path(), "text");
    for (bucket, locking) in [("made-here", false), ("made-locked", true)] {
        let place = json!({
            "bucket": bucket, "createBucketIfNotPresent": {"objectLocking": locking},
        });
        let store = server.open_with("k", place).await.unwrap();
        // Reading makes no bucket.
        let error = store.load(&folder.path().join("to")).await.unwrap_err();
        assert!(!error.is_transient(), "{error}");
        assert!(!server.root.path().join("data").join(bucket).exists());
        store.save(&file).await.unwrap();
        store
            .save(&file)
            .await
            .unwrap_or_else(|e| panic!("{bucket}: {e}"));
        assert_eq!(read(&*store).await, b"text");
    }
    let without = server
        .open_with("k", json!({"bucket": "not-made"}))
        .await
        .unwrap();
    let error = without.save(&file).await.unwrap_err();
    assert!(
        matches!(error, Error::Store { .. }),
        "a missing bucket is no missing artifact: {error:?}"
    );
}

#[tokio::test]
async fn x_s3_06_wishes_for_encryption() {
    let server = Server::start("us-east-1", false);
    let folder = tempdir().unwrap();
    let file = file(folder.path(), "text");
    let open = |options: Value| server.open_with("k", json!({"encryptionOptions": options}));
    let store = open(json!({"enableEncryption": true})).await.unwrap();
    // This server may refuse what it does not know; it must not end as if nothing was asked.
    if let Err(error) = store.save(&file).await {
        assert!(!error.is_transient(), "{error}");
        is_missing(&*server.open("k").await, &folder.path().join("to")).await;
    }
    let customer = json!({"name": "s", "key": "password"});
    for (options, reason) in [
        (
            json!({"enableEncryption": true, "serverSideCustomerKeySecret": customer}),
            "encryption with a customer key needs TLS: the key is sent along",
        ),
        (
            json!({"enableEncryption": true, "serverSideCustomerKeySecret": customer, "kmsKeyId": "k"}),
            "encryption with a customer key and with KMS exclude each other",
        ),
    ] {
        let error = open(options).await.map(drop).unwrap_err();
        assert_eq!(error.to_string(), reason);
    }
    let off = json!({"enableEncryption": false, "serverSideCustomerKeySecret": customer});
    open(off).await.unwrap();
}

#[tokio::test]
async fn requests_that_are_refused() {
    let server = Server::start("us-east-1", false);
    let folder = tempdir().unwrap();
    let wrong = json!({"secretKeySecret": {"name": "s", "key": "wrong"}});
    let store = server.open_with("k", wrong).await.unwrap();
    let error = store.save(&file(folder.path(), "text")).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Store {
                is_transient: false,
                ..
            }
        ),
        "{error:?}"
    );
    let token = json!({"sessionTokenSecret": {"name": "s", "key": "of nobody"}});
    let store = server.open_with("k", token).await.unwrap();
    let error = store.save(&folder.path().join("file")).await.unwrap_err();
    assert!(
        error.to_string().contains("token"),
        "tokens are sent along: {error}"
    );
    let half = server.place("k");
    let mut half = json!({"s3": half});
    half["s3"].as_object_mut().unwrap().remove("secretKeySecret");
    let location = serde_json::from_value(half).unwrap();
    let error = open(&location, &Fixed, &options()).await.map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "s3 artifact needs both accessKeySecret and secretKeySecret, or none of them"
    );
}

/// A server that goes away while parts are on their way: the upload fails with a reason, and nothing looks complete.
#[tokio::test]
async fn x_s3_13_a_server_that_goes_away() {
    let server = Server::start("us-east-1", false);
    let store = server.open("gone.tgz").await;
    let (to, from) = tokio::sync::mpsc::channel::<std::io::Result<bytes::Bytes>>(1);
    let content = futures::stream::unfold(from, async |mut from| {
        let piece = from.recv().await?;
        Some((piece, from))
    });
    let content = Box::new(tokio_util::io::StreamReader::new(Box::pin(content)));
    let upload = tokio::spawn(async move { store.save_stream(Path::new("gone.tgz"), content).await });
    let piece = bytes::Bytes::from(vec![1; 6 * 1024 * 1024]);
    // The second one is taken when the first part is complete, which begins the upload.
    for _ in 0..3 {
        to.send(Ok(piece.clone())).await.unwrap();
    }
    let Server { program, root, .. } = server;
    drop(program);
    // Whether anybody still reads is the question of the test.
    let _ = to.send(Ok(piece)).await;
    drop(to);
    let error = upload.await.unwrap().unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(!root.path().join("data/bucket/gone.tgz").exists());
}
