//! Wire types of the custom resources, exactly as their JSON form writes them.
//!
//! Pure data: no client, no clock, no decisions. [`decode`] reads JSON values, [`yaml`] manifests, [`go_json`] writes
//! Go's text form. Kubernetes types that workflows embed are in [`k8s`], messages of the server in [`rpc`].

#![warn(missing_docs)]

mod object;

pub mod artifact;
pub mod catalog;
#[cfg(feature = "compression")]
pub mod compression;
pub mod config;
pub mod cron;
pub mod custom;
pub mod decode;
pub mod definitions;
pub mod event;
pub mod go_json;
pub mod k8s;
mod lookup;
pub mod names;
mod node;
pub mod repository;
pub mod rpc;
pub mod scalar;
pub mod schema;
pub mod server;
pub mod source;
pub mod status;
pub mod sync;
pub mod task;
pub mod template;
pub mod text;
pub mod workflow;
pub mod yaml;

pub use artifact::*;
pub use cron::*;
pub use custom::*;
pub use event::*;
pub use object::{Field, Object};
pub use repository::*;
pub use scalar::List;
pub use server::*;
pub use status::*;
pub use sync::*;
pub use task::*;
pub use template::*;
pub use text::*;
pub use workflow::*;
