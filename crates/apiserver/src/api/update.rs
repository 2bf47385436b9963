//! PUT, and what all changes of stored objects share.
//!
//! Deliberately absent: reading patches (see `api::patch`).

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::create::dry_object;
use super::{ApiServer, Call, shown};
use crate::body::Body;
use crate::defaults;
use crate::kinds::{Kind, Origin};
use crate::managed;
use crate::meta;
use crate::options;
use crate::rbac;
use crate::reply;
use crate::status::{Cause, Result, Status};
use crate::store::{Key, Object, Refused};
use crate::validate;

/// How often a change without a resourceVersion is made again on a newer object, as Kubernetes does.
const TRIES: usize = 8;

/// Metadata that only the server sets.
const SERVERS_OWN: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
];

impl ApiServer {
    pub(super) fn update(&self, call: &Call) -> Result<Response<Body>> {
        let mut sent = call.json()?;
        validate::envelope(&call.kind, &mut sent)?;
        validate::place(&sent, &call.target.namespace, Some(&call.target.name))?;
        let version = meta::text(&sent, "resourceVersion").to_owned();
        if version.is_empty() && call.kind.origin == Origin::Custom {
            let causes = [Cause::invalid(
                "metadata.resourceVersion",
                &json!(0),
                "must be specified for an update",
            )];
            // Said by the store, which knows the resource and not the kind.
            return Err(Status::invalid(
                &call.kind.group,
                &call.kind.plural,
                &call.target.name,
                &causes,
            ));
        }
        let object = self.rewrite(call, |current| {
            self.check_seen(call, current, &sent)?;
            Ok(sent.clone())
        })?;
        Ok(shown(StatusCode::OK, call, &object))
    }

    /// The resourceVersion and uid that a writer names must be the current ones.
    pub(super) fn check_seen(&self, call: &Call, current: &Object, sent: &Value) -> Result<()> {
        let kind = &call.kind;
        let version = meta::text(sent, "resourceVersion");
        if !matches!(version, "" | "0") && version != current.revision.to_string() {
            return Err(Status::modified(&kind.group, &kind.plural, &call.target.name));
        }
        match (meta::uid(sent), meta::uid(&current.value)) {
            (Some(sent), Some(own)) if sent != own => {
                let why =
                    format!("Precondition failed: UID in precondition: {sent}, UID in object meta: {own}");
                Err(Status::conflict(
                    &kind.group,
                    &kind.plural,
                    &call.target.name,
                    &why,
                ))
            }
            _ => Ok(()),
        }
    }

    /// Changes the object that the call names into what `next` makes of it, under all rules for users.
    pub(super) fn rewrite(
        &self,
        call: &Call,
        next: impl Fn(&Object) -> Result<Value>,
    ) -> Result<Arc<Object>> {
        let dry = call.dry_run()?;
        let now = options::seconds(call.now);
        let object = self.commit(&call.kind, &call.key(), dry, |current| {
            let mut sent = next(current)?;
            if call.target.subresource != "scale" {
                self.tidy(call, &mut sent)?;
            }
            let mut wanted = merge_parts(call, &current.value, sent);
            self.settle(&call.kind, &current.value, &mut wanted, &call.target.subresource);
            let mut causes = validate::metadata(&call.kind, &wanted);
            causes.extend(self.check_body(&call.kind, &wanted));
            causes.extend(validate::transition(
                &call.kind,
                &current.value,
                &wanted,
                &call.target.subresource,
            ));
            self.check_grant(call, Some(&current.value), &wanted)?;
            if !call.applies() {
                managed::track(&call.kind, &call.writer(&now), &current.value, &mut wanted);
            }
            if !causes.is_empty() {
                return Err(Status::invalid(
                    &call.kind.group,
                    &call.kind.kind,
                    &call.target.name,
                    &causes,
                ));
            }
            Ok(wanted)
        })?;
        if &*call.kind.resource == rbac::CLUSTER_ROLES {
            self.sum_up_roles();
        }
        Ok(object)
    }

    /// Changes an object on behalf of the server itself.
    ///
    /// # Errors
    /// 404, and whatever `next` refuses.
    pub(super) fn change(
        &self,
        kind: &Arc<Kind>,
        key: &Key,
        next: impl Fn(&Value) -> Result<Value>,
    ) -> Result<Arc<Object>> {
        self.commit(kind, key, false, |current| {
            let mut wanted = next(&current.value)?;
            self.settle(kind, &current.value, &mut wanted, "");
            Ok(wanted)
        })
    }

