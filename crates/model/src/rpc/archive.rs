//! Requests about archived workflows.

use crate::k8s::ListOptions;
use crate::object::objects;

objects! {
    "workflowarchive"

    /// `ListArchivedWorkflowsRequest` of the wire form.
    pub struct ListArchivedWorkflowsRequest ("ListArchivedWorkflowsRequest") {
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
        /// Key `namePrefix`.
        pub name_prefix: String = "namePrefix", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `nameFilter`.
        pub name_filter: String = "nameFilter", omit;
    }

    /// `GetArchivedWorkflowRequest` of the wire form.
    pub struct GetArchivedWorkflowRequest ("GetArchivedWorkflowRequest") {
        /// Key `uid`.
        pub uid: String = "uid", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `name`.
        pub name: String = "name", omit;
    }

    /// `DeleteArchivedWorkflowRequest` of the wire form.
    pub struct DeleteArchivedWorkflowRequest ("DeleteArchivedWorkflowRequest") {
        /// Key `uid`.
        pub uid: String = "uid", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `name`.
        pub name: String = "name", omit;
    }

    /// `ArchivedWorkflowDeletedResponse` of the wire form.
    pub struct ArchivedWorkflowDeletedResponse ("ArchivedWorkflowDeletedResponse") {
    }

    /// `ListArchivedWorkflowLabelKeysRequest` of the wire form.
    pub struct ListArchivedWorkflowLabelKeysRequest ("ListArchivedWorkflowLabelKeysRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
    }

    /// `ListArchivedWorkflowLabelValuesRequest` of the wire form.
    pub struct ListArchivedWorkflowLabelValuesRequest ("ListArchivedWorkflowLabelValuesRequest") {
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
    }

    /// `RetryArchivedWorkflowRequest` of the wire form.
    pub struct RetryArchivedWorkflowRequest ("RetryArchivedWorkflowRequest") {
        /// Key `uid`.
        pub uid: String = "uid", omit;
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `restartSuccessful`.
        pub restart_successful: bool = "restartSuccessful", omit;
        /// Key `nodeFieldSelector`.
        pub node_field_selector: String = "nodeFieldSelector", omit;
        /// Key `parameters`.
        pub parameters: Vec<String> = "parameters", omit;
    }

    /// `ResubmitArchivedWorkflowRequest` of the wire form.
    pub struct ResubmitArchivedWorkflowRequest ("ResubmitArchivedWorkflowRequest") {
        /// Key `uid`.
        pub uid: String = "uid", omit;
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `memoized`.
        pub memoized: bool = "memoized", omit;
        /// Key `parameters`.
        pub parameters: Vec<String> = "parameters", omit;
    }
}
