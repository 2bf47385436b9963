//! Images of a pod: found on this machine or pulled, for containers and for volumes that show them.

use std::fs;
use std::path::Path;
use std::time::Instant;

use k8s_openapi::api::core::v1::Pod;

use super::seen::Reason;
use super::start::{Problem, full};
use crate::events::Notes;
use crate::images::{self, Image};
use crate::node::Shared;
use crate::runtime::{ImageMount, Mount, Root};
use crate::volumes::{self, Prepared};

/// Who needs an image, and where to tell of it.
pub(crate) struct Wanted<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) pod: &'a Pod,
    pub(crate) notes: &'a Notes,
    /// The container; a volume has none.
    pub(crate) container: Option<&'a str>,
}

impl Wanted<'_> {
    /// Finds an image, or pulls it as the policy says.
    pub(crate) async fn get(&self, name: &str, policy: Option<&str>) -> Result<Image, Problem> {
        let found = self.shared.store.get(name).map_err(|error| match error {
            images::Error::Reference(_) => Problem::Waiting {
                reason: Reason::InvalidImageName,
                message: format!("Failed to apply default image tag {name:?}: {error}"),
            },
            other => Problem::create(full(&other)),
        })?;
        match (found, policy.unwrap_or("IfNotPresent")) {
            // What was taken in by hand is what the user wants, whatever a registry has under that name; and a single
            // machine is often offline, where an image of yesterday beats an error.
            (Some(image), "Always") if image.pulled => Ok(self.pull(name).await.unwrap_or(image)),
            (Some(image), _) => {
                let said = format!("Container image {name:?} already present on machine");
                self.tell("Pulled", said);
                Ok(image)
            }
            (None, "Never") => Err(Problem::Waiting {
                reason: Reason::ErrImageNeverPull,
                message: format!("Container image {name:?} is not present with pull policy of Never"),
            }),
            (None, _) => self.pull(name).await,
        }
    }

    async fn pull(&self, name: &str) -> Result<Image, Problem> {
        let failed = |message: String| {
            let said = format!("Failed to pull image {name:?}: {message}");
            self.notes.warning(self.container, "Failed", said);
            Problem::Waiting {
                reason: Reason::ErrImagePull,
                message,
            }
        };
        self.tell("Pulling", format!("Pulling image {name:?}"));
        let begun = Instant::now();
        let pulled = self.shared.pull(self.pod, name).await;
        let pulled = pulled.map_err(|e| failed(full(&e)))?;
        let found = self.shared.store.get(&pulled).map_err(|e| failed(full(&e)))?;
        let image = found.ok_or_else(|| failed("the image was deleted while it was pulled".into()))?;
        let took = format!("{:.3}s", begun.elapsed().as_secs_f64());
        let size = image.size_bytes;
        let said = format!(
            "Successfully pulled image {name:?} in {took} ({took} including waiting). Image size: {size} bytes."
        );
        self.tell("Pulled", said);
        Ok(image)
    }

    /// Keeps the image's layers for as long as `folder` exists.
    pub(crate) fn claim(&self, image: &Image, id: &str, folder: &Path) -> Result<Image, Problem> {
        let claimed = self.shared.store.claim(&image.reference, id, folder);
        claimed
            .map_err(|e| Problem::create(full(&e)))?
            .ok_or_else(|| Problem::create(format!("image {} was deleted meanwhile", image.reference)))
    }

    fn tell(&self, reason: &'static str, message: String) {
        self.notes.normal(self.container, reason, message);
    }

    /// Adds the volumes that show images, whatever the runtime: containers on the host's files see them, too.
    pub(crate) async fn add_volumes(
        &self,
        dir: &Path,
        prepared: &mut Prepared,
    ) -> Result<(), volumes::Error> {
        let spec = self.pod.spec.iter();
        for volume in spec.flat_map(|spec| spec.volumes.iter().flatten()) {
            let Some(source) = &volume.image else { continue };
            let failed = |message: String| volumes::Error {
                volume: volume.name.clone(),
                message,
            };
            let name = source.reference.as_deref().unwrap_or_default();
            let got = self.get(name, source.pull_policy.as_deref()).await;
            let image = got.map_err(|problem| failed(problem.message()))?;
            let folder = dir.join("volumes").join(&volume.name);
            let mount = self.mount(&image, &folder).map_err(failed)?;
            prepared.paths.insert(volume.name.clone(), mount.path.clone());
            prepared.read_only.push(volume.name.clone());
            prepared.images.push(mount);
        }
        Ok(())
    }

    /// Makes the folders of such a volume.
    fn mount(&self, image: &Image, folder: &Path) -> Result<ImageMount, String> {
        let error = |e: std::io::Error| format!("{}: {e}", folder.display());
        // An overlay that was not unmounted in order is not taken again.
        crate::tree::remove(folder).map_err(error)?;
        let [path, upper, work] = ["shown", "upper", "work"].map(|part| folder.join(part));
        for part in [&path, &upper, &work] {
            fs::create_dir_all(part).map_err(error)?;
        }
        let uid = self.pod.metadata.uid.as_deref().unwrap_or_default();
        let volume = folder.file_name().unwrap_or_default().to_string_lossy();
        let claimed = self.claim(image, &format!("{uid}-{volume}"), folder);
        let image = claimed.map_err(|problem| problem.message())?;
        let file = |file: images::ProvidedFile| Mount {
            source: file.source,
            sub_path: None,
            target: file.target,
            readonly: true,
        };
        Ok(ImageMount {
            path,
            root: Root {
                layers_dir: self.shared.store.layers_dir(),
                layers: image.layers,
                user_attributes: !rustix::process::geteuid().is_root(),
                host: false,
                hidden: Vec::new(),
                upper,
                work,
            },
            files: image.files.into_iter().map(file).collect(),
        })
    }
}
