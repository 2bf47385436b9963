//! Requests about sensors. The objects themselves are kept raw: we do not run them.

use serde_json::Value;

use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions, PodLogOptions, Time};
use crate::object::objects;

objects! {
    "sensor"

    /// `ListSensorsRequest` of the wire form.
    pub struct ListSensorsRequest ("ListSensorsRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// `CreateSensorRequest` of the wire form.
    pub struct CreateSensorRequest ("CreateSensorRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `sensor`.
        pub sensor: Option<Value> = "sensor", omit;
        /// Key `createOptions`.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// `GetSensorRequest` of the wire form.
    pub struct GetSensorRequest ("GetSensorRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `getOptions`.
        pub get_options: Option<GetOptions> = "getOptions", omit;
    }

    /// `UpdateSensorRequest` of the wire form.
    pub struct UpdateSensorRequest ("UpdateSensorRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `sensor`.
        pub sensor: Option<Value> = "sensor", omit;
    }

    /// `DeleteSensorRequest` of the wire form.
    pub struct DeleteSensorRequest ("DeleteSensorRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `deleteOptions`.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// `DeleteSensorResponse` of the wire form.
    pub struct DeleteSensorResponse ("DeleteSensorResponse") {
    }

    /// `SensorsLogsRequest` of the wire form.
    pub struct SensorsLogsRequest ("SensorsLogsRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `triggerName`.
        pub trigger_name: String = "triggerName", omit;
        /// Key `grep`.
        pub grep: String = "grep", omit;
        /// Key `podLogOptions`.
        pub pod_log_options: Option<Box<PodLogOptions>> = "podLogOptions", omit;
    }

    /// `LogEntry` of the wire form.
    pub struct LogEntry ("LogEntry") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `sensorName`.
        pub sensor_name: String = "sensorName", omit;
        /// Key `triggerName`.
        pub trigger_name: String = "triggerName", omit;
        /// Key `level`.
        pub level: String = "level", omit;
        /// Key `time`.
        pub time: Option<Time> = "time", omit;
        /// Key `msg`.
        pub msg: String = "msg", omit;
        /// Key `dependencyName`.
        pub dependency_name: String = "dependencyName", omit;
        /// Key `eventContext`.
        pub event_context: String = "eventContext", omit;
    }

    /// `SensorWatchEvent` of the wire form.
    pub struct SensorWatchEvent ("SensorWatchEvent") {
        /// Key `type`.
        pub type_: String = "type", omit;
        /// Key `object`.
        pub object: Option<Value> = "object", omit;
    }
}
