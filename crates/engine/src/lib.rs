//! Every decision about a workflow, as pure functions.

pub mod names;
