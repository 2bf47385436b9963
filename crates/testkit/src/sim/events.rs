//! What happens around the controller: news reach it, pods move, people act, things break.

use std::sync::Arc;

use argosy_engine::edit;
use argosy_engine::names::PodNames;
use argosy_engine::node::workflow_fulfilled;
use argosy_engine::throttle::Throttle;
use argosy_model::k8s::Pod;
use argosy_model::{ShutdownStrategy, Workflow};
use jiff::{SignedDuration, Timestamp};

use super::Sim;
use super::cache::{self, Cache};
use super::cluster::News;
use super::kubelet::{self, State};
use super::rng::Rng;
use super::shell::Shell;

/// Something that happens at a time.
pub enum Event {
    /// The controller is told.
    Tell { life: u32, news: News, last: bool },
    /// The controller gets a whole list.
    List {
        life: u32,
        kind: &'static str,
        all: Vec<News>,
    },
    /// A broken watch comes back and lists.
    Reconnect { life: u32, kind: &'static str },
    /// The controller starts anew.
    Start,
    /// A pod starts.
    PodStarts { name: String, uid: String },
    /// A pod's work is done.
    PodEnds {
        name: String,
        uid: String,
        exit: i32,
        message: &'static str,
    },
    /// What still runs in a pod is killed.
    PodKilled { name: String, uid: String },
    /// The executor's last report.
    Report { pod: Arc<Pod> },
    /// Somebody deletes a pod.
    PodDeleted { name: String, uid: String },
    /// The node of a pod vanishes.
    NodeLost { name: String, uid: String },
    /// Somebody acts on a workflow.
    Person { workflow: String, what: Act },
    /// The controller's clock jumps.
    ClockJumps { seconds: i64 },
}

/// What people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Stop,
    Terminate,
    Suspend,
    Resume,
}

fn millis(n: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(n).unwrap_or(0))
}

impl Sim {
    fn at(&mut self, at: Timestamp, event: Event) {
        self.serial += 1;
        self.agenda.insert((at, self.serial), event);
    }

    fn later(&mut self, wait: SignedDuration, event: Event) {
        self.at(self.now + wait, event);
    }

    /// Draws what people will do.
    pub(super) fn plan_people(&mut self) {
        let jumps = self.rng.below(self.faults.clock_jumps + 1);
        for _ in 0..jumps {
            let seconds = i64::try_from(self.rng.below(600)).unwrap_or(0) - 300;
            let wait = millis(self.rng.below(60_000));
            self.later(wait, Event::ClockJumps { seconds });
        }
        if !self.faults.people {
            return;
        }
        let names: Vec<String> = self
            .scenario
            .workflows
            .iter()
            .map(|w| w.metadata.name.clone())
            .collect();
        for workflow in names {
            let what = match self.rng.below(8) {
                0 => Act::Stop,
                1 => Act::Terminate,
                2 => Act::Suspend,
                _ => continue,
            };
            let wait = millis(self.rng.below(50_000));
            self.later(
                wait,
                Event::Person {
                    workflow: workflow.clone(),
                    what,
                },
            );
            if what == Act::Suspend {
                let longer = wait + millis(self.rng.below(20_000));
                self.later(
                    longer,
                    Event::Person {
                        workflow,
                        what: Act::Resume,
                    },
                );
            }
        }
    }

    /// Hands the cluster's news to the controller's watches and to the nodes.
    pub(super) fn spread_news(&mut self) {
        for news in std::mem::take(&mut self.cluster.news) {
            if let News::Pod(pod) = &news
                && pod.status.phase == "Pending"
                && pod.status.start_time.is_none()
            {
                self.take_pod_on(pod);
            }
            self.tell(news);
        }
    }

    fn tell(&mut self, news: News) {
        let (kind, name) = news.subject();
        let key = (kind, name.to_owned());
        if self.rng.permille(self.faults.broken_watches) {
            self.break_watch(kind);
        }
        if self.broken.get(kind).is_some_and(|until| self.now < *until) {
            return;
        }
        let mut wait = SignedDuration::from_millis(1);
        if self.faults.late_millis > 0 && self.rng.one_in(3) {
            self.injected.late += 1;
            wait += millis(self.rng.below(self.faults.late_millis));
        }
        let earliest = self.last_told.get(&key).copied().unwrap_or(Timestamp::MIN);
        let listed = self.listed.get(kind).copied().unwrap_or(Timestamp::MIN);
        let at = (self.now + wait).max(earliest).max(listed);
        self.last_told.insert(key, at);
        let life = self.life;
        if self.rng.permille(self.faults.repeated) {
            self.injected.repeated += 1;
            let again = at + millis(self.rng.below(2_000));
            self.at(
                again,
                Event::Tell {
                    life,
                    news: news.clone(),
                    last: false,
                },
            );
        }
        self.at(
            at,
            Event::Tell {
                life,
                news,
                last: true,
            },
        );
    }

