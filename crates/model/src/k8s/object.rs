//! Other objects that workflows meet: ConfigMaps, Secrets, events, disruption budgets.

use serde_json::Value;
use std::collections::BTreeMap;

use crate::custom::Bytes;
use crate::k8s::meta::{LabelSelector, ObjectMeta, ObjectReference, TypeMeta};
use crate::k8s::value::{IntOrString, MicroTime, Time};
use crate::object::objects;

objects! {
    "v1"

    /// `ConfigMap` of the wire form.
    pub struct ConfigMap ("ConfigMap") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Key `immutable`.
        pub immutable: Option<bool> = "immutable", omit;
        /// Key `data`.
        pub data: BTreeMap<String, String> = "data", omit;
        /// Key `binaryData`.
        pub binary_data: BTreeMap<String, Bytes> = "binaryData", omit;
    }

    /// `Secret` of the wire form.
    pub struct Secret ("Secret") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Key `immutable`.
        pub immutable: Option<bool> = "immutable", omit;
        /// Key `data`.
        pub data: BTreeMap<String, Bytes> = "data", omit;
        /// Key `stringData`.
        pub string_data: BTreeMap<String, String> = "stringData", omit;
        /// Key `type`.
        pub type_: String = "type", omit;
    }

    /// `Event` of the wire form.
    pub struct Event ("Event") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `involvedObject`.
        pub involved_object: ObjectReference = "involvedObject", keep;
        /// Key `reason`.
        pub reason: String = "reason", omit;
        /// Key `message`.
        pub message: String = "message", omit;
        /// Key `source`.
        pub source: EventSource = "source", omit;
        /// Key `firstTimestamp`.
        pub first_timestamp: Option<Time> = "firstTimestamp", keep;
        /// Key `lastTimestamp`.
        pub last_timestamp: Option<Time> = "lastTimestamp", keep;
        /// Key `count`.
        pub count: i32 = "count", omit;
        /// Key `type`.
        pub type_: String = "type", omit;
        /// Key `eventTime`.
        pub event_time: Option<MicroTime> = "eventTime", keep;
        /// Key `series`.
        pub series: Option<EventSeries> = "series", omit;
        /// Key `action`.
        pub action: String = "action", omit;
        /// Key `related`.
        pub related: Option<Box<ObjectReference>> = "related", omit;
        /// Key `reportingComponent`.
        pub reporting_component: String = "reportingComponent", keep;
        /// Key `reportingInstance`.
        pub reporting_instance: String = "reportingInstance", keep;
    }

    /// `EventSource` of the wire form.
    pub struct EventSource ("EventSource") {
        /// Key `component`.
        pub component: String = "component", omit;
        /// Key `host`.
        pub host: String = "host", omit;
    }

    /// `EventSeries` of the wire form.
    pub struct EventSeries ("EventSeries") {
        /// Key `count`.
        pub count: i32 = "count", omit;
        /// Key `lastObservedTime`.
        pub last_observed_time: Option<MicroTime> = "lastObservedTime", keep;
    }

    /// `PodDisruptionBudget` of the wire form.
    pub struct PodDisruptionBudget ("PodDisruptionBudget") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Key `spec`.
        pub spec: PodDisruptionBudgetSpec = "spec", omit;
        /// Key `status`.
        pub status: Value = "status", omit;
    }

    /// `PodDisruptionBudgetSpec` of the wire form.
    pub struct PodDisruptionBudgetSpec ("PodDisruptionBudgetSpec") {
        /// Key `minAvailable`.
        pub min_available: Option<IntOrString> = "minAvailable", omit;
        /// Key `selector`.
        pub selector: Option<LabelSelector> = "selector", omit;
        /// Key `maxUnavailable`.
        pub max_unavailable: Option<IntOrString> = "maxUnavailable", omit;
        /// Key `unhealthyPodEvictionPolicy`.
        pub unhealthy_pod_eviction_policy: Option<String> = "unhealthyPodEvictionPolicy", omit;
    }

    /// `ServicePort` of the wire form.
    pub struct ServicePort ("ServicePort") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `protocol`.
        pub protocol: String = "protocol", omit;
        /// Key `appProtocol`.
        pub app_protocol: Option<String> = "appProtocol", omit;
        /// Key `port`.
        pub port: i32 = "port", keep;
        /// Key `targetPort`.
        pub target_port: IntOrString = "targetPort", keep;
        /// Key `nodePort`.
        pub node_port: i32 = "nodePort", omit;
    }
}
