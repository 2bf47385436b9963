//! The pure core of the store: objects by resource, one revision counter, and the history that watches replay.
//!
//! Deliberately absent: locks, tasks, clocks and disks (see `store`), and any idea of what an object means.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::meta;

/// `plural` or `plural.group`: the name under which Kubernetes speaks of a resource.
pub type Resource = Arc<str>;

/// Namespace (empty for cluster-scoped objects) and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The object's namespace, empty when its kind has none.
    pub namespace: Arc<str>,
    /// The object's name.
    pub name: Arc<str>,
}

impl Key {
    /// The key of the object `name` in `namespace`.
    pub fn new(namespace: &str, name: &str) -> Self {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// One stored version of an object: its JSON, parsed and as it goes over the wire.
#[derive(Debug)]
pub struct Object {
    /// Where it is stored.
    pub key: Key,
    /// The revision that wrote it; equals `metadata.resourceVersion`.
    pub revision: u64,
    /// The parsed object.
    pub value: Arc<Value>,
    /// The object as JSON text, made once when it was written.
    pub bytes: Bytes,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The object is new.
    Added,
    /// The object existed before.
    Modified,
    /// The object is gone; the change holds its last state.
    Deleted,
}

/// One write, as watches see it.
#[derive(Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The state after the write; after a deletion the last state, with the deletion's revision.
    pub object: Arc<Object>,
    /// The state before the write.
    pub previous: Option<Arc<Object>>,
}

impl Change {
    /// The revision of this write.
    pub fn revision(&self) -> u64 {
        self.object.revision
    }

    fn cost(&self) -> usize {
        self.object.bytes.len() + self.previous.as_ref().map_or(0, |previous| previous.bytes.len())
    }
}

/// Why a write was refused; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A creation found the name taken.
    #[error("the object already exists")]
    Exists,
    /// A replacement or removal found nothing.
    #[error("the object does not exist")]
    Absent,
    /// The object is no longer the version that the writer saw.
    #[error("the object has been modified")]
    Modified,
    /// The disk takes nothing at the moment.
    #[error("the store cannot be written")]
    Stuck,
}

/// The asked-for revision is no longer in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("revision {wanted} is older than {oldest}")]
pub struct Compacted {
    /// What was asked for.
    pub wanted: u64,
    /// The oldest revision from which a replay is possible.
    pub oldest: u64,
}

/// How much history each resource keeps for watches.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Changes kept per resource. Too few closes slow watchers with 410; each costs two references.
    pub history_changes: usize,
    /// Bytes of object text kept alive per resource by its history.
    pub history_bytes: usize,
}

impl Default for Limits {
    /// 8,192 changes: four seconds of the 2,000 writes a second that the store is built for.
    /// 32 MiB: those changes at 2 KiB an object, before and after.
    fn default() -> Self {
        Limits {
            history_changes: 4 * 2_000 + 192,
            history_bytes: 4 * 2_000 * 2 * 2 * 1024 + (192 << 10),
        }
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// The objects in order of namespace and name.
    pub objects: Vec<Arc<Object>>,
    /// The revision at which they are all true together.
    pub revision: u64,
}

#[derive(Debug, Default)]
struct Table {
    objects: BTreeMap<Key, Arc<Object>>,
    history: VecDeque<Arc<Change>>,
    history_bytes: usize,
    /// Replays are possible from this revision on.
    compacted: u64,
}

/// Everything stored, and its recent past.
#[derive(Debug)]
pub struct Core {
    revision: u64,
    /// A table that does not exist yet can be replayed from here on.
    born: u64,
    tables: BTreeMap<Resource, Table>,
    owned: BTreeMap<Arc<str>, BTreeSet<(Resource, Key)>>,
    uids: BTreeMap<Arc<str>, (Resource, Key)>,
    limits: Limits,
}

impl Core {
    /// An empty store at revision 1.
    pub fn new(limits: Limits) -> Self {
        Core {
            revision: 1,
            born: 1,
            tables: BTreeMap::new(),
            owned: BTreeMap::new(),
            uids: BTreeMap::new(),
            limits,
        }
    }

    /// An empty store that goes on after `revision`.
    pub fn resumed(limits: Limits, revision: u64) -> Self {
        Core {
            revision,
            born: revision,
            ..Core::new(limits)
        }
    }

