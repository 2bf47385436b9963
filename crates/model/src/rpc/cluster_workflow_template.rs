//! Requests about templates of the whole cluster.

use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions};
use crate::object::objects;
use crate::workflow::ClusterWorkflowTemplate;

objects! {
    "clusterworkflowtemplate"

    /// `ClusterWorkflowTemplateCreateRequest` of the wire form.
    pub struct ClusterWorkflowTemplateCreateRequest ("ClusterWorkflowTemplateCreateRequest") {
        /// Key `template`.
        pub template: Option<Box<ClusterWorkflowTemplate>> = "template", omit;
        /// Key `createOptions`.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// `ClusterWorkflowTemplateGetRequest` of the wire form.
    pub struct ClusterWorkflowTemplateGetRequest ("ClusterWorkflowTemplateGetRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `getOptions`.
        pub get_options: Option<GetOptions> = "getOptions", omit;
    }

    /// `ClusterWorkflowTemplateListRequest` of the wire form.
    pub struct ClusterWorkflowTemplateListRequest ("ClusterWorkflowTemplateListRequest") {
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// `ClusterWorkflowTemplateUpdateRequest` of the wire form.
    pub struct ClusterWorkflowTemplateUpdateRequest ("ClusterWorkflowTemplateUpdateRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `template`.
        pub template: Option<Box<ClusterWorkflowTemplate>> = "template", omit;
    }

    /// `ClusterWorkflowTemplateDeleteRequest` of the wire form.
    pub struct ClusterWorkflowTemplateDeleteRequest ("ClusterWorkflowTemplateDeleteRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `deleteOptions`.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// `ClusterWorkflowTemplateDeleteResponse` of the wire form.
    pub struct ClusterWorkflowTemplateDeleteResponse ("ClusterWorkflowTemplateDeleteResponse") {
    }

    /// `ClusterWorkflowTemplateLintRequest` of the wire form.
    pub struct ClusterWorkflowTemplateLintRequest ("ClusterWorkflowTemplateLintRequest") {
        /// Key `template`.
        pub template: Option<Box<ClusterWorkflowTemplate>> = "template", omit;
        /// Key `createOptions`.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }
}
