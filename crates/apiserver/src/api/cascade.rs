//! What deletions mean for other objects: dependents, owners that wait, namespaces and definitions.
//!
//! Deliberately absent: a task of its own. What follows is done before the deletion answers, so that nothing is
//! half done when the process ends, and nobody waits for a collector to come by.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use super::ApiServer;
use super::delete::{DeleteOptions, FOREGROUND, ORPHAN};
use crate::kinds::Kind;
use crate::meta;
use crate::rbac;
use crate::store::{Key, Object, Resource};

impl ApiServer {
    /// Follows up on an object that is gone.
    pub(super) fn after_remove(&self, kind: &Arc<Kind>, object: &Arc<Object>) {
        if let Some(uid) = meta::uid(&object.value) {
            self.release_dependents(uid);
        }
        for owner in meta::owner_uids(&object.value) {
            self.finish_owner(owner);
        }
        if &*kind.resource == "customresourcedefinitions.apiextensions.k8s.io" {
            self.unlearn(&object.value);
        }
        if &*kind.resource == rbac::CLUSTER_ROLES {
            self.sum_up_roles();
        }
        if kind.namespaced {
            self.finish_namespace(&object.key.namespace);
        }
    }

    /// Follows up on an object that is marked for deletion and still there.
    pub(super) fn after_mark(&self, kind: &Arc<Kind>, object: &Arc<Object>) {
        let finalizers = meta::finalizers(&object.value);
        let uid = meta::uid(&object.value).unwrap_or_default();
        if finalizers.contains(&ORPHAN) {
            self.orphan_dependents(uid);
            self.drop_finalizer(kind, &object.key, ORPHAN);
        } else if finalizers.contains(&FOREGROUND) {
            for place in self.dependents(uid) {
                self.delete_place(&place);
            }
            self.finish_owner(uid);
        }
        if &*kind.resource == "namespaces" {
            self.empty_namespace(&object.key.name);
        }
    }

    /// A new object none of whose owners exists goes at once, as the garbage collector would have it.
    pub(super) fn collect_orphan(&self, kind: &Arc<Kind>, object: &Arc<Object>) {
        let mut owners = meta::owner_uids(&object.value).peekable();
        if owners.peek().is_none() {
            return;
        }
        let core = self.store.read();
        let alive = owners.any(|uid| core.place_of(uid).is_some());
        drop(core);
        if !alive {
            self.delete_place(&(kind.resource.clone(), object.key.clone()));
        }
    }

    fn dependents(&self, uid: &str) -> Vec<(Resource, Key)> {
        self.store.read().owned_by(uid)
    }

    fn delete_place(&self, (resource, key): &(Resource, Key)) {
        let Some(kind) = self.kinds().of_resource(resource) else {
            return;
        };
        match self.remove(&kind, key, &DeleteOptions::background()) {
            Err(status) if status.reason() != "NotFound" => {
                tracing::warn!(%resource, name = %key.name, %status, "A dependent could not be deleted");
            }
            _ => {}
        }
    }

    /// The dependents of an owner that is gone: those without another owner follow it.
    fn release_dependents(&self, uid: &str) {
        let mut places: VecDeque<(Resource, Key)> = self.dependents(uid).into();
        while let Some(place) = places.pop_front() {
            let other = {
                let core = self.store.read();
                let dependent = core.get(&place.0, &place.1);
                dependent.is_some_and(|dependent| {
                    meta::owner_uids(&dependent.value).any(|owner| core.place_of(owner).is_some())
                })
            };
            if other {
                self.drop_owner(&place, uid);
            } else {
                self.delete_place(&place);
            }
        }
    }

    fn orphan_dependents(&self, uid: &str) {
        for place in self.dependents(uid) {
            self.drop_owner(&place, uid);
        }
    }

    fn drop_owner(&self, (resource, key): &(Resource, Key), uid: &str) {
        let Some(kind) = self.kinds().of_resource(resource) else {
            return;
        };
        let dropped = self.change(&kind, key, |object| {
            let mut next = object.clone();
            let owners = meta::owners(object).iter().filter(|owner| owner["uid"] != *uid);
            let owners: Vec<Value> = owners.cloned().collect();
            if owners.is_empty() {
                meta::remove(&mut next, "ownerReferences");
            } else {
                meta::set(&mut next, "ownerReferences", owners.into());
            }
            Ok(next)
        });
        if let Err(status) = dropped {
            tracing::debug!(%resource, name = %key.name, %status, "A dependent was gone before its owner");
        }
    }

