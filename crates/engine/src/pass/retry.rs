//! Whether there is another attempt, and what it sees (section 15).

use argosy_model::{NodePhase, NodeStatus, RetryPolicy, RetryStrategy, ShutdownStrategy, Template};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Pass;
use super::template::effective_policy;
use crate::decision::Waiting;
use crate::vars::{self, Vars};
use crate::{duration, node};

/// A verdict about a retry node: its new phase, or to go on.
enum Verdict {
    Ends(NodePhase, String),
    Waits(SignedDuration, Timestamp),
    GoesOn { deadline: Option<Timestamp> },
}

impl Pass<'_> {
    /// Decides about a retry node (C-RTY-02): whether to go on, and the deadline of the next attempt.
    pub fn judge_retries(
        &mut self,
        id: &str,
        strategy: &RetryStrategy,
    ) -> Result<(bool, Option<Timestamp>), String> {
        let Some(wrapper) = self.nodes.get(id).cloned() else {
            return Ok((true, None));
        };
        if node::fulfilled(&wrapper) {
            return Ok((true, None));
        }
        let (count, last) = self.nodes.attempts(&wrapper);
        let Some(last) = last.cloned() else {
            return Ok((true, None));
        };
        if node::daemoned(&last) {
            self.change(id, |n| n.daemoned = Some(true));
        }
        let ended = node::phase_completed(&last.phase) && node::synced(&last);
        if !ended && !matches!(last.phase, NodePhase::Skipped | NodePhase::Omitted) {
            if node::daemoned(&last) {
                self.mark(id, last.phase.clone(), None);
            }
            let deadline = self.max_duration_end(&wrapper, strategy)?;
            return Ok((true, deadline));
        }
        if !node::failed_or_error(&last.phase) {
            let outputs = last.outputs.clone();
            self.change(id, |n| n.outputs = outputs);
            self.mark(id, NodePhase::Succeeded, None);
            return Ok((true, None));
        }
        match self.judge_failure(&wrapper, count, &last, strategy)? {
            Verdict::Ends(phase, message) => {
                self.mark(id, phase, Some(&message));
                Ok((true, None))
            }
            Verdict::Waits(wait, next) => {
                let message = format!("Backoff for {}", duration::in_words(wait));
                self.change(id, |n| n.message = message);
                self.wake(next);
                self.waiting.insert(id.to_owned(), Waiting::RetryAt(next));
                Ok((false, None))
            }
            Verdict::GoesOn { deadline } => {
                self.change(id, |n| n.message = String::new());
                Ok((true, deadline))
            }
        }
    }

    /// Whether a retry node comes to its end as soon as it is looked at: no other attempt will start.
    pub fn retries_end(&self, id: &str, strategy: &RetryStrategy) -> bool {
        let Some(wrapper) = self.nodes.get(id) else {
            return false;
        };
        let (count, last) = self.nodes.attempts(wrapper);
        let Some(last) = last.filter(|last| node::phase_ended(&last.phase) && node::synced(last)) else {
            return false;
        };
        !node::failed_or_error(&last.phase)
            || matches!(
                self.judge_failure(wrapper, count, last, strategy),
                Ok(Verdict::Ends(..))
            )
    }

    fn judge_failure(
        &self,
        wrapper: &NodeStatus,
        count: usize,
        last: &NodeStatus,
        strategy: &RetryStrategy,
    ) -> Result<Verdict, String> {
        let ends = |message: String| Ok(Verdict::Ends(last.phase.clone(), message));
        if *self.shutdown() != ShutdownStrategy::Unset {
            return ends(format!("Stopped with strategy '{}'", self.shutdown()));
        }
        if let Some(deadline) = self.workflow_deadline()
            && self.now > deadline
        {
            return ends(format!("retry exceeded workflow deadline {}", go_time(deadline)));
        }
        let limit = strategy
            .limit
            .as_ref()
            .map(|l| int_text(&l.to_string()))
            .transpose()?;
        let deadline = self.max_duration_end(wrapper, strategy)?;
        if let Some(backoff) = &strategy.backoff {
            if deadline.is_some_and(|d| self.now > d) {
                return ends("Max duration limit exceeded".to_owned());
            }
            if backoff.duration.is_empty() {
                return Err("no base duration specified for retryStrategy".to_owned());
            }
            let wait = backoff_wait(backoff, count)?;
            // Of a pod that never ran there is no finish, and so no wait.
            let finished = last.finished_at.as_ref().map(|t| t.0);
            let next = finished.map_or(Timestamp::MIN, |t| t.checked_add(wait).unwrap_or(Timestamp::MAX));
            if deadline.is_some_and(|d| next > d) {
                return ends("Backoff would exceed max duration limit".to_owned());
            }
            let more = limit.is_some_and(|l| i64::try_from(count).unwrap_or(i64::MAX) <= l);
            if self.now < next && more {
                return Ok(Verdict::Waits(wait, next));
            }
        }
        if !self.policy_covers(strategy, last)? {
            return ends(last.message.clone());
        }
        if limit.is_some_and(|l| i64::try_from(count).unwrap_or(i64::MAX) > l) {
            return ends("No more retries left".to_owned());
        }
        if !strategy.expression.is_empty() {
            let retries = count.saturating_sub(1);
            let mut variables = last_retry(Some(last), self.now);
            variables.insert("retries".to_owned(), vars::text(retries.to_string()));
            if last.outputs.as_ref().and_then(|o| o.exit_code.as_ref()).is_none() {
                variables.insert("lastRetry.exitCode".to_owned(), vars::text("-1"));
            }
            if !vars::condition(&strategy.expression, &[&variables, &self.globals])? {
                return ends("retryStrategy.expression evaluated to false".to_owned());
            }
        }
        Ok(Verdict::GoesOn { deadline })
    }

    /// When no attempt may start or run any more (C-RTY-04).
    fn max_duration_end(
        &self,
        wrapper: &NodeStatus,
        strategy: &RetryStrategy,
    ) -> Result<Option<Timestamp>, String> {
        let Some(text) = strategy
            .backoff
            .as_ref()
            .map(|b| b.max_duration.as_str())
            .filter(|t| !t.is_empty())
        else {
            return Ok(None);
        };
        let length = parse_duration(text)?;
        let first = wrapper.children.first().and_then(|c| self.nodes.get(c));
        Ok(first
            .and_then(|n| n.started_at.as_ref())
            .and_then(|t| t.0.checked_add(length).ok()))
    }

    fn policy_covers(&self, strategy: &RetryStrategy, last: &NodeStatus) -> Result<bool, String> {
        let failed =
            last.phase == NodePhase::Failed || node::daemoned(last) && last.phase == NodePhase::Succeeded;
        let error = last.phase == NodePhase::Error;
        match effective_policy(strategy) {
            RetryPolicy::Always => Ok(failed || error),
            RetryPolicy::OnFailure => Ok(failed),
            RetryPolicy::OnError => Ok(error),
            RetryPolicy::OnTransientError => Ok((failed || error)
                && crate::transient::is_transient(&last.message, &self.seen.config.transient_error_pattern)),
            other => Err(format!("{other} is not a valid RetryPolicy")),
        }
    }

    /// The variables of an attempt's template (C-RTY-06).
    pub fn attempt_variables(
        &self,
        number: usize,
        before: Option<&NodeStatus>,
        name: &str,
        template: &Template,
    ) -> Vars {
        let mut variables = last_retry(before, self.now);
        variables.insert("retries".to_owned(), vars::text(number.to_string()));
        if crate::plan::kind(template).is_pod() {
            variables.insert("pod.name".to_owned(), vars::text(self.pod_name(name, template)));
        }
        variables
    }
}

