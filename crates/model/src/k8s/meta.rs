//! Metadata of objects, references between them and options of requests.

use serde_json::Value;
use std::collections::BTreeMap;

use crate::k8s::value::Time;
use crate::object::objects;

objects! {
    "v1"

    /// Kind and version that an object says it has.
    pub struct TypeMeta ("TypeMeta") {
        /// Kind of the object.
        pub kind: String = "kind", omit;
        /// Group and version of the kind.
        pub api_version: String = "apiVersion", omit;
    }

    /// Facts about a list.
    pub struct ListMeta ("ListMeta") {
        /// No longer used.
        pub self_link: String = "selfLink", omit;
        /// Version of the object, opaque.
        pub resource_version: String = "resourceVersion", omit;
        /// Where the next part of the list begins, opaque.
        pub continue_: String = "continue", omit;
        /// How many objects the next parts hold, if known.
        pub remaining_item_count: Option<i64> = "remainingItemCount", omit;
    }

    /// What Kubernetes keeps about every object.
    pub struct ObjectMeta ("ObjectMeta") {
        /// Name, unique within namespace and kind.
        pub name: String = "name", omit;
        /// What the name begins with when the server makes one.
        pub generate_name: String = "generateName", omit;
        /// Namespace; empty for objects of the cluster.
        pub namespace: String = "namespace", omit;
        /// No longer used.
        pub self_link: String = "selfLink", omit;
        /// Id that no other object has or had.
        pub uid: String = "uid", omit;
        /// Version of the object, opaque.
        pub resource_version: String = "resourceVersion", omit;
        /// Counts changes of what is wanted.
        pub generation: i64 = "generation", omit;
        /// When it was made.
        pub creation_timestamp: Option<Time> = "creationTimestamp", omit;
        /// When it is to be gone, once deletion was asked for.
        pub deletion_timestamp: Option<Time> = "deletionTimestamp", omit;
        /// Seconds between the request and the end.
        pub deletion_grace_period_seconds: Option<i64> = "deletionGracePeriodSeconds", omit;
        /// Labels.
        pub labels: BTreeMap<String, String> = "labels", omit;
        /// Annotations.
        pub annotations: BTreeMap<String, String> = "annotations", omit;
        /// Objects that it is deleted with.
        pub owner_references: Vec<OwnerReference> = "ownerReferences", omit;
        /// Who must agree before it is gone.
        pub finalizers: Vec<String> = "finalizers", omit;
        /// Which fields who has set.
        pub managed_fields: Vec<ManagedFieldsEntry> = "managedFields", omit;
    }

    /// An object that another belongs to.
    pub struct OwnerReference ("OwnerReference") {
        /// Group and version of the kind.
        pub api_version: String = "apiVersion", keep;
        /// Kind of the object.
        pub kind: String = "kind", keep;
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Id that no other object has or had.
        pub uid: String = "uid", keep;
        /// Whether it is the one that manages the object.
        pub controller: Option<bool> = "controller", omit;
        /// Whether the owner waits for it when deleted in the foreground.
        pub block_owner_deletion: Option<bool> = "blockOwnerDeletion", omit;
    }

    /// Fields that one client has set.
    pub struct ManagedFieldsEntry ("ManagedFieldsEntry") {
        /// Name of the client.
        pub manager: String = "manager", omit;
        /// `Apply` or `Update`.
        pub operation: String = "operation", omit;
        /// Group and version of the kind.
        pub api_version: String = "apiVersion", omit;
        /// When it did so last.
        pub time: Option<Time> = "time", omit;
        /// Form of the list: `FieldsV1`.
        pub fields_type: String = "fieldsType", omit;
        /// The fields.
        pub fields_v1: Value = "fieldsV1", omit;
        /// Part of the object, such as `status`.
        pub subresource: String = "subresource", omit;
    }

    /// Selects objects by labels; all conditions must hold, none selects all.
    pub struct LabelSelector ("LabelSelector") {
        /// Labels with their values.
        pub match_labels: BTreeMap<String, String> = "matchLabels", omit;
        /// Conditions that must all hold.
        pub match_expressions: Vec<LabelSelectorRequirement> = "matchExpressions", omit;
    }

    /// One condition on a label.
    pub struct LabelSelectorRequirement ("LabelSelectorRequirement") {
        /// Key.
        pub key: String = "key", keep;
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        pub operator: String = "operator", keep;
        /// Values to compare with.
        pub values: Vec<String> = "values", omit;
    }

    /// Which objects to list or watch, and how.
    pub struct ListOptions ("ListOptions") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Condition on labels, as text.
        pub label_selector: String = "labelSelector", omit;
        /// Condition on fields, as text.
        pub field_selector: String = "fieldSelector", omit;
        /// Whether to stream changes.
        pub watch: bool = "watch", omit;
        /// Whether the stream may say how far it is.
        pub allow_watch_bookmarks: bool = "allowWatchBookmarks", omit;
        /// Where to begin.
        pub resource_version: String = "resourceVersion", omit;
        /// How exact that is meant.
        pub resource_version_match: String = "resourceVersionMatch", omit;
        /// How long the request may take.
        pub timeout_seconds: Option<i64> = "timeoutSeconds", omit;
        /// How many objects at most.
        pub limit: i64 = "limit", omit;
        /// Where an earlier part of the list ended, opaque.
        pub continue_: String = "continue", omit;
        /// Whether the stream begins with the objects that exist.
        pub send_initial_events: Option<bool> = "sendInitialEvents", omit;
    }

    /// Options of reading.
    pub struct GetOptions ("GetOptions") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Version of the object, opaque.
        pub resource_version: String = "resourceVersion", omit;
    }

    /// Options of making.
    pub struct CreateOptions ("CreateOptions") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// `All` to go through everything but keep nothing.
        pub dry_run: Vec<String> = "dryRun", omit;
        /// Who makes it.
        pub field_manager: String = "fieldManager", omit;
        /// What to do about unknown fields: `Ignore`, `Warn` or `Strict`.
        pub field_validation: String = "fieldValidation", omit;
    }

    /// Options of deleting.
    pub struct DeleteOptions ("DeleteOptions") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Seconds that it may still run.
        pub grace_period_seconds: Option<i64> = "gracePeriodSeconds", omit;
        /// What must hold.
        pub preconditions: Option<Preconditions> = "preconditions", omit;
        /// Former form of `propagationPolicy`.
        pub orphan_dependents: Option<bool> = "orphanDependents", omit;
        /// What becomes of objects that belong to it: `Orphan`, `Background` or `Foreground`.
        pub propagation_policy: Option<String> = "propagationPolicy", omit;
        /// `All` to go through everything but keep nothing.
        pub dry_run: Vec<String> = "dryRun", omit;
        /// Whether to delete even what cannot be read; unsafe.
        pub ignore_store_read_error_with_cluster_breaking_potential: Option<bool> = "ignoreStoreReadErrorWithClusterBreakingPotential", omit;
    }

    /// What must hold for a deletion.
    pub struct Preconditions ("Preconditions") {
        /// Id that no other object has or had.
        pub uid: Option<String> = "uid", omit;
        /// Version of the object, opaque.
        pub resource_version: Option<String> = "resourceVersion", omit;
    }

    /// An object of any kind.
    pub struct ObjectReference ("ObjectReference") {
        /// Kind of the object.
        pub kind: String = "kind", omit;
        /// Namespace; empty means that of the workflow.
        pub namespace: String = "namespace", omit;
        /// Name, unique among its siblings.
        pub name: String = "name", omit;
        /// Id that no other object has or had.
        pub uid: String = "uid", omit;
        /// Group and version of the kind.
        pub api_version: String = "apiVersion", omit;
        /// Version of the object, opaque.
        pub resource_version: String = "resourceVersion", omit;
        /// Path of the field.
        pub field_path: String = "fieldPath", omit;
    }

    /// An object of the same namespace; its kind follows from the place.
    pub struct LocalObjectReference ("LocalObjectReference") {
        /// Name, unique among its siblings.
        pub name: String = "name", omit;
    }

    /// An object of the same namespace.
    pub struct TypedLocalObjectReference ("TypedLocalObjectReference") {
        /// Group of the kind; empty is the core group.
        pub api_group: Option<String> = "apiGroup", keep;
        /// Kind of the object.
        pub kind: String = "kind", keep;
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
    }

    /// An object, perhaps of another namespace.
    pub struct TypedObjectReference ("TypedObjectReference") {
        /// Group of the kind; empty is the core group.
        pub api_group: Option<String> = "apiGroup", keep;
        /// Kind of the object.
        pub kind: String = "kind", keep;
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Namespace; empty means that of the workflow.
        pub namespace: Option<String> = "namespace", omit;
    }
}
