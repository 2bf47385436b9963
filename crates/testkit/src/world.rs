//! A world as one controller sees it: workflows, their pods, task results, ConfigMaps and locks.
//!
//! Effects happen at once and without fault. Faults and schedules belong to whoever drives the world.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::config::ImageConfig;
use argosy_engine::{
    Config, ConfigMaps, Decision, Effect, Metric, Order, Outcomes, Plan, Snapshot, Templates, compile,
    decide, locks, plan,
};
use argosy_model::k8s::{ConfigMap, ObjectMeta, Pod, Time};
use argosy_model::{NodeResult, Template, Workflow, WorkflowTaskResult};
use jiff::Timestamp;

/// What is there.
#[derive(Default)]
pub struct World {
    /// The controller's settings.
    pub config: Config,
    /// Templates that workflows may refer to.
    pub templates: Templates,
    /// ConfigMaps by namespace and name.
    pub config_maps: ConfigMaps,
    /// All locks.
    pub locks: locks::Machine,
    /// Whether decisions need not name all nodes that wait ([`Snapshot::explain`]).
    pub hurried: bool,
    /// One entry for each workflow, by name.
    pub workflows: BTreeMap<String, Life>,
    /// Entries of caches: ConfigMap, key, text.
    pub memos: BTreeMap<(String, String), String>,
    /// Values of custom metrics, in order.
    pub metrics: Vec<Metric>,
}

/// One workflow and what belongs to it.
pub struct Life {
    /// The object.
    pub workflow: Workflow,
    /// Pods that are not labelled completed, by name.
    pub pods: BTreeMap<String, Arc<Pod>>,
    /// Results by node id.
    pub results: BTreeMap<String, Arc<WorkflowTaskResult>>,
    /// The agent's results by node id.
    pub agent_results: BTreeMap<String, NodeResult>,
    /// The agent's tasks by node id.
    pub tasks: BTreeMap<String, Template>,
    /// What came of earlier effects.
    pub outcomes: Outcomes,
    /// How often a pod of that name was created.
    pub created: BTreeMap<String, usize>,
    /// A plan that decisions were made by before, and what it was made of.
    planned: Option<(Workflow, Plan)>,
}

/// What one decision did.
pub struct Passed {
    /// The decision.
    pub decision: Decision,
    /// Pods that were really created: node id and name, in order.
    pub created: Vec<(String, String)>,
}

impl World {
    /// Adds a workflow as the API server would: with a uid and a time of creation.
    pub fn submit(&mut self, mut workflow: Workflow, now: Timestamp) {
        let number = self.workflows.len() + 1;
        workflow.metadata.creation_timestamp = Some(Time(now));
        if workflow.metadata.uid.is_empty() {
            workflow.metadata.uid = format!("00000000-0000-0000-0000-{number:012}");
        }
        let outcomes = Outcomes {
            repository: Some(Ok(Default::default())),
            ..Outcomes::default()
        };
        let life = Life {
            pods: BTreeMap::new(),
            results: BTreeMap::new(),
            agent_results: BTreeMap::new(),
            tasks: BTreeMap::new(),
            created: BTreeMap::new(),
            planned: None,
            outcomes,
            workflow,
        };
        self.workflows.insert(life.workflow.metadata.name.clone(), life);
    }

    /// Decides about one workflow and makes it so. `None` when there is no such workflow.
    pub fn pass(&mut self, name: &str, now: Timestamp) -> Option<Passed> {
        let life = self.workflows.get(name)?;
        let (plan, _) = compile(&life.workflow, &self.templates, &self.config);
        let serves = |(made_of, _): &&(Workflow, Plan)| plan::serves(made_of, &life.workflow);
        if let Some((_, used)) = life.planned.as_ref().filter(serves) {
            self.check_workings(life, used, &plan, now);
        } else {
            let life = self.workflows.get_mut(name)?;
            life.planned = Some((life.workflow.clone(), plan.clone()));
        }
        self.pass_by(&plan, name, now)
    }

    /// What earlier decisions by a plan worked out changes nothing.
    fn check_workings(&self, life: &Life, used: &Plan, fresh: &Plan, now: Timestamp) {
        let seen = self.snapshot(life);
        let hurried = Snapshot {
            explain: false,
            ..seen
        };
        let by_fresh = decide(fresh, &seen, now);
        let (by_used, in_haste) = (decide(used, &seen, now), decide(used, &hurried, now));
        for other in [&by_used, &in_haste] {
            assert_eq!(other.changes, by_fresh.changes);
            assert_eq!(other.effects, by_fresh.effects);
            assert_eq!(other.wake_at, by_fresh.wake_at);
        }
        assert_eq!(by_used.waiting, by_fresh.waiting);
        assert_eq!(in_haste.waiting.is_empty(), by_fresh.waiting.is_empty());
    }

