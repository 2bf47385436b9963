//! Random workflows: every kind of template and every option that a decision depends on, small enough to be read when
//! a seed fails.

use std::sync::Arc;

use argosy_engine::config::FailedPodRestart;
use argosy_engine::throttle::Limits;
use argosy_engine::{Config, Templates};
use argosy_model::{Workflow, WorkflowTemplate};
use serde_json::{Map, Value, json};

use super::rng::Rng;

/// What a simulation starts with.
pub struct Scenario {
    /// Workflows, all submitted at once.
    pub workflows: Vec<Workflow>,
    /// Templates that they may refer to.
    pub templates: Templates,
    /// Settings of the engine.
    pub config: Config,
    /// Limits of running workflows.
    pub limits: Limits,
    /// Values of ConfigMaps: name, key, value.
    pub maps: Vec<(String, String, String)>,
    /// Whether nothing in them depends on when things happen.
    pub deterministic: bool,
}

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::of(seed, "scenario");
        let count = 1 + rng.below(3);
        let mut deterministic = true;
        let workflows = (0..count).map(|n| {
            let mut author = Author::new(Rng::of(seed, &format!("workflow {n}")));
            let workflow = author.workflow(&format!("w{n}"));
            deterministic &= author.deterministic;
            serde_json::from_value(workflow).expect("the generator writes workflows")
        });
        let workflows: Vec<Workflow> = workflows.collect();
        let mut templates = Templates::default();
        templates.namespaced.insert("lib".to_owned(), Arc::new(library()));
        let mut config = Config::default();
        if rng.one_in(4) {
            config.failed_pod_restart = Some(FailedPodRestart { max_restarts: 2 });
        }
        let mut limit = |limits: &[usize]| if rng.one_in(6) { rng.pick(limits) } else { 0 };
        let limits = Limits {
            global: limit(&[1]),
            namespace: limit(&[1, 2]),
            ..Limits::default()
        };
        Self {
            workflows,
            templates,
            config,
            limits,
            maps: semaphores(),
            deterministic,
        }
    }

    /// One workflow by its spec, alone.
    #[must_use]
    pub fn of_spec(spec: Value) -> Self {
        let workflow = json!({"metadata": {"name": "w0", "namespace": "argo"}, "spec": spec});
        Self {
            workflows: vec![serde_json::from_value(workflow).expect("the value is a spec")],
            templates: Templates::default(),
            config: Config {
                failed_pod_restart: Some(FailedPodRestart { max_restarts: 2 }),
                ..Config::default()
            },
            limits: Limits::default(),
            maps: semaphores(),
            deterministic: false,
        }
    }

    /// How many may hold a lock at once.
    #[must_use]
    pub fn lock_limit(&self, lock: &str) -> usize {
        if lock.contains("/ConfigMap/") { 2 } else { 1 }
    }
}

/// Two may hold each semaphore.
fn semaphores() -> Vec<(String, String, String)> {
    let semaphore = |level| ("limits".to_owned(), format!("two{level}"), "2".to_owned());
    (0..=LEAF).map(semaphore).collect()
}

/// Templates outside the workflows.
fn library() -> WorkflowTemplate {
    let object = json!({
        "metadata": {"name": "lib", "namespace": "argo"},
        "spec": {"templates": [
            {"name": "one", "container": container()},
            {"name": "two", "steps": [[{"name": "a", "template": "one"}], [{"name": "b", "template": "one"}]]},
        ]},
    });
    serde_json::from_value(object).expect("the object is a template")
}

fn container() -> Value {
    json!({"image": "x", "command": ["x"]})
}

/// Levels of locks: those of the workflow, of templates with others inside, of leaves. What holds a lock only waits for
/// locks of higher levels, so that nothing waits for itself.
const WORKFLOW: u64 = 0;
const LEAF: u64 = 4;

/// Writes one workflow.
struct Author {
    rng: Rng,
    templates: Vec<Value>,
    deterministic: bool,
    daemons: bool,
}

impl Author {
    fn new(rng: Rng) -> Self {
        Self {
            rng,
            templates: Vec::new(),
            deterministic: true,
            daemons: false,
        }
    }

    fn add(&mut self, kind: &str, template: Value) -> String {
        let name = format!("{kind}{}", self.templates.len());
        let mut template = template;
        template["name"] = json!(name);
        self.templates.push(template);
        name
    }

