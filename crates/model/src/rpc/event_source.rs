//! Requests about event sources. The objects themselves are kept raw: we do not run them.

use serde_json::Value;

use crate::k8s::{DeleteOptions, ListOptions, PodLogOptions, Time};
use crate::object::objects;

objects! {
    "eventsource"

    /// `CreateEventSourceRequest` of the wire form.
    pub struct CreateEventSourceRequest ("CreateEventSourceRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `eventSource`.
        pub event_source: Option<Value> = "eventSource", omit;
    }

    /// `GetEventSourceRequest` of the wire form.
    pub struct GetEventSourceRequest ("GetEventSourceRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
    }

    /// `ListEventSourcesRequest` of the wire form.
    pub struct ListEventSourcesRequest ("ListEventSourcesRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// `DeleteEventSourceRequest` of the wire form.
    pub struct DeleteEventSourceRequest ("DeleteEventSourceRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `deleteOptions`.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// `UpdateEventSourceRequest` of the wire form.
    pub struct UpdateEventSourceRequest ("UpdateEventSourceRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `eventSource`.
        pub event_source: Option<Value> = "eventSource", omit;
    }

    /// `EventSourcesLogsRequest` of the wire form.
    pub struct EventSourcesLogsRequest ("EventSourcesLogsRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `eventSourceType`.
        pub event_source_type: String = "eventSourceType", omit;
        /// Key `eventName`.
        pub event_name: String = "eventName", omit;
        /// Key `grep`.
        pub grep: String = "grep", omit;
        /// Key `podLogOptions`.
        pub pod_log_options: Option<Box<PodLogOptions>> = "podLogOptions", omit;
    }

    /// `LogEntry` of the wire form.
    pub struct LogEntry ("LogEntry") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `eventSourceName`.
        pub event_source_name: String = "eventSourceName", omit;
        /// Key `eventSourceType`.
        pub event_source_type: String = "eventSourceType", omit;
        /// Key `eventName`.
        pub event_name: String = "eventName", omit;
        /// Key `level`.
        pub level: String = "level", omit;
        /// Key `time`.
        pub time: Option<Time> = "time", omit;
        /// Key `msg`.
        pub msg: String = "msg", omit;
    }

    /// `EventSourceWatchEvent` of the wire form.
    pub struct EventSourceWatchEvent ("EventSourceWatchEvent") {
        /// Key `type`.
        pub type_: String = "type", omit;
        /// Key `object`.
        pub object: Option<Value> = "object", omit;
    }

    /// `EventSourceDeletedResponse` of the wire form.
    pub struct EventSourceDeletedResponse ("EventSourceDeletedResponse") {
    }
}
