//! Artifacts between a pod and its stores, in what init, wait and their relatives share: paths
//! (X-ART-30), secrets from files (X-DRV-02), packing in the background.

use std::io;
use std::path::PathBuf;

use argosy_artifact::Secrets;
use argosy_model::artifact::Artifact;

use crate::outcome::Failure;
use crate::paths::Layout;
use crate::task::clean;

/// Secrets that the controller mounted into this container.
#[derive(Clone, Debug)]
pub struct MountedSecrets {
    layout: Layout,
}

impl MountedSecrets {
    /// The secrets of a pod.
    pub fn new(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
        }
    }
}

#[async_trait::async_trait]
impl Secrets for MountedSecrets {
    async fn get(&self, name: &str, key: &str) -> io::Result<String> {
        // Secrets are at most a megabyte, and in memory: no need for another thread.
        std::fs::read_to_string(self.layout.secret(name, key))
    }
}

/// An artifact's path, cleaned. One with `..` in it may not leave the folder before that.
///
/// # Errors
/// No path, or one that leads out (X-ART-30).
pub fn path_of(artifact: &Artifact) -> Result<String, Failure> {
    let (name, raw) = (&artifact.name, &artifact.path);
    if raw.is_empty() {
        return Err(Failure::new(format!("Artifact '{name}' did not specify a path")));
    }
    let cleaned = clean(raw);
    let up = raw
        .find("/../")
        .or_else(|| raw.ends_with("/..").then(|| raw.len() - 3));
    if let Some(up) = up {
        let safe = clean(&raw[..up]);
        if cleaned == safe || !cleaned.starts_with(&safe) {
            return Err(Failure::new(format!(
                "Artifact '{name}' attempted to use a path containing '..'. Directory traversal is not permitted"
            )));
        }
    }
    Ok(cleaned.to_string_lossy().into_owned())
}

/// The last part of a path.
pub fn base_of(path: &str) -> String {
    PathBuf::from(path)
        .file_name()
        .map_or_else(|| "root".to_owned(), |n| n.to_string_lossy().into_owned())
}

/// Does file work on another thread, so that signals and timers are still seen.
///
/// # Errors
/// What the work fails with, or that it panicked.
pub async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure::new(format!("internal error: {error}"))),
    }
}

/// An error of a store with its local reason in the form of the other messages.
pub fn failure(error: argosy_artifact::Error) -> Failure {
    match &error {
        argosy_artifact::Error::Io {
            operation,
            path,
            source,
        } => Failure::new(format!("{operation} {path}: {}", crate::text::reason(source))),
        other => Failure::new(other.to_string()),
    }
}

/// An error of an archive with its local reason in the form of the other messages.
pub fn archive_failure(error: argosy_artifact::archive::Error) -> Failure {
    match &error {
        argosy_artifact::archive::Error::Io {
            operation,
            path,
            source,
        } => Failure::new(format!("{operation} {path}: {}", crate::text::reason(source))),
        other => Failure::new(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_art_30_paths() {
        for (raw, want) in [
            ("/tmp/a", Some("/tmp/a")),
            ("/tmp/a/", Some("/tmp/a")),
            ("/tmp//a/./b", Some("/tmp/a/b")),
            ("/tmp/safe/../etc/passwd", None),
            ("/tmp/safe/..", None),
            ("/tmp/safe/../safe/x", Some("/tmp/safe/x")),
            ("/tmp/safe/../safe", None),
            ("", None),
        ] {
            let artifact = Artifact {
                name: "a".into(),
                path: raw.into(),
                ..Artifact::default()
            };
            assert_eq!(path_of(&artifact).ok().as_deref(), want, "{raw}");
        }
    }
}
