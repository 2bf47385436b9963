//! DAG templates: tasks when what they depend on is done (C-DAG-01 to C-DAG-09). The phase of the whole is in `dag_assess`.

use argosy_model::{DagTask, DagTemplate, NodeFlag, NodePhase, NodeStatus, NodeType};

use super::loops::{Items, Looped};
use super::prepared::{Graph, Prepared, TaskPlan};
use super::reads::Reads;
use super::template::{Call, Holder};
use super::{Evaluated, Pass, Stop};
use crate::plan::Base;
use crate::vars::{self, Vars};
use crate::{names, node};

/// What the tasks of one node share while it is evaluated. A task is known by its place among them.
pub(crate) struct DagContext<'c> {
    pub call: &'c Call<'c>,
    /// Where templates that the tasks name are looked up.
    pub base: &'c Base,
    pub boundary: String,
    pub template: &'c Prepared,
    pub dag: &'c DagTemplate,
    pub graph: &'c Graph,
    visited: Vec<bool>,
    /// Whether a task was met that is not done.
    pub has_open: bool,
}

impl<'c> DagContext<'c> {
    /// For the node of that id: nothing of it was looked at yet.
    pub fn new(
        id: &str,
        (call, base): (&'c Call<'c>, &'c Base),
        template: &'c Prepared,
        (dag, graph): (&'c DagTemplate, &'c Graph),
    ) -> Self {
        Self {
            call,
            base,
            boundary: id.to_owned(),
            template,
            dag,
            graph,
            visited: vec![false; graph.tasks.len()],
            has_open: false,
        }
    }

    /// A task as it is written, and what was worked out of it.
    pub fn task(&self, place: usize) -> (&'c DagTask, &'c TaskPlan) {
        (&self.dag.tasks[place], &self.graph.tasks[place])
    }
}

/// A task that is being looked at.
struct OpenTask {
    place: usize,
    /// Tasks to look at before it goes on.
    before: std::vec::IntoIter<usize>,
    /// Whether it is started or continued then; otherwise it is done.
    starts: bool,
}

impl Pass<'_> {
    /// Evaluates a DAG template.
    pub fn run_dag(&mut self, id: &str, call: &Call<'_>, base: &Base, template: &Prepared) -> Evaluated {
        let Some(dag) = &template.dag else {
            return Err(Stop::Error("template has no dag".to_owned()));
        };
        if self.nodes.get(id).is_none() {
            self.add_executable(call, call.name, NodeType::Dag, template, NodePhase::Running, "");
        }
        let graph = template.graph(&self.wf.metadata.name, call.name, dag);
        let mut context = DagContext::new(id, (call, base), template, (dag, graph));
        let result = self.run_tasks(id, &mut context);
        if self.nodes.get(id).is_some_and(node::fulfilled) {
            self.stop_daemons(id);
        }
        result
    }

    fn run_tasks(&mut self, id: &str, context: &mut DagContext<'_>) -> Evaluated {
        let graph = context.graph;
        let is_daemon = |place: &usize| {
            self.nodes
                .get(&graph.tasks[*place].id)
                .is_some_and(node::daemoned)
        };
        let daemons: Vec<usize> = graph.by_name.iter().copied().filter(is_daemon).collect();
        for task in daemons {
            self.run_task(task, context)?;
        }
        for target in &graph.targets {
            self.run_task(*target, context)?;
            self.finish_target(*target, context)?;
        }
        let phase = self.assess_dag(context);
        match phase {
            NodePhase::Failed | NodePhase::Error => {
                self.set_dag_outbound(id, graph);
                self.mark(id, phase, None);
                return Ok(Some(id.to_owned()));
            }
            NodePhase::Succeeded => {}
            _ => return Ok(Some(id.to_owned())),
        }
        let vars = self.output_variables(context);
        let outputs = self
            .template_outputs(context.template, &vars)
            .map_err(Stop::Error)?;
        self.set_dag_outbound(id, graph);
        self.complete_virtual(id, context.template, outputs);
        Ok(Some(id.to_owned()))
    }

    /// What the outputs of the whole may read.
    fn output_variables(&self, context: &DagContext<'_>) -> Vars {
        let mut vars = self.inputs_of(context.template).clone();
        let outputs = argosy_model::go_json::to_string(&context.template.outputs).unwrap_or_default();
        let reads = Reads::of(&outputs, "tasks");
        self.add_variables_of(&mut vars, context, &reads, 0..context.graph.tasks.len());
        vars
    }

