//! The executor's programs as real processes over a root folder of their own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod agent;
mod artifacts;
mod cluster;
mod collect;
mod emissary;
mod faults;
mod plugin;
mod plugin_server;
mod pod;
mod resource;
mod supervisor;
mod wait;
mod web;
