//! What every store with keys does, whatever it is: the checks that the tests of the single stores
//! share (rules X-DRV-01 to X-DRV-08).

use std::io;
use std::path::Path;

use argosy_artifact::store::Stream;
use argosy_artifact::{Error, Store};
use bytes::Bytes;
use tempfile::tempdir;
use tokio::io::AsyncReadExt as _;

const MIB: usize = 1024 * 1024;

/// Files there and back again; what is deleted is gone, and may be deleted again.
pub async fn files(keys: &[&str], open: impl AsyncFn(&str) -> Box<dyn Store>) {
    let folder = tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let long = vec![7; 12 * MIB + 1];
    let contents: [&[u8]; 3] = [b"text", b"", &long];
    for (index, key) in keys.iter().enumerate() {
        let content = contents[index % contents.len()];
        std::fs::write(&from, content).unwrap();
        let store = open(key).await;
        store.save(&from).await.unwrap();
        store.load(&to).await.unwrap();
        assert!(std::fs::read(&to).unwrap() == content, "{key}");
        assert!(read(&*store).await == content, "{key}");
        assert_eq!(store.list().await.unwrap(), [*key], "{key}");
        assert!(!store.is_folder().await.unwrap(), "{key}");
        store.delete().await.unwrap();
        store.delete().await.unwrap();
        is_missing(&*store, &folder.path().join("none")).await;
    }
}

/// Nothing is at the key, and nothing is left of the attempt.
pub async fn is_missing(store: &dyn Store, target: &Path) {
    let missing = store.load(target).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound(_)), "{missing:?}");
    assert!(!target.exists());
    let missing = store.read().await.map(drop).unwrap_err();
    assert!(matches!(missing, Error::NotFound(_)), "{missing:?}");
}

/// Everything that a store holds at a key.
pub async fn read(store: &dyn Store) -> Vec<u8> {
    let mut content = Vec::new();
    store
        .read()
        .await
        .unwrap()
        .read_to_end(&mut content)
        .await
        .unwrap();
    content
}

fn make_tree(root: &Path, files: usize) {
    for index in 0..files {
        let path = root.join(format!("d{}/f{index}", index % 7));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, index.to_string()).unwrap();
    }
    std::os::unix::fs::symlink("d0", root.join("link")).unwrap();
}

/// A folder there and back again; its neighbours stay out of it. `slash_deletes` says that only a
/// key with a slash at its end means everything below.
pub async fn folders(count: usize, slash_deletes: bool, open: impl AsyncFn(&str) -> Box<dyn Store>) {
    let folder = tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    make_tree(&from, count);
    let whole = open("a/tree").await;
    whole.save(&from).await.unwrap();
    let beside = open("a/tree-beside").await;
    beside.save(&from.join("d0/f0")).await.unwrap();
    assert!(whole.is_folder().await.unwrap());
    whole.load(&to).await.unwrap();
    for index in [0, 1, count / 2, count - 1] {
        let file = to.join(format!("d{}/f{index}", index % 7));
        assert_eq!(std::fs::read_to_string(file).unwrap(), index.to_string());
    }
    assert!(!to.join("link").exists(), "X-DRV-07");
    let slashed = open("a/tree/").await;
    let mut keys = slashed.list().await.unwrap();
    keys.sort();
    assert_eq!(keys.len(), count);
    assert_eq!(keys[0], "a/tree/d0/f0");
    whole.delete().await.unwrap();
    assert_eq!(whole.is_folder().await.unwrap(), slash_deletes);
    slashed.delete().await.unwrap();
    assert!(!whole.is_folder().await.unwrap());
    is_missing(&*whole, &folder.path().join("none")).await;
    assert!(matches!(slashed.list().await.unwrap_err(), Error::NotFound(_)));
    assert_eq!(read(&*beside).await, b"0", "a neighbour is no part of the folder");
    beside.delete().await.unwrap();
}

/// What a step would send, in chunks, and perhaps an error at the end.
fn chunks(size: usize, is_broken: bool) -> Stream {
    let whole = std::iter::repeat_n(Bytes::from(vec![9; MIB]), size / MIB);
    let rest = std::iter::once(Bytes::from(vec![8; size % MIB]));
    let end = is_broken.then(|| Err(io::Error::other("the source broke off")));
    let items = whole.chain(rest).map(Ok).chain(end);
    Box::new(tokio_util::io::StreamReader::new(futures::stream::iter(
        items.collect::<Vec<_>>(),
    )))
}

/// Streams become objects when they ended well, and nothing when they did not.
pub async fn streams(open: impl AsyncFn(&str) -> Box<dyn Store>) {
    let folder = tempdir().unwrap();
    let name = Path::new("x.tgz");
    for size in [0, 1, 5 * MIB, 10 * MIB, 12 * MIB + 1] {
        let store = open("streamed/x.tgz").await;
        assert!(store.takes_streams().await.unwrap());
        store.save_stream(name, chunks(size, false)).await.unwrap();
        assert_eq!(read(&*store).await.len(), size);
        store.delete().await.unwrap();
        let error = store.save_stream(name, chunks(size, true)).await.unwrap_err();
        assert!(error.to_string().contains("the source broke off"), "{error}");
        is_missing(&*store, &folder.path().join("none")).await;
    }
}

/// A file that is not there, a folder that cannot be read in whole.
pub async fn bad_sources(open: impl AsyncFn(&str) -> Box<dyn Store>) {
    let folder = tempdir().unwrap();
    let store = open("bad").await;
    let error = store.save(&folder.path().join("none")).await.unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    is_missing(&*store, &folder.path().join("to")).await;
}