    /// Puts back an object that was kept; for the time before the first write.
    ///
    /// # Errors
    /// When the text is no JSON.
    pub fn restore(
        &mut self,
        resource: &Resource,
        key: Key,
        revision: u64,
        text: Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let value: Value = serde_json::from_slice(&text)?;
        let object = Arc::new(Object {
            key,
            revision,
            value: Arc::new(value),
            bytes: text.into(),
        });
        self.index(resource, &object);
        let born = self.born;
        let table = self.tables.entry(resource.clone());
        let table = table.or_insert_with(|| Table {
            compacted: born,
            ..Table::default()
        });
        table.objects.insert(object.key.clone(), object);
        Ok(())
    }

    /// All stored objects, by resource.
    pub fn all(&self) -> Vec<(Resource, Arc<Object>)> {
        let tables = self.tables.iter();
        tables
            .flat_map(|(resource, table)| table.objects.values().map(|o| (resource.clone(), o.clone())))
            .collect()
    }

    /// The revision of the last write.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The object stored under `key`.
    pub fn get(&self, resource: &str, key: &Key) -> Option<Arc<Object>> {
        self.tables.get(resource)?.objects.get(key).cloned()
    }

    /// Stores a new object.
    ///
    /// # Errors
    /// [`Refused::Exists`] when the name is taken.
    pub fn create(&mut self, resource: &Resource, key: Key, value: Value) -> Result<Arc<Change>, Refused> {
        if self.get(resource, &key).is_some() {
            return Err(Refused::Exists);
        }
        Ok(self.commit(resource, key, Some(value), None))
    }

    /// Replaces the version `seen` of an object.
    ///
    /// # Errors
    /// [`Refused::Absent`] and [`Refused::Modified`].
    pub fn replace(
        &mut self,
        resource: &Resource,
        key: Key,
        seen: u64,
        value: Value,
    ) -> Result<Arc<Change>, Refused> {
        let previous = self.seen(resource, &key, seen)?;
        Ok(self.commit(resource, key, Some(value), Some(previous)))
    }

    /// Removes the version `seen` of an object.
    ///
    /// # Errors
    /// [`Refused::Absent`] and [`Refused::Modified`].
    pub fn remove(&mut self, resource: &Resource, key: Key, seen: u64) -> Result<Arc<Change>, Refused> {
        let previous = self.seen(resource, &key, seen)?;
        Ok(self.commit(resource, key, None, Some(previous)))
    }

    fn seen(&self, resource: &str, key: &Key, seen: u64) -> Result<Arc<Object>, Refused> {
        let found = self.get(resource, key).ok_or(Refused::Absent)?;
        if found.revision == seen {
            Ok(found)
        } else {
            Err(Refused::Modified)
        }
    }

    fn commit(
        &mut self,
        resource: &Resource,
        key: Key,
        next: Option<Value>,
        previous: Option<Arc<Object>>,
    ) -> Arc<Change> {
        self.revision += 1;
        let revision = self.revision;
        let kind = match (&next, &previous) {
            (Some(_), None) => ChangeKind::Added,
            (Some(_), Some(_)) => ChangeKind::Modified,
            (None, _) => ChangeKind::Deleted,
        };
        let last = previous.as_ref().map(|previous| previous.value.as_ref().clone());
        let value = next.or(last).expect("a change has a state before or after it");
        let object = Arc::new(stamp(key, revision, value));
        if let Some(previous) = &previous {
            self.unindex(resource, previous);
        }
        if kind != ChangeKind::Deleted {
            self.index(resource, &object);
        }
        let limits = self.limits;
        let born = self.born;
        let table = self.tables.entry(resource.clone()).or_insert_with(|| Table {
            compacted: born,
            ..Table::default()
        });
        match kind {
            ChangeKind::Deleted => table.objects.remove(&object.key),
            ChangeKind::Added | ChangeKind::Modified => {
                table.objects.insert(object.key.clone(), object.clone())
            }
        };
        let change = Arc::new(Change {
            kind,
            object,
            previous,
        });
        table.remember(change.clone(), limits);
        change
    }

    fn index(&mut self, resource: &Resource, object: &Object) {
        let place = (resource.clone(), object.key.clone());
        if let Some(uid) = meta::uid(&object.value) {
            self.uids.insert(uid.into(), place.clone());
        }
        for owner in meta::owner_uids(&object.value) {
            self.owned.entry(owner.into()).or_default().insert(place.clone());
        }
    }

    fn unindex(&mut self, resource: &Resource, object: &Object) {
        if let Some(uid) = meta::uid(&object.value) {
            self.uids.remove(uid);
        }
        let place = (resource.clone(), object.key.clone());
        for owner in meta::owner_uids(&object.value) {
            if let Some(places) = self.owned.get_mut(owner) {
                places.remove(&place);
                if places.is_empty() {
                    self.owned.remove(owner);
                }
            }
        }
    }

