//! Requests that deliver events.

use crate::custom::Item;
use crate::k8s::ListOptions;
use crate::object::objects;

objects! {
    "event"

    /// Deliver an event.
    pub struct EventRequest ("EventRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Word of the sender that tells events apart.
        pub discriminator: String = "discriminator", omit;
        /// The event.
        pub payload: Option<Item> = "payload", omit;
    }

    /// The event was taken.
    pub struct EventResponse ("EventResponse") {
    }

    /// List bindings.
    pub struct ListWorkflowEventBindingsRequest ("ListWorkflowEventBindingsRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }
}
