//! Substitution in whole documents: in JSON text exactly as the original does, and in a value tree with the same
//! result without writing and reading the document.

use serde_json::{Map, Value};

use super::{Error, Level, Tags};
use crate::gojson;
use crate::scope::Scope;

/// Replaces the tags of a JSON text (C-SUB-01).
///
/// # Errors
/// A text that is no JSON before or after, and everything of [`Tags::expand`].
pub fn replace_in_json(text: &str, scope: &dyn Scope, level: Level<'_>) -> Result<String, Error> {
    if !gojson::valid(text) {
        return Err(Error::InvalidTemplate);
    }
    let replaced = Tags::compile_json(text)?.expand(scope, level)?.text;
    if !gojson::valid(&replaced) {
        return Err(Error::InvalidResult);
    }
    Ok(replaced)
}

/// The raw simple tags of a JSON text, in order; expression tags are left out.
///
/// # Errors
/// [`Error::Unterminated`].
pub fn simple_tags_in_json(text: &str) -> Result<Vec<String>, Error> {
    Ok(Tags::compile_json(text)?
        .simple_tags()
        .map(ToOwned::to_owned)
        .collect())
}

/// Replaces the tags in all strings of a value, keys too, with the result that [`replace_in_json`] has on its JSON
/// text. Says whether tags were left.
///
/// # Errors
/// Like [`replace_in_json`].
pub fn replace_in_value(value: &mut Value, scope: &dyn Scope, level: Level<'_>) -> Result<bool, Error> {
    if !balanced(value) {
        // A tag that starts in one string and ends in another: only the text form knows what that means.
        let text = crate::value::json::write(
            &crate::value::json::from_scope(value),
            crate::value::json::COMPACT,
        )
        .map_err(|_| Error::InvalidTemplate)?;
        let replaced = replace_in_json(&text, scope, level)?;
        let unresolved = replaced.contains("{{");
        *value = serde_json::from_str(&replaced).map_err(|_| Error::InvalidResult)?;
        return Ok(unresolved);
    }
    let mut walk = Walk {
        scope,
        level,
        unresolved: false,
        unprintable: false,
    };
    walk.value(value)?;
    if walk.unprintable {
        Err(Error::InvalidResult)
    } else {
        Ok(walk.unresolved)
    }
}

/// Whether every tag ends in the string it starts in.
fn balanced(value: &Value) -> bool {
    fn text(mut s: &str) -> bool {
        while let Some(start) = s.find("{{") {
            match s[start + 2..].find("}}") {
                Some(end) => s = &s[start + 2 + end + 2..],
                None => return false,
            }
        }
        true
    }
    match value {
        Value::String(s) => text(s),
        Value::Array(items) => items.iter().all(balanced),
        Value::Object(members) => members.iter().all(|(k, v)| text(k) && balanced(v)),
        _ => true,
    }
}

struct Walk<'a> {
    scope: &'a dyn Scope,
    level: Level<'a>,
    unresolved: bool,
    unprintable: bool,
}

impl Walk<'_> {
    fn text(&mut self, s: &str) -> Result<Option<String>, Error> {
        if !s.contains("{{") {
            return Ok(None);
        }
        let expanded = Tags::cached(s)?.expand(self.scope, self.level)?;
        self.unresolved |= expanded.unresolved;
        self.unprintable |= expanded.unprintable;
        Ok(Some(expanded.text))
    }

    fn value(&mut self, value: &mut Value) -> Result<(), Error> {
        match value {
            Value::String(s) => {
                if let Some(new) = self.text(s)? {
                    *s = new;
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.value(item)?;
                }
            }
            Value::Object(members) => self.object(members)?,
            _ => {}
        }
        Ok(())
    }

    fn object(&mut self, members: &mut Map<String, Value>) -> Result<(), Error> {
        if !members.keys().any(|k| k.contains("{{")) {
            for v in members.values_mut() {
                self.value(v)?;
            }
            return Ok(());
        }
        let mut made = Map::new();
        for (key, mut v) in std::mem::take(members) {
            let key = self.text(&key)?.unwrap_or(key);
            self.value(&mut v)?;
            // The later of two equal keys wins, as in JSON text.
            made.insert(key, v);
        }
        *members = made;
        Ok(())
    }
}
