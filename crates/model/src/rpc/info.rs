//! Requests about the server and the caller.

use std::collections::BTreeMap;

use crate::object::objects;
use crate::server::{Column, Link};

objects! {
    "info"

    /// Ask for facts about the server.
    pub struct GetInfoRequest ("GetInfoRequest") {
    }

    /// Facts about the server.
    pub struct InfoResponse ("InfoResponse") {
        /// The one namespace that the server looks after; empty means all.
        pub managed_namespace: String = "managedNamespace", omit;
        /// Links for the UI.
        pub links: Vec<Link> = "links", omit;
        /// Which dialogs the UI may still show, by name.
        pub modals: BTreeMap<String, bool> = "modals", omit;
        /// Colour of the UI's navigation.
        pub nav_color: String = "navColor", omit;
        /// Further columns of the UI's list.
        pub columns: Vec<Column> = "columns", omit;
    }

    /// Ask for the version.
    pub struct GetVersionRequest ("GetVersionRequest") {
    }

    /// Ask who the caller is.
    pub struct GetUserInfoRequest ("GetUserInfoRequest") {
    }

    /// Who the caller is.
    pub struct GetUserInfoResponse ("GetUserInfoResponse") {
        /// Who says who the user is.
        pub issuer: String = "issuer", omit;
        /// Id of the user at the issuer.
        pub subject: String = "subject", omit;
        /// Groups of the user.
        pub groups: Vec<String> = "groups", omit;
        /// E-mail of the user.
        pub email: String = "email", omit;
        /// Whether the issuer checked the e-mail.
        pub email_verified: bool = "emailVerified", omit;
        /// Service account that the user acts as.
        pub service_account_name: String = "serviceAccountName", omit;
        /// Namespace of the service account.
        pub service_account_namespace: String = "serviceAccountNamespace", omit;
        /// Name of the user.
        pub name: String = "name", omit;
    }

    /// Report that something was used.
    pub struct CollectEventRequest ("CollectEventRequest") {
        /// Name of the event.
        pub name: String = "name", omit;
    }

    /// The report was taken.
    pub struct CollectEventResponse ("CollectEventResponse") {
    }
}
