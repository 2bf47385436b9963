//! Merging of specifications: Kubernetes' strategic merge and what workflows make of it.

pub mod schema;
pub mod strategic;