    /// Ends an owner that waits for its dependents, when none is left that blocks it.
    fn finish_owner(&self, uid: &str) {
        let owner = {
            let core = self.store.read();
            let Some((resource, key)) = core.place_of(uid).cloned() else {
                return;
            };
            let Some(object) = core.get(&resource, &key) else {
                return;
            };
            let waits =
                meta::is_terminating(&object.value) && meta::finalizers(&object.value).contains(&FOREGROUND);
            let blocks = |(resource, key): &(Resource, Key)| {
                let dependent = core.get(resource, key);
                dependent.is_some_and(|dependent| {
                    meta::owners(&dependent.value)
                        .iter()
                        .any(|owner| owner["uid"] == *uid && owner["blockOwnerDeletion"] == true)
                })
            };
            if !waits || core.owned_by(uid).iter().any(blocks) {
                return;
            }
            (resource, key)
        };
        if let Some(kind) = self.kinds().of_resource(&owner.0) {
            self.drop_finalizer(&kind, &owner.1, FOREGROUND);
        }
    }

    fn drop_finalizer(&self, kind: &Arc<Kind>, key: &Key, finalizer: &str) {
        let dropped = self.change(kind, key, |object| {
            let mut next = object.clone();
            let left: Vec<&str> = meta::finalizers(object)
                .into_iter()
                .filter(|f| *f != finalizer)
                .collect();
            if left.is_empty() {
                meta::remove(&mut next, "finalizers");
            } else {
                meta::set(&mut next, "finalizers", left.into());
            }
            Ok(next)
        });
        if let Err(status) = dropped {
            tracing::debug!(name = %key.name, %status, "An owner was gone before its finalizer");
        }
    }

    fn empty_namespace(&self, namespace: &str) {
        let places = self.store.read().in_namespace(namespace);
        for place in places {
            self.delete_place(&place);
        }
        self.finish_namespace(namespace);
    }

    /// Ends a namespace that goes away, when nothing is left in it.
    pub(super) fn finish_namespace(&self, namespace: &str) {
        let Some(kind) = self.kinds().get("", "v1", "namespaces") else {
            return;
        };
        let key = Key::new("", namespace);
        let seen = {
            let core = self.store.read();
            let Some(object) = core.get("namespaces", &key) else {
                return;
            };
            let held = !meta::finalizers(&object.value).is_empty();
            if !meta::is_terminating(&object.value) || held || !core.in_namespace(namespace).is_empty() {
                return;
            }
            object.revision
        };
        let removed = self
            .store
            .write(&kind.resource, |core| core.remove(&kind.resource, key, seen));
        if let Ok(change) = removed {
            self.after_remove(&kind, &change.object);
        }
    }
}

/// Events older than this are dropped, as in Kubernetes.
const EVENT_LIFE: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// Events kept at most: a busy hour at three events a second.
const MAX_EVENTS: usize = 10_800;
/// Old events are looked for after so many new ones.
const SWEEP_EVERY: u64 = 512;

impl ApiServer {
    /// Keeps the number of events bounded.
    pub(super) fn drop_old_events(&self) {
        let core = self.store.read();
        if !core.revision().is_multiple_of(SWEEP_EVERY) {
            return;
        }
        let mut events = core.list("events", "").objects;
        drop(core);
        let Some(kind) = self.kinds().get("", "v1", "events") else {
            return;
        };
        events.sort_by_key(|event| event.revision);
        let surplus = events.len().saturating_sub(MAX_EVENTS);
        let now = self.options.clock.now();
        for (at, event) in events.iter().enumerate() {
            let created = meta::text(&event.value, "creationTimestamp").parse::<jiff::Timestamp>();
            let old = created.is_ok_and(|created| now.duration_since(created) > EVENT_LIFE);
            if at < surplus || old {
                self.delete_place(&(kind.resource.clone(), event.key.clone()));
            }
        }
    }
}
