//! Requests about templates of a namespace.

use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions};
use crate::object::objects;
use crate::workflow::WorkflowTemplate;

objects! {
    "workflowtemplate"

    /// Make a template.
    pub struct WorkflowTemplateCreateRequest ("WorkflowTemplateCreateRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The template.
        pub template: Option<Box<WorkflowTemplate>> = "template", omit;
        /// Options of making it.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// Read a template.
    pub struct WorkflowTemplateGetRequest ("WorkflowTemplateGetRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of reading it.
        pub get_options: Option<GetOptions> = "getOptions", omit;
    }

    /// List templates.
    pub struct WorkflowTemplateListRequest ("WorkflowTemplateListRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Only names that match this pattern.
        pub name_pattern: String = "namePattern", omit;
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// Replace a template.
    pub struct WorkflowTemplateUpdateRequest ("WorkflowTemplateUpdateRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The template.
        pub template: Option<Box<WorkflowTemplate>> = "template", omit;
    }

    /// Delete a template.
    pub struct WorkflowTemplateDeleteRequest ("WorkflowTemplateDeleteRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of deleting it.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// A template was deleted.
    pub struct WorkflowTemplateDeleteResponse ("WorkflowTemplateDeleteResponse") {
    }

    /// Check a template.
    pub struct WorkflowTemplateLintRequest ("WorkflowTemplateLintRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The template.
        pub template: Option<Box<WorkflowTemplate>> = "template", omit;
        /// Options of making it.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }
}