    fn commit(
        &self,
        kind: &Arc<Kind>,
        key: &Key,
        dry: bool,
        next: impl Fn(&Object) -> Result<Value>,
    ) -> Result<Arc<Object>> {
        for _ in 0..TRIES {
            let current = self.store.read().get(&kind.resource, key);
            let current = current.ok_or_else(|| Status::not_found(&kind.group, &kind.plural, &key.name))?;
            let wanted = next(&current)?;
            if same_but_version(&wanted, &current.value) {
                return Ok(current);
            }
            if dry {
                return Ok(dry_object(wanted));
            }
            match self.store_changed(kind, &current, wanted) {
                Ok(object) => return Ok(object),
                Err(Refused::Modified) => {}
                Err(Refused::Stuck) => return Err(Status::storage_stuck()),
                Err(_) => return Err(Status::not_found(&kind.group, &kind.plural, &key.name)),
            }
        }
        Err(Status::modified(&kind.group, &kind.plural, &key.name))
    }

    /// Stores the next state of an object; the last finalizer's end of a deleted object removes it.
    pub(super) fn store_changed(
        &self,
        kind: &Arc<Kind>,
        current: &Object,
        wanted: Value,
    ) -> Result<Arc<Object>, Refused> {
        let key = current.key.clone();
        let gone = meta::is_terminating(&wanted)
            && meta::finalizers(&wanted).is_empty()
            && meta::grace_secs(&wanted) == 0
            && !is_furnished_namespace(kind, &wanted);
        let seen = current.revision;
        let change = self.store.write(&kind.resource, |core| {
            let change = core.replace(&kind.resource, key.clone(), seen, wanted)?;
            if gone {
                core.remove(&kind.resource, key.clone(), change.revision())
            } else {
                Ok(change)
            }
        })?;
        let object = change.object.clone();
        if gone {
            self.after_remove(kind, &object);
        } else if &*kind.resource == "customresourcedefinitions.apiextensions.k8s.io" {
            self.learn(&object.value);
        }
        Ok(object)
    }

    /// Puts the server's own metadata back and counts the generation.
    fn settle(&self, kind: &Kind, current: &Value, wanted: &mut Value, subresource: &str) {
        let kept = meta::metadata(current).cloned().unwrap_or_default();
        if let Some(metadata) = meta::metadata_mut(wanted) {
            for field in
                SERVERS_OWN
                    .into_iter()
                    .chain(["name", "namespace", "generateName", "resourceVersion"])
            {
                match kept.get(field) {
                    Some(value) => metadata.insert(field.to_owned(), value.clone()),
                    None => metadata.remove(field),
                };
            }
        }
        if kind.origin == Origin::Builtin {
            defaults::on_update(kind, wanted);
        }
        if kind.counts_generations() && subresource != "status" && !same_spec(kind, current, wanted) {
            let generation = kept.get("generation").and_then(Value::as_i64).unwrap_or(1) + 1;
            meta::set(wanted, "generation", generation.into());
        }
    }

    pub(super) fn get_scale(&self, call: &Call) -> Result<Response<Body>> {
        let object = self.found(call)?;
        Ok(reply::json(StatusCode::OK, &scale_of(&call.kind, &object)))
    }

    pub(super) fn set_scale(&self, call: &Call) -> Result<Response<Body>> {
        let object = self.rewrite(call, |current| {
            let scale = scale_of(&call.kind, current);
            let sent = if call.parts.method == http::Method::PUT {
                call.json()?
            } else {
                super::patch::apply(call, &scale)?
            };
            self.check_seen(call, current, &sent)?;
            let replicas = sent["spec"]["replicas"].as_i64().unwrap_or(0);
            let mut next = current.value.as_ref().clone();
            if let Some(paths) = &call.kind.scale {
                set_path(&mut next, &paths.spec, replicas.into());
            }
            Ok(next)
        })?;
        Ok(reply::json(StatusCode::OK, &scale_of(&call.kind, &object)))
    }
}

/// A terminating namespace goes when it is empty, not with the last finalizer of its metadata.
fn is_furnished_namespace(kind: &Kind, object: &Value) -> bool {
    &*kind.resource == "namespaces"
        && object["spec"]["finalizers"]
            .as_array()
            .is_some_and(|finalizers| !finalizers.is_empty())
}

