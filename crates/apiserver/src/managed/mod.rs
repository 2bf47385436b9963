//! Server-side apply: who owns which field, and what an apply by one of them changes.
//!
//! Deliberately absent: owners of objects that nobody applied yet. Tracking starts with an object's first apply,
//! so that plain writes cost nothing; what was there before belongs to `before-first-apply`, as in Kubernetes.

mod set;
mod walk;

use serde_json::{Map, Value, json};

use self::set::Set;
use self::walk::Node;
use crate::kinds::Kind;
use crate::meta;
use crate::status::{Result, Status};

/// The name of a writer, and how it writes.
#[derive(Clone, Debug)]
pub struct Writer<'a> {
    /// The field manager.
    pub name: &'a str,
    /// The subresource that is written, empty for the object.
    pub subresource: &'a str,
    /// The present moment, as objects carry it.
    pub now: &'a str,
}

#[derive(Clone, Debug)]
struct Manager {
    entry: Map<String, Value>,
    fields: Set,
}

impl Manager {
    fn new(kind: &Kind, name: &str, operation: &str, subresource: &str, fields: Set) -> Self {
        let mut entry = Map::new();
        entry.insert("manager".into(), name.into());
        entry.insert("operation".into(), operation.into());
        entry.insert("apiVersion".into(), kind.api_version().into());
        entry.insert("fieldsType".into(), "FieldsV1".into());
        if !subresource.is_empty() {
            entry.insert("subresource".into(), subresource.into());
        }
        Manager { entry, fields }
    }

    fn text(&self, field: &str) -> &str {
        self.entry.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn is(&self, writer: &Writer<'_>, operation: &str) -> bool {
        self.text("manager") == writer.name
            && self.text("operation") == operation
            && self.text("subresource") == writer.subresource
    }

    /// The manager as conflicts name it.
    fn printed(&self) -> String {
        let mut said = format!("{:?}", self.text("manager"));
        if !self.text("subresource").is_empty() {
            said.push_str(&format!(" with subresource {:?}", self.text("subresource")));
        }
        if self.text("operation") == "Update" {
            said.push_str(&format!(" using {}", self.text("apiVersion")));
            if !self.text("time").is_empty() {
                said.push_str(&format!(" at {}", self.text("time")));
            }
        }
        said
    }
}

fn read(object: &Value) -> Vec<Manager> {
    let list = meta::metadata(object).and_then(|metadata| metadata.get("managedFields")?.as_array());
    let entries = list.into_iter().flatten().filter_map(Value::as_object);
    entries
        .map(|entry| {
            let fields = entry.get("fieldsV1").map(Set::read).unwrap_or_default();
            Manager {
                entry: entry.clone(),
                fields,
            }
        })
        .collect()
}

fn write(object: &mut Value, managers: Vec<Manager>) {
    let entries = managers
        .into_iter()
        .filter(|manager| !manager.fields.is_empty())
        .map(|mut manager| {
            manager.entry.insert("fieldsV1".into(), manager.fields.to_value());
            Value::Object(manager.entry)
        });
    let entries: Vec<Value> = entries.collect();
    if entries.is_empty() {
        meta::remove(object, "managedFields");
    } else {
        meta::set(object, "managedFields", entries.into());
    }
}

/// What nobody owns: the object's identity, and what the server sets.
fn without_identity(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in [
                "name",
                "namespace",
                "generateName",
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "generation",
                "selfLink",
                "managedFields",
            ] {
                metadata.remove(field);
            }
            if metadata.is_empty() {
                fields.remove("metadata");
            }
        }
    }
    object
}

/// Whether a written object asks to forget its owners: by one empty entry.
fn is_reset(object: &Value) -> bool {
    let list = meta::metadata(object).and_then(|metadata| metadata.get("managedFields"));
    list == Some(&json!([{}]))
}

/// Keeps track of a write that is no apply. Objects that were never applied stay untracked.
pub fn track(kind: &Kind, writer: &Writer<'_>, old: &Value, new: &mut Value) {
    if is_reset(new) {
        return write(new, Vec::new());
    }
    let mut managers = read(new);
    if managers.is_empty() {
        managers = read(old);
        if managers.is_empty() {
            return;
        }
    }
    let node = Node::of(kind);
    let (mut changed, removed) = walk::compare(&node, &without_identity(old), &without_identity(new));
    if changed.is_empty() && removed.is_empty() {
        return write(new, managers);
    }
    changed.here = false;
    for manager in &mut managers {
        manager.fields.subtract(&removed);
        if !manager.is(writer, "Update") {
            manager.fields.subtract(&changed);
        }
    }
    if !changed.is_empty() {
        let place = managers.iter().position(|manager| manager.is(writer, "Update"));
        let place = place.unwrap_or_else(|| {
            managers.push(Manager::new(
                kind,
                writer.name,
                "Update",
                writer.subresource,
                Set::default(),
            ));
            managers.len() - 1
        });
        managers[place].fields.add(&changed);
        managers[place].entry.insert("time".into(), writer.now.into());
    }
    write(new, managers);
}

