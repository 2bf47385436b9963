//! Bindings that start a workflow when an event arrives.

use crate::k8s::{ListMeta, ObjectMeta, TypeMeta};
use crate::object::objects;
use crate::scalar::List;
use crate::template::Arguments;
use crate::workflow::WorkflowTemplateRef;

objects! {
    "v1alpha1"

    /// Starts a workflow when an event arrives.
    pub struct WorkflowEventBinding ("WorkflowEventBinding") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// What is wanted.
        pub spec: WorkflowEventBindingSpec = "spec", keep;
    }

    /// Several bindings.
    pub struct WorkflowEventBindingList ("WorkflowEventBindingList") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ListMeta = "metadata", keep;
        /// The objects of the list.
        pub items: List<WorkflowEventBinding> = "items", keep;
    }

    /// Which event starts what.
    pub struct WorkflowEventBindingSpec ("WorkflowEventBindingSpec") {
        /// The event.
        pub event: Event = "event", keep;
        /// What it starts.
        pub submit: Option<Box<Submit>> = "submit", omit;
    }

    /// Which events are meant.
    pub struct Event ("Event") {
        /// Expression over `payload`, `metadata` and `discriminator`.
        pub selector: String = "selector", keep;
    }

    /// What an event starts.
    pub struct Submit ("Submit") {
        /// The template.
        pub workflow_template_ref: WorkflowTemplateRef = "workflowTemplateRef", keep;
        /// Name, labels and annotations of the workflow.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Values for the inputs of the template.
        pub arguments: Option<Arguments> = "arguments", omit;
    }
}
