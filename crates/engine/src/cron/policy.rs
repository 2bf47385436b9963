//! Whether a start that is due may happen (C-CRON-11), and whether there shall be no more at all (C-CRON-30).

use std::collections::BTreeMap;

use argosy_model::{ConcurrencyPolicy, CronWorkflow, CronWorkflowStatus, go_json};
use argosy_template::{Tags, scope, tags, when};
use serde_json::{Value, json};

use super::{Effect, HeldBack, Pass};
use crate::vars::{self, Vars};

impl Pass<'_> {
    /// Why nothing may start now; `None`: it may.
    pub(super) fn may_start(&mut self) -> Result<Option<HeldBack>, String> {
        let spec = &self.seen.cron.spec;
        if spec.suspend {
            return Ok(Some(HeldBack::Suspended));
        }
        if !spec.when.is_empty() {
            let variables = variables(self.seen.cron, &self.status);
            let text = Tags::compile(&spec.when)
                .and_then(|t| t.text(&variables, tags::Level::Strict))
                .map_err(|e| e.to_string())?;
            if !when::evaluate_cron(&text)? {
                return Ok(Some(HeldBack::When));
            }
        }
        let active: Vec<String> = self.status.active.iter().map(|a| a.name.clone()).collect();
        match &spec.concurrency_policy {
            _ if active.is_empty() => Ok(None),
            ConcurrencyPolicy::Forbid => {
                self.decision
                    .effects
                    .push(Effect::PolicyApplied { policy: "Forbid" });
                Ok(Some(HeldBack::Active(active)))
            }
            ConcurrencyPolicy::Replace => {
                if let Some(error) = &self.seen.outcomes.termination {
                    return Err(error.clone());
                }
                self.decision
                    .effects
                    .push(Effect::PolicyApplied { policy: "Replace" });
                let ends = active.into_iter().map(|name| Effect::Terminate { name });
                self.decision.effects.extend(ends);
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

/// The value of a stop condition.
pub(super) fn stops(
    cron: &CronWorkflow,
    status: &CronWorkflowStatus,
    expression: &str,
) -> Result<bool, String> {
    vars::condition(expression, &[&variables(cron, status)])
}

/// The variables `cronworkflow.*`. Annotations are the annotations.
fn variables(cron: &CronWorkflow, status: &CronWorkflowStatus) -> Vars {
    let mut all = Vars::new();
    let mut set = |name: &str, value: Value| drop(all.insert(format!("cronworkflow.{name}"), value));
    let meta = &cron.metadata;
    set("name", json!(meta.name));
    set("namespace", json!(meta.namespace));
    for (kind, map) in [("labels", &meta.labels), ("annotations", &meta.annotations)] {
        for (key, value) in map {
            set(&format!("{kind}.{key}"), json!(value));
        }
        set(&format!("{kind}.json"), json!(as_json(map)));
    }
    set("failed", json!(status.failed));
    set("succeeded", json!(status.succeeded));
    let last = status.last_scheduled_time;
    set(
        "lastScheduledTime",
        last.map_or(Value::Null, |t| scope::time(t.0)),
    );
    all
}

fn as_json(map: &BTreeMap<String, String>) -> String {
    go_json::to_string(map).unwrap_or_default()
}
