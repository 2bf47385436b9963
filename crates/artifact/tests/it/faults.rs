//! A network that damages, cuts off or delays what goes to an S3 server, and sources that change meanwhile: the upload
//! fails with the cause, and nothing half-written looks complete (rules X-S3-13, X-DRV-08, X-ARC-06).

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argosy_artifact::archive::{Compression, packed};
use argosy_artifact::store::Stream;
use argosy_artifact::{Error, Store};
use serde_json::json;
use tempfile::tempdir;

use super::behaviour::is_missing;
use super::versity::Server;

const MIB: usize = 1024 * 1024;
/// A byte that no header field holds.
const BYTE: u8 = 7;

/// What a network does with the bytes of one connection on their way to the server; `false` cuts it off.
type Damage = dyn Fn(&mut [u8], usize) -> bool + Send + Sync;

/// A network in front of a server. It ends with the process.
struct Network {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Network {
    /// `damage` gets the bytes at hand, and how many came before them.
    fn before(server: u16, damage: impl Fn(&mut [u8], usize) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, damage): (_, Arc<Damage>) = (connections.clone(), Arc::new(damage));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let (client, damage) = (connection.unwrap(), damage.clone());
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || carry(back.0, back.1, &|_, _| true));
                std::thread::spawn(move || carry(client, server, &*damage));
            }
        });
        Self { port, connections }
    }

    async fn open(&self, server: &Server, key: &str) -> Box<dyn Store> {
        let there = json!({"endpoint": format!("127.0.0.1:{}", self.port), "region": "us-east-1"});
        server.open_with(key, there).await.unwrap()
    }
}

/// Carries bytes to one side until either side ends.
fn carry(mut from: TcpStream, mut to: TcpStream, damage: &Damage) {
    let (mut bytes, mut before) = (vec![0; 64 * 1024], 0);
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !damage(&mut bytes[..count], before) || to.write_all(&bytes[..count]).is_err() {
            break;
        }
        before += count;
    }
    // Either may be closed already.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// The three ways in which a file goes up: in one piece, in parts, and as a stream.
async fn uploads(store: &dyn Store, folder: &Path) -> Vec<Error> {
    let mut errors = Vec::new();
    for size in [MIB, 12 * MIB] {
        let file = folder.join("file");
        std::fs::write(&file, vec![BYTE; size]).unwrap();
        errors.push(store.save(&file).await.unwrap_err());
    }
    let content: Stream = Box::new(std::io::Cursor::new(vec![BYTE; 12 * MIB]));
    errors.push(store.save_stream(Path::new("file"), content).await.unwrap_err());
    errors
}

/// Neither an object nor parts of one are on the server.
async fn check_nothing(server: &Server, key: &str, folder: &Path) {
    is_missing(&*server.open(key).await, &folder.join("none")).await;
    assert_eq!(server.parts(), 0, "parts that nobody completed are given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn x_s3_08_bytes_that_change_on_the_way_are_refused() {
    let server = Server::start("us-east-1", false);
    let network = Network::before(server.port(), |bytes, _| {
        if let Some(byte) = bytes.iter_mut().find(|b| **b == BYTE) {
            *byte += 1;
        }
        true
    });
    let folder = tempdir().unwrap();
    let store = network.open(&server, "changed").await;
    for error in uploads(&*store, folder.path()).await {
        let told = error.to_string();
        assert!(
            told.contains("Content-MD5") || told.contains("x-amz-content-sha256"),
            "{told}"
        );
    }
    check_nothing(&server, "changed", folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x_s3_13_connections_that_are_cut_off_are_tried_again() {
    let server = Server::start("us-east-1", false);
    // Requests without a long body pass.
    let network = Network::before(server.port(), |_, before| before < 300_000);
    let folder = tempdir().unwrap();
    let store = network.open(&server, "cut").await;
    for error in uploads(&*store, folder.path()).await {
        assert!(error.is_transient(), "{error:?}");
        assert!(!error.to_string().is_empty());
    }
    let connections = network.connections.load(Ordering::SeqCst);
    assert!(connections >= 9, "three attempts of each: {connections}");
    check_nothing(&server, "cut", folder.path()).await;
}

/// A network on which the first bytes of an upload are the moment when a file goes away.
fn vanishing(server: &Server, file: PathBuf) -> Network {
    Network::before(server.port(), move |_, _| {
        let _ = std::fs::remove_file(&file);
        true
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn x_drv_08_a_file_that_vanishes_fails_the_upload_of_its_folder() {
    let server = Server::start("us-east-1", false);
    let folder = tempdir().unwrap();
    let tree = folder.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    for index in 0..100 {
        std::fs::write(tree.join(format!("f{index:02}")), "x").unwrap();
    }
    let last = tree.join("f99");
    let network = vanishing(&server, last.clone());
    let error = network.open(&server, "tree").await.save(&tree).await.unwrap_err();
    assert!(error.to_string().contains(last.to_str().unwrap()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn x_arc_06_a_file_that_vanishes_while_its_folder_is_packed_fails_the_upload() {
    let server = Server::start("us-east-1", false);
    let folder = tempdir().unwrap();
    let tree = folder.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    // More than is packed ahead of the first request, and it does not get smaller.
    std::fs::write(tree.join("a"), vec![BYTE; 16 * MIB]).unwrap();
    std::fs::write(tree.join("b"), "x").unwrap();
    let network = vanishing(&server, tree.join("b"));
    let store = network.open(&server, "tree.tgz").await;
    let content = packed(tree.clone(), Compression::Level(0), |_| ());
    let error = store
        .save_stream(Path::new("tree.tgz"), content)
        .await
        .unwrap_err();
    let told = format!(
        "archive {}: {}: No such file",
        tree.display(),
        tree.join("b").display()
    );
    assert!(error.to_string().contains(&told), "{error}");
    check_nothing(&server, "tree.tgz", folder.path()).await;
}