    fn set_dag_outbound(&mut self, id: &str, graph: &Graph) {
        let targets = graph
            .targets
            .iter()
            .map(|target| graph.tasks[*target].id.as_str());
        let outbound = self.nodes.outbound_of(targets);
        self.change(id, |node| node.outbound_nodes = outbound);
    }

    /// Adds the variables of those of the tasks that may be read, or of the first: the root is there as soon as one is.
    fn add_variables_of(
        &self,
        vars: &mut Vars,
        context: &DagContext<'_>,
        reads: &Reads,
        tasks: impl Iterator<Item = usize>,
    ) {
        if reads.is_empty() {
            return;
        }
        let mut is_first = true;
        for place in tasks {
            if is_first || reads.has(&context.task(place).0.name) {
                let before = vars.len();
                self.add_task_variables(vars, context, place);
                is_first &= vars.len() == before;
            }
        }
    }

    /// Adds a task's variables for tasks after it.
    fn add_task_variables(&self, vars: &mut Vars, context: &DagContext<'_>, place: usize) {
        let (task, plan) = context.task(place);
        let Some(node) = self.nodes.get(&plan.id) else {
            return;
        };
        let prefix = format!("tasks.{}", task.name);
        self.add_node_variables(vars, &prefix, node);
        if node.type_ == NodeType::TaskGroup {
            let items = self.loop_items(&context.boundary, &plan.node);
            self.add_aggregate(vars, &prefix, &plan.node, &items);
        } else {
            let declared = self.declared_outputs(context.base, &Holder::from(task));
            self.add_absent_outputs(vars, &prefix, node, declared.as_ref());
        }
    }

    /// The variables a task sees: inputs, workflow outputs and its ancestors (C-DAG-08).
    fn task_variables(&self, context: &DagContext<'_>, place: usize) -> Vars {
        let mut vars = self.inputs_of(context.template).clone();
        let reads = &context.graph.tasks[place].reads;
        if !reads.is_empty() {
            self.add_variables_of(&mut vars, context, reads, context.graph.ancestors(place));
        }
        vars
    }

    /// Looks at one task and, before it, at what it depends on: without recursion, since a chain may have thousands.
    fn run_task(&mut self, place: usize, context: &mut DagContext<'_>) -> Result<(), Stop> {
        let mut open: Vec<OpenTask> = self.open_task(place, context)?.into_iter().collect();
        while let Some(last) = open.last_mut() {
            if let Some(dependency) = last.before.next() {
                open.extend(self.open_task(dependency, context)?);
            } else if let Some(task) = open.pop().filter(|task| task.starts) {
                self.begin_task(task.place, context)?;
                let node = self.nodes.get(&context.graph.tasks[task.place].id);
                let is_open = |n: &NodeStatus| n.type_ != NodeType::TaskGroup && !node::fulfilled(n);
                context.has_open |= !self.last_resort && node.is_some_and(is_open);
            }
        }
        Ok(())
    }

    /// Looks at a task itself; gives what is to be looked at before it goes on, `None` if nothing is left to do.
    fn open_task(&mut self, place: usize, context: &mut DagContext<'_>) -> Result<Option<OpenTask>, Stop> {
        if std::mem::replace(&mut context.visited[place], true) {
            return Ok(None);
        }
        let (task, plan) = context.task(place);
        let id = &plan.id;
        // As it was before its hooks.
        let fulfilled = self.nodes.get(id).is_some_and(node::fulfilled);
        let watched = task.is_watched();
        let node = self.nodes.get(id).filter(|_| watched).cloned();
        let mut vars = Vars::new();
        if let Some(node) = node
            .as_ref()
            .filter(|n| fulfilled || n.phase == NodePhase::Running)
        {
            vars = self.task_variables(context, place);
            let own = format!("tasks.{}", task.name);
            vars.insert(format!("{own}.status"), vars::text(node.phase.to_string()));
            match self.run_hooks(&task.hooks, node, context.base, &own, &own, &vars) {
                Ok(true) => {}
                // A hook may wait for what the exit handler holds.
                Ok(false) | Err(Stop::Missing(_)) if !self.last_resort => return Ok(None),
                Ok(false) | Err(Stop::Missing(_)) => {}
                Err(stop) => self.mark_error(id, &stop.to_string()),
            }
        }
        if fulfilled {
            self.release_template_locks(id);
            if let Some(node) = node.filter(node::completed) {
                self.run_task_exit(task, &node, context, &vars);
            }
            self.go_on_with_item_exits(place, context);
            let before = self.forgotten(place, context).into_iter();
            return Ok(Some(OpenTask {
                place,
                before,
                starts: false,
            }));
        }
        let before = plan.before.clone().into_iter();
        Ok(Some(OpenTask {
            place,
            before,
            starts: true,
        }))
    }

