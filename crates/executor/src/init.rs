//! `init`: prepares a pod before its containers start (section 4 of the executor's rules): the
//! program that wraps them, the template, the script, the input artifacts.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt};
use std::path::{Path, PathBuf};

use argosy_artifact::location;
use argosy_model::artifact::Artifact;

use crate::inputs::{self, Keeper};
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::retry;
use crate::startup::Pod;
use crate::task::template_text;
use crate::text::failed;

/// Does everything in the order of the rules; the first error ends it (X-INIT-01).
///
/// # Errors
/// A malformed environment, a full disk, an input artifact that cannot be loaded.
pub async fn run(layout: &Layout) -> Result<i32, Failure> {
    let pod = Pod::read(layout, template_text(layout)?)?;
    crate::sys::clear_umask();
    copy_program(&pod)?;
    write_template(&pod)?;
    stage(&pod)?;
    inputs::load(&pod, &retry::store_options(layout)?, Keeper::Store).await?;
    Ok(0)
}

/// Puts the program that wraps containers where they find it (X-INIT-02).
fn copy_program(pod: &Pod) -> Result<(), Failure> {
    let source = program(pod)?;
    let target = pod.layout.program();
    // Written beside and renamed, so that a second run finds no busy or read-only file.
    let half = pod.layout.shared().join("argoexec.tmp");
    let copy = || -> io::Result<()> {
        make_folder(&pod.layout.shared(), 0o777)?;
        std::fs::copy(&source, &half)?;
        std::fs::set_permissions(&half, PermissionsExt::from_mode(0o555))?;
        std::fs::rename(&half, &target)
    };
    copy().map_err(|e| Failure::new(failed(format!("copy {} to", source.display()), &target, &e)))
}

/// The small program, which lies beside this one. Without it, or when a plugin's init container
/// needs more than the small one has, it is this program itself.
fn program(pod: &Pod) -> Result<PathBuf, Failure> {
    let own =
        std::env::current_exe().map_err(|e| Failure::new(format!("cannot find this program's file: {e}")))?;
    let archive = pod.template.archive_location.as_deref();
    let is_of_plugin =
        |a: &Artifact| location::complete(&a.location, archive).is_ok_and(|whole| whole.plugin.is_some());
    let uses_plugin = pod.template.inputs.artifacts.iter().any(is_of_plugin);
    let small = own.with_file_name("argosy-emissary");
    if uses_plugin || !small.is_file() {
        return Ok(own);
    }
    Ok(small)
}

/// Hands the template on, byte for byte (X-INIT-03).
pub(crate) fn write_template(pod: &Pod) -> Result<(), Failure> {
    write_whole(&pod.layout.template(), &pod.template_text, 0o444)
}

/// Hands on what main executes (X-INIT-04).
pub(crate) fn stage(pod: &Pod) -> Result<(), Failure> {
    if let Some(script) = &pod.template.script {
        log::info("staging script", &[]);
        write_whole(&pod.layout.script(), &script.source, 0o755)?;
    }
    if let Some(resource) = &pod.template.resource
        && resource.manifest_from.is_none()
    {
        write_whole(&pod.layout.manifest(), &resource.manifest, 0o644)?;
    }
    Ok(())
}

/// Writes a file that is seen whole or not at all.
pub(crate) fn write_whole(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let half = argosy_artifact::archive::with_suffix(path, ".tmp");
    let write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            make_folder(parent, 0o755)?;
        }
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&half)?;
        file.write_all(text.as_bytes())?;
        std::fs::set_permissions(&half, PermissionsExt::from_mode(mode))?;
        std::fs::rename(&half, path)
    };
    write().map_err(|e| Failure::new(failed("write", path, &e)))
}

fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(mode).create(path)
}
