//! Requests about the server and the caller.

use std::collections::BTreeMap;

use crate::object::objects;
use crate::server::{Column, Link};

objects! {
    "info"

    /// `GetInfoRequest` of the wire form.
    pub struct GetInfoRequest ("GetInfoRequest") {
    }

    /// `InfoResponse` of the wire form.
    pub struct InfoResponse ("InfoResponse") {
        /// Key `managedNamespace`.
        pub managed_namespace: String = "managedNamespace", omit;
        /// Key `links`.
        pub links: Vec<Link> = "links", omit;
        /// Key `modals`.
        pub modals: BTreeMap<String, bool> = "modals", omit;
        /// Key `navColor`.
        pub nav_color: String = "navColor", omit;
        /// Key `columns`.
        pub columns: Vec<Column> = "columns", omit;
    }

    /// `GetVersionRequest` of the wire form.
    pub struct GetVersionRequest ("GetVersionRequest") {
    }

    /// `GetUserInfoRequest` of the wire form.
    pub struct GetUserInfoRequest ("GetUserInfoRequest") {
    }

    /// `GetUserInfoResponse` of the wire form.
    pub struct GetUserInfoResponse ("GetUserInfoResponse") {
        /// Key `issuer`.
        pub issuer: String = "issuer", omit;
        /// Key `subject`.
        pub subject: String = "subject", omit;
        /// Key `groups`.
        pub groups: Vec<String> = "groups", omit;
        /// Key `email`.
        pub email: String = "email", omit;
        /// Key `emailVerified`.
        pub email_verified: bool = "emailVerified", omit;
        /// Key `serviceAccountName`.
        pub service_account_name: String = "serviceAccountName", omit;
        /// Key `serviceAccountNamespace`.
        pub service_account_namespace: String = "serviceAccountNamespace", omit;
        /// Key `name`.
        pub name: String = "name", omit;
    }

    /// `CollectEventRequest` of the wire form.
    pub struct CollectEventRequest ("CollectEventRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
    }

    /// `CollectEventResponse` of the wire form.
    pub struct CollectEventResponse ("CollectEventResponse") {
    }
}
