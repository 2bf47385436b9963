//! Requests that deliver events.

use crate::custom::Item;
use crate::k8s::ListOptions;
use crate::object::objects;

objects! {
    "event"

    /// `EventRequest` of the wire form.
    pub struct EventRequest ("EventRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `discriminator`.
        pub discriminator: String = "discriminator", omit;
        /// Key `payload`.
        pub payload: Option<Item> = "payload", omit;
    }

    /// `EventResponse` of the wire form.
    pub struct EventResponse ("EventResponse") {
    }

    /// `ListWorkflowEventBindingsRequest` of the wire form.
    pub struct ListWorkflowEventBindingsRequest ("ListWorkflowEventBindingsRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }
}
