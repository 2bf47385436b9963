//! Substitution and expressions over JSON values; knows nothing of workflows.
