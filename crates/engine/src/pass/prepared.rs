//! A template that is ready for a node, with what is worked out of it once: variables, who depends on whom, who reads what.

use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use argosy_model::{DagTask, DagTemplate, Template};
use argosy_template::depends::{ContinueOn, Depends};

use super::loops::Looped;
use super::reads::Reads;
use crate::names;
use crate::vars::Vars;

/// A template with its inputs put in.
#[derive(Debug)]
pub(crate) struct Prepared {
    template: Arc<Template>,
    /// What may be put into steps and tasks beside what is written there: arguments of the workflow, for exit handlers.
    beside: Arc<str>,
    variables: OnceLock<Vars>,
    reads: OnceLock<Reads>,
    graph: OnceLock<Graph>,
    watches: OnceLock<bool>,
}

impl Deref for Prepared {
    type Target = Template;

    fn deref(&self) -> &Template {
        &self.template
    }
}

impl Prepared {
    pub fn new(template: Template, beside: &Arc<str>) -> Self {
        Self {
            template: Arc::new(template),
            beside: Arc::clone(beside),
            variables: OnceLock::new(),
            reads: OnceLock::new(),
            graph: OnceLock::new(),
            watches: OnceLock::new(),
        }
    }

    /// Whether hooks or exit handlers follow any of its steps or tasks.
    pub fn watches(&self) -> bool {
        *self.watches.get_or_init(|| {
            let mut steps = self.template.steps.iter().flat_map(|g| g.iter());
            let mut tasks = self.template.dag.iter().flat_map(|d| &d.tasks);
            steps.any(Looped::is_watched) || tasks.any(Looped::is_watched)
        })
    }

    pub fn shared(&self) -> &Arc<Template> {
        &self.template
    }

    /// What its steps or tasks see from the start.
    pub fn variables(&self, make: impl FnOnce(&Template) -> Vars) -> &Vars {
        self.variables.get_or_init(|| make(&self.template))
    }

    /// Which steps the steps and the outputs may read.
    pub fn step_reads(&self) -> &Reads {
        self.reads.get_or_init(|| {
            let calls_exit = self
                .template
                .steps
                .iter()
                .flat_map(|g| g.iter())
                .any(|s| !s.on_exit.is_empty());
            let mut text = argosy_model::go_json::to_string(&*self.template).unwrap_or_default();
            if calls_exit {
                text.push_str(&self.beside);
            }
            Reads::of(&text, "steps")
        })
    }

    /// Its tasks as a graph, for the node of that name.
    pub fn graph(&self, workflow: &str, node: &str, dag: &DagTemplate) -> &Graph {
        self.graph
            .get_or_init(|| Graph::new(workflow, node, dag, &self.beside))
    }
}

/// The tasks of a DAG, each known by its place among them.
#[derive(Debug)]
pub(crate) struct Graph {
    pub tasks: Vec<TaskPlan>,
    /// Places in the order of names.
    pub by_name: Vec<usize>,
    /// Those to run for (C-DAG-01).
    pub targets: Vec<usize>,
    /// Places of the tasks that depend on each.
    pub after: Vec<Vec<usize>>,
    /// How many are begun before each when all begin at once; nothing for those that no target needs.
    pub ranks: Vec<Option<usize>>,
    places: HashMap<String, usize>,
}

/// What is worked out of a task once.
#[derive(Debug)]
pub(crate) struct TaskPlan {
    /// Name of its node.
    pub node: String,
    /// Id of its node.
    pub id: String,
    /// When it runs; nothing for tasks that depend on none (C-DAG-02).
    pub depends: Result<Option<Depends>, String>,
    /// Places of the tasks that it depends on.
    pub before: Vec<usize>,
    /// Which tasks it may read.
    pub reads: Reads,
}

