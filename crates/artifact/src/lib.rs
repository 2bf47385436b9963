//! One driver per artifact store; knows nothing of pods or phases.
//!
//! [`Store`] is what every driver is, bound to one place; [`open`] makes the right one for a
//! location. [`archive`] packs and unpacks. With the feature `serve`, [`serve`] is the folder that
//! a standalone platform offers its pods as an S3 store.

pub mod archive;
pub mod location;
pub mod raw;
pub mod retry;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "serve")]
pub mod serve;
pub mod store;
#[cfg(any(feature = "s3", feature = "http"))]
mod trust;
#[cfg(feature = "http")]
pub mod web;

pub use retry::Backoff;
pub use store::{Error, Options, Secrets, Store, open};
