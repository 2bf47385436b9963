//! A world as one controller sees it: workflows, their pods, task results, ConfigMaps and locks.
//!
//! Effects happen at once and without fault. Faults and schedules belong to whoever drives the world.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::config::ImageConfig;
use argosy_engine::{
    Config, ConfigMaps, Decision, Effect, Metric, Moved, Order, Outcomes, Plan, Snapshot, Templates, compile,
    decide, is_done_with, locks, plan,
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
    /// What moved since the last decision.
    pub moved: Moved,
    /// A plan that decisions were made by before, and what it was made of.
    planned: Option<(Workflow, Plan)>,
    /// What there was after the last decision.
    left: Option<Left>,
}

/// What decisions see of a workflow.
struct Left {
    workflow: Workflow,
    pods: BTreeMap<String, Arc<Pod>>,
    results: BTreeMap<String, Arc<WorkflowTaskResult>>,
    /// Everything else, as text.
    others: String,
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
            moved: Moved::Everything,
            planned: None,
            left: None,
            outcomes,
            workflow,
        };
        self.workflows.insert(life.workflow.metadata.name.clone(), life);
    }

    /// Decides about one workflow and makes it so. `None` when there is no such workflow.
    pub fn pass(&mut self, name: &str, now: Timestamp) -> Option<Passed> {
        let others = self.others(self.workflows.get(name)?);
        let life = self.workflows.get_mut(name)?;
        life.moved = life.find_moved(&others);
        let life = self.workflows.get(name)?;
        let (plan, _) = compile(&life.workflow, &self.templates, &self.config);
        let serves = |(made_of, _): &&(Workflow, Plan)| plan::serves(made_of, &life.workflow);
        if let Some((_, used)) = life.planned.as_ref().filter(serves) {
            self.check_workings(life, used, &plan, now);
        } else {
            let life = self.workflows.get_mut(name)?;
            life.planned = Some((life.workflow.clone(), plan.clone()));
        }
        let passed = self.pass_by(&plan, name, now);
        let others = self.others(self.workflows.get(name)?);
        let life = self.workflows.get_mut(name)?;
        life.left = Some(Left {
            workflow: life.workflow.clone(),
            pods: life.pods.clone(),
            results: life.results.clone(),
            others,
        });
        passed
    }

    /// What decisions about a workflow see beside it, its pods and results.
    fn others(&self, life: &Life) -> String {
        format!(
            "{:?} {:?} {:?} {:?}",
            life.agent_results, life.outcomes, self.config_maps, self.config
        )
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
        }
        assert_eq!(by_used.wake_at, by_fresh.wake_at);
        // What looks at a part only may have the whole looked at too early, never too late.
        let wakes = |decision: &Decision| decision.wake_at.unwrap_or(Timestamp::MAX);
        assert!(wakes(&in_haste) <= wakes(&by_fresh), "{in_haste:?} {by_fresh:?}");
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
            moved: &life.moved,
        }
    }

    /// As [`World::pass`], by a plan that was made before.
    pub fn pass_by(&mut self, plan: &Plan, name: &str, now: Timestamp) -> Option<Passed> {
        let decision = decide(plan, &self.snapshot(self.workflows.get(name)?), now);
        let life = self.workflows.get_mut(name)?;
        if life.look_up(&decision) {
            life.moved = Moved::Everything;
            return self.pass_by(plan, name, now);
        }
        let life = self.workflows.get_mut(name)?;
        life.moved = Moved::nothing();
        let mut created = Vec::new();
        for order in [Order::BeforePersist, Order::AfterPersist] {
            if order == Order::AfterPersist {
                life.store(&decision);
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
                        life.moved = Moved::Everything;
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
    /// What moved since the last decision, whoever moved it.
    fn find_moved(&self, others: &str) -> Moved {
        let Some(left) = self
            .left
            .as_ref()
            .filter(|left| left.others == others && left.workflow == self.workflow)
        else {
            return Moved::Everything;
        };
        let mut moved = Moved::nothing();
        for (name, pod) in left.pods.iter().chain(&self.pods) {
            let (old, new) = (left.pods.get(name), self.pods.get(name));
            let is_done = new.is_none() && is_done_with(&self.workflow, pod);
            if old.map(Arc::as_ptr) != new.map(Arc::as_ptr) && !is_done {
                moved.note_pod(name);
            }
        }
        for id in left.results.keys().chain(self.results.keys()) {
            let (old, new) = (left.results.get(id), self.results.get(id));
            if old.map(Arc::as_ptr) != new.map(Arc::as_ptr) {
                moved.note_result(id);
            }
        }
        moved
    }

    fn store(&mut self, decision: &Decision) {
        if !decision.changes.is_empty() {
            decision.changes.apply(&mut self.workflow);
            let version = &mut self.workflow.metadata.resource_version;
            *version = (version.parse::<u64>().unwrap_or(0) + 1).to_string();
        }
    }

    /// Forgets a pod.
    fn drop_pod(&mut self, name: &str) {
        if self
            .pods
            .remove(name)
            .is_some_and(|pod| !is_done_with(&self.workflow, &pod))
        {
            self.moved.note_pod(name);
        }
    }

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
            Effect::CreatePod { node_id, pod, .. } => return self.create(node_id, pod, now, created),
            Effect::Emit(_) | Effect::Metric(_) | Effect::TerminateContainers { .. } => return,
            Effect::CreateAgentPod { pod } => self.create("", pod, now, created),
            Effect::LabelPodCompleted { pod, .. }
            | Effect::DeletePod { pod, uid: None, .. }
            | Effect::DeletePod {
                pod,
                by_strategy: true,
                ..
            } => {
                return self.drop_pod(pod);
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
        self.moved = Moved::Everything;
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
        self.moved.note_pod(&name);
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
