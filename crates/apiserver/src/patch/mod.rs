//! The patches that Kubernetes knows, as functions from value to value.
//!
//! Deliberately absent: requests and storage.

pub mod json;
pub mod merge;
pub mod strategic;
