//! When scheduled workflows start, and what becomes of their runs (C-CRON).
//!
//! [`decide`] is pure like the decisions about workflows: what a submission led to comes back in [`Outcomes`], and what
//! must be remembered between looks is in [`Memory`]. Not here: what a schedule means (`argosy_template::cron`).

pub mod backfill;
mod child;
mod policy;
mod runs;
mod schedule;

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_model::k8s::{ObjectReference, Time};
use argosy_model::{Condition, ConditionType, CronWorkflow, CronWorkflowPhase, CronWorkflowStatus, Workflow};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::decision::Event;
use crate::plan::Templates;

pub use child::child;
pub use runs::reference;
pub use schedule::{Memory, next_time};

/// Label of a CronWorkflow whose stop condition was met.
pub const COMPLETED: &str = "cronworkflows.argoproj.io/completed";

/// Annotation with the schedules that the last start was due by.
pub const LAST_SCHEDULE: &str = "cronworkflows.argoproj.io/last-used-schedule";

/// Label of a run that names its CronWorkflow.
pub const CHILD_OF: &str = "workflows.argoproj.io/cron-workflow";

/// Label of a run that makes up for the past; it counts neither as active nor as history.
pub const BACKFILL: &str = "workflows.argoproj.io/backfill";

/// Label that gives a workflow to one of several controllers.
const INSTANCE: &str = "workflows.argoproj.io/controller-instanceid";

/// How the message about a stop condition begins that can't be evaluated.
const STOP_ERROR: &str = "failed to check CronWorkflow";

/// What a decision sees.
#[derive(Clone, Copy)]
pub struct Snapshot<'a> {
    /// The CronWorkflow.
    pub cron: &'a CronWorkflow,
    /// Workflows of its namespace with the label [`CHILD_OF`] and its name.
    pub children: &'a [Arc<Workflow>],
    /// Templates that its workflows may refer to.
    pub templates: &'a Templates,
    /// The controller's settings.
    pub config: &'a Config,
    /// What the last decision said to remember; `None` for the first one after a start.
    pub memory: Option<&'a Memory>,
    /// What came of this decision's effects so far.
    pub outcomes: &'a Outcomes,
}

/// What came of effects.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// Submissions by the child's name: a reference to the new one, `None` for one that was there already, or why it
    /// failed.
    pub submitted: BTreeMap<String, Result<Option<ObjectReference>, String>>,
    /// Why an active workflow could not be ended.
    pub termination: Option<String>,
}

/// The answer of [`decide`].
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// What is to be done, in order. With a submission among it: do it, then decide again at the same `now`.
    pub effects: Vec<Effect>,
    /// What changes in the object; to be stored once no submission is left among the effects.
    pub changes: Changes,
    /// When to decide again if nothing happens before; `None`: never by time.
    pub wake_at: Option<Timestamp>,
    /// To be given to the next decision, once the changes are stored.
    pub memory: Memory,
    /// Why nothing was started although the time had come.
    pub held_back: Option<HeldBack>,
}

/// Why a run that was due does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldBack {
    /// `spec.suspend` is set.
    Suspended,
    /// The stop condition was met.
    Stopped,
    /// The condition `when` is false.
    When,
    /// Earlier runs have not ended, and the policy is `Forbid`: their names.
    Active(Vec<String>),
    /// The object is wrong, in words for the user.
    Spec(String),
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Create this workflow. "Already exists" is success.
    Submit(Box<Workflow>),
    /// End an active workflow by `spec.shutdown: Terminate`; one that is gone or completed is success.
    Terminate {
        /// Its name.
        name: String,
    },
    /// Delete a finished run beyond the history.
    Delete {
        /// Its name.
        name: String,
        /// Only this incarnation.
        uid: String,
    },
    /// A Kubernetes event about the CronWorkflow.
    Emit(Event),
    /// The policy `Forbid` or `Replace` was applied (`cronworkflows_concurrencypolicy_triggered`).
    PolicyApplied {
        /// The policy.
        policy: &'static str,
    },
    /// A run was started (`cronworkflows_triggered_total`).
    Triggered,
    /// The object is wrong or a submission failed (`error_count`).
    CountError {
        /// The label `cause`.
        cause: &'static str,
    },
}

/// Changes of one CronWorkflow.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Labels to set.
    pub labels: BTreeMap<String, String>,
    /// Annotations to set.
    pub annotations: BTreeMap<String, String>,
    /// The whole new status.
    pub status: Option<Box<CronWorkflowStatus>>,
}

impl Changes {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A JSON merge patch that makes the changes.
    #[must_use]
    pub fn merge_patch(&self) -> Value {
        let mut patch = Map::new();
        let mut metadata = Map::new();
        for (key, changes) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !changes.is_empty() {
                metadata.insert(key.to_owned(), json!(changes));
            }
        }
        if !metadata.is_empty() {
            patch.insert("metadata".to_owned(), metadata.into());
        }
        // All of it: counts of nothing are written, too, and every field is there each time.
        if let Some(status) = &self.status {
            patch.insert("status".to_owned(), json!(status));
        }
        patch.into()
    }
}

/// Decides what to do about one CronWorkflow.
#[must_use]
pub fn decide(seen: &Snapshot<'_>, now: Timestamp) -> Decision {
    let mut pass = Pass {
        seen,
        now,
        status: seen.cron.status.clone(),
        decision: Decision::default(),
    };
    pass.run();
    pass.finish()
}

/// One decision being made.
struct Pass<'a> {
    seen: &'a Snapshot<'a>,
    now: Timestamp,
    status: CronWorkflowStatus,
    decision: Decision,
}