    /// What was not delivered yet is lost; after a while everything is listed.
    fn break_watch(&mut self, kind: &'static str) {
        self.injected.broken_watches += 1;
        self.say(|| format!("the watch of {kind}s breaks"));
        self.agenda
            .retain(|_, event| !matches!(event, Event::Tell { news, .. } if news.subject().0 == kind));
        self.agenda.retain(|_, event| {
            !matches!(event, Event::List { kind: other, .. } | Event::Reconnect { kind: other, .. } if *other == kind)
        });
        let back = self.now + millis(100 + self.rng.below(10_000));
        self.broken.insert(kind, back);
        let life = self.life;
        self.at(back, Event::Reconnect { life, kind });
    }

    /// Plans what is to come of a new pod.
    fn take_pod_on(&mut self, pod: &Arc<Pod>) {
        let (name, uid) = (pod.metadata.name.clone(), pod.metadata.uid.clone());
        let life = kubelet::life(self.seed, pod);
        self.later(
            life.start_after,
            Event::PodStarts {
                name: name.clone(),
                uid: uid.clone(),
            },
        );
        let soon = millis(self.rng.below(12_000));
        if self.rng.permille(self.faults.deleted_pods) {
            self.later(soon, Event::PodDeleted { name, uid });
        } else if self.rng.permille(self.faults.lost_nodes) {
            self.later(soon, Event::NodeLost { name, uid });
        }
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Tell { life, news, last } => self.deliver(life, &news, last),
            Event::List { life, kind, all } if life == self.life && self.up => self.take_list(kind, &all),
            Event::Reconnect { life, kind } if life == self.life && self.up => {
                let all = cache::list(&self.cluster, kind);
                let wait = millis(self.rng.below(self.faults.late_millis + 1));
                self.broken.remove(kind);
                // What is told from now on comes after the list.
                self.listed.insert(kind, self.now + wait);
                self.later(wait, Event::List { life, kind, all });
            }
            Event::List { .. } | Event::Reconnect { .. } => {}
            Event::Start => self.start(),
            Event::PodStarts { name, uid } => self.pod_starts(&name, &uid),
            Event::PodEnds {
                name,
                uid,
                exit,
                message,
            } => self.pod_ends(&name, &uid, exit, message),
            Event::PodKilled { name, uid } => self.pod_killed(&name, &uid),
            Event::Report { pod } => {
                let outputs = kubelet::life(self.seed, &pod).outputs;
                self.report(&pod, Some(&outputs));
            }
            Event::PodDeleted { name, uid } => {
                if self.is(&name, &uid) {
                    self.injected.deleted_pods += 1;
                    self.say(|| format!("somebody deletes pod {name}"));
                    self.cluster.excused.insert(name.clone());
                    self.cluster.delete_pod(&name);
                }
            }
            Event::NodeLost { name, uid } => self.node_lost(&name, &uid),
            Event::Person { workflow, what } => drop(self.person(&workflow, what)),
            Event::ClockJumps { seconds } => {
                self.injected.clock_jumps += 1;
                self.say(|| format!("the controller's clock jumps by {seconds} s"));
                self.skew += SignedDuration::from_secs(seconds);
            }
        }
    }

    fn deliver(&mut self, life: u32, news: &News, last: bool) {
        if life != self.life || !self.up {
            return;
        }
        let gone = match news {
            News::Pod(pod) => !self.cluster.pods.contains_key(&pod.metadata.name),
            News::Workflow(workflow) => !self.cluster.workflows.contains_key(&workflow.metadata.name),
            _ => false,
        };
        if !last && gone {
            // A watch does not tell of an object after its deletion.
            return;
        }
        if let News::WorkflowGone(workflow) = news {
            self.forget(workflow);
        }
        for name in self.shell.cache.take(news) {
            self.shell.ask(&name, self.now);
        }
    }

    fn take_list(&mut self, kind: &'static str, all: &[News]) {
        self.say(|| format!("all {kind}s are listed"));
        if kind == "workflow" {
            let there = |name: &str| all.iter().any(|n| n.subject().1 == name);
            let known: Vec<_> = self.shell.cache.workflows.values().cloned().collect();
            for gone in known.iter().filter(|w| !there(&w.metadata.name)) {
                self.forget(gone);
            }
        }
        for name in self.shell.cache.replace(kind, all) {
            self.shell.ask(&name, self.now);
        }
    }

    /// The controller dies; a new one starts after a while and knows only what it lists.
    pub(super) fn crash(&mut self) {
        self.say(|| "the controller crashes".to_owned());
        self.up = false;
        self.life += 1;
        let wait = millis(self.rng.below(15_000));
        self.later(wait, Event::Start);
    }

    fn start(&mut self) {
        self.say(|| "a controller starts".to_owned());
        self.spread_news();
        self.agenda.retain(|_, event| {
            !matches!(
                event,
                Event::Tell { .. } | Event::List { .. } | Event::Reconnect { .. }
            )
        });
        self.broken.clear();
        self.listed.clear();
        self.up = true;
        let throttle = Throttle::new(self.scenario.limits.clone());
        self.shell = Shell::start(Cache::of(&self.cluster), throttle, self.now);
    }

    pub(super) fn is(&self, name: &str, uid: &str) -> bool {
        self.cluster.pods.get(name).is_some_and(|p| p.metadata.uid == uid)
    }

    pub(super) fn ended(&self, name: &str) -> bool {
        let ended = |pod: &Arc<Pod>| matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
        self.cluster.pods.get(name).is_none_or(ended)
    }

    fn pod_starts(&mut self, name: &str, uid: &str) {
        if !self.is(name, uid) || self.ended(name) {
            return;
        }
        let now = self.now;
        self.cluster
            .change_pod(name, |pod| kubelet::set(pod, State::Running, now));
        let Some(pod) = self.cluster.pods.get(name).cloned() else {
            return;
        };
        self.report(&pod, None);
        let life = kubelet::life(self.seed, &pod);
        let (name, uid) = (name.to_owned(), uid.to_owned());
        let limit = pod.spec.active_deadline_seconds.map(SignedDuration::from_secs);
        match (life.length, limit) {
            (Some(length), limit) if limit.is_none_or(|l| length < l) => {
                self.later(
                    length,
                    Event::PodEnds {
                        name,
                        uid,
                        exit: life.exit,
                        message: "",
                    },
                );
            }
            (_, Some(limit)) => {
                let message = "Pod was active on the node longer than the specified deadline";
                self.later(
                    limit,
                    Event::PodEnds {
                        name,
                        uid,
                        exit: 137,
                        message,
                    },
                );
            }
            (_, None) => {}
        }
    }

    fn pod_ends(&mut self, name: &str, uid: &str, exit: i32, message: &'static str) {
        if !self.is(name, uid) || self.ended(name) {
            return;
        }
        let Some(pod) = self.cluster.pods.get(name).cloned() else {
            return;
        };
        if self.rng.permille(self.faults.missing_results) {
            self.injected.missing_results += 1;
        } else if self.rng.permille(self.faults.late_results) {
            self.injected.late_results += 1;
            let wait = millis(self.rng.below(60_000));
            self.later(wait, Event::Report { pod: pod.clone() });
        } else {
            let outputs = kubelet::life(self.seed, &pod).outputs;
            self.report(&pod, Some(&outputs));
        }
        let sidecars = kubelet::life(self.seed, &pod).sidecars && message.is_empty();
        let state = if sidecars {
            State::MainsEnded(exit)
        } else {
            State::Ended(exit)
        };
        let now = self.now;
        self.cluster.change_pod(name, |pod| {
            kubelet::set(pod, state, now);
            message.clone_into(&mut pod.status.message);
        });
    }

    fn pod_killed(&mut self, name: &str, uid: &str) {
        if !self.is(name, uid) || self.ended(name) {
            return;
        }
        let Some(pod) = self.cluster.pods.get(name).cloned() else {
            return;
        };
        self.report(&pod, Some(&kubelet::life(self.seed, &pod).outputs));
        let now = self.now;
        self.cluster
            .change_pod(name, |pod| kubelet::set(pod, State::Ended(143), now));
    }

    fn node_lost(&mut self, name: &str, uid: &str) {
        if !self.is(name, uid) || self.ended(name) {
            return;
        }
        self.injected.lost_nodes += 1;
        self.say(|| format!("the node of pod {name} vanishes"));
        self.cluster.excused.insert(name.to_owned());
        self.cluster.change_pod(name, |pod| {
            "Failed".clone_into(&mut pod.status.phase);
            "Evicted".clone_into(&mut pod.status.reason);
            "The node was low on resource".clone_into(&mut pod.status.message);
            pod.status.container_statuses.clear();
        });
    }

    /// The executor reports: at the start nothing, at the end the outputs.
    fn report(&mut self, pod: &Pod, outputs: Option<&argosy_model::Outputs>) {
        let Some(report) = kubelet::report(pod, outputs) else {
            return;
        };
        let node = report.metadata.name.clone();
        let known = self.cluster.results.get(&node);
        let other_incarnation = known.is_some_and(|k| k.metadata.uid != report.metadata.uid);
        let told_all = known.is_some_and(|k| k.metadata.labels.values().any(|v| v == "true"));
        let owner = pod.metadata.owner_references.first().map(|o| o.name.clone());
        let alive = owner
            .and_then(|name| self.cluster.workflows.get(&name))
            .is_some_and(|w| !workflow_fulfilled(&w.status.phase));
        if alive && (other_incarnation || !told_all) {
            self.cluster.put_result(report);
        }
    }

    /// The containers of a pod are asked to end.
    pub(super) fn terminate(&mut self, name: &str) {
        let Some(pod) = self.cluster.pods.get(name) else {
            return;
        };
        let uid = pod.metadata.uid.clone();
        if pod.status.phase == "Pending" {
            self.cluster.delete_pod(name);
        } else if !self.ended(name) {
            let wait = millis(Rng::of(self.seed, name).below(2_000));
            self.later(
                wait,
                Event::PodKilled {
                    name: name.to_owned(),
                    uid,
                },
            );
        }
    }

    /// Somebody acts on a workflow; false when that is refused.
    fn person(&mut self, name: &str, what: Act) -> bool {
        let Some(workflow) = self.cluster.workflows.get(name) else {
            return false;
        };
        let mut workflow = (**workflow).clone();
        let changed = match what {
            Act::Stop => edit::shutdown(&mut workflow, ShutdownStrategy::Stop),
            Act::Terminate => edit::shutdown(&mut workflow, ShutdownStrategy::Terminate),
            Act::Suspend => edit::suspend(&mut workflow),
            Act::Resume => edit::resume(&mut workflow, "", self.now),
        };
        if changed.is_ok() {
            self.injected.people += 1;
            self.disturbed = true;
            self.say(|| format!("somebody does {what:?} to {name}"));
            self.cluster.put_workflow(workflow);
        }
        changed.is_ok()
    }

    /// When nothing happens any more by itself, people resume what waits for them, and retry what failed. False: nothing
    /// is left to do.
    pub(super) fn act_at_rest(&mut self) -> bool {
        let all: Vec<Arc<Workflow>> = self.cluster.workflows.values().cloned().collect();
        for workflow in all {
            let name = workflow.metadata.name.clone();
            if !workflow_fulfilled(&workflow.status.phase) {
                if self.waits_for_person(&workflow) && self.person(&name, Act::Resume) {
                    return true;
                }
            } else if self.faults.people && self.rng.one_in(3) && self.retried.insert(name.clone()) {
                let Ok(again) = edit::retry(&workflow, &edit::Retry::default(), PodNames::V2, self.now)
                else {
                    continue;
                };
                self.injected.people += 1;
                self.say(|| format!("somebody retries {name}"));
                for pod in &again.pods {
                    self.cluster.delete_pod(pod);
                }
                let mine = |pod: &&Arc<Pod>| {
                    pod.metadata
                        .owner_references
                        .first()
                        .is_some_and(|o| o.name == name)
                };
                let rest: Vec<String> = self.cluster.made.keys().cloned().collect();
                let kept: Vec<String> = self
                    .cluster
                    .pods
                    .values()
                    .filter(mine)
                    .map(|p| p.metadata.name.clone())
                    .collect();
                self.cluster
                    .excused
                    .extend(rest.into_iter().filter(|p| !kept.contains(p)));
                self.ended.remove(&name);
                self.cluster.put_workflow(again.workflow);
                return true;
            }
        }
        false
    }

    fn waits_for_person(&self, workflow: &Workflow) -> bool {
        let waits = |n: &argosy_model::NodeStatus| {
            n.type_ == argosy_model::NodeType::Suspend && n.phase == argosy_model::NodePhase::Running
        };
        workflow.spec.suspend == Some(true) || workflow.status.nodes.values().any(waits)
    }
}
