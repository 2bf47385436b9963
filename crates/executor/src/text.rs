//! Texts of operating system errors in the form that users of the peer know:
//! operation, path, and the reason in lower case without a number.

use std::fmt;
use std::io;
use std::path::Path;

/// The reason of an I/O error, such as `no such file or directory`.
pub fn reason(error: &io::Error) -> String {
    let Some(code) = error.raw_os_error() else {
        return error.to_string();
    };
    let text = io::Error::from_raw_os_error(code).to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// An I/O error with the operation and the path, as `open /a/b: permission denied`.
pub fn failed(operation: impl fmt::Display, path: &Path, error: &io::Error) -> String {
    format!("{operation} {}: {}", path.display(), reason(error))
}
