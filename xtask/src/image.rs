//! Container images from local files, without a container engine: what goes in comes out the same to the byte.
//!
//! One file is both a docker archive and, unpacked or not, an OCI layout. Not here: which images there are (`images`).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One thing in an image, at an absolute path.
pub enum Content {
    /// A program of this machine, mode 0755.
    Program(PathBuf),
    /// A text file, mode 0644.
    Text(String),
    /// A symbolic link to this target.
    Link(String),
}

/// An image of one layer.
pub struct Image {
    /// With tag, such as `docker.io/library/busybox:latest`.
    pub name: String,
    /// The runtime part of its configuration: `Entrypoint`, `Cmd`, `Env`, `User`, `WorkingDir`.
    pub config: Value,
    /// Absolute path and what is there.
    pub entries: Vec<(String, Content)>,
}

/// The media type of manifests.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Folders that every image has, with their modes.
const FOLDERS: [(&str, u32); 3] = [("tmp", 0o1777), ("etc", 0o755), ("root", 0o700)];

impl Image {
    /// Puts the image together.
    ///
    /// # Errors
    /// When a program can't be read.
    pub fn build(&self) -> anyhow::Result<Built> {
        let layer = self.layer()?;
        let config = json!({
            "architecture": architecture(), "os": "linux", "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        })
        .to_string();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": describe("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            "layers": [describe("application/vnd.oci.image.layer.v1.tar", &layer)],
        })
        .to_string();
        Ok(Built {
            name: self.name.clone(),
            config,
            layer,
            manifest,
        })
    }

    fn layer(&self) -> anyhow::Result<Vec<u8>> {
        let mut layer = tar::Builder::new(Vec::new());
        let mut folders = BTreeSet::new();
        for (name, mode) in FOLDERS {
            append_folder(&mut layer, name, mode)?;
            folders.insert(name.to_owned());
        }
        for (path, content) in &self.entries {
            let path = path.trim_start_matches('/');
            for (at, _) in path.match_indices('/') {
                if folders.insert(path[..at].to_owned()) {
                    append_folder(&mut layer, &path[..at], 0o755)?;
                }
            }
            match content {
                Content::Program(from) => {
                    let bytes = std::fs::read(from).with_context(|| format!("reading {}", from.display()))?;
                    append(&mut layer, path, 0o755, &bytes)?;
                }
                Content::Text(text) => append(&mut layer, path, 0o644, text.as_bytes())?,
                Content::Link(target) => {
                    let mut header = header(0o777, 0);
                    header.set_entry_type(tar::EntryType::Symlink);
                    layer.append_link(&mut header, path, target)?;
                }
            }
        }
        Ok(layer.into_inner()?)
    }
}

/// An image whose parts are all in memory.
pub struct Built {
    /// With tag.
    pub name: String,
    /// Its configuration, as JSON.
    pub config: String,
    /// Its only layer, a tar archive.
    pub layer: Vec<u8>,
    /// The manifest that names the two, as JSON.
    pub manifest: String,
}

impl Built {
    /// Writes one file that is a docker archive and an OCI layout at once: container engines, containerd, skopeo and
    /// crane each read the index that they know, and both name the same blobs.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self, to: &Path) -> anyhow::Result<()> {
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex(bytes));
        let mut described = describe(MANIFEST, self.manifest.as_bytes());
        let tag = self.name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        described["annotations"] = json!({
            "io.containerd.image.name": self.name, "org.opencontainers.image.ref.name": tag,
        });
        let index = json!({"schemaVersion": 2, "manifests": [described]}).to_string();
        let docker = json!([{
            "Config": blob(self.config.as_bytes()), "RepoTags": [self.name], "Layers": [blob(&self.layer)],
        }])
        .to_string();
        let file = File::create(to).with_context(|| format!("creating {}", to.display()))?;
        let mut archive = tar::Builder::new(file);
        append_folder(&mut archive, "blobs", 0o755)?;
        append_folder(&mut archive, "blobs/sha256", 0o755)?;
        let mut blobs = [self.config.as_bytes(), &self.layer, self.manifest.as_bytes()];
        blobs.sort_by_key(|bytes| hex(bytes));
        for bytes in blobs {
            append(&mut archive, &blob(bytes), 0o644, bytes)?;
        }
        for (name, text) in [
            ("index.json", index.as_str()),
            ("manifest.json", docker.as_str()),
            ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#),
        ] {
            append(&mut archive, name, 0o644, text.as_bytes())?;
        }
        archive.into_inner()?.flush()?;
        Ok(())
    }

    /// The digest by which registries and engines know it.
    pub fn digest(&self) -> String {
        digest(self.manifest.as_bytes())
    }
}

/// How a manifest or an index refers to these bytes.
fn describe(kind: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": kind, "digest": digest(bytes), "size": bytes.len()})
}

/// The name of these bytes in registries.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// Always the same owner and time, so that the same files give the same image.
fn header(mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    mode: u32,
    content: &[u8],
) -> anyhow::Result<()> {
    let mut header = header(mode, content.len() as u64);
    header.set_entry_type(tar::EntryType::Regular);
    Ok(archive.append_data(&mut header, name, content)?)
}

fn append_folder<W: Write>(archive: &mut tar::Builder<W>, name: &str, mode: u32) -> anyhow::Result<()> {
    let mut header = header(mode, 0);
    header.set_entry_type(tar::EntryType::Directory);
    Ok(archive.append_data(&mut header, format!("{name}/"), std::io::empty())?)
}

/// This machine's architecture in the words of images.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_image() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("p");
        std::fs::write(&program, "#!/bin/sh\n").expect("written");
        let image = Image {
            name: "example.com/p:1".into(),
            config: json!({"Entrypoint": ["/bin/p"]}),
            entries: vec![
                ("/bin/p".into(), Content::Program(program)),
                ("/bin/q".into(), Content::Link("/bin/p".into())),
                (
                    "/etc/passwd".into(),
                    Content::Text("root:x:0:0::/:/bin/p\n".into()),
                ),
            ],
        };
        let (a, b) = (folder.path().join("a.tar"), folder.path().join("b.tar"));
        for to in [&a, &b] {
            image.build().expect("built").write(to).expect("written");
        }
        let bytes = std::fs::read(&a).expect("read");
        assert_eq!(bytes, std::fs::read(&b).expect("read"));
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: Vec<String> = archive
            .entries()
            .expect("an archive")
            .map(|e| e.expect("an entry").path().expect("a path").display().to_string())
            .collect();
        for wanted in ["index.json", "manifest.json", "oci-layout"] {
            assert!(names.iter().any(|name| name == wanted), "{names:?}");
        }
        assert_eq!(
            names
                .iter()
                .filter(|n| n.starts_with("blobs/sha256/") && n.len() > 60)
                .count(),
            3
        );
    }
}
