//! Names and ids that derive from node names: node ids, pod names, names of hooks and helper objects.
//! Not here: names of locks (`locks`), names of expanded loop items (`loops`).

/// 32 bit FNV-1a.
#[must_use]
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// 32 bit FNV-1, the older order of the two steps; only versions of off-loaded node status use it (C-PER-04).
#[must_use]
pub fn fnv1_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| {
        hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte)
    })
}

/// The id of the node called `node` (C-NODE-02).
#[must_use]
pub fn node_id(workflow: &str, node: &str) -> String {
    if workflow == node {
        workflow.to_owned()
    } else {
        format!("{workflow}-{}", fnv1a_32(node.as_bytes()))
    }
}

/// How pod names are made: annotation `workflows.argoproj.io/pod-name-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodNames {
    /// The node id.
    V1,
    /// Workflow, template and hash of the node name.
    V2,
}

impl PodNames {
    /// Reads the annotation's value; everything but `v1` is version 2.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "v1" { Self::V1 } else { Self::V2 }
    }

    /// The annotation's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// Longest prefix of a pod name: 253 characters less ten digits and a dash.
const POD_PREFIX_LIMIT: usize = 253 - 11;

/// The name of the pod of a node (C-NODE-10). `template` is empty for templates without a name.
#[must_use]
pub fn pod_name(workflow: &str, node: &str, template: &str, version: PodNames) -> String {
    if version == PodNames::V1 {
        return node_id(workflow, node);
    }
    if workflow == node {
        return workflow.to_owned();
    }
    let prefix = if template.is_empty() {
        workflow.to_owned()
    } else {
        format!("{workflow}-{template}")
    };
    format!("{}-{}", cut(&prefix, POD_PREFIX_LIMIT), fnv1a_32(node.as_bytes()))
}

/// The first `limit` bytes; half a character at the end becomes the replacement character.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        text.to_owned()
    } else {
        String::from_utf8_lossy(&text.as_bytes()[..limit]).into_owned()
    }
}

/// The name of the agent pod (C-HTTP-05).
#[must_use]
pub fn agent_pod(workflow: &str) -> String {
    format!("{workflow}-{}-agent", fnv1a_32(b"agent"))
}

/// The node name of a lifecycle hook.
#[must_use]
pub fn hook(parent: &str, hook: &str) -> String {
    format!("{parent}.hooks.{hook}")
}

/// The node name of an exit handler.
#[must_use]
pub fn on_exit(parent: &str) -> String {
    format!("{parent}.onExit")
}

/// Whether a node's name is that of an exit handler.
#[must_use]
pub fn is_on_exit(node: &str) -> bool {
    node.ends_with(".onExit")
}

/// Whether a node belongs to another by its name: as its attempt, item, step, task, hook or exit handler, how deep ever.
#[must_use]
pub fn is_inside(node: &str, outer: &str) -> bool {
    node.strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with(['(', '[', '.']))
}

/// Whether two names are of one node, or the first is of one inside the other.
#[must_use]
pub fn is_within(node: &str, outer: &str) -> bool {
    node == outer || is_inside(node, outer)
}

/// What was retried and the number of the attempt, if the name is that of an attempt.
#[must_use]
pub fn attempt(node: &str) -> Option<(&str, usize)> {
    let (retried, number) = node.strip_suffix(')')?.rsplit_once('(')?;
    Some((retried, number.parse().ok()?))
}

/// The name of the step or task that a node name ends in, without loop and retry suffixes (C-CTR-01).
#[must_use]
pub fn step_or_task(node: &str) -> &str {
    let mut rest = node;
    loop {
        let opening = match rest.as_bytes().last() {
            Some(b')') => '(',
            Some(b']') => '[',
            _ => break,
        };
        let Some(start) = rest.rfind(opening) else { break };
        rest = &rest[..start];
    }
    rest.rsplit('.').next().unwrap_or(rest)
}

/// The index in the name of a loop child, `None` if there is none.
#[must_use]
pub fn loop_index(node: &str) -> Option<i64> {
    let start = node.find('(')? + 1;
    let end = start + node[start..].find(':')?;
    node[start..end].parse().ok()
}

/// The name of a CronWorkflow's child (C-CRON-12).
#[must_use]
pub fn cron_child(cron: &str, scheduled_unix_secs: i64) -> String {
    format!("{cron}-{scheduled_unix_secs}")
}

/// The prefix of the names of a CronWorkflow's backfill.
#[must_use]
pub fn backfill_prefix(cron: &str, operation: &str) -> String {
    cut(
        &format!("{cron}-backfill-{}", operation.to_lowercase()),
        POD_PREFIX_LIMIT,
    )
}

/// The name of the pod that collects artifacts for one service account and set of pod metadata (C-AGC-03).
///
/// `strategy` is `OnWorkflowCompletion` or `OnWorkflowDeletion`, anything else gives `None`.
#[must_use]
pub fn artifact_gc_pod<'a>(
    workflow: &str,
    strategy: &str,
    service_account: &str,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    let short = match strategy {
        "OnWorkflowCompletion" => "wfcomp",
        "OnWorkflowDeletion" => "wfdel",
        _ => return None,
    };
    let mut text = service_account.to_owned();
    for group in [sorted(labels), sorted(annotations)] {
        for (key, value) in group {
            text.push_str(key);
            text.push_str(value);
        }
    }
    Some(format!("{workflow}-artgc-{short}-{}", fnv1a_32(text.as_bytes())))
}

fn sorted<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable();
    pairs
}

/// The annotation-less default name of a service account's token secret (C-BLD-04).
#[must_use]
pub fn token_secret(service_account: &str) -> String {
    format!("{service_account}.service-account-token")
}

/// The API path of an object, as the peer guesses it from its kind.
#[must_use]
pub fn self_link(object: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let version = text(&object["apiVersion"]);
    let root = if version.contains('/') { "apis" } else { "api" };
    let kind = text(&object["kind"]).to_lowercase();
    let plural = if let Some(stem) = kind
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']))
    {
        format!("{stem}ies")
    } else if kind.ends_with(['s', 'x', 'z']) || kind.ends_with("ch") || kind.ends_with("sh") {
        format!("{kind}es")
    } else {
        format!("{kind}s")
    };
    let namespace = text(&object["metadata"]["namespace"]);
    let space = if namespace.is_empty() {
        String::new()
    } else {
        format!("/namespaces/{namespace}")
    };
    format!(
        "{root}/{version}{space}/{plural}/{}",
        text(&object["metadata"]["name"])
    )
}

/// The version of an off-loaded node status: its JSON text hashed (C-PER-04).
#[must_use]
pub fn offload_version(nodes_json: &str) -> String {
    format!("fnv:{}", fnv1_32(nodes_json.as_bytes()))
}