    /// Starts or continues a task, once everything that it depends on was looked at.
    pub fn begin_task(&mut self, place: usize, context: &DagContext<'_>) -> Result<(), Stop> {
        let (task, plan) = context.task(place);
        let id = &plan.id;
        if self.nodes.get(id).is_some() {
            let holder = Holder::from(task);
            let template = self.named_template(context.base, &holder);
            if template.is_some_and(|template| self.is_at_work(id, &template)) {
                return Ok(());
            }
            return self.start_task(place, context);
        }
        let (phase, message) = match self.judge_dependencies(context, place) {
            Ok(None) => return Ok(()),
            Ok(Some(true)) => return self.start_task(place, context),
            Ok(Some(false)) => (
                NodePhase::Omitted,
                "omitted: depends condition not met".to_owned(),
            ),
            Err(message) => (NodePhase::Error, message),
        };
        self.add_outcome(context, task, &plan.node, phase, &message);
        self.connect(context, place, id, false);
        Ok(())
    }

    /// What a task that is done depends on and that is not: a hook that began after it, or what a retry by a person took
    /// up again without what was left out after it. Only once nothing else moves, since the peer never looks there.
    fn forgotten(&self, place: usize, context: &DagContext<'_>) -> Vec<usize> {
        if !self.last_resort {
            return Vec::new();
        }
        let open = |place: &usize| {
            let node = self.nodes.get(&context.graph.tasks[*place].id);
            node.is_some_and(|n| !self.is_settled(n))
        };
        context.graph.ancestors(place).filter(open).collect()
    }

    /// Runs the hooks of a target once more: nothing looks at a target after it.
    fn finish_target(&mut self, place: usize, context: &mut DagContext<'_>) -> Result<(), Stop> {
        let (task, plan) = context.task(place);
        if task.hooks.is_empty() {
            return Ok(());
        }
        let Some(node) = self.nodes.get(&plan.id).cloned() else {
            return Ok(());
        };
        if node.phase != NodePhase::Running && !node::fulfilled(&node) {
            return Ok(());
        }
        let mut vars = self.task_variables(context, place);
        let own = format!("tasks.{}", task.name);
        vars.insert(format!("{own}.status"), vars::text(node.phase.to_string()));
        match self.run_hooks(&task.hooks, &node, context.base, &own, &own, &vars) {
            Ok(_) | Err(Stop::Missing(_)) => Ok(()),
            Err(stop) => Err(stop),
        }
    }