    fn snapshot<'w>(&'w self, life: &'w Life) -> Snapshot<'w> {
        Snapshot {
            workflow: &life.workflow,
            pods: &life.pods,
            results: &life.results,
            agent_results: &life.agent_results,
            config_maps: &self.config_maps,
            locks: &self.locks,
            outcomes: &life.outcomes,
            config: &self.config,
            admitted: true,
            explain: !self.hurried,
        }
    }

    /// As [`World::pass`], by a plan that was made before.
    pub fn pass_by(&mut self, plan: &Plan, name: &str, now: Timestamp) -> Option<Passed> {
        let decision = decide(plan, &self.snapshot(self.workflows.get(name)?), now);
        let life = self.workflows.get_mut(name)?;
        if life.look_up(&decision) {
            return self.pass_by(plan, name, now);
        }
        let life = self.workflows.get_mut(name)?;
        let mut created = Vec::new();
        for order in [Order::BeforePersist, Order::AfterPersist] {
            if order == Order::AfterPersist {
                decision.changes.apply(&mut life.workflow);
            }
            for effect in decision.effects.iter().filter(|e| e.order() == order) {
                match effect {
                    Effect::Lock(op) => {
                        self.locks.apply([op]);
                    }
                    Effect::SaveMemo {
                        config_map,
                        key,
                        entry,
                        ..
                    } => {
                        self.memos
                            .insert((config_map.clone(), key.clone()), entry.clone());
                        let namespace = self.config.namespace.clone();
                        save_memo(&mut self.config_maps, &namespace, config_map, key, entry);
                    }
                    Effect::Metric(metric) => self.metrics.push(metric.clone()),
                    other => life.perform(other, now, &mut created),
                }
            }
        }
        Some(Passed { decision, created })
    }
}

impl Life {
    /// Answers what a decision must know before another try. True when there was such a question.
    fn look_up(&mut self, decision: &Decision) -> bool {
        let mut asked = false;
        for effect in &decision.effects {
            match effect {
                Effect::LookUpImage { image, .. } => {
                    let entrypoint = vec!["/entry".to_owned()];
                    let found = ImageConfig {
                        entrypoint,
                        cmd: Vec::new(),
                    };
                    asked |= self.outcomes.images.insert(image.clone(), Ok(found)).is_none();
                }
                Effect::LookUpTokenSecret { service_account } => {
                    let secret = argosy_engine::names::token_secret(service_account);
                    asked |= self
                        .outcomes
                        .token_secrets
                        .insert(service_account.clone(), secret)
                        .is_none();
                }
                _ => {}
            }
        }
        asked
    }

    fn perform(&mut self, effect: &Effect, now: Timestamp, created: &mut Vec<(String, String)>) {
        match effect {
            Effect::CreatePod { node_id, pod, .. } => self.create(node_id, pod, now, created),
            Effect::CreateAgentPod { pod } => self.create("", pod, now, created),
            Effect::LabelPodCompleted { pod, .. } => {
                self.pods.remove(pod);
            }
            Effect::DeletePod { pod, uid: None, .. } => {
                self.pods.remove(pod);
            }
            Effect::WriteTaskSet { tasks } => self.tasks.extend(tasks.clone()),
            Effect::CompleteTasks { tasks, all } => {
                for id in tasks {
                    self.tasks.remove(id);
                    self.agent_results.remove(id);
                }
                if *all {
                    self.tasks.clear();
                }
            }
            Effect::DeleteTaskResults => self.results.clear(),
            _ => {}
        }
    }

    fn create(&mut self, node_id: &str, pod: &Pod, now: Timestamp, created: &mut Vec<(String, String)>) {
        let name = pod.metadata.name.clone();
        if self.pods.contains_key(&name) {
            return;
        }
        let count = self.created.entry(name.clone()).or_insert(0);
        *count += 1;
        let mut pod = pod.clone();
        pod.metadata.uid = format!("uid-{name}-{count}");
        pod.metadata.creation_timestamp = Some(Time(now));
        "Pending".clone_into(&mut pod.status.phase);
        self.pods.insert(name.clone(), Arc::new(pod));
        created.push((node_id.to_owned(), name));
    }
}

fn save_memo(maps: &mut ConfigMaps, namespace: &str, name: &str, key: &str, entry: &str) {
    let mut map = maps.get(namespace, name).cloned().unwrap_or_else(|| ConfigMap {
        metadata: ObjectMeta {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            labels: [(
                "workflows.argoproj.io/configmap-type".to_owned(),
                "Cache".to_owned(),
            )]
            .into(),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    });
    map.data.insert(key.to_owned(), entry.to_owned());
    maps.insert(namespace, name, Some(Arc::new(map)));
}
