//! What the command line prints: times, icons, trees, lists.

use argosy_cli::print::{Clock, Style, cron, list, lookup, time, workflow};
use argosy_model::{ConditionType, CronWorkflow, NodePhase, NodeStatus, NodeType, Workflow, WorkflowPhase};
use argosy_template::cron::Schedule;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Verdict;

/// Checks one vector of `cliformat.json`.
pub fn check(file: &Value, vector: &Value) -> Verdict {
    let now: Timestamp = text(file, "now").parse().map_err(|e| format!("now: {e}"))?;
    let clock = Clock {
        now,
        zone: TimeZone::UTC,
    };
    let style = Style {
        utf8: vector["noUtf8"] != true,
        colour: false,
    };
    match text(vector, "fn") {
        "duration" => check_duration(&clock, vector),
        "zero" => {
            let zero: Timestamp = "0001-01-01T00:00:00Z".parse().map_err(|e| format!("{e}"))?;
            same("timestamp", &clock.timestamp(zero), text(vector, "timestamp"))
        }
        "glyph" => same(
            "icon",
            &style.phase(&NodePhase::from(text(vector, "phase"))),
            text(vector, "out"),
        ),
        "glyph-suspend" => {
            let node = NodeStatus {
                type_: NodeType::Suspend,
                phase: NodePhase::Running,
                ..NodeStatus::default()
            };
            same("icon", &style.node(&node), text(vector, "out"))
        }
        "glyph-condition" => same(
            "icon",
            &style.condition(&ConditionType::from(text(vector, "condition"))),
            text(vector, "out"),
        ),
        "get" => check_get(&clock, style, vector),
        "workflowStatus" => same(
            "status",
            &workflow::status(&decode::<Workflow>(&vector["workflow"])?),
            text(vector, "out"),
        ),
        "list" => check_list(&clock, file, vector),
        "nudge" => check_nudge(&clock, vector),
        "cronGet" => {
            let object: CronWorkflow = decode(&vector["cronWorkflow"])?;
            same(
                "text",
                &cron::describe(&object, next(&object, now), &clock, false),
                text(vector, "out"),
            )
        }
        "cronList" => {
            let all: Vec<CronWorkflow> = decode(&file["cronWorkflows"])?;
            let some = all
                .into_iter()
                .take(count(vector))
                .map(|c| {
                    let at = next(&c, now);
                    (c, at)
                })
                .collect::<Vec<_>>();
            same(
                "text",
                &cron::list(&some, &clock, vector["allNamespaces"] == true),
                text(vector, "out"),
            )
        }
        other => Err(format!("no check for {other}")),
    }
}

fn check_duration(clock: &Clock, vector: &Value) -> Verdict {
    let nanos: i128 = text(vector, "nanos").parse().map_err(|e| format!("nanos: {e}"))?;
    let at = Timestamp::from_nanosecond(clock.now.as_nanosecond() - nanos).map_err(|e| e.to_string())?;
    let secs = i64::try_from(nanos / 1_000_000_000).map_err(|e| e.to_string())?;
    same("timestamp", &clock.timestamp(at), text(vector, "timestamp"))?;
    same("duration", &time::duration(secs), text(vector, "duration"))?;
    same("short", &time::short(secs), text(vector, "short"))?;
    same("truncated", &time::truncated(secs), text(vector, "truncated"))?;
    same("relative", &time::duration(secs), text(vector, "relative"))
}

fn check_get(clock: &Clock, style: Style, vector: &Value) -> Verdict {
    let object: Workflow = decode(&vector["workflow"])?;
    let filter = match lookup::Filter::new(text(vector, "status"), text(vector, "nodeFieldSelector")) {
        Ok(filter) => filter,
        Err(error) => return same("error", &error.to_string(), text(vector, "err")),
    };
    let columns = match text(vector, "output") {
        "wide" => workflow::Columns::Wide,
        "short" => workflow::Columns::Short,
        _ => workflow::Columns::Default,
    };
    let got = workflow::describe(
        &object,
        clock,
        &workflow::View {
            style,
            columns,
            filter,
        },
    );
    let seen = vector["unstable"].as_array();
    if seen.is_some_and(|texts| texts.iter().any(|t| t == got.as_str())) {
        return Ok(());
    }
    same("text", &got, text(vector, "out"))
}

fn check_list(clock: &Clock, file: &Value, vector: &Value) -> Verdict {
    let all: Vec<Workflow> = decode(&file["workflows"])?;
    let some = &all[..count(vector).min(all.len())];
    let options = &vector["opts"];
    let flag = |name: &str| options[name] == true;
    let options = list::Options {
        no_headers: flag("NoHeaders"),
        namespace: flag("Namespace"),
        uid: flag("UID"),
    };
    match list::text(some, clock, text(&vector["opts"], "Output"), options) {
        Ok(got) => same("text", &got, text(vector, "out")),
        Err(error) => same("error", &error.to_string(), text(vector, "err")),
    }
}

fn check_nudge(clock: &Clock, vector: &Value) -> Verdict {
    let mut one = Workflow::default();
    one.status.phase = WorkflowPhase::from(text(vector, "phase"));
    let got = list::text(&vec![one; count(vector)], clock, "", list::Options::default())
        .map_err(|e| e.to_string())?;
    let tail = text(vector, "tail");
    let rest = got
        .lines()
        .skip(1 + count(vector))
        .map(|l| format!("{l}\n"))
        .collect::<String>();
    same("tail", &rest, tail)
}

/// When a cron workflow runs next: the soonest of its schedules, none when one can't be read.
fn next(cron: &CronWorkflow, now: Timestamp) -> Option<Timestamp> {
    let zone = &cron.spec.timezone;
    let times: Option<Vec<Timestamp>> = cron
        .spec
        .schedules
        .iter()
        .map(|s| Schedule::parse_in(s, zone).ok()?.next(now))
        .collect();
    times?.into_iter().min()
}

fn count(vector: &Value) -> usize {
    vector["count"]
        .as_u64()
        .and_then(|n| n.try_into().ok())
        .unwrap_or(0)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|e| format!("decoding: {e}"))
}

fn same(what: &str, got: &str, wanted: &str) -> Verdict {
    if got == wanted {
        Ok(())
    } else {
        Err(format!("{what}: got\n{got}\nexpected\n{wanted}"))
    }
}
