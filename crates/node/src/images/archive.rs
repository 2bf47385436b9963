//! Reads docker archives and OCI layouts, as tar files (also compressed) or folders.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::Error;

/// Largest JSON document in an archive. Manifests are a few kilobytes; the bound guards against hostile archives.
const DOCUMENT_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
/// Nesting of OCI indexes.
const INDEX_DEPTH: usize = 4;

/// An image in an archive.
pub(super) struct Found {
    /// References under which it is stored.
    pub(super) references: Vec<String>,
    /// The configuration document.
    pub(super) config: Vec<u8>,
    /// Names of the layer files, the lowest first.
    pub(super) layers: Vec<String>,
}

/// An opened archive: its files by name.
pub(super) enum Archive {
    Tar {
        path: PathBuf,
        entries: BTreeMap<String, (u64, u64)>,
    },
    Folder(PathBuf),
}

impl Archive {
    /// Opens a tar file or folder. A compressed file is first unpacked into `scratch`.
    pub(super) fn open(path: &Path, scratch: &Path) -> Result<Archive, Error> {
        let error = || Error::file(path);
        if std::fs::metadata(path).map_err(error())?.is_dir() {
            return Ok(Archive::Folder(path.to_path_buf()));
        }
        let mut file = File::open(path).map_err(error())?;
        let mut magic = [0u8; 4];
        let read = file.read(&mut magic).map_err(error())?;
        file.rewind().map_err(error())?;
        let path = if is_compressed(&magic[..read]) {
            let plain = scratch.join("archive.tar");
            let mut out = File::create(&plain).map_err(Error::file(&plain))?;
            io::copy(&mut decompress(file).map_err(error())?, &mut out).map_err(error())?;
            plain
        } else {
            path.to_path_buf()
        };
        let file = File::open(&path).map_err(error())?;
        let mut archive = tar::Archive::new(BufReader::new(file));
        let mut entries = BTreeMap::new();
        let mut links = Vec::new();
        for entry in archive.entries_with_seek().map_err(error())? {
            let entry = entry.map_err(error())?;
            let name = entry
                .path()
                .map_err(error())?
                .to_string_lossy()
                .trim_start_matches("./")
                .to_string();
            match entry.link_name().map_err(error())? {
                Some(link) => links.push((name, link.to_string_lossy().into_owned())),
                None => {
                    entries.insert(name, (entry.raw_file_position(), entry.size()));
                }
            }
        }
        // Old `docker save` links equal layers to each other.
        for (name, link) in links {
            let target = Path::new(&name).parent().unwrap_or(Path::new("")).join(&link);
            let found = entries
                .get(&link)
                .or_else(|| entries.get(&lexical(&target)))
                .copied();
            if let Some(place) = found {
                entries.insert(name, place);
            }
        }
        Ok(Archive::Tar { path, entries })
    }

    /// Reads a file of the archive.
    pub(super) fn read(&self, name: &str) -> Result<Box<dyn Read>, Error> {
        match self {
            Archive::Folder(folder) => {
                let path = folder.join(name);
                Ok(Box::new(BufReader::new(
                    File::open(&path).map_err(Error::file(&path))?,
                )))
            }
            Archive::Tar { path, entries } => {
                let Some((offset, size)) = entries.get(name) else {
                    return Err(Error::Damaged(format!("{} has no {name}", path.display())));
                };
                let mut file = File::open(path).map_err(Error::file(path))?;
                file.seek(SeekFrom::Start(*offset)).map_err(Error::file(path))?;
                Ok(Box::new(BufReader::with_capacity(256 * 1024, file).take(*size)))
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Archive::Folder(folder) => folder.join(name).exists(),
            Archive::Tar { entries, .. } => entries.contains_key(name),
        }
    }

    fn document(&self, name: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.read(name)?
            .take(DOCUMENT_LIMIT_BYTES)
            .read_to_end(&mut bytes)
            .map_err(Error::file(name))?;
        Ok(bytes)
    }

    /// Lists the images of the archive for this machine's platform.
    pub(super) fn images(&self) -> Result<Vec<Found>, Error> {
        if self.has("manifest.json") {
            return self.docker_images();
        }
        if self.has("index.json") {
            let index = parse(&self.document("index.json")?, "index.json")?;
            let mut found = Vec::new();
            self.oci_images(&index, None, 0, &mut found)?;
            return Ok(found);
        }
        Err(Error::Damaged(
            "neither a docker archive (manifest.json) nor an OCI layout (index.json)".into(),
        ))
    }

    fn docker_images(&self) -> Result<Vec<Found>, Error> {
        let manifests: Vec<DockerManifest> = parse(&self.document("manifest.json")?, "manifest.json")?;
        let read = |manifest: DockerManifest| {
            Ok(Found {
                references: manifest.repo_tags.unwrap_or_default(),
                config: self.document(&manifest.config)?,
                layers: manifest.layers,
            })
        };
        manifests.into_iter().map(read).collect()
    }

    fn oci_images(
        &self,
        index: &Value,
        name: Option<&str>,
        depth: usize,
        found: &mut Vec<Found>,
    ) -> Result<(), Error> {
        if depth > INDEX_DEPTH {
            return Err(Error::Damaged("indexes nested too deeply".into()));
        }
        for entry in index["manifests"].as_array().into_iter().flatten() {
            let annotation = |key: &str| entry["annotations"][key].as_str();
            let own =
                annotation("io.containerd.image.name").or(annotation("org.opencontainers.image.ref.name"));
            let name = own.or(name);
            let platform = &entry["platform"];
            if platform.is_object() && !is_ours(platform) {
                continue;
            }
            let digest = entry["digest"].as_str().unwrap_or_default();
            let document = parse::<Value>(&self.document(&blob(digest)?)?, digest)?;
            if document["manifests"].is_array() {
                self.oci_images(&document, name, depth + 1, found)?;
                continue;
            }
            let digest_of = |value: &Value| blob(value["digest"].as_str().unwrap_or_default());
            let layers = document["layers"].as_array().into_iter().flatten().map(digest_of);
            found.push(Found {
                references: name.map(String::from).into_iter().collect(),
                config: self.document(&digest_of(&document["config"])?)?,
                layers: layers.collect::<Result<_, _>>()?,
            });
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerManifest {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|e| Error::Damaged(format!("{name}: {e}")))
}

fn blob(digest: &str) -> Result<String, Error> {
    match digest.split_once(':') {
        Some((kind, hex)) if hex.chars().all(|c| c.is_ascii_hexdigit()) => Ok(format!("blobs/{kind}/{hex}")),
        _ => Err(Error::Damaged(format!("{digest:?} is no digest"))),
    }
}

fn is_ours(platform: &Value) -> bool {
    platform["os"] == "linux" && platform["architecture"] == architecture()
}

/// This machine's architecture in Go's words.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn lexical(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(parts.pop()),
            std::path::Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

fn is_compressed(magic: &[u8]) -> bool {
    magic.starts_with(&[0x1f, 0x8b]) || magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
}

/// Reads through gzip or zstd if the stream starts like one.
pub(super) fn decompress<'a>(stream: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut stream = BufReader::with_capacity(256 * 1024, stream);
    let magic = io::BufRead::fill_buf(&mut stream)?;
    Ok(if magic.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(stream))
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(stream)?)
    } else {
        Box::new(stream)
    })
}
