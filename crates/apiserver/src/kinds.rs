//! The kinds that the server knows: Kubernetes' own as a table, custom ones as they are defined.
//!
//! Deliberately absent: what the fields of a kind mean (see `defaults` and `schema`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::schema::Schema;
use crate::store::Resource;

/// What can be asked of an ordinary resource.
pub const EVERY_VERB: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// One kind of one group and version.
#[derive(Clone, Debug)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: String,
    /// Version within the group, for example `v1`.
    pub version: String,
    /// Name in paths, for example `pods`.
    pub plural: String,
    /// The plural's singular, for example `pod`.
    pub singular: String,
    /// Name in objects, for example `Pod`.
    pub kind: String,
    /// Name of lists, for example `PodList`.
    pub list_kind: String,
    /// What kubectl also takes for `plural`.
    pub short_names: Vec<String>,
    /// Groups of kinds, for example `all`.
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether `status` is written through its own subresource.
    pub status: bool,
    /// JSON paths of the scale subresource: spec replicas, status replicas, label selector.
    pub scale: Option<ScalePaths>,
    /// How it is handled.
    pub origin: Origin,
    /// Where objects are stored: the same for all versions of a kind.
    pub resource: Resource,
    /// The schema of a custom kind's version, read.
    pub schema: Option<Arc<Schema>>,
    /// The schema of a custom kind's version, as its definition gives it.
    pub schema_text: Option<Arc<Value>>,
    /// Columns that `kubectl get` shows besides the name.
    pub columns: Vec<Column>,
}

/// Where the scale subresource finds its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalePaths {
    /// JSON path of the wished number, for example `.spec.replicas`.
    pub spec: String,
    /// JSON path of the present number.
    pub status: String,
    /// JSON path of the label selector's text, empty when there is none.
    pub selector: String,
}

/// One printed column of a custom kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub r#type: String,
    /// kubectl's JSON path below the object.
    pub path: String,
    /// 0 is always shown, more only with `-o wide`.
    pub priority: i64,
}

/// How the server treats a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Stored, one of Kubernetes' own.
    Builtin,
    /// Stored, defined by a CustomResourceDefinition.
    Custom,
    /// Only a question that is answered on creation.
    Review,
}

impl Kind {
    /// `v1` or `group/version`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether the kind's objects count their specs in `metadata.generation`.
    pub fn counts_generations(&self) -> bool {
        match self.origin {
            Origin::Custom => true,
            Origin::Review => false,
            Origin::Builtin => {
                !self.group.is_empty() && self.status
                    || matches!(
                        self.plural.as_str(),
                        "pods" | "networkpolicies" | "priorityclasses"
                    )
            }
        }
    }

    /// The verbs of the main resource.
    pub fn verbs(&self) -> &'static [&'static str] {
        match self.origin {
            Origin::Review => &["create"],
            Origin::Builtin if self.plural == "namespaces" => {
                &["create", "delete", "get", "list", "patch", "update", "watch"]
            }
            Origin::Builtin | Origin::Custom => &EVERY_VERB,
        }
    }
}

const N: bool = true;
const C: bool = false;
/// Has a status subresource.
const S: bool = true;

/// Group, versions' one version, plural, kind, namespaced, status subresource, short names, in category `all`.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    bool,
    bool,
    &'static [&'static str],
    bool,
);

