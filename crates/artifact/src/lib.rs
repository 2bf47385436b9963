//! One driver per artifact store; knows nothing of pods or phases.
//!
//! [`Store`] is what every driver is, bound to one place; [`open`] makes the right one for a
//! location. [`archive`] packs and unpacks. With the feature `serve`, [`serve`] is the folder that
//! a standalone platform offers its pods as an S3 store.

pub mod archive;
#[cfg(feature = "rest")]
mod azure;
#[cfg(any(feature = "s3", feature = "rest"))]
mod environment;
#[cfg(any(feature = "s3", feature = "rest"))]
mod folder;
#[cfg(feature = "rest")]
mod gcs;
#[cfg(feature = "git")]
mod git;
#[cfg(feature = "rest")]
mod hdfs;
pub mod location;
#[cfg(feature = "rest")]
mod objects;
#[cfg(feature = "rest")]
mod oss;
#[cfg(feature = "plugin")]
mod plugin;
pub mod raw;
#[cfg(feature = "rest")]
mod rest;
pub mod retry;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "serve")]
pub mod serve;
pub mod store;
#[cfg(any(feature = "s3", feature = "rest"))]
mod sums;
#[cfg(feature = "rest")]
mod token;
#[cfg(any(feature = "s3", feature = "rest"))]
pub mod trust;
#[cfg(feature = "rest")]
pub mod web;
#[cfg(feature = "rest")]
mod xml;

pub use retry::Backoff;
pub use store::{Error, Options, Secrets, Store, open, open_artifact};
