//! Every decision about a workflow, as pure functions.