    fn workflow(&mut self, name: &str) -> Value {
        let depth = self.rng.below(3);
        let entry = self.template(depth);
        let mut spec = Map::new();
        spec.insert("entrypoint".to_owned(), json!(entry));
        self.end(&mut spec);
        self.limits(&mut spec);
        self.cleanup(&mut spec);
        spec.insert("templates".to_owned(), json!(self.templates));
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
            "metadata": {"name": name, "namespace": "argo"}, "spec": spec,
        })
    }

    /// Exit handlers and hooks of the workflow.
    fn end(&mut self, spec: &mut Map<String, Value>) {
        if self.rng.one_in(5) {
            let template = self.template(0);
            spec.insert("onExit".to_owned(), json!(template));
        } else if self.rng.one_in(6) {
            let template = self.template(1);
            spec.insert("hooks".to_owned(), json!({"exit": {"template": template}}));
        }
        if self.rng.one_in(8) {
            let template = self.pod();
            let expression = self
                .rng
                .pick(&["workflow.status == \"Running\"", "workflow.status == \"Failed\""]);
            let hooks = spec.entry("hooks").or_insert_with(|| json!({}));
            hooks["notify"] = json!({"template": template, "expression": expression});
            self.deterministic = false;
        }
    }

    fn limits(&mut self, spec: &mut Map<String, Value>) {
        if !self.daemons && self.rng.one_in(4) {
            spec.insert("parallelism".to_owned(), json!(1 + self.rng.below(2)));
        }
        if self.rng.one_in(8) {
            spec.insert("synchronization".to_owned(), self.locks(WORKFLOW));
        }
        if self.rng.one_in(12) {
            spec.insert("activeDeadlineSeconds".to_owned(), json!(5 + self.rng.below(60)));
            self.deterministic = false;
        }
        if self.rng.one_in(15) {
            spec.insert("suspend".to_owned(), json!(true));
        }
        if self.rng.one_in(15) {
            spec.insert("retryStrategy".to_owned(), json!({"limit": 1}));
        }
        if self.rng.one_in(4) {
            spec.insert("priority".to_owned(), json!(self.rng.below(3)));
        }
        if self.rng.one_in(10) {
            let claim = json!([{"metadata": {"name": "work"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]);
            spec.insert("volumeClaimTemplates".to_owned(), claim);
        }
    }

    fn cleanup(&mut self, spec: &mut Map<String, Value>) {
        if self.rng.one_in(3) {
            let strategy = self.rng.pick(&[
                "OnPodCompletion",
                "OnPodSuccess",
                "OnWorkflowCompletion",
                "OnWorkflowSuccess",
            ]);
            let mut gc = json!({"strategy": strategy});
            if self.rng.one_in(2) {
                gc["deleteDelayDuration"] = json!(self.rng.pick(&["0s", "2s"]));
            }
            spec.insert("podGC".to_owned(), gc);
        }
        if self.rng.one_in(8) {
            spec.insert(
                "ttlStrategy".to_owned(),
                json!({"secondsAfterCompletion": self.rng.below(30)}),
            );
        }
    }

    fn locks(&mut self, level: u64) -> Value {
        let name = |number: u64| format!("m{level}{number}");
        let mutex = json!({"name": name(1 + self.rng.below(2))});
        let semaphore = json!({"configMapKeyRef": {"name": "limits", "key": format!("two{level}")}});
        match self.rng.below(5) {
            0 => json!({"mutexes": [mutex], "semaphores": [semaphore]}),
            1 => json!({"mutexes": [{"name": name(1)}, {"name": name(2)}]}),
            2 | 3 => json!({"mutexes": [mutex]}),
            _ => json!({"semaphores": [semaphore]}),
        }
    }

    /// A template of any kind, at most so many levels deep.
    fn template(&mut self, depth: u64) -> String {
        if depth == 0 || self.rng.one_in(6) {
            return self.leaf();
        }
        if self.rng.one_in(2) {
            self.steps(depth)
        } else {
            self.dag(depth)
        }
    }

    fn leaf(&mut self) -> String {
        match self.rng.below(12) {
            0 => self.add("list", json!({"script": {"image": "x", "command": ["x"], "source": "list"}})),
            1 => {
                let outputs = json!({"parameters": [{"name": "p", "valueFrom": {"path": "/p"}}]});
                self.add("give", json!({"container": container(), "outputs": outputs}))
            }
            2 => self.container_set(),
            3 => {
                let duration = self.rng.pick(&["1", "5s", "20s", ""]);
                let suspend = if duration.is_empty() { json!({}) } else { json!({"duration": duration}) };
                self.add("wait", json!({"suspend": suspend}))
            }
            4 => self.memoized(),
            5 => self.add(
                "side",
                json!({"container": container(), "sidecars": [{"name": "proxy", "image": "x", "command": ["x"]}]}),
            ),
            _ => self.pod(),
        }
    }

    /// A template that is a plain pod, with what may hold it back.
    fn pod(&mut self) -> String {
        let mut template = json!({"container": container()});
        if self.rng.one_in(3) {
            template["retryStrategy"] = self.retry();
        }
        if self.rng.one_in(5) {
            template["synchronization"] = self.locks(LEAF);
        }
        if self.rng.one_in(12) {
            let key = self.rng.pick(&["timeout", "pendingTimeout"]);
            template[key] = json!(self.rng.pick(&["1s", "4s", "30s"]));
            self.deterministic = false;
        }
        if self.rng.one_in(12) {
            template["activeDeadlineSeconds"] = json!(1 + self.rng.below(8));
        }
        self.add("pod", template)
    }

    fn retry(&mut self) -> Value {
        let mut retry = json!({});
        if !self.rng.one_in(6) {
            retry["limit"] = json!(self.rng.below(4));
        } else {
            retry["expression"] = json!("asInt(retries) < 2");
        }
        if self.rng.one_in(3) {
            retry["retryPolicy"] = json!(self.rng.pick(&["Always", "OnFailure", "OnError"]));
        }
        if self.rng.one_in(2) {
            let mut backoff =
                json!({"duration": self.rng.pick(&["1", "3s", "10s"]), "factor": 1 + self.rng.below(2)});
            if self.rng.one_in(4) {
                backoff["maxDuration"] = json!("30s");
                self.deterministic = false;
            }
            retry["backoff"] = backoff;
        }
        retry
    }

    fn memoized(&mut self) -> String {
        let key = self.rng.pick(&["k1", "k2"]);
        // Who comes first decides who finds it there.
        self.deterministic = false;
        let memoize = json!({"key": key, "cache": {"configMap": {"name": "memo"}}});
        let outputs = json!({"parameters": [{"name": "p", "valueFrom": {"path": "/p"}}]});
        self.add(
            "memo",
            json!({"container": container(), "memoize": memoize, "outputs": outputs}),
        )
    }

    fn container_set(&mut self) -> String {
        let mut containers = vec![json!({"name": "main", "image": "x", "command": ["x"]})];
        for n in 0..self.rng.below(3) {
            let before = if n == 0 {
                "main".to_owned()
            } else {
                format!("c{}", n - 1)
            };
            let name = format!("c{n}");
            containers.push(json!({"name": name, "image": "x", "command": ["x"], "dependencies": [before]}));
        }
        self.add("set", json!({"containerSet": {"containers": containers}}))
    }

    /// A loop over what an earlier step or task printed: its name, if it prints a list.
    fn loop_over(&mut self, call: &mut Map<String, Value>, earlier: Option<&str>, sort: &str) {
        let looped = ["withItems", "withSequence"]
            .iter()
            .any(|key| call.contains_key(*key));
        if let Some(earlier) = earlier.filter(|_| !looped && self.rng.one_in(2)) {
            let result = format!("{{{{{sort}.{earlier}.outputs.result}}}}");
            call.insert("withParam".to_owned(), json!(result));
            // The result of one that failed is there or not, as it comes.
            self.deterministic = false;
        }
    }

    /// Whether a step or task prints a list.
    fn prints_list(call: &Map<String, Value>) -> bool {
        let template = call.get("template").and_then(Value::as_str);
        let looped = ["withItems", "withSequence", "withParam"]
            .iter()
            .any(|key| call.contains_key(*key));
        template.is_some_and(|t| t.starts_with("list")) && !looped
    }

    /// What steps and tasks have in common.
    fn call(&mut self, name: &str, depth: u64, sort: &str) -> Map<String, Value> {
        let mut call = Map::new();
        call.insert("name".to_owned(), json!(name));
        if self.rng.one_in(8) {
            let template = self.rng.pick(&["one", "two"]);
            call.insert(
                "templateRef".to_owned(),
                json!({"name": "lib", "template": template}),
            );
        } else {
            let template = self.template(depth - 1);
            call.insert("template".to_owned(), json!(template));
        }
        match self.rng.below(8) {
            0 => drop(call.insert("withItems".to_owned(), json!(["a", "b", "c"]))),
            1 => drop(call.insert(
                "withSequence".to_owned(),
                json!({"count": (1 + self.rng.below(3)).to_string()}),
            )),
            2 => drop(call.insert("withItems".to_owned(), json!([]))),
            _ => {}
        }
        if self.rng.one_in(12) {
            call.insert("when".to_owned(), json!(self.rng.pick(&["1 == 1", "1 == 2"])));
        }
        if self.rng.one_in(10) {
            let template = self.pod();
            call.insert("onExit".to_owned(), json!(template));
            // Which items of a loop get theirs depends on when the last one ends.
            self.deterministic &= !call.contains_key("withItems") && !call.contains_key("withSequence");
        }
        if self.rng.one_in(10) {
            let template = self.pod();
            let status = self.rng.pick(&["Running", "Succeeded", "Failed"]);
            let expression = format!("{sort}[\"{name}\"].status == \"{status}\"");
            call.insert(
                "hooks".to_owned(),
                json!({"tell": {"template": template, "expression": expression}}),
            );
            self.deterministic = false;
        }
        call
    }

    fn continue_on(&mut self, call: &mut Map<String, Value>) {
        if self.rng.one_in(4) {
            let on = json!({"failed": self.rng.one_in(2), "error": self.rng.one_in(2)});
            call.insert("continueOn".to_owned(), on);
        }
    }

    fn steps(&mut self, depth: u64) -> String {
        let mut groups = Vec::new();
        let mut list: Option<String> = None;
        for group in 0..1 + self.rng.below(3) {
            let mut steps = Vec::new();
            let mut next = list.clone();
            for step in 0..1 + self.rng.below(2) {
                let name = format!("s{group}{step}");
                let mut call = self.call(&name, depth, "steps");
                self.loop_over(&mut call, list.as_deref(), "steps");
                if Self::prints_list(&call) {
                    next = Some(name);
                }
                self.continue_on(&mut call);
                steps.push(Value::Object(call));
            }
            list = next;
            groups.push(json!(steps));
        }
        let mut template = json!({"steps": groups});
        self.whole(&mut template, depth);
        self.add("steps", template)
    }

    fn dag(&mut self, depth: u64) -> String {
        let count = 1 + self.rng.below(4);
        let mut tasks = Vec::new();
        let mut depends = false;
        let mut lists: Vec<u64> = Vec::new();
        let style = self.rng.one_in(2);
        for task in 0..count {
            let mut call = self.call(&format!("t{task}"), depth, "tasks");
            let before: Vec<u64> = (0..task).filter(|_| self.rng.one_in(2)).collect();
            let list = before
                .iter()
                .find(|b| lists.contains(*b))
                .map(|b| format!("t{b}"));
            self.loop_over(&mut call, list.as_deref(), "tasks");
            if Self::prints_list(&call) {
                lists.push(task);
            }
            if style && !before.is_empty() {
                let terms: Vec<String> = before.iter().map(|b| self.term(*b)).collect();
                let glue = self.rng.pick(&[" && ", " || "]);
                call.insert("depends".to_owned(), json!(terms.join(glue)));
                depends = true;
            } else if !before.is_empty() {
                let names: Vec<String> = before.iter().map(|b| format!("t{b}")).collect();
                call.insert("dependencies".to_owned(), json!(names));
            }
            tasks.push(call);
        }
        let tasks: Vec<Value> = tasks
            .into_iter()
            .map(|mut call| {
                if !depends {
                    self.continue_on(&mut call);
                }
                Value::Object(call)
            })
            .collect();
        let mut dag = json!({"tasks": tasks});
        if self.rng.one_in(4) {
            dag["failFast"] = json!(false);
        }
        let mut template = json!({"dag": dag});
        self.whole(&mut template, depth);
        self.add("dag", template)
    }

    fn term(&mut self, task: u64) -> String {
        match self.rng.below(6) {
            0 => format!("t{task}.Failed"),
            1 => format!("(t{task}.Succeeded || t{task}.Failed || t{task}.Errored)"),
            2 => format!("!t{task}.Failed"),
            3 => format!("t{task}.Succeeded"),
            _ => format!("t{task}"),
        }
    }

    /// What may hold back or repeat a template with others inside.
    fn whole(&mut self, template: &mut Value, depth: u64) {
        if self.rng.one_in(4) {
            template["parallelism"] = json!(1 + self.rng.below(2));
        }
        if self.rng.one_in(8) {
            template["failFast"] = json!(true);
            self.deterministic = false;
        }
        if self.rng.one_in(10) {
            template["synchronization"] = self.locks(LEAF - depth);
        }
        if self.rng.one_in(8) {
            template["retryStrategy"] = self.retry();
        }
        // A daemon counts for the limit all the time, and may leave no room for anything else.
        if template.get("parallelism").is_none() && self.rng.one_in(6) {
            self.daemons = true;
            let daemon = self.add("daemon", json!({"container": container(), "daemon": true}));
            let name = json!("server");
            if let Some(tasks) = template.pointer_mut("/dag/tasks").and_then(Value::as_array_mut) {
                tasks.push(json!({"name": name, "template": daemon}));
            } else if let Some(groups) = template.get_mut("steps").and_then(Value::as_array_mut) {
                groups.insert(0, json!([{"name": name, "template": daemon}]));
            }
        }
    }
}
