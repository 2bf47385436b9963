//! Deletes images: one by name, what nobody uses, or as much as a full disk asks for.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime};

use rustix::fs::FlockOperation;

use super::store::{Index, SKELETON, Scratch};
use super::{Error, Image, Store, normalize};

/// When images that a registry can give again are deleted. The figures are a kubelet's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Share of the disk, in percent, above which images are deleted. Default 85; 100 or more never deletes any.
    pub high_percent: u64,
    /// Share of the disk, in percent, at which deleting stops. Default 80.
    pub low_percent: u64,
    /// How long an image must have been of no use. Default two minutes: less, and an image is deleted between its pull
    /// and the start of its container.
    pub min_age: Duration,
}

impl Default for Collection {
    fn default() -> Collection {
        Collection {
            high_percent: 85,
            low_percent: 80,
            min_age: Duration::from_secs(120),
        }
    }
}

/// What was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Normalised references.
    pub references: Vec<String>,
    /// Bytes of the layers that nobody else needs.
    pub freed_bytes: u64,
}

impl Store {
    /// Forgets an image and deletes layers that no other image has. False when it was not there.
    ///
    /// # Errors
    /// [`Error::InUse`] while containers use it and no other name leads to it; when the reference is malformed or the
    /// folder cannot be changed.
    pub fn remove(&self, reference: &str) -> Result<bool, Error> {
        let reference = normalize(reference)?;
        let _lock = self.lock()?;
        let index = self.read_index()?;
        let Some(image) = index.images.get(&reference) else {
            return Ok(false);
        };
        let other_name = index
            .images
            .values()
            .any(|other| other.id == image.id && other.reference != reference);
        if !other_name && self.in_use()?.ids.contains(&image.id) {
            return Err(Error::InUse(reference));
        }
        self.forget(index, &BTreeSet::from([reference]))?;
        Ok(true)
    }

    /// Deletes all images that came from registries and that no container uses, and what broken imports left.
    ///
    /// # Errors
    /// When the folder cannot be read or changed.
    pub fn prune(&self) -> Result<Collected, Error> {
        self.collect_while(Duration::ZERO, |_| true)
    }

    /// Deletes images as far as the disk asks for it, those used least lately first.
    ///
    /// # Errors
    /// When the folder cannot be read or changed.
    pub fn collect(&self, rules: &Collection) -> Result<Collected, Error> {
        let dir = self.layers_dir();
        let disk = rustix::fs::statvfs(&dir).map_err(|e| Error::file(&dir)(e.into()))?;
        let total = disk.f_blocks * disk.f_frsize;
        let used = total.saturating_sub(disk.f_bavail * disk.f_frsize);
        self.collect_from(rules, total, used)
    }

    /// As [`Store::collect`] on a disk of this size that is this full, in bytes.
    pub(super) fn collect_from(&self, rules: &Collection, total: u64, used: u64) -> Result<Collected, Error> {
        let percent = |share: u64| u128::from(total) * u128::from(share) / 100;
        if u128::from(used) <= percent(rules.high_percent) {
            return Ok(Collected::default());
        }
        let excess = u128::from(used).saturating_sub(percent(rules.low_percent));
        self.collect_while(rules.min_age, |freed| u128::from(freed) < excess)
    }

    /// Deletes unused images, the oldest first, while the bytes freed so far are not enough.
    fn collect_while(&self, min_age: Duration, more: impl Fn(u64) -> bool) -> Result<Collected, Error> {
        let _lock = self.lock()?;
        self.sweep_scratch();
        let mut collected = Collected::default();
        for image in self.unused(min_age)? {
            if !more(collected.freed_bytes) {
                break;
            }
            let names = BTreeSet::from([image.reference.clone()]);
            collected.freed_bytes += self.forget(self.read_index()?, &names)?;
            collected.references.push(image.reference);
        }
        Ok(collected)
    }

    /// Images that may be deleted, the one used least lately first.
    fn unused(&self, min_age: Duration) -> Result<Vec<Image>, Error> {
        let used = self.in_use()?;
        let now = SystemTime::now();
        let mut unused: Vec<(SystemTime, Image)> = self
            .read_index()?
            .images
            .into_values()
            .filter(|image| image.pulled && !used.ids.contains(&image.id))
            .map(|image| (self.last_used(&image.id).unwrap_or(SystemTime::UNIX_EPOCH), image))
            .filter(|(at, _)| now.duration_since(*at).unwrap_or_default() >= min_age)
            .collect();
        unused.sort_by(|(a, x), (b, y)| (a, &x.reference).cmp(&(b, &y.reference)));
        Ok(unused.into_iter().map(|(_, image)| image).collect())
    }

