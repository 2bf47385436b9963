//! DELETE: one object, collections, and pods by eviction.
//!
//! Deliberately absent: what follows for other objects (see `api::cascade`).

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::read::{Choice, list_response, parse_revision};
use super::{ApiServer, Call, shown};
use crate::body::Body;
use crate::kinds::Kind;
use crate::meta;
use crate::options;
use crate::reply;
use crate::status::{Result, Status};
use crate::store::{Key, Object, Refused};

/// How often a deletion is tried again when the object changes meanwhile.
const TRIES: usize = 16;
/// Grace of a pod that does not say, in seconds.
const POD_GRACE_SECS: i64 = 30;
/// The finalizer of an owner that waits for its dependents.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of an owner whose dependents are to be left alone.
pub(super) const ORPHAN: &str = "orphan";

/// What becomes of dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// `metav1.DeleteOptions`.
#[derive(Clone, Debug, Default)]
pub(super) struct DeleteOptions {
    grace_secs: Option<i64>,
    propagation: Option<Propagation>,
    uid: Option<String>,
    version: Option<String>,
    dry: bool,
}

impl DeleteOptions {
    /// Deletion by the garbage collector.
    pub(super) fn background() -> Self {
        DeleteOptions {
            propagation: Some(Propagation::Background),
            ..DeleteOptions::default()
        }
    }

    fn of(call: &Call, body: Option<&Value>) -> Result<Self> {
        let body = body.unwrap_or(&Value::Null);
        let text = |field: &str| body.get(field).and_then(Value::as_str);
        let policy = text("propagationPolicy").unwrap_or(call.query.get("propagationPolicy"));
        let orphans = body.get("orphanDependents").and_then(Value::as_bool);
        let propagation = match policy {
            "Background" => Some(Propagation::Background),
            "Foreground" => Some(Propagation::Foreground),
            "Orphan" => Some(Propagation::Orphan),
            "" => match orphans {
                Some(true) => Some(Propagation::Orphan),
                Some(false) => Some(Propagation::Background),
                None => None,
            },
            other => {
                let said = format!(
                    "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: {other:?}: \
                    supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
                );
                return Err(Status::bad_request(said));
            }
        };
        let precondition = |field: &str| {
            body.get("preconditions")
                .and_then(|p| p.get(field)?.as_str())
                .map(str::to_owned)
        };
        let dry = call.dry_run()?
            || body
                .get("dryRun")
                .and_then(Value::as_array)
                .is_some_and(|l| !l.is_empty());
        Ok(DeleteOptions {
            grace_secs: body
                .get("gracePeriodSeconds")
                .and_then(Value::as_i64)
                .or_else(|| call.query.number("gracePeriodSeconds")),
            propagation,
            uid: precondition("uid"),
            version: precondition("resourceVersion"),
            dry,
        })
    }
}

/// What a deletion led to.
pub(super) enum Deleted {
    /// The object is gone; this was its last state.
    Gone(Arc<Object>),
    /// The object waits for its grace or its finalizers.
    Waiting(Arc<Object>),
}

