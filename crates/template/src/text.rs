//! Text as Go has it: bytes that are usually UTF-8 but need not be; no formatting here.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

/// A Go string: immutable bytes, cheap to clone. Slicing by byte may leave half a character behind, which is why
/// this is not `str`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<[u8]>);

impl Text {
    /// The bytes as they are.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text with every byte that is not part of valid UTF-8 shown as U+FFFD, one for each byte as Go does.
    #[must_use]
    pub fn lossy(&self) -> Cow<'_, str> {
        lossy(&self.0)
    }

    /// Number of characters; a stray byte counts as one.
    #[must_use]
    pub fn chars(&self) -> usize {
        match std::str::from_utf8(&self.0) {
            Ok(s) => s.chars().count(),
            Err(_) => runes(&self.0).count(),
        }
    }
}

/// Valid text of bytes, each stray byte becoming U+FFFD.
#[must_use]
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(s) => Cow::Borrowed(s),
        Err(_) => Cow::Owned(runes(bytes).map(|(_, c, _)| c).collect()),
    }
}

/// The characters of bytes as Go's `range` gives them: byte position, character, and its length in bytes.
/// A byte that starts no valid character gives U+FFFD with length 1.
pub fn runes(bytes: &[u8]) -> impl Iterator<Item = (usize, char, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|r| !r.is_empty())?;
        let (c, len) = first_rune(rest);
        let item = (at, c, len);
        at += len;
        Some(item)
    })
}

fn first_rune(bytes: &[u8]) -> (char, usize) {
    let longest = bytes.len().min(4);
    for len in 1..=longest {
        if let Ok(s) = std::str::from_utf8(&bytes[..len])
            && let Some(c) = s.chars().next()
        {
            return (c, len);
        }
    }
    (char::REPLACEMENT_CHARACTER, 1)
}

impl From<&str> for Text {
    fn from(s: &str) -> Self {
        Self(Arc::from(s.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(s: String) -> Self {
        Self(Arc::from(s.into_bytes()))
    }
}

impl From<&[u8]> for Text {
    fn from(s: &[u8]) -> Self {
        Self(Arc::from(s))
    }
}

impl From<Vec<u8>> for Text {
    fn from(s: Vec<u8>) -> Self {
        Self(Arc::from(s))
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lossy())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lossy(), f)
    }
}
