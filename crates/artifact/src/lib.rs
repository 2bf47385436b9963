//! One driver per artifact store; knows nothing of pods or phases.
//!
//! `archive` packs and unpacks, `store` is the streaming trait behind which every store stands,
//! `serve` is the folder that a standalone platform offers as an S3 store.

pub mod archive;
