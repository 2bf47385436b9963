//! Semantic versions.

use crate::value::Value;

/// Calls a method of a version.
///
/// # Errors
/// When the text is no version.
pub fn method(_version: &str, _name: &str, _args: &[Value]) -> Result<Value, String> {
    Err("Invalid Semantic Version".into())
}
