//! The folder of images: an index by reference, and layers by chain id.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::archive::{Archive, Found, decompress};
use super::{Error, Image, ImageConfig, ProvidedImage, layer, normalize, uses};

/// Characters of a layer's folder name: 96 bits, short enough for a hundred layers in one page of mount options.
const LAYER_NAME_CHARS: usize = 24;

/// The images of one data folder. Cheap to make; several processes may use the same folder.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
    provided: BTreeMap<String, Image>,
}

/// One line of a list of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Normalised reference.
    pub reference: String,
    /// `sha256:` and the digest of the configuration.
    pub id: String,
    /// Bytes of the unpacked layers.
    pub size_bytes: u64,
    /// It came from a registry; otherwise it was taken in by hand, and is never deleted to make room.
    pub pulled: bool,
    /// When a container was last started from it.
    pub last_used: Option<SystemTime>,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) images: BTreeMap<String, Image>,
}

impl Store {
    /// Opens the store below `data_dir`, making it if needed.
    ///
    /// # Errors
    /// When the folders cannot be made or a provided reference is malformed.
    pub fn open(data_dir: &Path, provided: &[ProvidedImage]) -> Result<Store, Error> {
        Store::open_in(&data_dir.join("images"), provided)
    }

    /// Opens the store in exactly this folder, making it if needed.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn open_in(dir: &Path, provided: &[ProvidedImage]) -> Result<Store, Error> {
        let dir = dir.to_owned();
        for part in ["layers", "tmp", uses::MARKS, uses::LAST] {
            let path = dir.join(part);
            fs::create_dir_all(&path).map_err(Error::file(&path))?;
        }
        let mut store = Store {
            dir,
            provided: BTreeMap::new(),
        };
        if !provided.is_empty() {
            store.make_skeleton()?;
        }
        for image in provided {
            let reference = normalize(&image.reference)?;
            let id = format!("sha256:{}", hex(&Sha256::digest(reference.as_bytes())));
            let image = Image {
                reference: reference.clone(),
                id,
                layers: vec![SKELETON.into()],
                config: image.config.clone(),
                files: image.files.clone(),
                size_bytes: 0,
                pulled: false,
            };
            store.provided.insert(reference, image);
        }
        Ok(store)
    }

    /// The lowest layer of provided images: the folders that programs expect.
    fn make_skeleton(&self) -> Result<(), Error> {
        use std::os::unix::fs::PermissionsExt;
        for (name, mode) in [
            ("etc", 0o755),
            ("root", 0o700),
            ("tmp", 0o1777),
            ("var", 0o755),
            ("var/tmp", 0o1777),
        ] {
            let path = self.layers_dir().join(SKELETON).join(name);
            fs::create_dir_all(&path).map_err(Error::file(&path))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(Error::file(&path))?;
        }
        Ok(())
    }

    /// Folder that holds the layers named by [`Image::layers`].
    pub fn layers_dir(&self) -> PathBuf {
        self.part("layers")
    }

    pub(super) fn part(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Finds an image; `None` when it has to be pulled.
    ///
    /// # Errors
    /// When the reference is malformed or the index cannot be read.
    pub fn get(&self, reference: &str) -> Result<Option<Image>, Error> {
        let reference = normalize(reference)?;
        if let Some(image) = self.provided.get(&reference) {
            return Ok(Some(image.clone()));
        }
        Ok(self.read_index()?.images.remove(&reference))
    }

    /// Entrypoint, environment and so on of an image that is on this machine.
    pub fn image_config(&self, reference: &str) -> Option<ImageConfig> {
        self.get(reference).ok().flatten().map(|image| image.config)
    }

    /// All images except provided ones, by reference.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, Error> {
        let listed = |image: Image| Listed {
            last_used: self.last_used(&image.id),
            reference: image.reference,
            id: image.id,
            size_bytes: image.size_bytes,
            pulled: image.pulled,
        };
        Ok(self.read_index()?.images.into_values().map(listed).collect())
    }

    /// Takes in every image of a docker archive or OCI layout (tar, compressed tar, or folder); returns their references.
    ///
    /// Blocks for as long as the disk needs. An image of an OCI layout without a name cannot be referred to and is refused.
    ///
    /// # Errors
    /// When the file is unreadable, of an unknown form, or does not match its digests. Nothing is taken in then.
    pub fn import(&self, path: &Path) -> Result<Vec<String>, Error> {
        self.import_as(path, None)
    }

    /// As [`Store::import`], under a name of the caller's choice if one is given: the archive must hold one image then.
    ///
    /// # Errors
    /// As for [`Store::import`]; also when the name is malformed.
    pub fn import_as(&self, path: &Path, name: Option<&str>) -> Result<Vec<String>, Error> {
        let name = name.map(normalize).transpose()?;
        let _lock = self.lock()?;
        let scratch = self.scratch()?;
        let archive = Archive::open(path, &scratch.path)?;
        let mut found = archive.images()?;
        if let Some(name) = name {
            let [only] = found.as_mut_slice() else {
                let message = format!("{} images, where one can take the name", found.len());
                return Err(Error::Damaged(message));
            };
            only.references = vec![name];
        }
        let mut images = Vec::new();
        for found in found {
            images.extend(self.add(&archive, &found, &scratch.path)?);
        }
        self.store(images)
    }

    pub(super) fn store(&self, images: Vec<Image>) -> Result<Vec<String>, Error> {
        if images.is_empty() {
            return Err(Error::Damaged(
                "the archive names no image for this platform".into(),
            ));
        }
        let mut index = self.read_index()?;
        let names = images.iter().map(|image| image.reference.clone()).collect();
        index
            .images
            .extend(images.into_iter().map(|image| (image.reference.clone(), image)));
        self.write_index(&index)?;
        Ok(names)
    }

    /// Unpacks the layers of one image; one result per reference.
    pub(super) fn add(&self, archive: &Archive, found: &Found, scratch: &Path) -> Result<Vec<Image>, Error> {
        let document = document(&found.config)?;
        let diff_ids = strings(&document["rootfs"]["diff_ids"]);
        if diff_ids.len() != found.layers.len() {
            return Err(Error::Damaged(
                "the configuration names another number of layers than the manifest".into(),
            ));
        }
        let folders = chain(&diff_ids);
        let mut layers: Vec<String> = Vec::new();
        let mut size_bytes = 0;
        for ((diff_id, name), folder) in diff_ids.iter().zip(&found.layers).zip(folders) {
            size_bytes += self.unpack(archive, name, diff_id, &folder, &layers, scratch)?;
            layers.insert(0, folder);
        }
        let id = format!("sha256:{}", hex(&Sha256::digest(&found.config)));
        let config = read_config(&document["config"]);
        let image = |reference: &String| {
            Ok(Image {
                reference: normalize(reference)?,
                id: id.clone(),
                layers: layers.clone(),
                config: config.clone(),
                files: Vec::new(),
                size_bytes,
                pulled: false,
            })
        };
        found.references.iter().map(image).collect()
    }

    fn unpack(
        &self,
        archive: &Archive,
        name: &str,
        diff_id: &str,
        folder: &str,
        lowers: &[String],
        scratch: &Path,
    ) -> Result<u64, Error> {
        let target = self.layers_dir().join(folder);
        let size_file = self.layers_dir().join(format!("{folder}.size"));
        if target.exists() {
            return Ok(read_size(&size_file));
        }
        let unpacking = scratch.join(folder);
        fs::create_dir(&unpacking).map_err(Error::file(&unpacking))?;
        let lowers: Vec<PathBuf> = lowers.iter().map(|lower| self.layers_dir().join(lower)).collect();
        let stream = decompress(archive.read(name)?).map_err(Error::file(name))?;
        let mut hashed = Hashed {
            stream,
            hash: Sha256::new(),
        };
        let size = layer::unpack(&mut hashed, &unpacking, &lowers).map_err(Error::file(name))?;
        io::copy(&mut hashed, &mut io::sink()).map_err(Error::file(name))?;
        let actual = format!("sha256:{}", hex(&hashed.hash.finalize()));
        if actual != diff_id {
            return Err(Error::Damaged(format!(
                "layer {name} has digest {actual}, not {diff_id}"
            )));
        }
        fs::write(&size_file, size.to_string()).map_err(Error::file(&size_file))?;
        fs::rename(&unpacking, &target).map_err(Error::file(&target))?;
        Ok(size)
    }

    /// Which layers of an image, the lowest first, are unpacked already.
    pub(super) fn unpacked(&self, config: &[u8]) -> Result<Vec<bool>, Error> {
        let folders = chain(&strings(&document(config)?["rootfs"]["diff_ids"]));
        let there = |folder: String| self.layers_dir().join(folder).exists();
        Ok(folders.into_iter().map(there).collect())
    }

    pub(super) fn scratch(&self) -> Result<Scratch, Error> {
        Scratch::new(&self.part("tmp"))
    }

    /// Deletes what programs that were killed have left half done.
    pub(super) fn sweep_scratch(&self) {
        let folders = fs::read_dir(self.part("tmp")).into_iter().flatten().flatten();
        for folder in folders {
            let free = File::open(folder.path())
                .is_ok_and(|file| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
            if free {
                let _ = crate::tree::remove(&folder.path());
            }
        }
    }

    /// Held while layers or the index change, also against other processes.
    pub(super) fn lock(&self) -> Result<File, Error> {
        let path = self.dir.join("lock");
        let file = File::create(&path).map_err(Error::file(&path))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(|e| Error::file(&path)(e.into()))?;
        Ok(file)
    }

    pub(super) fn read_index(&self) -> Result<Index, Error> {
        let path = self.dir.join("index.json");
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|e| Error::Damaged(format!("{}: {e}", path.display())))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
            Err(error) => Err(Error::file(path)(error)),
        }
    }

    pub(super) fn write_index(&self, index: &Index) -> Result<(), Error> {
        let path = self.dir.join("index.json");
        let next = self.dir.join("index.json.new");
        let text = serde_json::to_vec_pretty(index).map_err(|e| Error::Damaged(e.to_string()))?;
        fs::write(&next, text).map_err(Error::file(&next))?;
        fs::rename(&next, &path).map_err(Error::file(&path))
    }
}

