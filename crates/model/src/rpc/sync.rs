//! Requests about limits of locks.

use crate::custom::SyncConfigType;
use crate::object::objects;

objects! {
    "sync"

    /// `CreateSyncLimitRequest` of the wire form.
    pub struct CreateSyncLimitRequest ("CreateSyncLimitRequest") {
        /// Key `type`.
        pub type_: SyncConfigType = "type", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `cmName`.
        pub cm_name: String = "cmName", omit;
        /// Key `key`.
        pub key: String = "key", omit;
        /// Key `limit`.
        pub limit: i32 = "limit", omit;
    }

    /// `SyncLimitResponse` of the wire form.
    pub struct SyncLimitResponse ("SyncLimitResponse") {
        /// Key `type`.
        pub type_: SyncConfigType = "type", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `cmName`.
        pub cm_name: String = "cmName", omit;
        /// Key `key`.
        pub key: String = "key", omit;
        /// Key `limit`.
        pub limit: i32 = "limit", omit;
    }

    /// `GetSyncLimitRequest` of the wire form.
    pub struct GetSyncLimitRequest ("GetSyncLimitRequest") {
        /// Key `type`.
        pub type_: SyncConfigType = "type", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `cmName`.
        pub cm_name: String = "cmName", omit;
        /// Key `key`.
        pub key: String = "key", omit;
    }

    /// `UpdateSyncLimitRequest` of the wire form.
    pub struct UpdateSyncLimitRequest ("UpdateSyncLimitRequest") {
        /// Key `type`.
        pub type_: SyncConfigType = "type", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `cmName`.
        pub cm_name: String = "cmName", omit;
        /// Key `key`.
        pub key: String = "key", omit;
        /// Key `limit`.
        pub limit: i32 = "limit", omit;
    }

    /// `DeleteSyncLimitRequest` of the wire form.
    pub struct DeleteSyncLimitRequest ("DeleteSyncLimitRequest") {
        /// Key `type`.
        pub type_: SyncConfigType = "type", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `cmName`.
        pub cm_name: String = "cmName", omit;
        /// Key `key`.
        pub key: String = "key", omit;
    }

    /// `DeleteSyncLimitResponse` of the wire form.
    pub struct DeleteSyncLimitResponse ("DeleteSyncLimitResponse") {
    }
}
