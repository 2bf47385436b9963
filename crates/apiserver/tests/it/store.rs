//! Properties of the store's pure core: whatever is written, the past can be told again.
//!
//! Deliberately absent: requests.

use std::collections::BTreeMap;

use argosy_apiserver::store::{ChangeKind, Core, Key, Limits, Resource};
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
enum Write {
    Create(u8, u8),
    Replace(u8, u8),
    Stale(u8),
    Remove(u8),
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let name = 0..6u8;
    let write = prop_oneof![
        (name.clone(), any::<u8>()).prop_map(|(name, value)| Write::Create(name, value)),
        (name.clone(), any::<u8>()).prop_map(|(name, value)| Write::Replace(name, value)),
        name.clone().prop_map(Write::Stale),
        name.prop_map(Write::Remove),
    ];
    prop::collection::vec(write, 0..80)
}

fn key(name: u8) -> Key {
    Key::new(
        if name.is_multiple_of(2) { "a" } else { "b" },
        &format!("n{name}"),
    )
}

fn object(value: u8) -> Value {
    json!({"value": value})
}

type State = BTreeMap<Key, String>;

fn state(core: &Core, resource: &Resource) -> State {
    let page = core.list(resource, "");
    page.objects
        .iter()
        .map(|object| (object.key.clone(), object.value.to_string()))
        .collect()
}

/// Runs the writes; gives the state after every revision.
fn run(core: &mut Core, resource: &Resource, writes: &[Write]) -> BTreeMap<u64, State> {
    let mut states = BTreeMap::from([(core.revision(), State::new())]);
    for write in writes {
        let before = core.revision();
        let current =
            |core: &Core, name: u8| core.get(resource, &key(name)).map_or(0, |object| object.revision);
        let done = match *write {
            Write::Create(name, value) => core.create(resource, key(name), object(value)),
            Write::Replace(name, value) => {
                let seen = current(core, name);
                core.replace(resource, key(name), seen, object(value))
            }
            Write::Stale(name) => {
                let seen = current(core, name) + 1;
                core.replace(resource, key(name), seen, object(0))
            }
            Write::Remove(name) => {
                let seen = current(core, name);
                core.remove(resource, key(name), seen)
            }
        };
        match done {
            Ok(change) => {
                assert_eq!(change.revision(), before + 1);
                assert_eq!(core.revision(), before + 1);
            }
            Err(_) => assert_eq!(core.revision(), before),
        }
        states.insert(core.revision(), state(core, resource));
    }
    states
}

proptest! {
    #[test]
    fn a_replay_from_any_revision_gives_the_present(writes in writes()) {
        let (mut core, resource) = (Core::new(Limits::default()), Resource::from("things"));
        let states = run(&mut core, &resource, &writes);
        for (revision, past) in &states {
            let mut replayed = past.clone();
            let mut last = *revision;
            for change in core.changes(&resource, *revision, usize::MAX).unwrap() {
                prop_assert!(change.revision() > last);
                last = change.revision();
                let key = change.object.key.clone();
                let existed = match change.kind {
                    ChangeKind::Deleted => replayed.remove(&key),
                    _ => replayed.insert(key, change.object.value.to_string()),
                };
                prop_assert_eq!(existed.is_some(), change.kind != ChangeKind::Added);
            }
            prop_assert_eq!(&replayed, &state(&core, &resource));
        }
    }

    #[test]
    fn a_list_of_any_revision_is_the_state_of_then(writes in writes(), after in 0..6u8) {
        let (mut core, resource) = (Core::new(Limits::default()), Resource::from("things"));
        let states = run(&mut core, &resource, &writes);
        for (revision, past) in &states {
            for namespace in ["", "a", "b"] {
                let after = (namespace == "b").then(|| key(after | 1));
                let page = core.list_at(&resource, namespace, after.as_ref(), *revision).unwrap();
                let got: State =
                    page.objects.iter().map(|object| (object.key.clone(), object.value.to_string())).collect();
                let wanted = |key: &Key| {
                    (namespace.is_empty() || &*key.namespace == namespace)
                        && after.as_ref().is_none_or(|after| key > after)
                };
                let expected: State = past.iter().filter(|(key, _)| wanted(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
                prop_assert_eq!(got, expected);
            }
        }
    }

    #[test]
    fn history_is_bounded_and_says_what_it_forgot(writes in writes()) {
        let limits = Limits { history_changes: 4, ..Limits::default() };
        let (mut core, resource) = (Core::new(limits), Resource::from("things"));
        let states = run(&mut core, &resource, &writes);
        for revision in states.keys() {
            match core.changes(&resource, *revision, usize::MAX) {
                Ok(changes) => {
                    prop_assert!(changes.len() <= 4);
                    prop_assert_eq!(changes.len() as u64, core.revision() - revision);
                }
                Err(compacted) => prop_assert!(compacted.oldest > *revision),
            }
        }
    }
}
