//! What stands in the cells of tables.
//!
//! Deliberately absent: which cells there are (see `table::columns`).

use serde_json::{Value, json};

use crate::meta;

/// How a cell is made.
pub enum Cell {
    /// The value at this path.
    Path(String),
    /// How long ago the time at this path was.
    Age(String),
    /// Anything else.
    Made(fn(&Value) -> Value),
}

impl Cell {
    /// The cell of one object.
    pub fn of(&self, object: &Value, now: jiff::Timestamp) -> Value {
        match self {
            Cell::Path(path) => plain(at(object, path)),
            Cell::Age(path) => {
                let time = at(object, path).and_then(Value::as_str).unwrap_or_default();
                match time.parse::<jiff::Timestamp>() {
                    Ok(time) => since(now.as_second() - time.as_second()).into(),
                    Err(_) => "<unknown>".into(),
                }
            }
            Cell::Made(make) => make(object),
        }
    }
}

/// A kubectl JSON path of fields and `[N]` steps; anything richer finds nothing.
fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut found = object;
    for step in path
        .replace("['", ".")
        .replace("']", "")
        .replace(r"\.", "\0")
        .split('.')
    {
        let step = step.replace('\0', ".");
        let (name, indices) = step.split_once('[').unwrap_or((&step, ""));
        if !name.is_empty() {
            found = found.get(name)?;
        }
        for index in indices.split('[').filter(|index| !index.is_empty()) {
            found = found.get(index.trim_end_matches(']').parse::<usize>().ok()?)?;
        }
    }
    Some(found)
}

fn plain(value: Option<&Value>) -> Value {
    match value {
        None | Some(Value::Null) => "".into(),
        Some(value @ (Value::Object(_) | Value::Array(_))) => value.to_string().into(),
        Some(value) => value.clone(),
    }
}

