//! Cron workflows as `cron get` and `cron list` show them. When one runs next is for the caller to work out.

use argosy_model::{ConditionType, CronWorkflow};
use jiff::Timestamp;

use super::time::{Clock, short};
use super::{line, table};

const KEYS: usize = 30;
const PADDING: usize = 3;

/// The description of one cron workflow; `next` is when it runs next, if that is known.
pub fn describe(cron: &CronWorkflow, next: Option<Timestamp>, clock: &Clock, no_utf8: bool) -> String {
    let (metadata, spec, status) = (&cron.metadata, &cron.spec, &cron.status);
    let mut out = String::new();
    let mut say = |key: &str, value: &str| line(&mut out, KEYS, key, value);
    say("Name:", &metadata.name);
    say("Namespace:", &metadata.namespace);
    if let Some(created) = metadata.creation_timestamp {
        say("Created:", &clock.timestamp(created.0));
    }
    say("Schedules:", &spec.schedules.join(","));
    say("Suspended:", &spec.suspend.to_string());
    if !spec.timezone.is_empty() {
        say("Timezone:", &spec.timezone);
    }
    if let Some(secs) = spec.starting_deadline_seconds {
        say("StartingDeadlineSeconds:", &secs.to_string());
    }
    if !spec.concurrency_policy.as_str().is_empty() {
        say("ConcurrencyPolicy:", spec.concurrency_policy.as_str());
    }
    if let Some(last) = status.last_scheduled_time {
        say("LastScheduledTime:", &clock.timestamp(last.0));
    }
    if let Some(next) = next {
        say(
            "NextScheduledTime:",
            &format!(
                "{} (assumes workflow-controller is in UTC)",
                clock.timestamp(next)
            ),
        );
    }
    if !status.active.is_empty() {
        say(
            "Active Workflows:",
            &status
                .active
                .iter()
                .map(|a| a.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        );
    }
    if !status.conditions.is_empty() {
        say("Conditions:", "");
        for condition in status.conditions.iter() {
            let icon = match condition.type_ {
                ConditionType::SubmissionError if no_utf8 => "Error",
                ConditionType::SubmissionError => "✖",
                _ => "",
            };
            let value = if condition.message.is_empty() {
                &condition.status
            } else {
                &condition.message
            };
            say(&format!("{icon} {}", condition.type_), value);
        }
    }
    let parameters = &spec.workflow_spec.arguments.parameters;
    if !parameters.is_empty() {
        say("Workflow Parameters:", "");
        for parameter in parameters {
            if let Some(value) = &parameter.value {
                say(&format!("  {}:", parameter.name), value);
            }
        }
    }
    out
}

/// The table of cron workflows, each with when it runs next.
pub fn list(crons: &[(CronWorkflow, Option<Timestamp>)], clock: &Clock, namespaces: bool) -> String {
    let mut text = String::new();
    let first = if namespaces { "NAMESPACE\t" } else { "" };
    text.push_str(&format!(
        "{first}NAME\tAGE\tLAST RUN\tNEXT RUN\tSCHEDULES\tTIMEZONE\tSUSPENDED\n"
    ));
    for (cron, next) in crons {
        if namespaces {
            text.push_str(&format!("{}\t", cron.metadata.namespace));
        }
        let last = cron
            .status
            .last_scheduled_time
            .map_or("N/A".to_owned(), |t| clock.short_between(Some(t), None));
        let next = next.map_or("N/A".to_owned(), |t| short((t - clock.now).get_seconds()));
        let cells = [
            cron.metadata.name.clone(),
            clock.short_between(cron.metadata.creation_timestamp, None),
            last,
            next,
            cron.spec.schedules.join(","),
            cron.spec.timezone.clone(),
            cron.spec.suspend.to_string(),
        ];
        text.push_str(&(cells.join("\t") + "\n"));
    }
    table::align(&text, PADDING)
}
