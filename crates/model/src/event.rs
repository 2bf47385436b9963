//! Bindings that start a workflow when an event arrives.

use crate::k8s::{ListMeta, ObjectMeta, TypeMeta};
use crate::object::objects;
use crate::scalar::List;
use crate::template::Arguments;
use crate::workflow::WorkflowTemplateRef;

objects! {
    "v1alpha1"

    /// `WorkflowEventBinding` of the wire form.
    pub struct WorkflowEventBinding ("WorkflowEventBinding") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `spec`.
        pub spec: WorkflowEventBindingSpec = "spec", keep;
    }

    /// `WorkflowEventBindingList` of the wire form.
    pub struct WorkflowEventBindingList ("WorkflowEventBindingList") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ListMeta = "metadata", keep;
        /// Key `items`.
        pub items: List<WorkflowEventBinding> = "items", keep;
    }

    /// `WorkflowEventBindingSpec` of the wire form.
    pub struct WorkflowEventBindingSpec ("WorkflowEventBindingSpec") {
        /// Key `event`.
        pub event: Event = "event", keep;
        /// Key `submit`.
        pub submit: Option<Box<Submit>> = "submit", omit;
    }

    /// `Event` of the wire form.
    pub struct Event ("Event") {
        /// Key `selector`.
        pub selector: String = "selector", keep;
    }

    /// `Submit` of the wire form.
    pub struct Submit ("Submit") {
        /// Key `workflowTemplateRef`.
        pub workflow_template_ref: WorkflowTemplateRef = "workflowTemplateRef", keep;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Key `arguments`.
        pub arguments: Option<Arguments> = "arguments", omit;
    }
}
