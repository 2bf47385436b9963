//! Which siblings a text may read: `steps.<name>…` and `tasks.<name>…`, so that only their variables are gathered.

use std::collections::BTreeSet;

/// Names of the siblings that a text may read. There may be too many, never too few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Some may be read whose names are not written there, as in `toJson(tasks)` and `tasks[name]`.
    all: bool,
    names: BTreeSet<String>,
}

impl Reads {
    /// What a JSON text reads under a root, `steps` or `tasks`.
    pub fn of(json: &str, root: &str) -> Self {
        let mut reads = Self::default();
        for (at, _) in json.match_indices(root) {
            let rest = &json[at + root.len()..];
            // The section itself, not a text.
            if json[..at].ends_with('"') && rest.starts_with("\":") {
                continue;
            }
            let name = rest.strip_prefix('.').unwrap_or_default();
            let end = name
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
                .unwrap_or(name.len());
            if end > 0 {
                reads.names.insert(name[..end].to_owned());
            } else {
                reads.all = true;
            }
        }
        reads
    }

    /// Whether no sibling is read.
    pub fn is_empty(&self) -> bool {
        !self.all && self.names.is_empty()
    }

    /// Whether a sibling may be read. The items of a loop count as the loop.
    pub fn has(&self, name: &str) -> bool {
        let name = name.split('(').next().unwrap_or(name);
        self.all || self.names.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        #[track_caller]
        fn check(json: &str, read: &[&str]) {
            let reads = Reads::of(json, "tasks");
            let found: Vec<&str> = ["a", "b-1", "c_2"].into_iter().filter(|n| reads.has(n)).collect();
            assert_eq!(found, read, "{json}");
            assert_eq!(reads.is_empty(), read.is_empty(), "{json}");
        }
        let all = ["a", "b-1", "c_2"];
        check(r#"{"name":"x","template":"work"}"#, &[]);
        check(r#"{"dag":{"tasks":[]}}"#, &[]);
        check(r#"{"value":"{{tasks.a.outputs.result}}"}"#, &["a"]);
        check(
            r#"{"value":"{{ tasks.b-1.ip }} {{=tasks.c_2.status}}"}"#,
            &["b-1", "c_2"],
        );
        check(r#"{"value":"{{tasks.a(0:x).status}}"}"#, &["a"]);
        check(r#"{"value":"{{=tasks['b-1'].status}}"}"#, &all);
        check(r#"{"value":"{{=toJson(tasks)}}"}"#, &all);
        check(r#"{"value":"{{=tasks?.a}}"}"#, &all);
        check(r#"{"value":"{\"tasks\":1}"}"#, &all);
    }
}
