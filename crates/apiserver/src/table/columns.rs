//! Which columns a kind's table has.
//!
//! Deliberately absent: making the cells (see `table::cells`).

use super::cells::{self, Cell};
use crate::kinds::{Kind, Origin};

/// One column of a table.
pub struct Shown {
    pub name: String,
    pub r#type: String,
    pub priority: i64,
    pub cell: Cell,
}

/// The columns of a kind, the name first.
pub fn of(kind: &Kind) -> Vec<Shown> {
    let mut columns = vec![shown("Name", "string", 0, Cell::Path("metadata.name".into()))];
    if kind.origin == Origin::Custom {
        columns.extend(kind.columns.iter().map(|column| {
            let path = column.path.trim_start_matches('.').to_owned();
            let cell = if column.r#type == "date" {
                Cell::Age(path)
            } else {
                Cell::Path(path)
            };
            shown(&column.name, &column.r#type, column.priority, cell)
        }));
        if kind.columns.is_empty() {
            columns.push(age());
        }
        return columns;
    }
    for (name, r#type, priority, source) in builtin(&kind.resource) {
        let cell = match *source {
            Source::Path(path) => Cell::Path(path.to_owned()),
            Source::Age(path) => Cell::Age(path.to_owned()),
            Source::Made(make) => Cell::Made(make),
        };
        columns.push(shown(name, r#type, *priority, cell));
    }
    let timed = !matches!(&*kind.resource, "events");
    if timed {
        let at = columns
            .iter()
            .position(|column| column.priority > 0)
            .unwrap_or(columns.len());
        let created = &*kind.resource == "customresourcedefinitions.apiextensions.k8s.io"
            || kind.group == "rbac.authorization.k8s.io";
        let name = if created && kind.plural != "clusterrolebindings" && kind.plural != "rolebindings" {
            "Created At"
        } else {
            "Age"
        };
        let cell = if name == "Age" {
            Cell::Age(CREATED.into())
        } else {
            Cell::Path(CREATED.into())
        };
        columns.insert(at, shown(name, "string", 0, cell));
    }
    columns
}

const CREATED: &str = "metadata.creationTimestamp";

fn age() -> Shown {
    shown("Age", "date", 0, Cell::Age(CREATED.into()))
}

fn shown(name: &str, r#type: &str, priority: i64, cell: Cell) -> Shown {
    Shown {
        name: name.into(),
        r#type: r#type.into(),
        priority,
        cell,
    }
}

enum Source {
    Path(&'static str),
    Age(&'static str),
    Made(fn(&serde_json::Value) -> serde_json::Value),
}

use Source::{Age, Made, Path};

type Row = (&'static str, &'static str, i64, Source);

/// Columns between the name and the age, and (with a priority) after it.
fn builtin(resource: &str) -> &'static [Row] {
    match resource {
        "pods" => &[
            ("Ready", "string", 0, Made(cells::pod_ready)),
            ("Status", "string", 0, Made(cells::pod_status)),
            ("Restarts", "string", 0, Made(cells::pod_restarts)),
            ("IP", "string", 1, Made(cells::pod_ip)),
            ("Node", "string", 1, Made(cells::pod_node)),
            ("Nominated Node", "string", 1, Made(cells::pod_nominated)),
            ("Readiness Gates", "string", 1, Made(cells::none)),
        ],
        "configmaps" => &[("Data", "integer", 0, Made(cells::data_count))],
        "secrets" => &[
            ("Type", "string", 0, Path("type")),
            ("Data", "integer", 0, Made(cells::data_count)),
        ],
        "namespaces" => &[("Status", "string", 0, Path("status.phase"))],
        "nodes" => &[
            ("Status", "string", 0, Made(cells::node_status)),
            ("Roles", "string", 0, Made(cells::node_roles)),
            ("Version", "string", 0, Path("status.nodeInfo.kubeletVersion")),
        ],
        "events" => &[
            ("Last Seen", "string", 0, Age("lastTimestamp")),
            ("Type", "string", 0, Path("type")),
            ("Reason", "string", 0, Path("reason")),
            ("Object", "string", 0, Made(cells::event_object)),
            ("Message", "string", 0, Path("message")),
        ],
        "serviceaccounts" => &[("Secrets", "integer", 0, Made(cells::secrets_count))],
        "services" => &[
            ("Type", "string", 0, Path("spec.type")),
            ("Cluster-IP", "string", 0, Made(cells::cluster_ip)),
            ("External-IP", "string", 0, Made(cells::none)),
            ("Port(s)", "string", 0, Made(cells::ports)),
        ],
        "persistentvolumeclaims" => &[
            ("Status", "string", 0, Path("status.phase")),
            ("Volume", "string", 0, Path("spec.volumeName")),
            ("Capacity", "string", 0, Path("status.capacity.storage")),
            ("Access Modes", "string", 0, Made(cells::access_modes)),
            ("StorageClass", "string", 0, Path("spec.storageClassName")),
        ],
        "persistentvolumes" => &[
            ("Capacity", "string", 0, Path("spec.capacity.storage")),
            ("Access Modes", "string", 0, Made(cells::access_modes)),
            (
                "Reclaim Policy",
                "string",
                0,
                Path("spec.persistentVolumeReclaimPolicy"),
            ),
            ("Status", "string", 0, Path("status.phase")),
            ("StorageClass", "string", 0, Path("spec.storageClassName")),
        ],
        "jobs.batch" => &[("Completions", "string", 0, Made(cells::completions))],
        "deployments.apps" | "statefulsets.apps" => &[("Ready", "string", 0, Made(cells::replicas_ready))],
        "leases.coordination.k8s.io" => &[("Holder", "string", 0, Path("spec.holderIdentity"))],
        "poddisruptionbudgets.policy" => &[
            ("Min Available", "string", 0, Made(cells::min_available)),
            ("Max Unavailable", "string", 0, Made(cells::max_unavailable)),
            (
                "Allowed Disruptions",
                "integer",
                0,
                Path("status.disruptionsAllowed"),
            ),
        ],
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => {
            &[("Role", "string", 0, Made(cells::role_ref))]
        }
        _ => &[],
    }
}
