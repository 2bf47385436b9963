//! The tasks of a DAG with what each waits for, in an order in which they can run.

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{DagTask, DagTemplate};

use super::super::Fault;
use super::super::fault::Place;

/// A task that another waits for.
pub(super) struct Wanted {
    pub task: String,
    /// The result that is asked for, if any.
    pub result: Option<String>,
}

/// The tasks and their order.
pub(super) struct Graph<'d> {
    pub dag: &'d DagTemplate,
    /// For each task what it waits for.
    pub wanted: Vec<Vec<Wanted>>,
    /// Indices of tasks; what is waited for comes first, else as declared.
    pub order: Vec<usize>,
    /// Whether any task has `depends`.
    pub using_depends: bool,
    index_of: BTreeMap<&'d str, usize>,
}

/// Where a task is.
pub(super) fn place(index: usize) -> [Place<'static>; 3] {
    [Place::Key("dag"), Place::Key("tasks"), Place::Index(index)]
}

impl<'d> Graph<'d> {
    pub fn new(dag: &'d DagTemplate) -> Result<Self, Fault> {
        let mut index_of: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, task) in dag.tasks.iter().enumerate() {
            if index_of.insert(&task.name, index).is_some() {
                return Err(Fault::new(format!("duplicated nodeName {}", task.name)).at(&place(index)));
            }
        }
        let mut graph = Self {
            dag,
            wanted: dag.tasks.iter().map(wanted).collect(),
            order: Vec::new(),
            using_depends: dag.tasks.iter().any(|t| !t.depends.is_empty()),
            index_of,
        };
        graph.sort()?;
        Ok(graph)
    }

    pub fn task(&self, name: &str) -> Option<&'d DagTask> {
        self.index_of.get(name).map(|at| &self.dag.tasks[*at])
    }

    pub fn names(&self) -> impl Iterator<Item = &'d str> {
        self.index_of.keys().copied()
    }

    /// The task of that name, if it must have ended before another starts.
    pub fn ancestor(&self, of: usize, name: &str) -> Option<&'d DagTask> {
        let target = *self.index_of.get(name)?;
        let mut seen = BTreeSet::new();
        let mut open = vec![of];
        while let Some(at) = open.pop() {
            for wanted in &self.wanted[at] {
                let Some(next) = self.index_of.get(wanted.task.as_str()).copied() else {
                    continue;
                };
                if next == target {
                    return Some(&self.dag.tasks[target]);
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        None
    }

    fn sort(&mut self) -> Result<(), Fault> {
        let count = self.dag.tasks.len();
        let mut waits: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
        let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (index, names) in self.wanted.iter().enumerate() {
            for name in names.iter().map(|wanted| &wanted.task) {
                let Some(on) = self.index_of.get(name.as_str()) else {
                    return Err(Fault::new(format!("invalid dependency {name}"))
                        .maybe(name, self.names())
                        .at(&place(index)));
                };
                if waits[index].insert(*on) {
                    dependants[*on].push(index);
                }
            }
        }
        let mut ready: BTreeSet<usize> = (0..count).filter(|index| waits[*index].is_empty()).collect();
        while let Some(index) = ready.pop_first() {
            self.order.push(index);
            for dependant in &dependants[index] {
                waits[*dependant].remove(&index);
                if waits[*dependant].is_empty() {
                    ready.insert(*dependant);
                }
            }
        }
        if self.order.len() < count {
            return Err(Fault::new("graph with cycle").at(&[Place::Key("dag"), Place::Key("tasks")]));
        }
        Ok(())
    }
}

/// The tasks that a task names, in `dependencies` or `depends`.
fn wanted(task: &DagTask) -> Vec<Wanted> {
    let plain = |name: &String| Wanted {
        task: name.clone(),
        result: None,
    };
    let mut found: Vec<Wanted> = task.dependencies.iter().map(plain).collect();
    let mut rest = task.depends.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        rest = &rest[start..];
        let (name, after) = word(rest);
        let result = after
            .strip_prefix('.')
            .map(word)
            .filter(|(result, _)| !result.is_empty());
        found.push(Wanted {
            task: name.to_owned(),
            result: result.map(|(result, _)| result.to_owned()),
        });
        rest = result.map_or(after, |(_, after)| after);
    }
    found
}

/// A name at the begin of a text, and the rest.
fn word(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(text.len());
    text.split_at(end)
}