/// What the object is after `applied`; `live` is the object as it is, or nothing but its place.
///
/// # Errors
/// 409 when other managers own a field with another value and `force` is not set.
pub fn apply(kind: &Kind, writer: &Writer<'_>, live: &Value, applied: &Value, force: bool) -> Result<Value> {
    let node = Node::of(kind);
    let exists = meta::uid(live).is_some();
    let mut managers = read(live);
    if managers.is_empty() && exists {
        managers = first_managers(kind, live);
    }
    let bare = without_identity(applied);
    let mut owned = walk::fields(&node, &bare);
    owned.here = false;
    let mut next = walk::merge(&node, live.clone(), applied);
    let (changed, _) = walk::compare(&node, &without_identity(live), &without_identity(&next));
    let mut others = Set::default();
    let mut conflicts: Vec<(String, String)> = Vec::new();
    let previous = managers.iter().position(|manager| manager.is(writer, "Apply"));
    for (at, manager) in managers.iter_mut().enumerate() {
        if Some(at) == previous {
            continue;
        }
        let common = manager.fields.common(&changed).common(&owned);
        conflicts.extend(common.paths().into_iter().map(|path| (manager.printed(), path)));
        manager.fields.subtract(&common);
        others.add(&manager.fields);
    }
    if !conflicts.is_empty() && !force {
        return Err(refused(&conflicts));
    }
    let last = previous.map(|at| managers.remove(at));
    if let Some(last) = &last {
        let mut dropped = last.fields.clone();
        dropped.subtract(&owned);
        let mut kept = owned.clone();
        kept.add(&others);
        walk::remove(&node, &mut next, &dropped, &kept);
    }
    let mut own = Manager::new(kind, writer.name, "Apply", writer.subresource, owned);
    let time = last
        .as_ref()
        .filter(|last| last.fields == own.fields && changed.is_empty());
    let time = time
        .and_then(|last| last.entry.get("time").cloned())
        .unwrap_or_else(|| writer.now.into());
    own.entry.insert("time".into(), time);
    managers.insert(previous.unwrap_or(0).min(managers.len()), own);
    write(&mut next, managers);
    Ok(next)
}

/// Who owns what at the first apply: what kubectl applied from the client is kubectl's, the rest nobody's.
fn first_managers(kind: &Kind, live: &Value) -> Vec<Manager> {
    let node = Node::of(kind);
    let mut rest = walk::fields(&node, &without_identity(live));
    rest.here = false;
    let mut managers = Vec::new();
    let last = live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].as_str();
    if let Some(last) = last.and_then(|last| serde_json::from_str::<Value>(last).ok()) {
        let mut applied = walk::fields(&node, &without_identity(&last));
        applied.here = false;
        rest.subtract(&applied);
        managers.push(Manager::new(kind, "kubectl", "Apply", "", applied));
    }
    managers.push(Manager::new(kind, "before-first-apply", "Update", "", rest));
    managers
}

fn refused(conflicts: &[(String, String)]) -> Status {
    let causes = conflicts.iter().map(|(manager, path)| {
        json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path})
    });
    let causes = causes.collect();
    let message = if let [(manager, path)] = conflicts {
        format!("Apply failed with 1 conflict: conflict with {manager}: {path}")
    } else {
        let mut names: Vec<&String> = conflicts.iter().map(|(manager, _)| manager).collect();
        names.sort();
        names.dedup();
        let lists = names.into_iter().map(|name| {
            let own = conflicts.iter().filter(|(manager, _)| manager == name);
            let paths: Vec<String> = own.map(|(_, path)| format!("\n- {path}")).collect();
            format!("conflicts with {name}:{}", paths.concat())
        });
        format!(
            "Apply failed with {} conflicts: {}",
            conflicts.len(),
            lists.collect::<Vec<_>>().join("\n")
        )
    };
    Status::apply_conflict(message, causes)
}