    /// Goes on with exit handlers of a loop's items that were begun before its group was judged: nothing else looks at
    /// them any more. Those not begun by then never are, as in the peer.
    fn go_on_with_item_exits(&mut self, place: usize, context: &DagContext<'_>) {
        let (task, plan) = context.task(place);
        let Some(group) = self.nodes.get(&plan.id) else {
            return;
        };
        if group.type_ != NodeType::TaskGroup || !task.is_watched() {
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
        let vars = self.task_variables(context, place);
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
    fn judge_dependencies(&self, context: &DagContext<'_>, place: usize) -> Result<Option<bool>, String> {
        let graph = context.graph;
        let depends = match &graph.tasks[place].depends {
            Ok(Some(depends)) => depends,
            Ok(None) => return Ok(Some(true)),
            Err(message) => return Err(message.clone()),
        };
        let node = |name: &str| self.nodes.get(&graph.tasks[graph.place(name)?].id);
        for dependency in depends.tasks() {
            let Some(node) = node(dependency) else {
                return Ok(None);
            };
            if !self.is_settled(node) {
                return Ok(None);
            }
        }
        let holds = |name: &str, result: &str| node(name).is_some_and(|n| self.has_result(n, result));
        let verdict = depends.evaluate(holds);
        verdict.map(Some).map_err(|e| e.to_string())
    }

    /// Whether a task's node and its hooks are done.
    pub fn is_settled(&self, node: &NodeStatus) -> bool {
        let children = node.children.iter().filter_map(|c| self.nodes.get(c));
        let mut hooks = children.filter(|c| node::hooked(c));
        node::fulfilled(node) && hooks.all(node::fulfilled)
    }

    /// Whether a task came to an outcome (C-DAG-04).
    fn has_result(&self, node: &NodeStatus, result: &str) -> bool {
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
    fn connect(&mut self, context: &DagContext<'_>, place: usize, child: &str, in_group: bool) {
        let plan = &context.graph.tasks[place];
        if in_group {
            self.add_child(&plan.id, child);
            return;
        }
        if plan.before.is_empty() {
            self.add_child(&context.boundary, child);
        }
        for dependency in &plan.before {
            for outbound in self.nodes.outbound(&context.graph.tasks[*dependency].id) {
                self.add_child(&outbound, child);
            }
        }
    }

    /// Starts or continues a task whose turn it is (C-DAG-06).
    fn start_task(&mut self, place: usize, context: &DagContext<'_>) -> Result<(), Stop> {
        let (task, plan) = context.task(place);
        let id = &plan.id;
        let group = self.nodes.get(id).is_some_and(|n| n.type_ == NodeType::TaskGroup);
        let vars = self.task_variables(context, place);
        let prepared = match self.resolve_task(task, &vars) {
            Ok(resolved) => self
                .unfold(&resolved, context.call.name, context.base)
                .map(|items| (resolved, items)),
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
                self.add_outcome(context, task, &plan.node, NodePhase::Error, &message);
                self.connect(context, place, id, false);
                return Ok(());
            }
        };
        let Some(items) = items else {
            self.run_item(&resolved, place, context, &vars, group);
            return Ok(());
        };
        if items.is_empty() {
            if self.nodes.get(id).is_none() {
                self.add_outcome(
                    context,
                    task,
                    &plan.node,
                    NodePhase::Skipped,
                    "Skipped, empty params",
                );
                self.connect(context, place, id, false);
            }
            return Ok(());
        }
        if !group {
            self.add_task_group(place, context);
        }
        let mut held_back = false;
        for (item, looped) in items.iter() {
            let Some(looped) = looped else {
                self.release_template_locks(item);
                continue;
            };
            // One that holds a place and lacks its pod is looked at all the same, or nothing would give the place back.
            // One that only has to end may hold the lock that those before it wait for.
            let lacks = || self.may_lack_pod(&format!("{}.{}", context.call.name, looped.name));
            if !held_back || self.reached.is_some() || lacks() {
                held_back |= !self.run_item(looped, place, context, &vars, true);
            }
        }
        if !held_back {
            self.assess_task_group(id, &items);
        }
        Ok(())
    }

    fn add_task_group(&mut self, place: usize, context: &DagContext<'_>) {
        let (task, plan) = context.task(place);
        self.connect(context, place, &plan.id, false);
        self.add_node(super::nodes::Birth {
            name: &plan.node,
            kind: NodeType::TaskGroup,
            phase: NodePhase::Running,
            boundary: &context.boundary,
            message: "",
            flag: Some(NodeFlag::default()),
            scope: context.base.scope_text(),
        });
        let holder = Holder::from(task);
        self.change(&plan.id, |node| {
            node.template_name.clone_from(&holder.template);
            node.template_ref.clone_from(&holder.reference);
        });
    }

    /// The phase of a loop's group: that of the last item that failed (C-DAG-07).
    fn assess_task_group(&mut self, id: &str, items: &Items<DagTask>) {
        let mut phase = NodePhase::Succeeded;
        for (item, _) in items.iter() {
            match self.nodes.get(item) {
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
        place: usize,
        context: &DagContext<'_>,
        vars: &Vars,
        in_group: bool,
    ) -> bool {
        let name = format!("{}.{}", context.call.name, item.name);
        let id = self.nodes.id(&name);
        if self.nodes.get(&id).is_none() {
            self.connect(context, place, &id, in_group);
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
