//! Locks: what a workflow asks for and what it holds.

use crate::k8s::ConfigMapKeySelector;
use crate::object::objects;

objects! {
    "v1alpha1"

    /// `Synchronization` of the wire form.
    pub struct Synchronization ("Synchronization") {
        /// Key `semaphores`.
        pub semaphores: Vec<SemaphoreRef> = "semaphores", omit;
        /// Key `mutexes`.
        pub mutexes: Vec<Mutex> = "mutexes", omit;
    }

    /// `SemaphoreRef` of the wire form.
    pub struct SemaphoreRef ("SemaphoreRef") {
        /// Key `configMapKeyRef`.
        pub config_map_key_ref: Option<ConfigMapKeySelector> = "configMapKeyRef", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `database`.
        pub database: Option<SyncDatabaseRef> = "database", omit;
    }

    /// `SyncDatabaseRef` of the wire form.
    pub struct SyncDatabaseRef ("SyncDatabaseRef") {
        /// Key `key`.
        pub key: String = "key", keep;
    }

    /// `Mutex` of the wire form.
    pub struct Mutex ("Mutex") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `database`.
        pub database: bool = "database", omit;
    }

    /// `SynchronizationStatus` of the wire form.
    pub struct SynchronizationStatus ("SynchronizationStatus") {
        /// Key `semaphore`.
        pub semaphore: Option<SemaphoreStatus> = "semaphore", omit;
        /// Key `mutex`.
        pub mutex: Option<MutexStatus> = "mutex", omit;
    }

    /// `SemaphoreStatus` of the wire form.
    pub struct SemaphoreStatus ("SemaphoreStatus") {
        /// Key `holding`.
        pub holding: Vec<SemaphoreHolding> = "holding", omit;
        /// Key `waiting`.
        pub waiting: Vec<SemaphoreHolding> = "waiting", omit;
    }

    /// `SemaphoreHolding` of the wire form.
    pub struct SemaphoreHolding ("SemaphoreHolding") {
        /// Key `semaphore`.
        pub semaphore: String = "semaphore", omit;
        /// Key `holders`.
        pub holders: Vec<String> = "holders", omit;
    }

    /// `MutexStatus` of the wire form.
    pub struct MutexStatus ("MutexStatus") {
        /// Key `holding`.
        pub holding: Vec<MutexHolding> = "holding", omit;
        /// Key `waiting`.
        pub waiting: Vec<MutexHolding> = "waiting", omit;
    }

    /// `MutexHolding` of the wire form.
    pub struct MutexHolding ("MutexHolding") {
        /// Key `mutex`.
        pub mutex: String = "mutex", omit;
        /// Key `holder`.
        pub holder: String = "holder", omit;
    }
}