/// `lastRetry.*` of the attempt before.
fn last_retry(before: Option<&NodeStatus>, now: Timestamp) -> Vars {
    let code = before
        .and_then(|n| n.outputs.as_ref())
        .and_then(|o| o.exit_code.clone());
    let length = before.map_or(0, |n| {
        let start = n.started_at.as_ref().map_or(now, |t| t.0);
        n.finished_at
            .as_ref()
            .map_or(now, |t| t.0)
            .duration_since(start)
            .as_secs()
    });
    [
        ("lastRetry.exitCode", code.unwrap_or_else(|| "0".to_owned())),
        (
            "lastRetry.status",
            before.map_or_else(String::new, |n| n.phase.to_string()),
        ),
        ("lastRetry.duration", length.to_string()),
        (
            "lastRetry.message",
            before.map_or_else(String::new, |n| n.message.clone()),
        ),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), vars::text(v)))
    .collect()
}

fn backoff_wait(backoff: &argosy_model::Backoff, count: usize) -> Result<SignedDuration, String> {
    let base = parse_duration(&backoff.duration)?;
    let factor = backoff
        .factor
        .as_ref()
        .map(|f| int_text(&f.to_string()))
        .transpose()?
        .unwrap_or(0);
    let mut nanos = base.as_nanos();
    if factor > 0 {
        for _ in 1..count {
            nanos = nanos.saturating_mul(i128::from(factor));
        }
    }
    let mut wait = SignedDuration::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX));
    if !backoff.cap.is_empty() {
        wait = wait.min(parse_duration(&backoff.cap)?);
    }
    Ok(wait)
}

fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

fn int_text(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("value '{text}' cannot be resolved to an int"))
}

/// A time as Go prints it.
fn go_time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
        .to_string()
}
