//! Metadata of objects, references between them and options of requests.

use serde_json::Value;
use std::collections::BTreeMap;

use crate::k8s::value::Time;
use crate::object::objects;

objects! {
    "v1"

    /// `TypeMeta` of the wire form.
    pub struct TypeMeta ("TypeMeta") {
        /// Key `kind`.
        pub kind: String = "kind", omit;
        /// Key `apiVersion`.
        pub api_version: String = "apiVersion", omit;
    }

    /// `ListMeta` of the wire form.
    pub struct ListMeta ("ListMeta") {
        /// Key `selfLink`.
        pub self_link: String = "selfLink", omit;
        /// Key `resourceVersion`.
        pub resource_version: String = "resourceVersion", omit;
        /// Key `continue`.
        pub continue_: String = "continue", omit;
        /// Key `remainingItemCount`.
        pub remaining_item_count: Option<i64> = "remainingItemCount", omit;
    }

    /// `ObjectMeta` of the wire form.
    pub struct ObjectMeta ("ObjectMeta") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `generateName`.
        pub generate_name: String = "generateName", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `selfLink`.
        pub self_link: String = "selfLink", omit;
        /// Key `uid`.
        pub uid: String = "uid", omit;
        /// Key `resourceVersion`.
        pub resource_version: String = "resourceVersion", omit;
        /// Key `generation`.
        pub generation: i64 = "generation", omit;
        /// Key `creationTimestamp`.
        pub creation_timestamp: Option<Time> = "creationTimestamp", omit;
        /// Key `deletionTimestamp`.
        pub deletion_timestamp: Option<Time> = "deletionTimestamp", omit;
        /// Key `deletionGracePeriodSeconds`.
        pub deletion_grace_period_seconds: Option<i64> = "deletionGracePeriodSeconds", omit;
        /// Key `labels`.
        pub labels: BTreeMap<String, String> = "labels", omit;
        /// Key `annotations`.
        pub annotations: BTreeMap<String, String> = "annotations", omit;
        /// Key `ownerReferences`.
        pub owner_references: Vec<OwnerReference> = "ownerReferences", omit;
        /// Key `finalizers`.
        pub finalizers: Vec<String> = "finalizers", omit;
        /// Key `managedFields`.
        pub managed_fields: Vec<ManagedFieldsEntry> = "managedFields", omit;
    }

    /// `OwnerReference` of the wire form.
    pub struct OwnerReference ("OwnerReference") {
        /// Key `apiVersion`.
        pub api_version: String = "apiVersion", keep;
        /// Key `kind`.
        pub kind: String = "kind", keep;
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `uid`.
        pub uid: String = "uid", keep;
        /// Key `controller`.
        pub controller: Option<bool> = "controller", omit;
        /// Key `blockOwnerDeletion`.
        pub block_owner_deletion: Option<bool> = "blockOwnerDeletion", omit;
    }

    /// `ManagedFieldsEntry` of the wire form.
    pub struct ManagedFieldsEntry ("ManagedFieldsEntry") {
        /// Key `manager`.
        pub manager: String = "manager", omit;
        /// Key `operation`.
        pub operation: String = "operation", omit;
        /// Key `apiVersion`.
        pub api_version: String = "apiVersion", omit;
        /// Key `time`.
        pub time: Option<Time> = "time", omit;
        /// Key `fieldsType`.
        pub fields_type: String = "fieldsType", omit;
        /// Key `fieldsV1`.
        pub fields_v1: Value = "fieldsV1", omit;
        /// Key `subresource`.
        pub subresource: String = "subresource", omit;
    }

    /// `LabelSelector` of the wire form.
    pub struct LabelSelector ("LabelSelector") {
        /// Key `matchLabels`.
        pub match_labels: BTreeMap<String, String> = "matchLabels", omit;
        /// Key `matchExpressions`.
        pub match_expressions: Vec<LabelSelectorRequirement> = "matchExpressions", omit;
    }

    /// `LabelSelectorRequirement` of the wire form.
    pub struct LabelSelectorRequirement ("LabelSelectorRequirement") {
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `operator`.
        pub operator: String = "operator", keep;
        /// Key `values`.
        pub values: Vec<String> = "values", omit;
    }

    /// `ListOptions` of the wire form.
    pub struct ListOptions ("ListOptions") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `labelSelector`.
        pub label_selector: String = "labelSelector", omit;
        /// Key `fieldSelector`.
        pub field_selector: String = "fieldSelector", omit;
        /// Key `watch`.
        pub watch: bool = "watch", omit;
        /// Key `allowWatchBookmarks`.
        pub allow_watch_bookmarks: bool = "allowWatchBookmarks", omit;
        /// Key `resourceVersion`.
        pub resource_version: String = "resourceVersion", omit;
        /// Key `resourceVersionMatch`.
        pub resource_version_match: String = "resourceVersionMatch", omit;
        /// Key `timeoutSeconds`.
        pub timeout_seconds: Option<i64> = "timeoutSeconds", omit;
        /// Key `limit`.
        pub limit: i64 = "limit", omit;
        /// Key `continue`.
        pub continue_: String = "continue", omit;
        /// Key `sendInitialEvents`.
        pub send_initial_events: Option<bool> = "sendInitialEvents", omit;
    }

    /// `GetOptions` of the wire form.
    pub struct GetOptions ("GetOptions") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `resourceVersion`.
        pub resource_version: String = "resourceVersion", omit;
    }

    /// `CreateOptions` of the wire form.
    pub struct CreateOptions ("CreateOptions") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `dryRun`.
        pub dry_run: Vec<String> = "dryRun", omit;
        /// Key `fieldManager`.
        pub field_manager: String = "fieldManager", omit;
        /// Key `fieldValidation`.
        pub field_validation: String = "fieldValidation", omit;
    }

    /// `DeleteOptions` of the wire form.
    pub struct DeleteOptions ("DeleteOptions") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `gracePeriodSeconds`.
        pub grace_period_seconds: Option<i64> = "gracePeriodSeconds", omit;
        /// Key `preconditions`.
        pub preconditions: Option<Preconditions> = "preconditions", omit;
        /// Key `orphanDependents`.
        pub orphan_dependents: Option<bool> = "orphanDependents", omit;
        /// Key `propagationPolicy`.
        pub propagation_policy: Option<String> = "propagationPolicy", omit;
        /// Key `dryRun`.
        pub dry_run: Vec<String> = "dryRun", omit;
        /// Key `ignoreStoreReadErrorWithClusterBreakingPotential`.
        pub ignore_store_read_error_with_cluster_breaking_potential: Option<bool> = "ignoreStoreReadErrorWithClusterBreakingPotential", omit;
    }

    /// `Preconditions` of the wire form.
    pub struct Preconditions ("Preconditions") {
        /// Key `uid`.
        pub uid: Option<String> = "uid", omit;
        /// Key `resourceVersion`.
        pub resource_version: Option<String> = "resourceVersion", omit;
    }

    /// `ObjectReference` of the wire form.
    pub struct ObjectReference ("ObjectReference") {
        /// Key `kind`.
        pub kind: String = "kind", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `uid`.
        pub uid: String = "uid", omit;
        /// Key `apiVersion`.
        pub api_version: String = "apiVersion", omit;
        /// Key `resourceVersion`.
        pub resource_version: String = "resourceVersion", omit;
        /// Key `fieldPath`.
        pub field_path: String = "fieldPath", omit;
    }

    /// `LocalObjectReference` of the wire form.
    pub struct LocalObjectReference ("LocalObjectReference") {
        /// Key `name`.
        pub name: String = "name", omit;
    }

    /// `TypedLocalObjectReference` of the wire form.
    pub struct TypedLocalObjectReference ("TypedLocalObjectReference") {
        /// Key `apiGroup`.
        pub api_group: Option<String> = "apiGroup", keep;
        /// Key `kind`.
        pub kind: String = "kind", keep;
        /// Key `name`.
        pub name: String = "name", keep;
    }

    /// `TypedObjectReference` of the wire form.
    pub struct TypedObjectReference ("TypedObjectReference") {
        /// Key `apiGroup`.
        pub api_group: Option<String> = "apiGroup", keep;
        /// Key `kind`.
        pub kind: String = "kind", keep;
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `namespace`.
        pub namespace: Option<String> = "namespace", omit;
    }
}
