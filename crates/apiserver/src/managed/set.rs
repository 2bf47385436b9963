//! Sets of fields, as `metadata.managedFields` holds them.
//!
//! Deliberately absent: which fields an object has (see `managed::walk`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A set of paths: a tree whose steps are in the published form (`f:name`, `k:{"name":"a"}`, `v:"x"`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// Whether the path that leads here is itself in the set.
    pub here: bool,
    /// Longer paths.
    pub below: BTreeMap<String, Set>,
}

impl Set {
    /// Reads `fieldsV1`. Broken parts are left out.
    pub fn read(fields: &Value) -> Self {
        let mut set = Set::read_tree(fields);
        // The root is never a member of its own.
        set.here = false;
        set
    }

    fn read_tree(fields: &Value) -> Self {
        let mut set = Set::default();
        let Some(fields) = fields.as_object() else {
            return set;
        };
        set.here = fields.is_empty() || fields.contains_key(".");
        for (step, below) in fields.iter().filter(|(step, _)| *step != ".") {
            set.below.insert(step.clone(), Set::read_tree(below));
        }
        set
    }

    /// The form of `fieldsV1`.
    pub fn to_value(&self) -> Value {
        let mut fields = Map::new();
        if self.here && !self.below.is_empty() {
            fields.insert(".".to_owned(), Value::Object(Map::new()));
        }
        fields.extend(
            self.below
                .iter()
                .map(|(step, below)| (step.clone(), below.to_value())),
        );
        Value::Object(fields)
    }

    /// Whether no path is in the set.
    pub fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }

    /// Adds all paths of another set.
    pub fn add(&mut self, other: &Set) {
        self.here |= other.here;
        for (step, below) in &other.below {
            self.below.entry(step.clone()).or_default().add(below);
        }
    }

    /// Removes all paths of another set.
    pub fn subtract(&mut self, other: &Set) {
        self.here &= !other.here;
        for (step, below) in &other.below {
            if let Some(own) = self.below.get_mut(step) {
                own.subtract(below);
                if own.is_empty() {
                    self.below.remove(step);
                }
            }
        }
    }

    /// The paths that are in both sets.
    pub fn common(&self, other: &Set) -> Set {
        let mut set = Set {
            here: self.here && other.here,
            below: BTreeMap::new(),
        };
        for (step, below) in &self.below {
            if let Some(other) = other.below.get(step) {
                let common = below.common(other);
                if !common.is_empty() {
                    set.below.insert(step.clone(), common);
                }
            }
        }
        set
    }

    /// The paths as messages print them, for example `.spec.containers[name="a"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.list("", &mut paths);
        paths
    }

    fn list(&self, path: &str, paths: &mut Vec<String>) {
        if self.here {
            paths.push(path.to_owned());
        }
        for (step, below) in &self.below {
            below.list(&format!("{path}{}", printed(step)), paths);
        }
    }
}

fn printed(step: &str) -> String {
    match step.split_at_checked(2) {
        Some(("f:", name)) => format!(".{name}"),
        Some(("k:", keys)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        Some(("v:", value)) => format!("[={value}]"),
        _ => step.to_owned(),
    }
}