impl ApiServer {
    pub(super) fn delete(&self, call: &Call) -> Result<Response<Body>> {
        let options = DeleteOptions::of(call, delete_body(call)?.as_ref())?;
        let kind = &call.kind;
        match self.remove(kind, &call.key(), &options)? {
            Deleted::Waiting(object) => Ok(shown(StatusCode::OK, call, &object)),
            Deleted::Gone(object) if shows_deleted(kind) => Ok(shown(StatusCode::OK, call, &object)),
            Deleted::Gone(object) => {
                let mut details = json!({
                    "name": call.target.name, "kind": kind.plural, "uid": meta::text(&object.value, "uid"),
                });
                if !kind.group.is_empty() {
                    details["group"] = kind.group.as_str().into();
                }
                let done = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
                });
                Ok(reply::json(StatusCode::OK, &done))
            }
        }
    }

    pub(super) fn delete_collection(&self, call: &Call) -> Result<Response<Body>> {
        let options = DeleteOptions::of(call, delete_body(call)?.as_ref())?;
        let choice = Choice::of(call)?;
        parse_revision(call.query.get("resourceVersion"))?;
        let page = self.store.read().list(&call.kind.resource, &choice.namespace);
        let mut gone = Vec::new();
        for object in page.objects.iter().filter(|object| choice.takes(object)) {
            match self.remove(&call.kind, &object.key, &options) {
                Ok(Deleted::Gone(object) | Deleted::Waiting(object)) => gone.push(object),
                Err(status) if status.reason() == "NotFound" => {}
                Err(status) => return Err(status),
            }
        }
        let metadata = json!({"resourceVersion": self.store.read().revision().to_string()});
        Ok(list_response(&call.kind, &gone, &metadata))
    }

    /// Deletes an object as far as its grace and finalizers allow.
    ///
    /// # Errors
    /// 404, and 409 for preconditions that do not hold.
    pub(super) fn remove(&self, kind: &Arc<Kind>, key: &Key, options: &DeleteOptions) -> Result<Deleted> {
        for _ in 0..TRIES {
            let current = self.store.read().get(&kind.resource, key);
            let current = current.ok_or_else(|| Status::not_found(&kind.group, &kind.plural, &key.name))?;
            self.check_preconditions(kind, &current, options)?;
            let Some(next) = self.marked(kind, &current, options)? else {
                if options.dry {
                    return Ok(Deleted::Gone(current));
                }
                let seen = current.revision;
                match self.store.write(&kind.resource, |core| {
                    core.remove(&kind.resource, key.clone(), seen)
                }) {
                    Ok(change) => {
                        self.after_remove(kind, &change.object);
                        return Ok(Deleted::Gone(change.object.clone()));
                    }
                    Err(Refused::Stuck) => return Err(Status::storage_stuck()),
                    Err(_) => continue,
                }
            };
            if options.dry || next == *current.value {
                return Ok(Deleted::Waiting(current));
            }
            match self.store_changed(kind, &current, next) {
                Ok(object) => {
                    self.after_mark(kind, &object);
                    return Ok(self.outcome(kind, object));
                }
                Err(Refused::Modified) => {}
                Err(Refused::Stuck) => return Err(Status::storage_stuck()),
                Err(_) => return Err(Status::not_found(&kind.group, &kind.plural, &key.name)),
            }
        }
        Err(Status::modified(&kind.group, &kind.plural, &key.name))
    }

    /// What followed may have removed the object already.
    fn outcome(&self, kind: &Kind, object: Arc<Object>) -> Deleted {
        let now = self.store.read().get(&kind.resource, &object.key);
        match now.filter(|now| meta::uid(&now.value) == meta::uid(&object.value)) {
            Some(now) => Deleted::Waiting(now),
            None => Deleted::Gone(object),
        }
    }

    fn check_preconditions(&self, kind: &Kind, current: &Object, options: &DeleteOptions) -> Result<()> {
        let own = [
            (
                "UID",
                options.uid.as_deref(),
                meta::uid(&current.value).unwrap_or_default().to_owned(),
            ),
            (
                "ResourceVersion",
                options.version.as_deref(),
                current.revision.to_string(),
            ),
        ];
        for (what, wanted, own) in own {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != own) {
                let why = format!(
                    "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {own}"
                );
                return Err(Status::conflict(
                    &kind.group,
                    &kind.plural,
                    &current.key.name,
                    &why,
                ));
            }
        }
        Ok(())
    }

    /// The object marked for deletion; `None` when it can go at once.
    fn marked(&self, kind: &Kind, current: &Object, options: &DeleteOptions) -> Result<Option<Value>> {
        let object = current.value.as_ref();
        let mut finalizers: Vec<String> = meta::finalizers(object).into_iter().map(str::to_owned).collect();
        if let Some(propagation) = options.propagation {
            finalizers.retain(|finalizer| finalizer != FOREGROUND && finalizer != ORPHAN);
            match propagation {
                Propagation::Background => {}
                Propagation::Foreground => finalizers.push(FOREGROUND.to_owned()),
                Propagation::Orphan => finalizers.push(ORPHAN.to_owned()),
            }
        }
        let terminating = meta::is_terminating(object);
        let mut grace = grace_secs(kind, object, options);
        if terminating {
            // A second deletion can only hurry the first one.
            grace = grace.min(meta::grace_secs(object));
        }
        let is_namespace = &*kind.resource == "namespaces";
        if finalizers.is_empty() && grace == 0 && !is_namespace {
            return Ok(None);
        }
        let mut next = object.clone();
        let list = (!finalizers.is_empty()).then(|| json!(finalizers));
        match list {
            Some(list) => meta::set(&mut next, "finalizers", list),
            None => drop(meta::remove(&mut next, "finalizers")),
        }
        if !terminating || grace < meta::grace_secs(object) {
            let end = self
                .options
                .clock
                .now()
                .checked_add(jiff::SignedDuration::from_secs(grace));
            let end = end.map_err(|_| Status::bad_request("gracePeriodSeconds is too large"))?;
            meta::set(&mut next, "deletionTimestamp", options::seconds(end).into());
            meta::set(&mut next, "deletionGracePeriodSeconds", grace.into());
        }
        if !terminating && kind.counts_generations() {
            let generation = meta::metadata(object)
                .and_then(|m| m.get("generation")?.as_i64())
                .unwrap_or(0);
            meta::set(&mut next, "generation", (generation + 1).into());
        }
        if is_namespace {
            next["status"]["phase"] = "Terminating".into();
        }
        Ok(Some(next))
    }

    /// `POST pods/NAME/eviction`: a deletion that asks disruption budgets first.
    pub(super) fn evict(&self, call: &Call) -> Result<Response<Body>> {
        let eviction = call.json()?;
        let options = DeleteOptions::of(call, eviction.get("deleteOptions"))?;
        let pod = self.found(call)?;
        if !matches!(
            pod.value["status"]["phase"].as_str(),
            Some("Succeeded" | "Failed" | "Pending")
        ) {
            let budgets = self
                .store
                .read()
                .list("poddisruptionbudgets.policy", &call.target.namespace);
            for budget in budgets.objects {
                let selector = crate::selector::Labels::from_object(&budget.value["spec"]["selector"]);
                let allowed = budget.value["status"]["disruptionsAllowed"].as_i64().unwrap_or(0);
                if selector.matches(&pod.value) && allowed <= 0 {
                    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
                    return Err(Status::too_many_requests(message));
                }
            }
        }
        self.remove(&call.kind, &call.key(), &options)?;
        let done =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
        Ok(reply::json(StatusCode::CREATED, &done))
    }
}

fn delete_body(call: &Call) -> Result<Option<Value>> {
    if call.parts.method != Method::DELETE || call.body.is_empty() {
        Ok(None)
    } else {
        call.json().map(Some)
    }
}

/// Kinds whose deletion answers with the object, as Kubernetes has it for historical reasons.
fn shows_deleted(kind: &Kind) -> bool {
    kind.group.is_empty()
        && matches!(
            kind.plural.as_str(),
            "pods"
                | "services"
                | "serviceaccounts"
                | "persistentvolumeclaims"
                | "persistentvolumes"
                | "podtemplates"
                | "resourcequotas"
        )
}

/// How long the object may still live; only pods have grace.
fn grace_secs(kind: &Kind, object: &Value, options: &DeleteOptions) -> i64 {
    if &*kind.resource != "pods" {
        return 0;
    }
    let bound = object["spec"]["nodeName"]
        .as_str()
        .is_some_and(|node| !node.is_empty());
    let ended = matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if !bound || ended {
        return 0;
    }
    let own = object["spec"]["terminationGracePeriodSeconds"].as_i64();
    options.grace_secs.or(own).unwrap_or(POD_GRACE_SECS).max(0)
}
