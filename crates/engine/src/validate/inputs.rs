//! Inputs of a template: names, paths and locations (C-VAL-09), and the variables that they give.

use argosy_model::{Artifact, HdfsArtifact, Template};

use super::Fault;
use super::fault::Place;
use super::names::{check_list, parameter_name_fault};
use super::scope::Names;
use super::template::is_leaf;

/// Checks the inputs; gives the names that tags may use.
pub(super) fn check(template: &Template) -> Result<Names, Fault> {
    let of = |list: &'static str| [Place::Key("inputs"), Place::Key(list)];
    let prefix = format!("templates.{}.inputs", template.name);
    check_list(
        template.inputs.parameters.iter().map(|p| p.name.as_str()),
        parameter_name_fault,
    )
    .map_err(|f| f.within(&format!("{prefix}.parameters")).at(&of("parameters")))?;
    check_list(
        template.inputs.artifacts.iter().map(|a| a.name.as_str()),
        parameter_name_fault,
    )
    .map_err(|f| f.within(&format!("{prefix}.artifacts")).at(&of("artifacts")))?;
    let mut names = Names::default();
    for parameter in &template.inputs.parameters {
        names.add(format!("inputs.parameters.{}", parameter.name));
    }
    if !template.inputs.parameters.is_empty() {
        names.add("inputs.parameters");
    }
    for (index, artifact) in template.inputs.artifacts.iter().enumerate() {
        let place = [Place::Key("inputs"), Place::Key("artifacts"), Place::Index(index)];
        check_artifact(template, artifact, &mut names).map_err(|f| f.at(&place))?;
    }
    Ok(names)
}

fn check_artifact(template: &Template, artifact: &Artifact, names: &mut Names) -> Result<(), Fault> {
    let reference = format!("inputs.artifacts.{}", artifact.name);
    let path = format!("templates.{}.{reference}", template.name);
    names.add(reference.clone());
    if is_leaf(template) {
        clean_path(artifact).map_err(|f| f.within(&format!("error in {path}: ")))?;
        names.add(format!("{reference}.path"));
    } else if !artifact.path.is_empty() {
        return Err(Fault::new(format!(
            "{path}.path only valid in container/script templates"
        )));
    }
    if !artifact.from.is_empty() {
        return Err(Fault::new(format!("{path}.from not valid in inputs")));
    }
    check_location(&path, &artifact.location)
}

/// A path must be there and must not leave the directory before its `..`.
pub(super) fn clean_path(artifact: &Artifact) -> Result<(), Fault> {
    let raw = artifact.path.as_str();
    if raw.is_empty() {
        return Err(Fault::new(format!(
            "Artifact '{}' did not specify a path",
            artifact.name
        )));
    }
    let Some(at) = raw.find("/../").or_else(|| raw.strip_suffix("/..").map(str::len)) else {
        return Ok(());
    };
    let safe = cleaned(&raw[..at]);
    let whole = cleaned(raw);
    if whole
        .strip_prefix(&safe)
        .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
    {
        return Ok(());
    }
    Err(Fault::new(format!(
        "Artifact '{}' attempted to use a path containing '..'. Directory traversal is not permitted",
        artifact.name
    )))
}

/// A path without `.`, `..` and doubled slashes, by its text alone.
fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') => {}
            _ => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// What a location must have beside its type.
pub(super) fn check_location(path: &str, location: &argosy_model::ArtifactLocation) -> Result<(), Fault> {
    if location.git.as_ref().is_some_and(|git| git.repo.is_empty()) {
        return Err(Fault::new(format!("{path}.git.repo is required")));
    }
    match &location.hdfs {
        Some(hdfs) => check_hdfs(&format!("{path}.hdfs"), hdfs),
        None => Ok(()),
    }
}

fn check_hdfs(path: &str, hdfs: &HdfsArtifact) -> Result<(), Fault> {
    let kerberos = &hdfs.config.kerberos;
    let has_cache = kerberos.krb_c_cache_secret.is_some();
    let has_keytab = kerberos.krb_keytab_secret.is_some();
    let has_service =
        !kerberos.krb_service_principal_name.is_empty() && kerberos.krb_config_config_map.is_some();
    let has_user = !kerberos.krb_username.is_empty() && !kerberos.krb_realm.is_empty();
    let message = if hdfs.config.addresses.is_empty() {
        format!("{path}.addresses is required")
    } else if hdfs.path.is_empty() {
        format!("{path}.path is required")
    } else if !hdfs.path.starts_with('/') {
        format!("{path}.path must be a absolute file path")
    } else if hdfs.config.hdfs_user.is_empty() && !has_cache && !has_keytab {
        format!("either {path}.hdfsUser, {path}.krbCCacheSecret or {path}.krbKeytabSecret is required")
    } else if has_keytab && !(has_service && has_user) {
        format!(
            "{path}.krbServicePrincipalName, {path}.krbConfigConfigMap, {path}.krbUsername and {path}.krbRealm are \
             required with {path}.krbKeytabSecret"
        )
    } else if has_cache && !has_service {
        format!(
            "{path}.krbServicePrincipalName and {path}.krbConfigConfigMap are required with {path}.krbCCacheSecret"
        )
    } else {
        return Ok(());
    };
    Err(Fault::new(message))
}
