//! DAG templates: tasks when what they depend on is done (C-DAG-01 to C-DAG-09). The phase of the whole is in `dag_assess`.

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{DagTask, DagTemplate, NodeFlag, NodePhase, NodeStatus, NodeType, Template};

use super::template::{Call, Holder};
use super::{Evaluated, Pass, Stop};
use crate::plan::Base;
use crate::vars::{self, Vars};
use crate::{names, node};
use argosy_template::depends::{ContinueOn, Depends};

/// What the tasks of one node share while it is evaluated.
pub(crate) struct DagContext<'c> {
    pub call: &'c Call<'c>,
    /// Where templates that the tasks name are looked up.
    pub base: &'c Base,
    pub boundary: String,
    pub template: &'c Template,
    pub dag: &'c DagTemplate,
    pub tasks: BTreeMap<&'c str, &'c DagTask>,
    pub depends: BTreeMap<&'c str, Result<Option<Depends>, String>>,
    visited: BTreeSet<String>,
}

impl<'c> DagContext<'c> {
    fn new(
        call: &'c Call<'c>,
        base: &'c Base,
        boundary: &str,
        template: &'c Template,
        dag: &'c DagTemplate,
    ) -> Self {
        let tasks: BTreeMap<_, _> = dag.tasks.iter().map(|t| (t.name.as_str(), t)).collect();
        let depends = dag
            .tasks
            .iter()
            .map(|t| (t.name.as_str(), condition(t, &tasks)))
            .collect();
        Self {
            call,
            base,
            boundary: boundary.to_owned(),
            template,
            dag,
            tasks,
            depends,
            visited: BTreeSet::new(),
        }
    }

    pub fn node_name(&self, task: &str) -> String {
        format!("{}.{task}", self.call.name)
    }

    /// Names of the tasks a task depends on.
    pub fn dependencies(&self, task: &str) -> Vec<&str> {
        match self.depends.get(task) {
            Some(Ok(Some(depends))) => depends.tasks().iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The tasks to run for (C-DAG-01).
    pub fn targets(&self) -> Vec<String> {
        if !self.dag.target.is_empty() {
            return self.dag.target.split(' ').map(ToOwned::to_owned).collect();
        }
        let needed: BTreeSet<&str> = self.tasks.keys().flat_map(|t| self.dependencies(t)).collect();
        self.tasks
            .keys()
            .filter(|t| !needed.contains(*t))
            .map(|t| (*t).to_owned())
            .collect()
    }

    /// All direct and indirect dependencies of a task.
    fn ancestors(&self, task: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = self.dependencies(task);
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(self.dependencies(next));
            }
        }
        found
    }
}

/// A task that is being looked at.
struct OpenTask {
    name: String,
    /// Tasks to look at before it goes on.
    before: std::vec::IntoIter<String>,
    /// Whether it is started or continued then; otherwise it is done.
    starts: bool,
}

impl OpenTask {
    fn new(name: &str, before: Vec<String>, starts: bool) -> Self {
        Self {
            name: name.to_owned(),
            before: before.into_iter(),
            starts,
        }
    }
}

