//! Images on this machine: what is imported, pulled or provided, and their unpacked layers.
//!
//! Layers are unpacked once, each below those it was made for, and serve as read-only parts of overlay mounts.

mod archive;
mod collect;
mod layer;
mod login;
mod pull;
mod reference;
mod registry;
mod store;
mod uses;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use collect::{Collected, Collection};
pub use login::Credentials;
pub(crate) use login::logins;
pub use reference::{InvalidReference, normalize};
pub use registry::PullOptions;
pub(crate) use store::hex;
pub use store::{Listed, Store};

/// What can go wrong with images.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reference is not well-formed.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// A file could not be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The archive or image is damaged or of an unknown form.
    #[error("{0}")]
    Damaged(String),
    /// The image is made for other machines.
    #[error(
        "no match for platform in manifest: the image is for {image}, this machine is {machine}: not found"
    )]
    Platform {
        /// `os/architecture` of the image.
        image: String,
        /// `os/architecture` of this machine.
        machine: String,
    },
    /// Containers use the image.
    #[error("image {0} is in use by a container")]
    InUse(String),
    /// The registry refused or could not be reached.
    #[error("failed to pull and unpack image {reference:?}: {message}")]
    Pull {
        /// The normalised reference.
        reference: String,
        /// Why, in the registry client's words.
        message: String,
    },
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { path, source }
    }
}

/// What an image says about its containers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// Program and first arguments.
    pub entrypoint: Vec<String>,
    /// Arguments if the container gives none.
    pub cmd: Vec<String>,
    /// `NAME=value` entries.
    pub env: Vec<String>,
    /// `user[:group]`, names or numbers; empty means root.
    pub user: String,
    /// Working directory; empty means `/`.
    pub workdir: String,
}

/// An image ready to be mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Normalised reference.
    pub reference: String,
    /// `sha256:` and the digest of the configuration.
    pub id: String,
    /// Folder names of the unpacked layers, the topmost first.
    pub layers: Vec<String>,
    /// What the image says about its containers.
    pub config: ImageConfig,
    /// Files of the host that belong to the image.
    #[serde(default)]
    pub files: Vec<ProvidedFile>,
    /// Bytes of the unpacked layers.
    pub size_bytes: u64,
    /// It came from a registry and may be looked for there again; otherwise it was taken in by hand.
    #[serde(default)]
    pub pulled: bool,
}

/// An image that the program itself brings along: it is never pulled and holds single files of the host.
///
/// With the `host` runtime the files are shown over the host's view, so that their programs can be run there too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedImage {
    /// Reference, as pods write it; normalised before it is compared.
    pub reference: String,
    /// What is in the image besides a few empty folders.
    pub files: Vec<ProvidedFile>,
    /// Entrypoint, environment and so on.
    pub config: ImageConfig,
}

/// A file of the host shown in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvidedFile {
    /// Path on the host.
    pub source: PathBuf,
    /// Absolute path in the container.
    pub target: PathBuf,
}