/// A span of seconds as kubectl prints ages: two units while the first is small.
pub fn since(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |first: i64, unit: &str, second: i64, small: &str| {
        if second == 0 {
            format!("{first}{unit}")
        } else {
            format!("{first}{unit}{second}{small}")
        }
    };
    match seconds {
        ..=-2 => "<invalid>".to_owned(),
        -1..=0 => "0s".to_owned(),
        1..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn or_none(text: &str) -> Value {
    if text.is_empty() {
        "<none>".into()
    } else {
        text.into()
    }
}

pub fn none(_: &Value) -> Value {
    "<none>".into()
}

pub fn pod_ready(pod: &Value) -> Value {
    let statuses = list(&pod["status"], "containerStatuses");
    let ready = statuses.iter().filter(|status| status["ready"] == true).count();
    format!("{ready}/{}", list(&pod["spec"], "containers").len()).into()
}

/// The pod's phase, or what its containers say in more detail.
pub fn pod_status(pod: &Value) -> Value {
    let status = &pod["status"];
    let mut said = text(status, "reason").to_owned();
    if said.is_empty() {
        said = text(status, "phase").to_owned();
    }
    let mut initializing = false;
    let total = list(&pod["spec"], "initContainers").len();
    for (number, container) in list(status, "initContainerStatuses").iter().enumerate() {
        let state = &container["state"];
        if state["terminated"]["exitCode"] == 0 || container["started"] == true && container["ready"] == true
        {
            continue;
        }
        let waiting = text(&state["waiting"], "reason");
        said = if state.get("terminated").is_some() {
            format!("Init:{}", ended(&state["terminated"]))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{number}/{total}")
        };
        initializing = true;
        break;
    }
    if !initializing {
        let mut running = false;
        for container in list(status, "containerStatuses").iter().rev() {
            let state = &container["state"];
            let waiting = text(&state["waiting"], "reason");
            if !waiting.is_empty() {
                said = waiting.to_owned();
            } else if state.get("terminated").is_some() {
                said = ended(&state["terminated"]);
            } else if container["ready"] == true && state.get("running").is_some() {
                running = true;
            }
        }
        if said == "Completed" && running {
            let ready = list(status, "conditions")
                .iter()
                .any(|c| c["type"] == "Ready" && c["status"] == "True");
            said = if ready { "Running" } else { "NotReady" }.to_owned();
        }
    }
    if meta::is_terminating(pod) && !matches!(text(status, "phase"), "Succeeded" | "Failed") {
        said = "Terminating".to_owned();
    }
    said.into()
}

fn ended(terminated: &Value) -> String {
    let reason = text(terminated, "reason");
    if !reason.is_empty() {
        return reason.to_owned();
    }
    match terminated["signal"].as_i64() {
        Some(signal) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", terminated["exitCode"].as_i64().unwrap_or(0)),
    }
}

pub fn pod_restarts(pod: &Value) -> Value {
    let statuses = list(&pod["status"], "containerStatuses");
    let count: i64 = statuses
        .iter()
        .filter_map(|status| status["restartCount"].as_i64())
        .sum();
    count.to_string().into()
}

pub fn pod_ip(pod: &Value) -> Value {
    or_none(text(&pod["status"], "podIP"))
}

pub fn pod_node(pod: &Value) -> Value {
    or_none(text(&pod["spec"], "nodeName"))
}

pub fn pod_nominated(pod: &Value) -> Value {
    or_none(text(&pod["status"], "nominatedNodeName"))
}

pub fn data_count(object: &Value) -> Value {
    let count = |field: &str| {
        object
            .get(field)
            .and_then(Value::as_object)
            .map_or(0, serde_json::Map::len)
    };
    (count("data") + count("binaryData")).into()
}

pub fn secrets_count(account: &Value) -> Value {
    list(account, "secrets").len().into()
}

pub fn node_status(node: &Value) -> Value {
    let ready = list(&node["status"], "conditions")
        .iter()
        .find(|condition| condition["type"] == "Ready");
    let mut said = match ready.map(|ready| text(ready, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node["spec"]["unschedulable"] == true {
        said.push_str(",SchedulingDisabled");
    }
    said.into()
}

pub fn node_roles(node: &Value) -> Value {
    let labels = node["metadata"]["labels"].as_object();
    let roles = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"));
    or_none(&roles.collect::<Vec<_>>().join(","))
}

pub fn event_object(event: &Value) -> Value {
    let about = &event["involvedObject"];
    format!("{}/{}", text(about, "kind").to_lowercase(), text(about, "name")).into()
}

pub fn cluster_ip(service: &Value) -> Value {
    or_none(text(&service["spec"], "clusterIP"))
}

pub fn ports(service: &Value) -> Value {
    let ports = list(&service["spec"], "ports").iter();
    let said: Vec<String> = ports
        .map(|port| format!("{}/{}", port["port"], text(port, "protocol")))
        .collect();
    or_none(&said.join(","))
}

pub fn access_modes(volume: &Value) -> Value {
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        Some("ReadWriteOncePod") => "RWOP",
        _ => "?",
    };
    list(&volume["spec"], "accessModes")
        .iter()
        .map(short)
        .collect::<Vec<_>>()
        .join(",")
        .into()
}

pub fn completions(job: &Value) -> Value {
    let wanted = job["spec"]["completions"].as_i64().unwrap_or(1);
    format!("{}/{wanted}", job["status"]["succeeded"].as_i64().unwrap_or(0)).into()
}

pub fn replicas_ready(object: &Value) -> Value {
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    format!(
        "{}/{wanted}",
        object["status"]["readyReplicas"].as_i64().unwrap_or(0)
    )
    .into()
}

fn or_na(value: &Value) -> Value {
    if value.is_null() {
        json!("N/A")
    } else {
        plain(Some(value))
    }
}

pub fn min_available(budget: &Value) -> Value {
    or_na(&budget["spec"]["minAvailable"])
}

pub fn max_unavailable(budget: &Value) -> Value {
    or_na(&budget["spec"]["maxUnavailable"])
}

pub fn role_ref(binding: &Value) -> Value {
    let role = &binding["roleRef"];
    format!("{}/{}", text(role, "kind"), text(role, "name")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubectl_prints_them() {
        let cases = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (700, "11m"),
            (10_860, "3h1m"),
            (90_000, "25h"),
            (180_000, "2d2h"),
            (864_000, "10d"),
            (31_536_000 * 3, "3y"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(since(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn paths_of_columns_are_followed() {
        let object = json!({"a": [{"b": {"c.d": 1}}], "x": {"y": "z"}});
        for (path, expected) in [
            ("x.y", json!("z")),
            (r"a[0].b.c\.d", json!(1)),
            ("a[1].b", json!("")),
            ("x", json!("{\"y\":\"z\"}")),
        ] {
            assert_eq!(plain(at(&object, path)), expected, "{path}");
        }
    }

    #[test]
    fn pods_say_what_holds_them_up() {
        let waiting = json!({"state": {"waiting": {"reason": "ImagePullBackOff"}}});
        let done = json!({"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}});
        let cases = [
            (
                json!({"status": {"phase": "Pending", "containerStatuses": [waiting]}}),
                "ImagePullBackOff",
            ),
            (
                json!({"status": {"phase": "Succeeded", "containerStatuses": [done]}}),
                "Completed",
            ),
            (
                json!({"spec": {"initContainers": [1, 2]}, "status": {"phase": "Pending", "initContainerStatuses": [done, {"state": {"running": {}}}]}}),
                "Init:1/2",
            ),
            (
                json!({"metadata": {"deletionTimestamp": "x"}, "status": {"phase": "Running"}}),
                "Terminating",
            ),
            (
                json!({"status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}}),
                "ExitCode:3",
            ),
        ];
        for (pod, expected) in cases {
            assert_eq!(pod_status(&pod), expected, "{pod}");
        }
    }
}
