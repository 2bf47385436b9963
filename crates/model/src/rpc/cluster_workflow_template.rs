//! Requests about templates of the whole cluster.

use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions};
use crate::object::objects;
use crate::workflow::ClusterWorkflowTemplate;

objects! {
    "clusterworkflowtemplate"

    /// Make a template.
    pub struct ClusterWorkflowTemplateCreateRequest ("ClusterWorkflowTemplateCreateRequest") {
        /// The template.
        pub template: Option<Box<ClusterWorkflowTemplate>> = "template", omit;
        /// Options of making it.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// Read a template.
    pub struct ClusterWorkflowTemplateGetRequest ("ClusterWorkflowTemplateGetRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Options of reading it.
        pub get_options: Option<GetOptions> = "getOptions", omit;
    }

    /// List templates.
    pub struct ClusterWorkflowTemplateListRequest ("ClusterWorkflowTemplateListRequest") {
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// Replace a template.
    pub struct ClusterWorkflowTemplateUpdateRequest ("ClusterWorkflowTemplateUpdateRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// The template.
        pub template: Option<Box<ClusterWorkflowTemplate>> = "template", omit;
    }

    /// Delete a template.
    pub struct ClusterWorkflowTemplateDeleteRequest ("ClusterWorkflowTemplateDeleteRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Options of deleting it.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// A template was deleted.
    pub struct ClusterWorkflowTemplateDeleteResponse ("ClusterWorkflowTemplateDeleteResponse") {
    }

    /// Check a template.
    pub struct ClusterWorkflowTemplateLintRequest ("ClusterWorkflowTemplateLintRequest") {
        /// The template.
        pub template: Option<Box<ClusterWorkflowTemplate>> = "template", omit;
        /// Options of making it.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }
}