const ROWS: &[Row] = &[
    ("", "v1", "configmaps", "ConfigMap", N, C, &["cm"], false),
    ("", "v1", "endpoints", "Endpoints", N, C, &["ep"], false),
    ("", "v1", "events", "Event", N, C, &["ev"], false),
    ("", "v1", "limitranges", "LimitRange", N, C, &["limits"], false),
    ("", "v1", "namespaces", "Namespace", C, S, &["ns"], false),
    ("", "v1", "nodes", "Node", C, S, &["no"], false),
    (
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        N,
        S,
        &["pvc"],
        false,
    ),
    (
        "",
        "v1",
        "persistentvolumes",
        "PersistentVolume",
        C,
        S,
        &["pv"],
        false,
    ),
    ("", "v1", "pods", "Pod", N, S, &["po"], true),
    ("", "v1", "podtemplates", "PodTemplate", N, C, &[], false),
    (
        "",
        "v1",
        "replicationcontrollers",
        "ReplicationController",
        N,
        S,
        &["rc"],
        true,
    ),
    (
        "",
        "v1",
        "resourcequotas",
        "ResourceQuota",
        N,
        S,
        &["quota"],
        false,
    ),
    ("", "v1", "secrets", "Secret", N, C, &[], false),
    (
        "",
        "v1",
        "serviceaccounts",
        "ServiceAccount",
        N,
        C,
        &["sa"],
        false,
    ),
    ("", "v1", "services", "Service", N, S, &["svc"], true),
    (
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        C,
        S,
        &["crd", "crds"],
        false,
    ),
    (
        "apps",
        "v1",
        "controllerrevisions",
        "ControllerRevision",
        N,
        C,
        &[],
        false,
    ),
    ("apps", "v1", "daemonsets", "DaemonSet", N, S, &["ds"], true),
    ("apps", "v1", "deployments", "Deployment", N, S, &["deploy"], true),
    ("apps", "v1", "replicasets", "ReplicaSet", N, S, &["rs"], true),
    ("apps", "v1", "statefulsets", "StatefulSet", N, S, &["sts"], true),
    (
        "authentication.k8s.io",
        "v1",
        "selfsubjectreviews",
        "SelfSubjectReview",
        C,
        C,
        &[],
        false,
    ),
    (
        "authentication.k8s.io",
        "v1",
        "tokenreviews",
        "TokenReview",
        C,
        C,
        &[],
        false,
    ),
    (
        "authorization.k8s.io",
        "v1",
        "localsubjectaccessreviews",
        "LocalSubjectAccessReview",
        N,
        C,
        &[],
        false,
    ),
    (
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        C,
        C,
        &[],
        false,
    ),
    (
        "authorization.k8s.io",
        "v1",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        C,
        C,
        &[],
        false,
    ),
    (
        "authorization.k8s.io",
        "v1",
        "subjectaccessreviews",
        "SubjectAccessReview",
        C,
        C,
        &[],
        false,
    ),
    ("batch", "v1", "cronjobs", "CronJob", N, S, &["cj"], true),
    ("batch", "v1", "jobs", "Job", N, S, &[], true),
    ("coordination.k8s.io", "v1", "leases", "Lease", N, C, &[], false),
    (
        "networking.k8s.io",
        "v1",
        "ingresses",
        "Ingress",
        N,
        S,
        &["ing"],
        false,
    ),
    (
        "networking.k8s.io",
        "v1",
        "networkpolicies",
        "NetworkPolicy",
        N,
        C,
        &["netpol"],
        false,
    ),
    (
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        N,
        S,
        &["pdb"],
        false,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "clusterrolebindings",
        "ClusterRoleBinding",
        C,
        C,
        &[],
        false,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "clusterroles",
        "ClusterRole",
        C,
        C,
        &[],
        false,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "rolebindings",
        "RoleBinding",
        N,
        C,
        &[],
        false,
    ),
    (
        "rbac.authorization.k8s.io",
        "v1",
        "roles",
        "Role",
        N,
        C,
        &[],
        false,
    ),
    (
        "scheduling.k8s.io",
        "v1",
        "priorityclasses",
        "PriorityClass",
        C,
        C,
        &["pc"],
        false,
    ),
    (
        "storage.k8s.io",
        "v1",
        "storageclasses",
        "StorageClass",
        C,
        C,
        &["sc"],
        false,
    ),
];

fn builtin(row: &Row) -> Kind {
    let (group, version, plural, kind, namespaced, status, short_names, all) = *row;
    let scaled = matches!(
        plural,
        "deployments" | "replicasets" | "statefulsets" | "replicationcontrollers"
    );
    Kind {
        group: group.into(),
        version: version.into(),
        plural: plural.into(),
        singular: kind.to_lowercase(),
        kind: kind.into(),
        list_kind: format!("{kind}List"),
        short_names: short_names.iter().map(ToString::to_string).collect(),
        categories: if all { vec!["all".into()] } else { Vec::new() },
        namespaced,
        status,
        scale: scaled.then(|| ScalePaths {
            spec: ".spec.replicas".into(),
            status: ".status.replicas".into(),
            selector: ".status.selector".into(),
        }),
        origin: if group.starts_with("auth") {
            Origin::Review
        } else {
            Origin::Builtin
        },
        resource: crate::status::qualified(group, plural).into(),
        schema: None,
        schema_text: None,
        columns: Vec::new(),
    }
}

