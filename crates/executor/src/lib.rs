//! What runs inside a pod: init, emissary, wait and their relatives.
//!
//! Two programs are made of this library: `argosy-executor` with every command, and
//! `argosy-emissary`, the small one that is copied into each container. Not here: stores
//! and archives (crate `artifact`), and every decision about phases (crate `engine`).

pub mod agent;
pub mod api;
pub mod args;
pub mod artifacts;
pub mod collect;
pub mod containers;
pub mod data;
pub mod duration;
pub mod emissary;
pub mod env;
pub mod full;
pub mod init;
pub mod inputs;
pub mod kill;
pub mod log;
pub mod outcome;
pub mod paths;
pub mod plugins;
pub mod report;
pub mod resource;
pub mod retry;
pub mod small;
pub mod startup;
pub mod supervisor;
mod sys;
pub mod task;
pub mod text;
pub mod version;
pub mod wait;
mod watch;
