//! Go's regular expressions on the `regex` crate. What is read otherwise, and Go's words for errors, are in `syntax`.

mod syntax;

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use crate::kept::Kept;

/// Compiled size in bytes that one pattern may take: more than any sane pattern, small enough to refuse bombs.
const SIZE: usize = 4 << 20;

/// How many compiled patterns are kept: twice this.
const PATTERNS: usize = 128;

/// Compiles a pattern.
///
/// # Errors
/// `error parsing regexp: …` in Go's words.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = syntax::translate(pattern).map_err(|wrong| format!("error parsing regexp: {wrong}"))?;
    RegexBuilder::new(&translated)
        .size_limit(SIZE)
        .build()
        .map_err(|error| format!("error parsing regexp: {}: `{pattern}`", explain(&error)))
}

/// A pattern for valid text, where empty matches stand between characters, never inside one.
///
/// # Errors
/// Like [`compile`].
pub fn for_text(pattern: &str) -> Result<regex::Regex, String> {
    let translated = syntax::translate(pattern).map_err(|wrong| format!("error parsing regexp: {wrong}"))?;
    regex::RegexBuilder::new(&translated)
        .size_limit(SIZE)
        .build()
        .map_err(|error| format!("error parsing regexp: {}: `{pattern}`", explain(&error)))
}

/// Like [`compile`], keeping the last patterns.
///
/// # Errors
/// Like [`compile`].
pub fn cached(pattern: &str) -> Result<Arc<Regex>, String> {
    static KEPT: Kept<Result<Arc<Regex>, String>> = Kept::new(PATTERNS);
    KEPT.get(pattern, |pattern| compile(pattern).map(Arc::new))
}

/// Go's words for a pattern of good syntax that can't be compiled.
fn explain(error: &regex::Error) -> &'static str {
    match error {
        regex::Error::CompiledTooBig(_) => "expression too large",
        _ => "expression nests too deeply",
    }
}
