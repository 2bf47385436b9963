//! A Kubernetes-compatible API in one process.
//!
//! [`ApiServer::new`] starts one, in memory or over a file; [`ApiServer::service`] is what a client in the same process talks to, and
//! [`ApiServer::serve`] offers it over TLS. Kinds beyond Kubernetes' own come in as CustomResourceDefinitions.
//! Deliberately absent: any knowledge of workflows, and running pods (see [`Kubelet`]).

mod api;
mod auth;
mod body;
mod defaults;
mod kinds;
mod kubelet;
mod managed;
mod meta;
mod openapi;
mod options;
mod patch;
mod random;
mod rbac;
mod reply;
mod request;
mod schema;
mod selector;
mod serve;
mod service;
mod status;
pub mod store;
mod table;
mod types;
mod validate;

pub use api::{ApiServer, StartError};
pub use auth::{Error as CertificateError, User};
pub use body::{Body, BoxError};
pub use kinds::definition;
pub use kubelet::{
    Connection, ContainerRef, Duplex, ExecOptions, ExecStreams, Kubelet, KubeletError, LogOptions, LogStream,
    PodRef, TerminalSize,
};
pub use options::{Clock, Options};
pub use service::{MAX_REQUEST, Service};
pub use status::{Cause, Status};
pub use validate::label_fault;