/// The kinds known at one moment, by group, version and plural.
#[derive(Clone, Debug)]
pub struct Registry {
    kinds: BTreeMap<(String, String, String), Arc<Kind>>,
}

impl Registry {
    /// Kubernetes' own kinds.
    pub fn builtin() -> Self {
        let mut registry = Registry {
            kinds: BTreeMap::new(),
        };
        for row in ROWS {
            registry.insert(builtin(row));
        }
        registry
    }

    fn insert(&mut self, kind: Kind) {
        let key = (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        self.kinds.insert(key, Arc::new(kind));
    }

    /// The kind served at this place.
    pub fn get(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.kinds
            .get(&(group.to_owned(), version.to_owned(), plural.to_owned()))
            .cloned()
    }

    /// The kind whose objects are stored as `resource`; of several versions the first by name.
    pub fn of_resource(&self, resource: &str) -> Option<Arc<Kind>> {
        self.kinds
            .values()
            .find(|kind| &*kind.resource == resource)
            .cloned()
    }

    /// All kinds in order of group, version and plural.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.values()
    }

    /// Takes in the served versions of a CustomResourceDefinition, in place of what it defined before.
    pub fn define(&mut self, definition: &Value) {
        self.forget(definition);
        for kind in defined(definition) {
            self.insert(kind);
        }
    }

    /// Drops what a CustomResourceDefinition defined.
    pub fn forget(&mut self, definition: &Value) {
        let spec = &definition["spec"];
        let (group, plural) = (text(spec, "group"), text(&spec["names"], "plural"));
        self.kinds.retain(|(g, _, p), kind| {
            kind.origin != Origin::Custom || g.as_str() != group || p.as_str() != plural
        });
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value, field: &str) -> Vec<String> {
    let list = value
        .get(field)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The kinds of a definition's served versions.
fn defined(definition: &Value) -> Vec<Kind> {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let (group, plural, kind) = (text(spec, "group"), text(names, "plural"), text(names, "kind"));
    let or = |given: &str, other: String| if given.is_empty() { other } else { given.to_owned() };
    let versions = spec
        .get("versions")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let served = versions
        .iter()
        .filter(|version| version["served"].as_bool().unwrap_or(false));
    served
        .map(|version| {
            let subresources = &version["subresources"];
            let scale = subresources.get("scale").map(|scale| ScalePaths {
                spec: text(scale, "specReplicasPath").into(),
                status: text(scale, "statusReplicasPath").into(),
                selector: text(scale, "labelSelectorPath").into(),
            });
            Kind {
                group: group.into(),
                version: text(version, "name").into(),
                plural: plural.into(),
                singular: or(text(names, "singular"), kind.to_lowercase()),
                kind: kind.into(),
                list_kind: or(text(names, "listKind"), format!("{kind}List")),
                short_names: texts(names, "shortNames"),
                categories: texts(names, "categories"),
                namespaced: text(spec, "scope") != "Cluster",
                status: subresources.get("status").is_some(),
                scale,
                origin: Origin::Custom,
                resource: crate::status::qualified(group, plural).into(),
                schema: version["schema"]
                    .get("openAPIV3Schema")
                    .map(|schema| Arc::new(Schema::read(schema))),
                schema_text: version["schema"].get("openAPIV3Schema").cloned().map(Arc::new),
                columns: columns(version),
            }
        })
        .collect()
}

fn columns(version: &Value) -> Vec<Column> {
    let list = version.get("additionalPrinterColumns").and_then(Value::as_array);
    let list = list.map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|column| Column {
            name: text(column, "name").into(),
            r#type: text(column, "type").into(),
            path: text(column, "jsonPath").into(),
            priority: column.get("priority").and_then(Value::as_i64).unwrap_or(0),
        })
        .collect()
}

/// A CustomResourceDefinition without a schema: everything below the object is kept as it is.
///
/// For kinds that come in as data through [`crate::Options::definitions`].
pub fn definition(group: &str, version: &str, plural: &str, kind: &str, namespaced: bool) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "scope": if namespaced { "Namespaced" } else { "Cluster" },
            "names": {
                "plural": plural, "kind": kind, "listKind": format!("{kind}List"),
                "singular": kind.to_lowercase(),
            },
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }},
            }],
        },
    })
}