    /// Where the object with this uid is stored.
    pub fn place_of(&self, uid: &str) -> Option<&(Resource, Key)> {
        self.uids.get(uid)
    }

    /// The objects that name `uid` in their ownerReferences.
    pub fn owned_by(&self, uid: &str) -> Vec<(Resource, Key)> {
        self.owned
            .get(uid)
            .map(|places| places.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The objects of one namespace, of every resource.
    pub fn in_namespace(&self, namespace: &str) -> Vec<(Resource, Key)> {
        let mut found = Vec::new();
        for (resource, table) in &self.tables {
            found.extend(
                table
                    .range(namespace, None)
                    .map(|object| (resource.clone(), object.key.clone())),
            );
        }
        found
    }

    /// The current objects of a resource, in one namespace or (empty) in all of them.
    pub fn list(&self, resource: &str, namespace: &str) -> Page {
        let table = self.tables.get(resource);
        let objects = table
            .map(|table| table.range(namespace, None).cloned().collect())
            .unwrap_or_default();
        Page {
            objects,
            revision: self.revision,
        }
    }

    /// The objects after `after` as they were at `revision`.
    ///
    /// # Errors
    /// [`Compacted`] when the history does not reach back that far.
    pub fn list_at(
        &self,
        resource: &str,
        namespace: &str,
        after: Option<&Key>,
        revision: u64,
    ) -> Result<Page, Compacted> {
        let Some(table) = self.tables.get(resource) else {
            return Ok(Page {
                objects: Vec::new(),
                revision,
            });
        };
        let mut undone: BTreeMap<&Key, Option<&Arc<Object>>> = BTreeMap::new();
        for change in table.after(revision)?.rev() {
            undone.insert(&change.object.key, change.previous.as_ref());
        }
        let mut found: BTreeMap<&Key, &Arc<Object>> = table
            .range(namespace, after)
            .map(|object| (&object.key, object))
            .collect();
        for (key, previous) in undone {
            let wanted = namespace.is_empty() || &*key.namespace == namespace;
            match previous {
                Some(object) if wanted && after.is_none_or(|after| key > after) => found.insert(key, object),
                _ => found.remove(key),
            };
        }
        Ok(Page {
            objects: found.into_values().cloned().collect(),
            revision,
        })
    }

    /// At most `limit` changes of a resource after `revision`, oldest first.
    ///
    /// # Errors
    /// [`Compacted`] when the history does not reach back that far.
    pub fn changes(
        &self,
        resource: &str,
        revision: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Change>>, Compacted> {
        match self.tables.get(resource) {
            Some(table) => Ok(table.after(revision)?.take(limit).cloned().collect()),
            None if revision < self.born => Err(Compacted {
                wanted: revision,
                oldest: self.born,
            }),
            None => Ok(Vec::new()),
        }
    }
}

impl Table {
    fn remember(&mut self, change: Arc<Change>, limits: Limits) {
        self.history_bytes += change.cost();
        self.history.push_back(change);
        while self.history.len() > limits.history_changes.max(1)
            || (self.history_bytes > limits.history_bytes && self.history.len() > 1)
        {
            let Some(oldest) = self.history.pop_front() else {
                break;
            };
            self.history_bytes -= oldest.cost();
            self.compacted = oldest.revision();
        }
    }

    fn after(&self, revision: u64) -> Result<impl DoubleEndedIterator<Item = &Arc<Change>>, Compacted> {
        if revision < self.compacted {
            return Err(Compacted {
                wanted: revision,
                oldest: self.compacted,
            });
        }
        let from = self
            .history
            .partition_point(|change| change.revision() <= revision);
        Ok(self.history.range(from..))
    }

    fn range<'a>(&'a self, namespace: &'a str, after: Option<&Key>) -> impl Iterator<Item = &'a Arc<Object>> {
        let first = match after {
            Some(key) => Bound::Excluded(key.clone()),
            None => Bound::Included(Key::new(namespace, "")),
        };
        self.objects
            .range((first, Bound::Unbounded))
            .map(|(_, object)| object)
            .take_while(move |object| namespace.is_empty() || &*object.key.namespace == namespace)
    }
}

fn stamp(key: Key, revision: u64, mut value: Value) -> Object {
    meta::set(&mut value, "resourceVersion", Value::String(revision.to_string()));
    let bytes = serde_json::to_vec(&value)
        .expect("a JSON value always has a text")
        .into();
    Object {
        key,
        revision,
        value: Arc::new(value),
        bytes,
    }
}
