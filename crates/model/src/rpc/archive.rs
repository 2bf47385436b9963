//! Requests about archived workflows.

use crate::k8s::ListOptions;
use crate::object::objects;

objects! {
    "workflowarchive"

    /// List archived workflows.
    pub struct ListArchivedWorkflowsRequest ("ListArchivedWorkflowsRequest") {
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
        /// Only names that begin with this.
        pub name_prefix: String = "namePrefix", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// How the name is compared: `Contains`, `Prefix`, `Exact` or `NotEquals`.
        pub name_filter: String = "nameFilter", omit;
    }

    /// Read an archived workflow, by id or by namespace and name.
    pub struct GetArchivedWorkflowRequest ("GetArchivedWorkflowRequest") {
        /// Id of the workflow.
        pub uid: String = "uid", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the workflow.
        pub name: String = "name", omit;
    }

    /// Delete an archived workflow.
    pub struct DeleteArchivedWorkflowRequest ("DeleteArchivedWorkflowRequest") {
        /// Id of the workflow.
        pub uid: String = "uid", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the workflow.
        pub name: String = "name", omit;
    }

    /// An archived workflow was deleted.
    pub struct ArchivedWorkflowDeletedResponse ("ArchivedWorkflowDeletedResponse") {
    }

    /// List labels that archived workflows have.
    pub struct ListArchivedWorkflowLabelKeysRequest ("ListArchivedWorkflowLabelKeysRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
    }

    /// List values that a label has among archived workflows.
    pub struct ListArchivedWorkflowLabelValuesRequest ("ListArchivedWorkflowLabelValuesRequest") {
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
    }

    /// Run the failed nodes of an archived workflow again.
    pub struct RetryArchivedWorkflowRequest ("RetryArchivedWorkflowRequest") {
        /// Id of the workflow.
        pub uid: String = "uid", omit;
        /// Name of the workflow.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Whether nodes that succeeded and match the selector run again too.
        pub restart_successful: bool = "restartSuccessful", omit;
        /// Which nodes are meant.
        pub node_field_selector: String = "nodeFieldSelector", omit;
        /// Parameters as `name=value`.
        pub parameters: Vec<String> = "parameters", omit;
    }

    /// Start an archived workflow again as a new one.
    pub struct ResubmitArchivedWorkflowRequest ("ResubmitArchivedWorkflowRequest") {
        /// Id of the workflow.
        pub uid: String = "uid", omit;
        /// Name of the workflow.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Whether results of nodes that succeeded are used again.
        pub memoized: bool = "memoized", omit;
        /// Parameters as `name=value`.
        pub parameters: Vec<String> = "parameters", omit;
    }
}
