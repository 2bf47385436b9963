//! Other objects that workflows meet: ConfigMaps, Secrets, events, disruption budgets.

use serde_json::Value;
use std::collections::BTreeMap;

use crate::custom::Bytes;
use crate::k8s::meta::{LabelSelector, ObjectMeta, ObjectReference, TypeMeta};
use crate::k8s::value::{IntOrString, MicroTime, Time};
use crate::object::objects;

objects! {
    "v1"

    /// What Kubernetes keeps about any object, without the object.
    pub struct PartialObjectMetadata ("PartialObjectMetadata") {
        /// Kind and version of this form.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", omit;
    }

    /// Texts by key.
    pub struct ConfigMap ("ConfigMap") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Whether the data can no longer be changed.
        pub immutable: Option<bool> = "immutable", omit;
        /// The texts.
        pub data: BTreeMap<String, String> = "data", omit;
        /// Bytes by key.
        pub binary_data: BTreeMap<String, Bytes> = "binaryData", omit;
    }

    /// Secret bytes by key.
    pub struct Secret ("Secret") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Whether the data can no longer be changed.
        pub immutable: Option<bool> = "immutable", omit;
        /// The bytes.
        pub data: BTreeMap<String, Bytes> = "data", omit;
        /// Texts to be added to the bytes; only for writing.
        pub string_data: BTreeMap<String, String> = "stringData", omit;
        /// Kind.
        pub type_: String = "type", omit;
    }

    /// Something that happened to an object.
    pub struct Event ("Event") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// The object.
        pub involved_object: ObjectReference = "involvedObject", keep;
        /// A word for machines that says why.
        pub reason: String = "reason", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
        /// Who reported it, in the old form.
        pub source: EventSource = "source", omit;
        /// When it happened first.
        pub first_timestamp: Option<Time> = "firstTimestamp", keep;
        /// When it happened last.
        pub last_timestamp: Option<Time> = "lastTimestamp", keep;
        /// How often.
        pub count: i32 = "count", omit;
        /// `Normal` or `Warning`.
        pub type_: String = "type", omit;
        /// When it was first seen.
        pub event_time: Option<MicroTime> = "eventTime", keep;
        /// How often it was seen, in the new form.
        pub series: Option<EventSeries> = "series", omit;
        /// What was done about it.
        pub action: String = "action", omit;
        /// Another object that plays a part.
        pub related: Option<Box<ObjectReference>> = "related", omit;
        /// Who reports it.
        pub reporting_component: String = "reportingComponent", keep;
        /// Which copy of who reports it.
        pub reporting_instance: String = "reportingInstance", keep;
    }

    /// Who reported an event, in the old form.
    pub struct EventSource ("EventSource") {
        /// Name of the program.
        pub component: String = "component", omit;
        /// Host.
        pub host: String = "host", omit;
    }

    /// How often an event was seen.
    pub struct EventSeries ("EventSeries") {
        /// How often.
        pub count: i32 = "count", omit;
        /// When last.
        pub last_observed_time: Option<MicroTime> = "lastObservedTime", keep;
    }

    /// How many pods may be taken away at the same time.
    pub struct PodDisruptionBudget ("PodDisruptionBudget") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", omit;
        /// What is wanted.
        pub spec: PodDisruptionBudgetSpec = "spec", omit;
        /// What it has come to.
        pub status: Value = "status", omit;
    }

    /// How many pods may be taken away at the same time.
    pub struct PodDisruptionBudgetSpec ("PodDisruptionBudgetSpec") {
        /// How many must stay: a number or a percentage.
        pub min_available: Option<IntOrString> = "minAvailable", omit;
        /// Labels that select objects.
        pub selector: Option<LabelSelector> = "selector", omit;
        /// How many may go: a number or a percentage.
        pub max_unavailable: Option<IntOrString> = "maxUnavailable", omit;
        /// Whether pods that are not ready may always go.
        pub unhealthy_pod_eviction_policy: Option<String> = "unhealthyPodEvictionPolicy", omit;
    }

    /// A port of a service.
    pub struct ServicePort ("ServicePort") {
        /// Name, unique among its siblings.
        pub name: String = "name", omit;
        /// `TCP` when empty, `UDP` or `SCTP`.
        pub protocol: String = "protocol", omit;
        /// What is spoken on it.
        pub app_protocol: Option<String> = "appProtocol", omit;
        /// Port.
        pub port: i32 = "port", keep;
        /// Number or name of the pods' port.
        pub target_port: IntOrString = "targetPort", keep;
        /// The same on every node.
        pub node_port: i32 = "nodePort", omit;
    }
}