/// What a write may touch: the main resource leaves `status` alone, the status subresource everything else.
fn merge_parts(call: &Call, current: &Value, sent: Value) -> Value {
    let kind = &call.kind;
    let old = |field: &str| current.get(field).cloned();
    let put = |object: &mut Value, field: &str, value: Option<Value>| {
        let Some(fields) = object.as_object_mut() else {
            return;
        };
        match value {
            Some(value) => fields.insert(field.to_owned(), value),
            None => fields.remove(field),
        };
    };
    if call.target.subresource == "status" {
        let mut next = current.clone();
        put(&mut next, "status", sent.get("status").cloned());
        if let Some(managers) = meta::metadata(&sent).and_then(|metadata| metadata.get("managedFields")) {
            meta::set(&mut next, "managedFields", managers.clone());
        }
        if kind.origin == Origin::Builtin {
            // Kubernetes' own kinds take labels and annotations along with the status; custom ones do not.
            for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
                match meta::metadata(&sent).and_then(|metadata| metadata.get(field)) {
                    Some(value) => meta::set(&mut next, field, value.clone()),
                    None => drop(meta::remove(&mut next, field)),
                }
            }
        }
        return next;
    }
    if call.target.subresource == "ephemeralcontainers" {
        let mut next = current.clone();
        put(
            &mut next["spec"],
            "ephemeralContainers",
            sent["spec"].get("ephemeralContainers").cloned(),
        );
        return next;
    }
    let mut next = sent;
    if kind.status {
        put(&mut next, "status", old("status"));
    }
    if &*kind.resource == "namespaces" && call.target.subresource != "finalize" {
        put(&mut next, "spec", old("spec"));
    }
    next
}

fn same_but_version(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else {
        return a == b;
    };
    let same = |a: &Map<String, Value>, b: &Map<String, Value>, but: &str| {
        let count = |fields: &Map<String, Value>| fields.len() - usize::from(fields.contains_key(but));
        count(a) == count(b)
            && a.iter()
                .all(|(field, value)| field == but || b.get(field) == Some(value))
    };
    fn metadata(object: &Map<String, Value>) -> Option<&Map<String, Value>> {
        object.get("metadata").and_then(Value::as_object)
    }
    same(a, b, "metadata")
        && match (metadata(a), metadata(b)) {
            (Some(a), Some(b)) => same(a, b, "resourceVersion"),
            (a, b) => a == b,
        }
}

/// Whether two states differ only in metadata and, where it is a subresource, status.
fn same_spec(kind: &Kind, a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else {
        return a == b;
    };
    let counts = |field: &str| {
        !(field == "metadata" || field == "apiVersion" || field == "kind" || field == "status" && kind.status)
    };
    a.iter()
        .filter(|(field, _)| counts(field))
        .all(|(field, value)| b.get(field) == Some(value))
        && b.keys()
            .filter(|field| counts(field))
            .all(|field| a.contains_key(field))
}

fn path_of<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .filter(|step| !step.is_empty())
        .try_fold(object, |at, step| at.get(step))
}

fn set_path(object: &mut Value, path: &str, value: Value) {
    let mut at = object;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let Some(fields) = at.as_object_mut() else { return };
        at = fields.entry(step).or_insert_with(|| json!({}));
    }
    *at = value;
}

fn scale_of(kind: &Kind, object: &Object) -> Value {
    let paths = kind.scale.as_ref();
    let number = |path: Option<&String>| {
        path.and_then(|path| path_of(&object.value, path))
            .and_then(Value::as_i64)
            .unwrap_or(0)
    };
    let selector = match kind.origin {
        Origin::Custom => paths
            .and_then(|paths| path_of(&object.value, &paths.selector)?.as_str())
            .unwrap_or_default()
            .to_owned(),
        _ => selector_text(&object.value["spec"]["selector"]),
    };
    let metadata = json!({
        "name": meta::name(&object.value), "namespace": meta::namespace(&object.value),
        "uid": meta::text(&object.value, "uid"), "resourceVersion": meta::text(&object.value, "resourceVersion"),
        "creationTimestamp": meta::text(&object.value, "creationTimestamp"),
    });
    let mut status = json!({"replicas": number(paths.map(|paths| &paths.status))});
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": {"replicas": number(paths.map(|paths| &paths.spec))}, "status": status,
    })
}

/// A label selector as text, for the scale subresource: equalities only, as its readers expect.
fn selector_text(selector: &Value) -> String {
    let labels = selector.get("matchLabels").unwrap_or(selector).as_object();
    let labels = labels.map(|labels| {
        labels
            .iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
            .collect::<Vec<_>>()
    });
    labels.unwrap_or_default().join(",")
}
