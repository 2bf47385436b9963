//! What all stores with flat keys have in common: a key is a file, or a folder of everything below
//! it. A driver brings the single requests, in [`Objects`]; S3 has its own way, since its SDK has.

use std::path::Path;

use async_trait::async_trait;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::Response;

use crate::folder::{FILES_AT_ONCE, below, key_of, make_parent, walk};
use crate::rest::{self, Retry};
use crate::store::{Error, Store, Stream};
use crate::sums::Sum;

/// An object that is about to arrive.
pub(crate) struct Object {
    /// The answer whose body it is.
    pub response: Response,
    /// What the store says that it adds up to.
    pub sum: Option<Sum>,
}

/// A part of a list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Full keys.
    pub keys: Vec<String>,
    /// Where the next part begins.
    pub next: Option<String>,
}

/// What is special about a kind of store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    /// Whether an object without content may be the mark of a folder (X-AZ-03).
    pub has_empty_marks: bool,
    /// Whether a key is deleted with everything below it even without a slash at its end (X-AZ-04).
    pub deletes_below: bool,
    /// Whether folders are stored as objects with a slash at the end (X-OSS-03).
    pub stores_folders: bool,
    /// Whether a list is of everything that begins with the key (X-AZ-04).
    pub lists_raw: bool,
}

/// The requests of one kind of store; each is one attempt, but for `put`, which repeats its parts
/// itself.
#[async_trait]
pub(crate) trait Objects: Send + Sync {
    /// How requests are repeated.
    fn retry(&self) -> Retry;

    /// What is special about it.
    fn habits(&self) -> Habits;

    /// What must be there before something is stored: the bucket.
    async fn prepare(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Object, Error>;

    /// Stores a file; the object is not there before it is there whole.
    async fn put(&self, key: &str, source: &Path) -> Result<(), Error>;

    /// Stores an object without content.
    async fn put_mark(&self, _key: &str) -> Result<(), Error> {
        Ok(())
    }

    /// Deletes an object; one that is not there is fine, or an [`Error::NotFound`].
    async fn delete(&self, key: &str) -> Result<(), Error>;

    async fn list(&self, prefix: &str, from: Option<&str>) -> Result<Page, Error>;
}

/// One key in a store of this kind.
pub(crate) struct Keyed<T> {
    objects: T,
    key: String,
}

impl<T: Objects> Keyed<T> {
    pub fn new(objects: T, key: &str) -> Self {
        Self {
            objects,
            key: key.to_owned(),
        }
    }

    fn folder_prefix(&self) -> String {
        format!("{}/", self.key.trim_end_matches('/'))
    }

    /// Every key that begins with a prefix.
    async fn keys(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let list = || self.objects.list(prefix, from.as_deref());
            let page = self.objects.retry().run(list).await?;
            keys.extend(page.keys);
            match page.next {
                Some(next) if !next.is_empty() && Some(&next) != from.as_ref() => from = Some(next),
                _ => return Ok(keys),
            }
        }
    }

    /// The files below the key, without the marks of folders.
    async fn files_below(&self) -> Result<Vec<String>, Error> {
        let mut keys = self.keys(&self.folder_prefix()).await?;
        keys.retain(|key| !key.ends_with('/'));
        Ok(keys)
    }

    async fn download(&self, key: &str, target: &Path) -> Result<(), Error> {
        self.objects
            .retry()
            .run(|| async {
                let object = self.objects.get(key).await?;
                rest::receive(object.response, object.sum, target).await
            })
            .await
    }

    async fn download_folder(&self, keys: Vec<String>, target: &Path) -> Result<(), Error> {
        let prefix = self.folder_prefix();
        std::fs::create_dir_all(target).map_err(|e| Error::io("mkdir", target, e))?;
        stream::iter(keys)
            .map(|key| {
                let prefix = &prefix;
                async move {
                    let path = below(target, key.strip_prefix(prefix.as_str()).unwrap_or(&key))?;
                    make_parent(&path)?;
                    self.download(&key, &path).await
                }
            })
            .buffer_unordered(FILES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn upload_folder(&self, folder: &Path) -> Result<(), Error> {
        let tree = walk(folder)?;
        if self.objects.habits().stores_folders {
            let marks = std::iter::once(self.folder_prefix());
            let marks = marks.chain(
                tree.folders
                    .iter()
                    .map(|path| format!("{}/", key_of(&self.key, folder, path))),
            );
            for mark in marks {
                self.objects.retry().run(|| self.objects.put_mark(&mark)).await?;
            }
        }
        stream::iter(tree.files)
            .map(|path| async move {
                let key = key_of(&self.key, folder, &path);
                self.objects.put(&key, &path).await
            })
            .buffer_unordered(FILES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn delete_key(&self, key: &str) -> Result<(), Error> {
        match self.objects.retry().run(|| self.objects.delete(key)).await {
            Err(Error::NotFound(_)) => Ok(()),
            other => other,
        }
    }

    fn missing(&self) -> Error {
        Error::NotFound(format!("object {} does not exist", self.key))
    }
}

#[async_trait]
impl<T: Objects> Store for Keyed<T> {
    async fn load(&self, target: &Path) -> Result<(), Error> {
        let key = self.key.trim_end_matches('/');
        let missing = match self.download(key, target).await {
            Err(error @ Error::NotFound(_)) => Some(error),
            Err(error) => return Err(error),
            Ok(()) => None,
        };
        let is_empty = || target.metadata().is_ok_and(|m| m.len() == 0);
        let may_be_mark = missing.is_none() && self.objects.habits().has_empty_marks && is_empty();
        if missing.is_none() && !may_be_mark {
            return Ok(());
        }
        let keys = self.files_below().await?;
        match (keys.is_empty(), missing) {
            (true, Some(error)) => Err(error),
            (true, None) => Ok(()),
            (false, found) => {
                if found.is_none() {
                    std::fs::remove_file(target).map_err(|e| Error::io("remove", target, e))?;
                }
                self.download_folder(keys, target).await
            }
        }
    }

    async fn read(&self) -> Result<Stream, Error> {
        let key = self.key.trim_end_matches('/');
        let object = self.objects.retry().run(|| self.objects.get(key)).await?;
        Ok(rest::stream(object.response))
    }

    async fn save(&self, source: &Path) -> Result<(), Error> {
        let metadata = std::fs::metadata(source).map_err(|e| Error::io("open", source, e))?;
        self.objects.retry().run(|| self.objects.prepare()).await?;
        if metadata.is_dir() {
            return self.upload_folder(source).await;
        }
        self.objects.put(&self.key, source).await
    }

    async fn delete(&self) -> Result<(), Error> {
        let is_folder = self.key.ends_with('/');
        if is_folder || self.objects.habits().deletes_below {
            let mut keys = self.keys(&self.folder_prefix()).await?;
            // Longest first: a folder's mark goes after what is in it.
            keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
            for key in keys {
                self.delete_key(&key).await?;
            }
        }
        self.delete_key(&self.key).await
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        let is_raw = self.objects.habits().lists_raw;
        let mut keys = self.keys(&self.key).await?;
        let folder = self.folder_prefix();
        keys.retain(|key| !key.ends_with('/') && (is_raw || *key == self.key || key.starts_with(&folder)));
        if keys.is_empty() {
            return Err(self.missing());
        }
        Ok(keys)
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        Ok(!self.files_below().await?.is_empty())
    }
}