/// What a task depends on; `dependencies` is a conjunction (C-DAG-02).
fn condition(task: &DagTask, tasks: &BTreeMap<&str, &DagTask>) -> Result<Option<Depends>, String> {
    let accepts = |name: &str| {
        let on = tasks.get(name)?.continue_on.as_ref();
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

impl Pass<'_> {
    /// Evaluates a DAG template.
    pub fn run_dag(&mut self, id: &str, call: &Call<'_>, base: &Base, template: &Template) -> Evaluated {
        let Some(dag) = &template.dag else {
            return Err(Stop::Error("template has no dag".to_owned()));
        };
        if self.nodes.get(id).is_none() {
            self.add_executable(call, call.name, NodeType::Dag, template, NodePhase::Running, "");
        }
        let mut context = DagContext::new(call, base, id, template, dag);
        let result = self.run_tasks(id, &mut context);
        if self.nodes.get(id).is_some_and(node::fulfilled) {
            self.stop_daemons(id);
        }
        result
    }

    fn run_tasks(&mut self, id: &str, context: &mut DagContext<'_>) -> Evaluated {
        let targets = context.targets();
        let daemons: Vec<String> = context
            .tasks
            .keys()
            .filter(|t| {
                self.nodes
                    .by_name(&context.node_name(t))
                    .is_some_and(node::daemoned)
            })
            .map(|t| (*t).to_owned())
            .collect();
        for task in &daemons {
            self.run_task(task, context)?;
        }
        for target in &targets {
            self.run_task(target, context)?;
            self.finish_target(target, context)?;
        }
        let phase = self.assess_dag(context, &targets);
        match phase {
            NodePhase::Failed | NodePhase::Error => {
                self.set_dag_outbound(id, context, &targets);
                self.mark(id, phase, None);
                return Ok(Some(id.to_owned()));
            }
            NodePhase::Succeeded => {}
            _ => return Ok(Some(id.to_owned())),
        }
        let mut vars = self.template_variables(context.template);
        for task in context.dag.tasks.iter() {
            self.add_task_variables(&mut vars, context, task);
        }
        let outputs = self
            .template_outputs(context.template, &vars)
            .map_err(Stop::Error)?;
        self.set_dag_outbound(id, context, &targets);
        self.complete_virtual(id, context.template, outputs);
        Ok(Some(id.to_owned()))
    }

    fn set_dag_outbound(&mut self, id: &str, context: &DagContext<'_>, targets: &[String]) {
        let mut outbound = Vec::new();
        for target in targets {
            let Some(node) = self.nodes.by_name(&context.node_name(target)) else {
                continue;
            };
            for found in self.nodes.outbound(&node.id) {
                if !outbound.contains(&found) {
                    outbound.push(found);
                }
            }
        }
        self.change(id, |node| node.outbound_nodes = outbound);
    }

    /// Adds a task's variables for tasks after it.
    fn add_task_variables(&self, vars: &mut Vars, context: &DagContext<'_>, task: &DagTask) {
        let name = context.node_name(&task.name);
        let Some(node) = self.nodes.by_name(&name) else {
            return;
        };
        let prefix = format!("tasks.{}", task.name);
        self.add_node_variables(vars, &prefix, node);
        if node.type_ == NodeType::TaskGroup {
            let items = self.loop_items(&context.boundary, &name);
            self.add_aggregate(vars, &prefix, &name, &items);
        } else {
            let declared = self.declared_outputs(context.base, &Holder::from(task));
            self.add_absent_outputs(vars, &prefix, node, declared.as_ref());
        }
    }

    /// The variables a task sees: inputs, workflow outputs and its ancestors (C-DAG-08).
    fn task_variables(&self, context: &DagContext<'_>, task: &str) -> Vars {
        let mut vars = self.template_variables(context.template);
        for ancestor in context.ancestors(task) {
            if let Some(task) = context.tasks.get(ancestor) {
                self.add_task_variables(&mut vars, context, task);
            }
        }
        vars
    }

    /// Looks at one task and, before it, at what it depends on: without recursion, since a chain may have thousands.
    fn run_task(&mut self, name: &str, context: &mut DagContext<'_>) -> Result<(), Stop> {
        let mut open: Vec<OpenTask> = self.open_task(name, context)?.into_iter().collect();
        while let Some(last) = open.last_mut() {
            if let Some(dependency) = last.before.next() {
                open.extend(self.open_task(&dependency, context)?);
            } else if let Some(task) = open.pop().filter(|task| task.starts) {
                self.begin_task(&task.name, context)?;
            }
        }
        Ok(())
    }

    /// Looks at a task itself; gives what is to be looked at before it goes on, `None` if nothing is left to do.
    fn open_task(&mut self, name: &str, context: &mut DagContext<'_>) -> Result<Option<OpenTask>, Stop> {
        if !context.visited.insert(name.to_owned()) {
            return Ok(None);
        }
        let Some(task) = context.tasks.get(name).copied() else {
            return Ok(None);
        };
        let id = self.nodes.id(&context.node_name(name));
        let node = self.nodes.get(&id).cloned();
        let mut vars = Vars::new();
        let watched = !task.hooks.is_empty() || !task.on_exit.is_empty();
        if let Some(node) = node
            .as_ref()
            .filter(|n| watched && (n.phase == NodePhase::Running || node::fulfilled(n)))
        {
            vars = self.task_variables(context, name);
            let own = format!("tasks.{name}");
            vars.insert(format!("{own}.status"), vars::text(node.phase.to_string()));
            match self.run_hooks(&task.hooks, node, context.base, &own, &own, &vars) {
                Ok(true) => {}
                // A hook may wait for what the exit handler holds.
                Ok(false) | Err(Stop::Missing(_)) if !self.last_resort => return Ok(None),
                Ok(false) | Err(Stop::Missing(_)) => {}
                Err(stop) => self.mark_error(&id, &stop.to_string()),
            }
        }
        if let Some(node) = node.as_ref().filter(|n| node::fulfilled(n)) {
            self.release_template_locks(&id);
            if node::completed(node) {
                self.run_task_exit(task, node, context, &vars);
            }
            self.go_on_with_item_exits(task, node, context);
            let forgotten = self.forgotten(name, context);
            return Ok(Some(OpenTask::new(name, forgotten, false)));
        }
        let dependencies = context.dependencies(name).into_iter();
        let dependencies = dependencies.map(ToOwned::to_owned).collect();
        Ok(Some(OpenTask::new(name, dependencies, true)))
    }

    /// Starts or continues a task, once everything that it depends on was looked at.
    fn begin_task(&mut self, name: &str, context: &DagContext<'_>) -> Result<(), Stop> {
        let Some(task) = context.tasks.get(name).copied() else {
            return Ok(());
        };
        let node_name = context.node_name(name);
        let id = self.nodes.id(&node_name);
        if self.nodes.get(&id).is_none() {
            let (phase, message) = match self.judge_dependencies(context, task) {
                Ok(None) => return Ok(()),
                Ok(Some(true)) => return self.start_task(task, context, &id, &node_name),
                Ok(Some(false)) => (
                    NodePhase::Omitted,
                    "omitted: depends condition not met".to_owned(),
                ),
                Err(message) => (NodePhase::Error, message),
            };
            self.add_outcome(context, task, &node_name, phase, &message);
            self.connect(context, name, &id, false);
            return Ok(());
        }
        self.start_task(task, context, &id, &node_name)
    }

    /// What a task that is done depends on and that is not: a hook that began after it, or what a retry by a person took
    /// up again without what was left out after it. Only once nothing else moves, since the peer never looks there.
    fn forgotten(&self, name: &str, context: &DagContext<'_>) -> Vec<String> {
        if !self.last_resort {
            return Vec::new();
        }
        let open = |task: &&str| {
            let node = self.nodes.by_name(&context.node_name(task));
            node.is_some_and(|n| !self.is_settled(n))
        };
        let ancestors = context.ancestors(name).into_iter();
        ancestors.filter(open).map(ToOwned::to_owned).collect()
    }

    /// Runs the hooks of a target once more: nothing looks at a target after it.
    fn finish_target(&mut self, name: &str, context: &mut DagContext<'_>) -> Result<(), Stop> {
        let id = self.nodes.id(&context.node_name(name));
        let Some(task) = context.tasks.get(name).copied() else {
            return Ok(());
        };
        let Some(node) = self.nodes.get(&id).cloned() else {
            return Ok(());
        };
        if task.hooks.is_empty() || node.phase != NodePhase::Running && !node::fulfilled(&node) {
            return Ok(());
        }
        let mut vars = self.task_variables(context, name);
        let own = format!("tasks.{name}");
        vars.insert(format!("{own}.status"), vars::text(node.phase.to_string()));
        match self.run_hooks(&task.hooks, &node, context.base, &own, &own, &vars) {
            Ok(_) | Err(Stop::Missing(_)) => Ok(()),
            Err(stop) => Err(stop),
        }
    }

    /// Goes on with exit handlers of a loop's items that were begun before its group was judged: nothing else looks at
    /// them any more. Those not begun by then never are, as in the peer.
    fn go_on_with_item_exits(&mut self, task: &DagTask, group: &NodeStatus, context: &DagContext<'_>) {
        if group.type_ != NodeType::TaskGroup {
            return;
        }
        let begun = |item: &&NodeStatus| {
            let exit = self.nodes.by_name(&names::on_exit(&item.name));
            exit.is_some_and(|exit| !node::fulfilled(exit))
        };
        let items = group.children.iter().filter_map(|id| self.nodes.get(id));
        let items: Vec<NodeStatus> = items.filter(begun).cloned().collect();
        if items.is_empty() {
            return;
        }
        let vars = self.task_variables(context, &task.name);
        for item in items {
            self.run_task_exit(task, &item, context, &vars);
        }
    }

    fn run_task_exit(
        &mut self,
        task: &DagTask,
        node: &NodeStatus,
        context: &DagContext<'_>,
        vars: &Vars,
    ) -> bool {
        let hook = super::hooks::exit_hook(&task.hooks, &task.on_exit, &self.spec.arguments);
        let own = format!("tasks.{}", task.name);
        self.run_exit_hook(hook.as_ref(), node, context.base, &own, vars, &context.boundary)
            .unwrap_or(false)
    }

    /// Whether a task is to run: `None` while something it depends on is not done (C-DAG-05).
    fn judge_dependencies(&self, context: &DagContext<'_>, task: &DagTask) -> Result<Option<bool>, String> {
        let depends = match context.depends.get(task.name.as_str()) {
            Some(Ok(Some(depends))) => depends,
            Some(Err(message)) => return Err(message.clone()),
            _ => return Ok(Some(true)),
        };
        for dependency in depends.tasks() {
            let Some(node) = self.nodes.by_name(&context.node_name(dependency)) else {
                return Ok(None);
            };
            if !self.is_settled(node) {
                return Ok(None);
            }
        }
        let verdict = depends.evaluate(|name, result| self.has_result(context, name, result));
        verdict.map(Some).map_err(|e| e.to_string())
    }

    /// Whether a task's node and its hooks are done.
    fn is_settled(&self, node: &NodeStatus) -> bool {
        let children = node.children.iter().filter_map(|c| self.nodes.get(c));
        let mut hooks = children.filter(|c| node::hooked(c));
        node::fulfilled(node) && hooks.all(node::fulfilled)
    }

    /// Whether a task came to an outcome (C-DAG-04).
    fn has_result(&self, context: &DagContext<'_>, name: &str, result: &str) -> bool {
        let Some(node) = self.nodes.by_name(&context.node_name(name)) else {
            return false;
        };
        let items = || {
            node.children
                .iter()
                .filter_map(|c| self.nodes.get(c))
                .filter(|c| !node::hooked(c))
        };
        let group = node.type_ == NodeType::TaskGroup;
        match result {
            "Succeeded" => node.phase == NodePhase::Succeeded,
            "Failed" => node.phase == NodePhase::Failed,
            "Errored" => node.phase == NodePhase::Error,
            "Skipped" => node.phase == NodePhase::Skipped,
            "Omitted" => node.phase == NodePhase::Omitted,
            "Daemoned" => node::daemoned(node) && node.phase != NodePhase::Pending,
            "AnySucceeded" => group && items().any(|n| n.phase == NodePhase::Succeeded),
            "AllFailed" => group && items().next().is_some() && items().all(|n| n.phase == NodePhase::Failed),
            _ => false,
        }
    }

    /// Adds the node of a task that does not run.
    fn add_outcome(
        &mut self,
        context: &DagContext<'_>,
        task: &DagTask,
        name: &str,
        phase: NodePhase,
        message: &str,
    ) -> String {
        let holder = Holder::from(task);
        let call = self.task_call(name, &holder, task, context);
        if phase == NodePhase::Error {
            self.error_or_add(&call, message)
        } else {
            self.add_skipped(&call, phase, message)
        }
    }

    fn task_call<'c>(
        &self,
        name: &'c str,
        holder: &'c Holder,
        task: &'c DagTask,
        context: &'c DagContext<'_>,
    ) -> Call<'c> {
        Call {
            name,
            holder,
            base: context.base,
            arguments: &task.arguments,
            boundary: &context.boundary,
            on_exit: context.call.on_exit,
            deadline: context.call.deadline,
            flag: None,
        }
    }

    /// Draws the edges to a task's node: from its group, the DAG node, or what it depends on (C-NODE-20).
    fn connect(&mut self, context: &DagContext<'_>, task: &str, child: &str, in_group: bool) {
        if in_group {
            let group = self.nodes.id(&context.node_name(task));
            self.add_child(&group, child);
            return;
        }
        let dependencies = context.dependencies(task);
        if dependencies.is_empty() {
            self.add_child(&context.boundary, child);
        }
        for dependency in dependencies {
            let parent = self.nodes.id(&context.node_name(dependency));
            for outbound in self.nodes.outbound(&parent) {
                self.add_child(&outbound, child);
            }
        }
    }

    /// Starts or continues a task whose turn it is (C-DAG-06).
    fn start_task(
        &mut self,
        task: &DagTask,
        context: &DagContext<'_>,
        id: &str,
        name: &str,
    ) -> Result<(), Stop> {
        let group = self.nodes.get(id).is_some_and(|n| n.type_ == NodeType::TaskGroup);
        let vars = self.task_variables(context, &task.name);
        let prepared = match self.resolve_task(task, &vars) {
            Ok(resolved) => {
                let plain = resolved.hooks.is_empty() && resolved.on_exit.is_empty();
                let settled = |item: &str| plain && self.settled(&context.node_name(item));
                super::loops::expand(&resolved, settled).map(|items| (resolved, items))
            }
            Err(Stop::Missing(message)) => {
                self.waiting
                    .insert(id.to_owned(), super::Waiting::Variable { message });
                return Ok(());
            }
            Err(stop) => Err(stop.to_string()),
        };
        let (resolved, items) = match prepared {
            Ok(prepared) => prepared,
            Err(message) => {
                self.add_outcome(context, task, name, NodePhase::Error, &message);
                self.connect(context, &task.name, id, false);
                return Ok(());
            }
        };
        let Some(items) = items else {
            self.run_item(&resolved, task, context, &vars, group);
            return Ok(());
        };
        if items.is_empty() {
            if self.nodes.get(id).is_none() {
                self.add_outcome(context, task, name, NodePhase::Skipped, "Skipped, empty params");
                self.connect(context, &task.name, id, false);
            }
            return Ok(());
        }
        if !group {
            self.connect(context, &task.name, id, false);
            self.add_node(super::nodes::Birth {
                name,
                kind: NodeType::TaskGroup,
                phase: NodePhase::Running,
                boundary: &context.boundary,
                message: "",
                flag: Some(NodeFlag::default()),
                scope: context.base.scope_text(),
            });
            let holder = Holder::from(task);
            self.change(id, |node| {
                node.template_name.clone_from(&holder.template);
                node.template_ref.clone_from(&holder.reference);
            });
        }
        let mut held_back = false;
        for item in &items {
            // One that holds a place and lacks its pod is looked at all the same, or nothing would give the place back.
            // One that only has to end may hold the lock that those before it wait for.
            let lacks = || self.may_lack_pod(&context.node_name(&item.name));
            if !held_back || self.reached.is_some() || lacks() {
                held_back |= !self.run_item(item, task, context, &vars, true);
            }
        }
        if !held_back {
            self.assess_task_group(id, &items, context);
        }
        Ok(())
    }

    /// The phase of a loop's group: that of the last item that failed (C-DAG-07).
    fn assess_task_group(&mut self, id: &str, items: &[DagTask], context: &DagContext<'_>) {
        let mut phase = NodePhase::Succeeded;
        for item in items {
            match self.nodes.by_name(&context.node_name(&item.name)) {
                Some(node) if node::fulfilled(node) => {
                    if node::failed_or_error(&node.phase) {
                        phase = node.phase.clone();
                    }
                }
                _ => return,
            }
        }
        self.mark(id, phase, None);
    }

    /// Starts or continues one item of a task, or the task itself. False: nothing else of the task is to be looked at.
    fn run_item(
        &mut self,
        item: &DagTask,
        task: &DagTask,
        context: &DagContext<'_>,
        vars: &Vars,
        in_group: bool,
    ) -> bool {
        let name = context.node_name(&item.name);
        let id = self.nodes.id(&name);
        if self.nodes.get(&id).is_none() {
            self.connect(context, &task.name, &id, in_group);
            match self.should_run(&item.when) {
                Ok(true) => {}
                Ok(false) => {
                    let message = format!("when '{}' evaluated false", item.when);
                    self.add_outcome(context, item, &name, NodePhase::Skipped, &message);
                    return true;
                }
                Err(message) => {
                    self.add_outcome(context, item, &name, NodePhase::Error, &message);
                    return true;
                }
            }
        }
        let holder = Holder::from(item);
        let call = self.task_call(&name, &holder, item, context);
        match self.evaluate_template(&call) {
            Ok(_) | Err(Stop::Depth) => {}
            Err(Stop::Parallelism) => return false,
            Err(Stop::Timeout) => {
                self.mark(&id, NodePhase::Failed, Some("timeout"));
                return false;
            }
            Err(Stop::Missing(message)) => {
                self.waiting.insert(id, super::Waiting::Variable { message });
                return false;
            }
            Err(Stop::Error(message)) => {
                let holder_call = self.task_call(&name, &holder, item, context);
                self.error_or_add(&holder_call, &format!("task '{name}' errored: {message}"));
                return false;
            }
        }
        // An unfinished exit handler holds back the items after it, as in the peer.
        let Some(node) = self.nodes.get(&id).filter(|n| node::completed(n)).cloned() else {
            return true;
        };
        self.run_task_exit(item, &node, context, vars)
    }
}