impl Pass<'_> {
    fn run(&mut self) {
        let cron = self.seen.cron;
        if cron.metadata.deletion_timestamp.is_some() {
            return;
        }
        let ended = self.follow_runs();
        if cron.metadata.labels.get(COMPLETED).is_some_and(|v| v == "true") {
            return;
        }
        let checked = crate::validate::check_cron_workflow(cron, self.seen.templates, self.seen.config);
        if let Err(fault) = checked {
            let message = fault.to_string();
            self.spec_error(&message);
            self.decision.held_back = Some(HeldBack::Spec(message));
            return;
        }
        self.clear_errors(|message| !message.starts_with(STOP_ERROR));
        if ended && self.stops() {
            return;
        }
        let (due, memory) = schedule::due(self.seen, self.now);
        self.decision.wake_at = memory.next();
        self.decision.memory = memory;
        for time in due {
            self.tick(time);
            // The policy looks at who is active: what comes of this run counts for the next one.
            if self.submits() {
                return;
            }
        }
    }

    fn submits(&self) -> bool {
        let effects = &self.decision.effects;
        effects.iter().any(|effect| matches!(effect, Effect::Submit(_)))
    }

    /// What happens when a start is due (C-CRON-10).
    fn tick(&mut self, time: Timestamp) {
        let used = schedule::text(self.seen.cron);
        if self.seen.cron.metadata.annotations.get(LAST_SCHEDULE) != Some(&used) {
            self.decision
                .changes
                .annotations
                .insert(LAST_SCHEDULE.to_owned(), used);
        }
        if self.status.phase == CronWorkflowPhase::Stopped || self.stops() {
            self.decision.held_back = Some(HeldBack::Stopped);
            return;
        }
        let run = child(self.seen.cron, time, self.seen.config);
        if let Some(outcome) = self.seen.outcomes.submitted.get(&run.metadata.name) {
            self.conclude(time, outcome);
            return;
        }
        // Started by somebody who could not store that any more.
        if self.has_started(&run.metadata.name) {
            self.conclude(time, &Ok(None));
            return;
        }
        match self.may_start() {
            Ok(None) => self.decision.effects.push(Effect::Submit(Box::new(run))),
            Ok(Some(reason)) => self.decision.held_back = Some(reason),
            Err(message) => {
                let message = format!("run policy error: {message}");
                self.set_condition(ConditionType::SubmissionError, &message);
                self.decision.memory.settle(time);
            }
        }
    }

    fn has_started(&self, name: &str) -> bool {
        self.seen.children.iter().any(|w| w.metadata.name == name)
    }

    /// Takes in what came of the submission of the run that was due at this time (C-CRON-12, C-CRON-13).
    fn conclude(&mut self, time: Timestamp, outcome: &Result<Option<ObjectReference>, String>) {
        self.decision.memory.settle(time);
        match outcome {
            Ok(made) => {
                if let Some(made) = made {
                    if self.status.active.iter().all(|a| a.uid != made.uid) {
                        self.status.active.push(made.clone());
                    }
                    self.decision.effects.push(Effect::Triggered);
                }
                self.status.phase = CronWorkflowPhase::Active;
                self.status.last_scheduled_time = self.status.last_scheduled_time.max(Some(Time(time)));
                self.clear_condition(&ConditionType::SubmissionError);
            }
            Err(error) => {
                let message = format!("Failed to submit Workflow: {error}");
                self.set_condition(ConditionType::SubmissionError, &message);
                self.status.failed += 1;
                self.decision.effects.push(Effect::CountError {
                    cause: "CronWorkflowSubmissionError",
                });
            }
        }
    }

    /// Whether the stop condition is met; then the CronWorkflow is completed (C-CRON-30).
    fn stops(&mut self) -> bool {
        let Some(strategy) = &self.seen.cron.spec.stop_strategy else {
            return false;
        };
        match policy::stops(self.seen.cron, &self.status, &strategy.expression) {
            Ok(true) => {
                self.status.phase = CronWorkflowPhase::Stopped;
                self.decision
                    .changes
                    .labels
                    .insert(COMPLETED.to_owned(), "true".to_owned());
                self.decision.wake_at = None;
                true
            }
            Ok(false) => {
                self.clear_errors(|message| message.starts_with(STOP_ERROR));
                false
            }
            Err(error) => {
                let name = &self.seen.cron.metadata.name;
                let message = format!("{STOP_ERROR} '{name}' stopping condition: {error}");
                self.spec_error(&message);
                false
            }
        }
    }

    fn spec_error(&mut self, message: &str) {
        if self.set_condition(ConditionType::SpecError, message) {
            self.decision.effects.push(Effect::CountError {
                cause: "CronWorkflowSpecError",
            });
        }
    }

    /// Sets a condition to true with this message; whether that is news.
    fn set_condition(&mut self, type_: ConditionType, message: &str) -> bool {
        let new = Condition {
            type_,
            status: "True".to_owned(),
            message: message.to_owned(),
        };
        match self.status.conditions.iter_mut().find(|c| c.type_ == new.type_) {
            Some(old) if *old == new => false,
            Some(old) => {
                *old = new;
                true
            }
            None => {
                self.status.conditions.push(new);
                true
            }
        }
    }

    fn clear_condition(&mut self, type_: &ConditionType) {
        self.status.conditions.retain(|c| c.type_ != *type_);
    }

    /// Removes the spec error if its message is one of these.
    fn clear_errors(&mut self, these: impl Fn(&str) -> bool) {
        self.status
            .conditions
            .retain(|c| c.type_ != ConditionType::SpecError || !these(&c.message));
    }

    fn finish(self) -> Decision {
        let mut decision = self.decision;
        if self.status != self.seen.cron.status {
            decision.changes.status = Some(Box::new(self.status));
        }
        decision
    }
}
