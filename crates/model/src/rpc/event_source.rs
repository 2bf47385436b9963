//! Requests about event sources. The objects themselves are kept raw: we do not run them.

use serde_json::Value;

use crate::k8s::{DeleteOptions, ListOptions, PodLogOptions, Time};
use crate::object::objects;

objects! {
    "eventsource"

    /// Make an event source.
    pub struct CreateEventSourceRequest ("CreateEventSourceRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The event source.
        pub event_source: Option<Value> = "eventSource", omit;
    }

    /// Read an event source.
    pub struct GetEventSourceRequest ("GetEventSourceRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
    }

    /// List event sources.
    pub struct ListEventSourcesRequest ("ListEventSourcesRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// Delete an event source.
    pub struct DeleteEventSourceRequest ("DeleteEventSourceRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of deleting it.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// Replace an event source.
    pub struct UpdateEventSourceRequest ("UpdateEventSourceRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The event source.
        pub event_source: Option<Value> = "eventSource", omit;
    }

    /// Read logs of event sources.
    pub struct EventSourcesLogsRequest ("EventSourcesLogsRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the object.
        pub name: String = "name", omit;
        /// Kind of event source.
        pub event_source_type: String = "eventSourceType", omit;
        /// Name of the event in its source.
        pub event_name: String = "eventName", omit;
        /// Only lines that match this regular expression.
        pub grep: String = "grep", omit;
        /// Which lines.
        pub pod_log_options: Option<Box<PodLogOptions>> = "podLogOptions", omit;
    }

    /// A line of a log.
    pub struct LogEntry ("LogEntry") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the event source.
        pub event_source_name: String = "eventSourceName", omit;
        /// Kind of event source.
        pub event_source_type: String = "eventSourceType", omit;
        /// Name of the event in its source.
        pub event_name: String = "eventName", omit;
        /// Severity.
        pub level: String = "level", omit;
        /// When.
        pub time: Option<Time> = "time", omit;
        /// The line.
        pub msg: String = "msg", omit;
    }

    /// An event source changed.
    pub struct EventSourceWatchEvent ("EventSourceWatchEvent") {
        /// What happened: `ADDED`, `MODIFIED` or `DELETED`.
        pub type_: String = "type", omit;
        /// The object afterwards.
        pub object: Option<Value> = "object", omit;
    }

    /// An event source was deleted.
    pub struct EventSourceDeletedResponse ("EventSourceDeletedResponse") {
    }
}
