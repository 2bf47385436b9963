//! Values that main left: its captured output and its parameter files (rules X-WAIT-10 to
//! X-WAIT-21). Artifacts are in the file beside this one.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use argosy_model::template::Parameter;

use crate::env;
use crate::outcome::Failure;
use crate::paths::MAIN;
use crate::startup::Pod;
use crate::text::failed;

/// Longest result, in bytes: longer ones are cut at the front.
const LONGEST_RESULT: u64 = 262_144;

/// What main printed, if it is wanted (X-WAIT-10).
///
/// # Errors
/// It is wanted and was not captured.
pub fn result(pod: &Pod) -> Result<Option<String>, Failure> {
    if !env::is_true("ARGO_INCLUDE_SCRIPT_OUTPUT") || !has_result(pod) {
        return Ok(None);
    }
    let path = pod.layout.container(MAIN).join("stdout");
    let tail = tail(&path).map_err(|e| Failure::new(failed("open", &path, &e)))?;
    Ok(Some(tail))
}

fn has_result(pod: &Pod) -> bool {
    let template = &pod.template;
    let main = |set: &argosy_model::template::ContainerSetTemplate| {
        set.containers.iter().any(|c| c.container.name == MAIN)
    };
    template.container.is_some()
        || template.script.is_some()
        || template.data.is_some()
        || template.http.is_some()
        || template.plugin.is_some()
        || template.container_set.as_deref().is_some_and(main)
}

/// The end of a file without its last newline; only that end is read.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    // One more than is kept, because the newline does not count.
    file.seek(SeekFrom::Start(size.saturating_sub(LONGEST_RESULT + 1)))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_RESULT + 1).read_to_end(&mut bytes)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    let start = bytes.len().saturating_sub(LONGEST_RESULT as usize);
    // The cut may go through a character (X-WAIT-11).
    Ok(String::from_utf8_lossy(&bytes[start..]).into_owned())
}

/// Fills in the values of parameters that come from files (X-WAIT-20).
///
/// # Errors
/// The first file that is not there and has no default; those after it are left without a value.
pub fn parameters(pod: &Pod, parameters: &mut [Parameter]) -> Result<(), Failure> {
    for parameter in parameters {
        let Some(from) = parameter.value_from.as_ref().filter(|f| !f.path.is_empty()) else {
            continue;
        };
        let source = source_of(pod, &from.path);
        parameter.value = match (std::fs::read(&source), &from.default) {
            (Ok(mut bytes), _) => {
                if bytes.last() == Some(&b'\n') {
                    bytes.pop();
                }
                Some(String::from_utf8_lossy(&bytes).into_owned().into())
            }
            (Err(_), Some(default)) => Some(default.clone()),
            (Err(error), None) => return Err(Failure::new(failed("open", &source, &error))),
        };
    }
    Ok(())
}

/// A parameter's file: on a volume that wait sees too, or as the emissary saved it.
fn source_of(pod: &Pod, path: &str) -> PathBuf {
    if pod.is_on_volume(path) {
        pod.layout.mirrored(path)
    } else {
        pod.layout.staged_parameter(path)
    }
}
