//! Runs real pods on a real node against the in-process API.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

mod access;
mod crash;
mod events;
mod fixture;
mod hooks;
mod image_volumes;
mod images;
mod isolation;
mod lifecycle;
mod limits;
mod network;
mod registry;
mod rootless;
mod survive;
mod volumes;

argosy_node::sandboxes_in_tests!();
