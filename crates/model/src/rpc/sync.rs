//! Requests about limits of locks.

use crate::custom::SyncConfigType;
use crate::object::objects;

objects! {
    "sync"

    /// Set the limit of a new lock.
    pub struct CreateSyncLimitRequest ("CreateSyncLimitRequest") {
        /// Where the limit is kept.
        pub type_: SyncConfigType = "type", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the ConfigMap.
        pub cm_name: String = "cmName", omit;
        /// Key of the lock.
        pub key: String = "key", omit;
        /// How many may hold the lock.
        pub limit: i32 = "limit", omit;
    }

    /// The limit of a lock.
    pub struct SyncLimitResponse ("SyncLimitResponse") {
        /// Where the limit is kept.
        pub type_: SyncConfigType = "type", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the ConfigMap.
        pub cm_name: String = "cmName", omit;
        /// Key of the lock.
        pub key: String = "key", omit;
        /// How many may hold the lock.
        pub limit: i32 = "limit", omit;
    }

    /// Read the limit of a lock.
    pub struct GetSyncLimitRequest ("GetSyncLimitRequest") {
        /// Where the limit is kept.
        pub type_: SyncConfigType = "type", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the ConfigMap.
        pub cm_name: String = "cmName", omit;
        /// Key of the lock.
        pub key: String = "key", omit;
    }

    /// Change the limit of a lock.
    pub struct UpdateSyncLimitRequest ("UpdateSyncLimitRequest") {
        /// Where the limit is kept.
        pub type_: SyncConfigType = "type", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the ConfigMap.
        pub cm_name: String = "cmName", omit;
        /// Key of the lock.
        pub key: String = "key", omit;
        /// How many may hold the lock.
        pub limit: i32 = "limit", omit;
    }

    /// Delete the limit of a lock.
    pub struct DeleteSyncLimitRequest ("DeleteSyncLimitRequest") {
        /// Where the limit is kept.
        pub type_: SyncConfigType = "type", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the ConfigMap.
        pub cm_name: String = "cmName", omit;
        /// Key of the lock.
        pub key: String = "key", omit;
    }

    /// The limit was deleted.
    pub struct DeleteSyncLimitResponse ("DeleteSyncLimitResponse") {
    }
}