    /// Takes images off the index, and deletes layers that neither an image nor a container has; gives their bytes.
    fn forget(&self, mut index: Index, references: &BTreeSet<String>) -> Result<u64, Error> {
        let gone: Vec<Image> = references
            .iter()
            .filter_map(|name| index.images.remove(name))
            .collect();
        let alone = self.lock_uses(FlockOperation::LockExclusive)?;
        self.write_index(&index)?;
        for image in &gone {
            if !index.images.values().any(|other| other.id == image.id) {
                let _ = fs::remove_file(self.last_use(&image.id));
            }
        }
        let mut needed = self.in_use()?.layers;
        needed.extend(index.images.into_values().flat_map(|image| image.layers));
        needed.insert(SKELETON.into());
        let trash = self.scratch()?;
        let freed = self.discard_layers(&needed, &trash)?;
        drop(alone);
        // Deleting takes long; nobody needs to wait for it.
        drop(trash);
        Ok(freed)
    }

    /// Moves layers that nobody needs aside.
    fn discard_layers(&self, needed: &BTreeSet<String>, trash: &Scratch) -> Result<u64, Error> {
        let dir = self.layers_dir();
        let mut freed = 0;
        for entry in fs::read_dir(&dir).map_err(Error::file(&dir))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let layer = name.strip_suffix(".size").unwrap_or(&name);
            if needed.contains(layer) {
                continue;
            }
            if layer != name {
                freed += super::store::read_size(&entry.path());
            }
            let aside = trash.path.join(&name);
            fs::rename(entry.path(), aside).map_err(Error::file(entry.path()))?;
        }
        Ok(freed)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::images::ImageConfig;

    /// A store with pulled images of one layer of 100 bytes each; of two layers if the name says "a+b".
    fn store(dir: &Path, images: &[(&str, bool)]) -> Store {
        let store = Store::open(dir, &[]).unwrap();
        let mut index = Index::default();
        for (number, (name, pulled)) in images.iter().enumerate() {
            let layers: Vec<String> = name.split('+').map(String::from).collect();
            for layer in &layers {
                fs::create_dir_all(store.layers_dir().join(layer)).unwrap();
                fs::write(store.layers_dir().join(format!("{layer}.size")), "100").unwrap();
            }
            let reference = normalize(&format!("test/{}", name.replace('+', "-"))).unwrap();
            let image = Image {
                reference: reference.clone(),
                id: format!("sha256:{number}"),
                layers,
                config: ImageConfig::default(),
                files: Vec::new(),
                size_bytes: 100,
                pulled: *pulled,
            };
            index.images.insert(reference, image);
        }
        store.write_index(&index).unwrap();
        store
    }

    fn layers(store: &Store) -> Vec<String> {
        let names = fs::read_dir(store.layers_dir()).unwrap().flatten();
        let mut names: Vec<String> = names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.ends_with(".size"))
            .collect();
        names.sort();
        names
    }

    fn rules() -> Collection {
        Collection {
            min_age: Duration::ZERO,
            ..Collection::default()
        }
    }

    #[test]
    fn a_full_disk_costs_the_images_used_least_lately() {
        for (used, expected) in [
            (8500, &["a", "b", "c", "mine"][..]),
            (8501, &["mine"][..]),
            (8600, &["mine"][..]),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let store = store(
                dir.path(),
                &[("a", true), ("b", true), ("c", true), ("mine", false)],
            );
            store.collect_from(&rules(), 10_000, used).unwrap();
            assert_eq!(layers(&store), expected, "{used}");
        }
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), &[("a", true), ("b", true), ("c", true)]);
        let container = dir.path().join("container");
        fs::create_dir(&container).unwrap();
        // `a` was used: the others are older.
        store.claim("test/a", "one", &container).unwrap().unwrap();
        fs::remove_dir(&container).unwrap();
        let collected = store.collect_from(&rules(), 1000, 851).unwrap();
        assert_eq!(collected.references, ["docker.io/test/b:latest"]);
        assert_eq!(collected.freed_bytes, 100);
        assert_eq!(layers(&store), ["a", "c"]);
    }

    #[test]
    fn what_containers_use_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), &[("base+one", true), ("base+two", true)]);
        let container = dir.path().join("container");
        fs::create_dir(&container).unwrap();
        store.claim("test/base-one", "c", &container).unwrap().unwrap();
        let error = store.remove("test/base-one").unwrap_err();
        assert!(matches!(error, Error::InUse(_)), "{error}");
        let collected = store.prune().unwrap();
        assert_eq!(collected.references, ["docker.io/test/base-two:latest"]);
        assert_eq!(layers(&store), ["base", "one"]);
        fs::remove_dir(&container).unwrap();
        assert!(store.remove("test/base-one").unwrap());
        assert!(!store.remove("test/base-one").unwrap());
        assert_eq!(layers(&store), Vec::<String>::new());
    }

    #[test]
    fn what_broken_imports_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), &[]);
        let busy = store.scratch().unwrap();
        let left = store.part("tmp").join("1-1");
        fs::create_dir(&left).unwrap();
        store.prune().unwrap();
        assert!(!left.exists());
        assert!(busy.path.exists());
    }
}