impl Graph {
    fn new(workflow: &str, node: &str, dag: &DagTemplate, beside: &str) -> Self {
        let places: HashMap<String, usize> = dag
            .tasks
            .iter()
            .enumerate()
            .map(|(place, task)| (task.name.clone(), place))
            .collect();
        let tasks: Vec<TaskPlan> = dag
            .tasks
            .iter()
            .map(|task| TaskPlan::new(workflow, node, task, &places, dag, beside))
            .collect();
        let mut by_name: Vec<usize> = places.values().copied().collect();
        by_name.sort_by_key(|place| &dag.tasks[*place].name);
        let targets = if dag.target.is_empty() {
            let needed: BTreeSet<usize> = tasks.iter().flat_map(|t| t.before.iter().copied()).collect();
            let last = by_name.iter().filter(|place| !needed.contains(place));
            last.copied().collect()
        } else {
            let mut named = Vec::new();
            for place in dag.target.split(' ').filter_map(|name| places.get(name)) {
                if !named.contains(place) {
                    named.push(*place);
                }
            }
            named
        };
        let mut after = vec![Vec::new(); tasks.len()];
        for (place, task) in tasks.iter().enumerate() {
            task.before.iter().for_each(|before| after[*before].push(place));
        }
        Self {
            ranks: ranks(&tasks, &targets),
            tasks,
            by_name,
            targets,
            after,
            places,
        }
    }

    /// The place of the task of that name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// All direct and indirect dependencies of a task, in the order of names.
    pub fn ancestors(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let mut found = vec![false; self.tasks.len()];
        let mut open = self.tasks[place].before.clone();
        while let Some(next) = open.pop() {
            if !std::mem::replace(&mut found[next], true) {
                open.extend(&self.tasks[next].before);
            }
        }
        self.by_name.iter().copied().filter(move |place| found[*place])
    }
}

/// The order in which tasks are come to: what each depends on before it, without recursion.
fn ranks(tasks: &[TaskPlan], targets: &[usize]) -> Vec<Option<usize>> {
    let mut ranks = vec![None; tasks.len()];
    let mut met = vec![false; tasks.len()];
    let mut next = 0;
    for target in targets {
        let mut open = vec![(*target, 0)];
        met[*target] = true;
        while let Some((place, before)) = open.last_mut() {
            if let Some(dependency) = tasks[*place].before.get(*before) {
                *before += 1;
                if !std::mem::replace(&mut met[*dependency], true) {
                    open.push((*dependency, 0));
                }
            } else {
                ranks[*place].get_or_insert(next);
                next += 1;
                open.pop();
            }
        }
    }
    ranks
}

impl TaskPlan {
    fn new(
        workflow: &str,
        node: &str,
        task: &DagTask,
        places: &HashMap<String, usize>,
        dag: &DagTemplate,
        beside: &str,
    ) -> Self {
        let node = format!("{node}.{}", task.name);
        let depends = condition(task, |name| places.get(name).map(|place| &dag.tasks[*place]));
        let before = match &depends {
            Ok(Some(depends)) => depends
                .tasks()
                .iter()
                .filter_map(|name| places.get(name))
                .copied()
                .collect(),
            _ => Vec::new(),
        };
        let mut text = argosy_model::go_json::to_string(task).unwrap_or_default();
        if !task.on_exit.is_empty() {
            text.push_str(beside);
        }
        Self {
            id: names::node_id(workflow, &node),
            node,
            depends,
            before,
            reads: Reads::of(&text, "tasks"),
        }
    }
}

/// What a task depends on; `dependencies` is a conjunction (C-DAG-02).
fn condition<'t>(
    task: &DagTask,
    find: impl Fn(&str) -> Option<&'t DagTask>,
) -> Result<Option<Depends>, String> {
    let accepts = |name: &str| {
        let on = find(name)?.continue_on.as_ref();
        Some(on.map_or_else(ContinueOn::default, |on| ContinueOn {
            error: on.error,
            failed: on.failed,
        }))
    };
    let compiled = if !task.depends.is_empty() {
        Depends::compile(&task.depends, accepts)
    } else if !task.dependencies.is_empty() {
        Depends::of_dependencies(&task.dependencies, accepts)
    } else {
        return Ok(None);
    };
    compiled.map(Some).map_err(|e| e.to_string())
}
