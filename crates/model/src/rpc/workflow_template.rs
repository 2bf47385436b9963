//! Requests about templates of a namespace.

use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions};
use crate::object::objects;
use crate::workflow::WorkflowTemplate;

objects! {
    "workflowtemplate"

    /// `WorkflowTemplateCreateRequest` of the wire form.
    pub struct WorkflowTemplateCreateRequest ("WorkflowTemplateCreateRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `template`.
        pub template: Option<Box<WorkflowTemplate>> = "template", omit;
        /// Key `createOptions`.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// `WorkflowTemplateGetRequest` of the wire form.
    pub struct WorkflowTemplateGetRequest ("WorkflowTemplateGetRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `getOptions`.
        pub get_options: Option<GetOptions> = "getOptions", omit;
    }

    /// `WorkflowTemplateListRequest` of the wire form.
    pub struct WorkflowTemplateListRequest ("WorkflowTemplateListRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `namePattern`.
        pub name_pattern: String = "namePattern", omit;
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// `WorkflowTemplateUpdateRequest` of the wire form.
    pub struct WorkflowTemplateUpdateRequest ("WorkflowTemplateUpdateRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `template`.
        pub template: Option<Box<WorkflowTemplate>> = "template", omit;
    }

    /// `WorkflowTemplateDeleteRequest` of the wire form.
    pub struct WorkflowTemplateDeleteRequest ("WorkflowTemplateDeleteRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `deleteOptions`.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// `WorkflowTemplateDeleteResponse` of the wire form.
    pub struct WorkflowTemplateDeleteResponse ("WorkflowTemplateDeleteResponse") {
    }

    /// `WorkflowTemplateLintRequest` of the wire form.
    pub struct WorkflowTemplateLintRequest ("WorkflowTemplateLintRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `template`.
        pub template: Option<Box<WorkflowTemplate>> = "template", omit;
        /// Key `createOptions`.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }
}
