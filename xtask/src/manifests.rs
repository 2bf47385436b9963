//! `cargo xtask manifests`: the generated part of `manifests/`, which `cargo xtask tidy` holds against our types.

use std::path::PathBuf;

use anyhow::Context;
use argosy_model::{definitions, yaml};
use serde_json::Value;

use crate::shell;

/// Writes every definition.
///
/// # Errors
/// When a file can't be written.
pub fn main() -> anyhow::Result<()> {
    for (file, text) in wanted() {
        std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        println!("{}", file.display());
    }
    Ok(())
}

/// Files that are not what they should be.
pub fn check() -> Vec<String> {
    wanted()
        .into_iter()
        .filter(|(file, text)| std::fs::read_to_string(file).ok().as_ref() != Some(text))
        .map(|(file, _)| {
            format!(
                "{}: not what our types say; run `cargo xtask manifests`",
                file.display()
            )
        })
        .collect()
}

fn wanted() -> Vec<(PathBuf, String)> {
    let folder = shell::root().join("manifests/crds");
    definitions::all()
        .iter()
        .map(|definition| {
            let name = definition["spec"]["names"]["plural"].as_str().unwrap_or_default();
            (folder.join(format!("{name}.yaml")), text(definition))
        })
        .collect()
}

/// The head as people write it; the schema, which nobody reads, in one line of JSON, which is YAML too.
fn text(definition: &Value) -> String {
    let mut head = definition.clone();
    let version = &mut head["spec"]["versions"][0];
    let schema = std::mem::replace(&mut version["schema"], Value::String("SCHEMA".to_owned()));
    format!(
        "# Made by `cargo xtask manifests`; don't edit.\n{}",
        yaml::value_to_string(&head).replace("schema: SCHEMA", &format!("schema: {schema}"))
    )
}
