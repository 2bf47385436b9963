//! The part of a template that the programs inside a pod need: names, paths and mounts.
//! Lean on purpose: the small program must not carry every type of the workflow model.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path};

use serde::Deserialize;

use crate::outcome::Failure;
use crate::paths::{Layout, MAIN};

/// A template as the emissary reads it. Fields it does not know are passed over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Task {
    /// Artifacts that main finds when it starts.
    pub inputs: Inputs,
    /// What main leaves behind.
    pub outputs: Outputs,
    /// Containers that end when every main container has ended.
    pub sidecars: Vec<Named>,
    /// Where outputs and logs go; only whether logs are wanted matters here.
    pub archive_location: Option<Location>,
    /// Several main containers in one pod.
    pub container_set: Option<Set>,
    /// The one main container.
    pub container: Option<Mounting>,
    /// The one main container of a script.
    pub script: Option<Mounting>,
}

/// Artifacts that main finds when it starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Inputs {
    /// In the order of the template.
    pub artifacts: Vec<Artifact>,
}

/// What main leaves behind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Outputs {
    /// In the order of the template.
    pub parameters: Vec<Parameter>,
    /// In the order of the template.
    pub artifacts: Vec<Artifact>,
}

/// A container of which only the name matters.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    /// Unique in the pod.
    pub name: String,
}

/// An artifact at a path of main.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Artifact {
    /// Unique among the inputs, and among the outputs.
    pub name: String,
    /// Absolute path in main; empty when the artifact has none.
    pub path: String,
    /// How it is packed; absent means gzip'd tar.
    pub archive: Option<Archive>,
    /// Whether the step may run without it.
    pub optional: bool,
    /// Everything else, among it the location.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// The kinds of stores that a location may name.
const STORES: &[&str] = &[
    "s3",
    "git",
    "http",
    "artifactory",
    "hdfs",
    "raw",
    "oss",
    "gcs",
    "azure",
    "plugin",
];

impl Artifact {
    /// Whether it names a place where it could be.
    pub fn is_supplied(&self) -> bool {
        STORES
            .iter()
            .any(|store| self.rest.get(*store).is_some_and(|v| !v.is_null()))
    }
}

/// How an artifact is packed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Archive {
    /// As it is.
    pub none: Option<serde_json::Value>,
    /// Gzip'd tar.
    pub tar: Option<TarArchive>,
    /// Zip.
    pub zip: Option<serde_json::Value>,
}

/// Options of a gzip'd tar.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TarArchive {
    /// -2 to 9; absent means the library's default, 0 means stored.
    pub compression_level: Option<i32>,
}

/// An output parameter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Parameter {
    /// Unique among the outputs.
    pub name: String,
    /// Where the value comes from.
    pub value_from: Option<ValueFrom>,
}

/// Where an output parameter's value comes from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ValueFrom {
    /// A file of main; empty when the value comes from elsewhere.
    pub path: String,
}

/// Where outputs and logs go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Location {
    /// Whether logs are archived.
    pub archive_logs: Option<bool>,
}

/// A container's volume mounts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Mounting {
    /// In the order of the template.
    pub volume_mounts: Vec<Mount>,
}

/// A volume mount.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Mount {
    /// Absolute path in the container.
    pub mount_path: String,
}

/// Several main containers in one pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Set {
    /// Mounted in every container of the set.
    pub volume_mounts: Vec<Mount>,
    /// In the order of the template.
    pub containers: Vec<Member>,
    /// Runs a failed container again, in place.
    pub retry_strategy: Option<Retry>,
}

/// One container of a set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Unique in the pod.
    pub name: String,
    /// Containers that must have succeeded before this one starts.
    pub dependencies: Vec<String>,
}

/// How often a failed container of a set runs again.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Retry {
    /// A number or a text with one: the number of runs (X-EMIS-41).
    pub retries: serde_json::Value,
    /// Pause between two runs, a Go duration; empty means none.
    pub duration: String,
}

/// Key and file name of an offloaded template.
const TEMPLATE_VARIABLE: &str = "ARGO_TEMPLATE";

