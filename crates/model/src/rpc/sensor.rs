//! Requests about sensors. The objects themselves are kept raw: we do not run them.

use serde_json::Value;

use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions, PodLogOptions, Time};
use crate::object::objects;

objects! {
    "sensor"

    /// List sensors.
    pub struct ListSensorsRequest ("ListSensorsRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// Make a sensor.
    pub struct CreateSensorRequest ("CreateSensorRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The sensor.
        pub sensor: Option<Value> = "sensor", omit;
        /// Options of making it.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// Read a sensor.
    pub struct GetSensorRequest ("GetSensorRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of reading it.
        pub get_options: Option<GetOptions> = "getOptions", omit;
    }

    /// Replace a sensor.
    pub struct UpdateSensorRequest ("UpdateSensorRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the object.
        pub name: String = "name", omit;
        /// The sensor.
        pub sensor: Option<Value> = "sensor", omit;
    }

    /// Delete a sensor.
    pub struct DeleteSensorRequest ("DeleteSensorRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of deleting it.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// A sensor was deleted.
    pub struct DeleteSensorResponse ("DeleteSensorResponse") {
    }

    /// Read logs of sensors.
    pub struct SensorsLogsRequest ("SensorsLogsRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the object.
        pub name: String = "name", omit;
        /// Name of the trigger.
        pub trigger_name: String = "triggerName", omit;
        /// Only lines that match this regular expression.
        pub grep: String = "grep", omit;
        /// Which lines.
        pub pod_log_options: Option<Box<PodLogOptions>> = "podLogOptions", omit;
    }

    /// A line of a log.
    pub struct LogEntry ("LogEntry") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the sensor.
        pub sensor_name: String = "sensorName", omit;
        /// Name of the trigger.
        pub trigger_name: String = "triggerName", omit;
        /// Severity.
        pub level: String = "level", omit;
        /// When.
        pub time: Option<Time> = "time", omit;
        /// The line.
        pub msg: String = "msg", omit;
        /// Name of the dependency.
        pub dependency_name: String = "dependencyName", omit;
        /// Facts about the event.
        pub event_context: String = "eventContext", omit;
    }

    /// A sensor changed.
    pub struct SensorWatchEvent ("SensorWatchEvent") {
        /// What happened: `ADDED`, `MODIFIED` or `DELETED`.
        pub type_: String = "type", omit;
        /// The object afterwards.
        pub object: Option<Value> = "object", omit;
    }
}
