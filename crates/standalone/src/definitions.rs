//! The custom resources that the platform serves: those of a cluster, with schemas that take anything. The engine checks
//! workflows with better words than a schema has, and a platform for one run must start at once.

use serde_json::Value;

/// One CustomResourceDefinition for each kind.
pub fn all() -> Vec<Value> {
    argosy_model::definitions::unchecked()
}