impl Task {
    /// Reads the template a container starts with: the file, else the environment (X-EMIS-05).
    ///
    /// # Errors
    /// Neither is there, or what is there is no template.
    pub fn load(layout: &Layout) -> Result<Self, Failure> {
        serde_json::from_str(&given_text(layout)?)
            .map_err(|e| Failure::new(format!("failed to unmarshal template: {e}")))
    }

    /// Names of the containers whose end ends the step.
    pub fn main_containers(&self) -> Vec<&str> {
        match &self.container_set {
            Some(set) => set.containers.iter().map(|c| c.name.as_str()).collect(),
            None => vec![MAIN],
        }
    }

    /// What one container must wait for before it starts.
    pub fn dependencies(&self, container: &str) -> &[String] {
        let set = self.container_set.as_ref();
        set.and_then(|s| s.containers.iter().find(|c| c.name == container))
            .map_or(&[], |member| &member.dependencies)
    }

    /// Whether a container ends when every main container has ended.
    pub fn is_sidecar(&self, container: &str) -> bool {
        self.sidecars.iter().any(|s| s.name == container)
    }

    /// Whether the containers' output is kept.
    pub fn archives_logs(&self) -> bool {
        self.archive_location.as_ref().and_then(|l| l.archive_logs) == Some(true)
    }

    /// The template's volume mounts (X-ART-20).
    pub fn mounts(&self) -> impl Iterator<Item = &str> {
        let set = self.container_set.iter().flat_map(|s| &s.volume_mounts);
        let one = self
            .container
            .iter()
            .chain(&self.script)
            .flat_map(|c| &c.volume_mounts);
        set.chain(one).map(|m| m.mount_path.as_str())
    }

    /// Whether wait finds an output on a volume instead of in the emissary's copies (X-ART-21):
    /// it is in a mount of the template, or in or below an input artifact's path.
    pub fn is_on_volume(&self, path: &str) -> bool {
        let below_input = |input: &Artifact| {
            // One that was not supplied has no mount of its own.
            let missing = input.optional && !input.is_supplied();
            !input.path.is_empty()
                && is_within(path, &input.path)
                && !(missing && clean(path) == clean(&input.path))
        };
        self.mount_of(path).is_some() || self.inputs.artifacts.iter().any(below_input)
    }

    /// The deepest volume mount that a path is in, or is (X-ART-20).
    pub fn mount_of(&self, path: &str) -> Option<&str> {
        self.mounts()
            .filter(|mount| is_within(path, mount))
            .max_by_key(|mount| Path::new(mount).components().count())
    }
}

/// The template a container starts with: the file, else that of the environment, which is all there is in pods without
/// init containers and supervisor (X-POD-21).
///
/// # Errors
/// Neither is there, or one cannot be read.
pub fn given_text(layout: &Layout) -> Result<String, Failure> {
    match std::fs::read_to_string(layout.template()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => template_text(layout),
        read => read.map_err(|error| {
            let text = crate::text::failed("open", &layout.template(), &error);
            Failure::new(format!("failed to read template: {text}"))
        }),
    }
}

/// The template of the environment, as the controller wrote it: `ARGO_TEMPLATE`, or the file it
/// was moved to.
///
/// # Errors
/// The variable is not set, or the file cannot be read.
pub fn template_text(layout: &Layout) -> Result<String, Failure> {
    match crate::env::text(TEMPLATE_VARIABLE) {
        Some(text) if text == "offloaded" => {
            let path = layout.offloaded(TEMPLATE_VARIABLE);
            std::fs::read_to_string(&path).map_err(|e| Failure::new(crate::text::failed("open", &path, &e)))
        }
        Some(text) => Ok(text),
        None => Err(Failure::new(format!(
            "open {}: no such file or directory, and {TEMPLATE_VARIABLE} is not set",
            layout.template().display()
        ))),
    }
}

/// Whether a path is a folder or is below it, compared by path components.
pub fn is_within(path: &str, folder: &str) -> bool {
    clean(path).starts_with(clean(folder))
}

/// The path without `.`, `..` and doubled slashes, worked out without the file system.
pub fn clean(path: &str) -> std::path::PathBuf {
    let mut out = std::path::PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    out.push("..");
                }
            }
            other => out.push(other),
        }
    }
    out
}
