//! The S3 driver against the S3 server: objects and folders, what is refused, and what happens
//! when the server fails on the way (rules X-S3-08 to X-S3-14).

use std::path::Path;
use std::time::Duration;

use argosy_artifact::serve::{self, Server};
use argosy_artifact::{Backoff, Error, Options, Secrets, Store, open};
use argosy_model::artifact::ArtifactLocation;
use serde_json::json;
use tempfile::{TempDir, tempdir};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Gives each key itself as its value.
pub struct Fixed;

#[async_trait::async_trait]
impl Secrets for Fixed {
    async fn get(&self, _name: &str, key: &str) -> std::io::Result<String> {
        Ok(key.to_owned())
    }
}

/// Our own server with a bucket.
pub async fn start() -> (TempDir, String) {
    let root = tempdir().unwrap();
    let server = Server::open(&serve::Options {
        root: root.path().to_owned(),
        access_key: "user".into(),
        secret_key: "password".into(),
        buckets: vec!["bucket".into()],
    })
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    tokio::spawn(server.listen(listener, std::future::pending()));
    (root, endpoint)
}

pub fn options() -> Options {
    let backoff = Backoff {
        steps: Some(3),
        first: Duration::from_millis(1),
        ..Backoff::default()
    };
    Options {
        backoff,
        cloud_backoff: backoff,
        part_bytes: 5 * 1024 * 1024,
        largest_put: 8 * 1024 * 1024,
        ..Options::default()
    }
}

async fn store(endpoint: &str, key: &str, secret: &str) -> Box<dyn Store> {
    let location: ArtifactLocation = serde_json::from_value(json!({"s3": {
        "endpoint": endpoint, "bucket": "bucket", "insecure": true, "key": key,
        "accessKeySecret": {"name": "s", "key": "user"},
        "secretKeySecret": {"name": "s", "key": secret},
    }}))
    .unwrap();
    open(&location, &Fixed, &options()).await.unwrap()
}

#[tokio::test]
async fn x_s3_08_10_objects() {
    let (root, endpoint) = start().await;
    let folder = tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let long = vec![7; 12 * 1024 * 1024 + 1];
    for (key, content) in [
        ("plain", b"text".to_vec()),
        ("empty", Vec::new()),
        ("deep/er/key.txt", b"x".to_vec()),
        ("with space & <signs>?=+ä%41", b"y".to_vec()),
        ("../dots/./..", b"z".to_vec()),
        ("in/parts", long),
    ] {
        std::fs::write(&from, &content).unwrap();
        let store = store(&endpoint, key, "password").await;
        store.save(&from).await.unwrap();
        store.load(&to).await.unwrap();
        assert!(std::fs::read(&to).unwrap() == content, "{key}");
        let mut stream = Vec::new();
        store
            .read()
            .await
            .unwrap()
            .read_to_end(&mut stream)
            .await
            .unwrap();
        assert!(stream == content, "{key}");
        assert!(!store.is_folder().await.unwrap());
        store.delete().await.unwrap();
        store.delete().await.unwrap();
        let missing = store.load(&folder.path().join("none")).await.unwrap_err();
        assert!(matches!(missing, Error::NotFound(_)), "{key}: {missing:?}");
    }
    let left: Vec<_> = root.path().join("bucket").read_dir().unwrap().collect();
    assert!(left.is_empty(), "emptied folders go too: {left:?}");
    assert!(!root.path().parent().unwrap().join("dots").exists());
}

fn make_tree(root: &Path, files: usize) {
    for index in 0..files {
        let path = root.join(format!("d{}/f{index}", index % 7));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, index.to_string()).unwrap();
    }
}

#[tokio::test]
async fn x_s3_09_to_12_folders() {
    let (_root, endpoint) = start().await;
    let folder = tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    // More than one page of a list.
    make_tree(&from, 1100);
    std::os::unix::fs::symlink("d0", from.join("link")).unwrap();
    let whole = store(&endpoint, "tree", "password").await;
    whole.save(&from).await.unwrap();
    assert!(whole.is_folder().await.unwrap());
    whole.load(&to).await.unwrap();
    for index in [0, 1, 500, 1099] {
        let file = to.join(format!("d{}/f{index}", index % 7));
        assert_eq!(std::fs::read_to_string(file).unwrap(), index.to_string());
    }
    assert!(!to.join("link").exists(), "X-DRV-07");
    let keys = store(&endpoint, "tree/", "password").await.list().await.unwrap();
    assert_eq!(keys.len(), 1100);
    assert!(keys.is_sorted());
    // Without the slash only the key itself is meant.
    whole.delete().await.unwrap();
    assert!(whole.is_folder().await.unwrap());
    let slashed = store(&endpoint, "tree/", "password").await;
    slashed.delete().await.unwrap();
    assert!(!whole.is_folder().await.unwrap());
    assert!(matches!(slashed.list().await.unwrap_err(), Error::NotFound(_)));
}

#[tokio::test]
async fn requests_that_are_refused() {
    let (root, endpoint) = start().await;
    let file = root.path().join("bucket/secret");
    std::fs::write(&file, "x").unwrap();
    let wrong = store(&endpoint, "secret", "wrong").await;
    let error = wrong.load(&root.path().join("to")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the signature does not fit the request and the key"
    );
    assert!(!error.is_transient());
    for (request, status) in [
        ("GET /bucket/secret HTTP/1.1\r\nhost: h\r\n\r\n", "403"),
        ("GET /bucket/../../etc/passwd HTTP/1.1\r\nhost: h\r\n\r\n", "403"),
        (
            "PUT /bucket/x HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\nx",
            "403",
        ),
    ] {
        let mut connection = tokio::net::TcpStream::connect(&endpoint).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"));
    }
}

#[tokio::test]
async fn an_object_in_the_way() {
    let (root, endpoint) = start().await;
    let file = root.path().join("file");
    std::fs::write(&file, "x").unwrap();
    store(&endpoint, "a", "password").await.save(&file).await.unwrap();
    let error = store(&endpoint, "a/b", "password")
        .await
        .save(&file)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is in the way"), "{error}");
}

/// A server that fails as told: so many times an error, then a cut-off answer, then the truth.
async fn flaky(answers: Vec<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        for answer in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = [0; 8192];
            let _ = connection.read(&mut request).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    endpoint
}

#[tokio::test]
async fn x_s3_13_14_failures_on_the_way() {
    let slow_down = "HTTP/1.1 503 Slow Down\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let cut_off = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\nhalf";
    let whole = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\ntext";
    let folder = tempdir().unwrap();
    let target = folder.path().join("target");
    let endpoint = flaky(vec![slow_down, cut_off, whole]).await;
    store(&endpoint, "k", "password")
        .await
        .load(&target)
        .await
        .unwrap();
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "text");
    std::fs::remove_file(&target).unwrap();
    let endpoint = flaky(vec![cut_off, cut_off, cut_off]).await;
    let error = store(&endpoint, "k", "password")
        .await
        .load(&target)
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(!target.exists(), "half a download is not left behind");
    let endpoint = flaky(Vec::new()).await;
    let error = store(&endpoint, "k", "password")
        .await
        .load(&target)
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error}");
}