/// Folder of [`Store::make_skeleton`].
pub(super) const SKELETON: &str = "skeleton";

/// A folder that is deleted when dropped.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
    /// Tells those who sweep that somebody is at work.
    _busy: File,
}

impl Scratch {
    fn new(dir: &Path) -> Result<Scratch, Error> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!("{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => {}
                // Of an earlier process with this number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(Error::file(path)(error)),
            }
            let busy = File::open(&path);
            let held = busy.and_then(|busy| {
                rustix::fs::flock(&busy, FlockOperation::LockExclusive)?;
                Ok(busy)
            });
            match held {
                Ok(busy) if path.exists() => return Ok(Scratch { path, _busy: busy }),
                Err(error) if path.exists() => return Err(Error::file(path)(error)),
                // Swept before it was held.
                _ => {}
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = crate::tree::remove(&self.path);
    }
}

struct Hashed<R> {
    stream: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// Reads the configuration of an image made for this machine.
fn document(config: &[u8]) -> Result<Value, Error> {
    let document: Value =
        serde_json::from_slice(config).map_err(|e| Error::Damaged(format!("image configuration: {e}")))?;
    let (os, architecture) = (document["os"].as_str(), document["architecture"].as_str());
    let (own_os, own_architecture) = ("linux", super::archive::architecture());
    let is = |found: Option<&str>, own: &str| found.is_none_or(|found| found.is_empty() || found == own);
    if is(os, own_os) && is(architecture, own_architecture) {
        return Ok(document);
    }
    Err(Error::Platform {
        image: format!("{}/{}", os.unwrap_or(own_os), architecture.unwrap_or_default()),
        machine: format!("{own_os}/{own_architecture}"),
    })
}

/// Folder names of the layers with these contents, each below those before it.
fn chain(diff_ids: &[String]) -> Vec<String> {
    let mut chain = String::new();
    let folder = |diff_id: &String| {
        chain = match chain.is_empty() {
            true => diff_id.clone(),
            false => format!(
                "sha256:{}",
                hex(&Sha256::digest(format!("{chain} {diff_id}").as_bytes()))
            ),
        };
        let name = chain.trim_start_matches("sha256:").chars();
        name.take(LAYER_NAME_CHARS).collect()
    };
    diff_ids.iter().map(folder).collect()
}

/// Bytes of an unpacked layer, from the file beside it.
pub(super) fn read_size(file: &Path) -> u64 {
    let text = fs::read_to_string(file).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn read_config(value: &Value) -> ImageConfig {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_string();
    ImageConfig {
        entrypoint: strings(&value["Entrypoint"]),
        cmd: strings(&value["Cmd"]),
        env: strings(&value["Env"]),
        user: text("User"),
        workdir: text("WorkingDir"),
    }
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(String::from))
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
