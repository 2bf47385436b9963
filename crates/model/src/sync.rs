//! Locks: what a workflow asks for and what it holds.

use crate::k8s::ConfigMapKeySelector;
use crate::object::objects;

objects! {
    "v1alpha1"

    /// Locks that are needed.
    pub struct Synchronization ("Synchronization") {
        /// Locks with a limit.
        pub semaphores: Vec<SemaphoreRef> = "semaphores", omit;
        /// Locks for one holder.
        pub mutexes: Vec<Mutex> = "mutexes", omit;
    }

    /// A lock with a limit, which a ConfigMap or the database holds.
    pub struct SemaphoreRef ("SemaphoreRef") {
        /// Key of a ConfigMap with the limit.
        pub config_map_key_ref: Option<ConfigMapKeySelector> = "configMapKeyRef", omit;
        /// Namespace; empty means that of the workflow.
        pub namespace: String = "namespace", omit;
        /// Row of the database with the limit.
        pub database: Option<SyncDatabaseRef> = "database", omit;
    }

    /// A lock of the database.
    pub struct SyncDatabaseRef ("SyncDatabaseRef") {
        /// Key.
        pub key: String = "key", keep;
    }

    /// A lock for one holder.
    pub struct Mutex ("Mutex") {
        /// Name, unique among its siblings.
        pub name: String = "name", omit;
        /// Namespace; empty means that of the workflow.
        pub namespace: String = "namespace", omit;
        /// Whether the database keeps it, so that several clusters share it.
        pub database: bool = "database", omit;
    }

    /// Locks that a workflow and its nodes hold or wait for.
    pub struct SynchronizationStatus ("SynchronizationStatus") {
        /// Locks with a limit.
        pub semaphore: Option<SemaphoreStatus> = "semaphore", omit;
        /// Locks for one holder.
        pub mutex: Option<MutexStatus> = "mutex", omit;
    }

    /// Locks with a limit.
    pub struct SemaphoreStatus ("SemaphoreStatus") {
        /// Locks that are held.
        pub holding: Vec<SemaphoreHolding> = "holding", omit;
        /// Locks that are waited for.
        pub waiting: Vec<SemaphoreHolding> = "waiting", omit;
    }

    /// Who holds or waits for a lock with a limit.
    pub struct SemaphoreHolding ("SemaphoreHolding") {
        /// Name of the lock.
        pub semaphore: String = "semaphore", omit;
        /// Keys of workflows or nodes.
        pub holders: Vec<String> = "holders", omit;
    }

    /// Locks for one holder.
    pub struct MutexStatus ("MutexStatus") {
        /// Locks that are held.
        pub holding: Vec<MutexHolding> = "holding", omit;
        /// Locks that are waited for.
        pub waiting: Vec<MutexHolding> = "waiting", omit;
    }

    /// Who holds or waits for a lock for one holder.
    pub struct MutexHolding ("MutexHolding") {
        /// Name of the lock.
        pub mutex: String = "mutex", omit;
        /// Key of the workflow or node.
        pub holder: String = "holder", omit;
    }
}
