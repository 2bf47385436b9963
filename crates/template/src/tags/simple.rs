//! Simple tags: a name, looked up as a whole; nested tags are resolved inside out (C-SUB-03).

use serde_json::Value;

use super::{Error, Expanded, Form, Level, escaped, has_prefix};
use crate::scope::Scope;
use crate::value::quote::{go_quote_into, is_print};

#[derive(Clone, Debug)]
pub(super) struct Simple {
    /// Between the braces, as it stands in the text.
    raw: String,
    /// As it stands in JSON text; messages show this.
    shown: String,
    /// What is looked up.
    key: String,
    /// For a tag that has another one in it: where the inner one starts, in the raw text, and its name.
    nested: Option<(usize, String)>,
}

impl Simple {
    pub fn new(raw: &str, form: Form) -> Self {
        let as_json = |s: &str| {
            if form == Form::Json {
                s.to_owned()
            } else {
                escaped(s)
            }
        };
        let shown = as_json(raw);
        let key = shown.trim().to_owned();
        let nested = raw
            .rfind("{{")
            .filter(|at| *at > 0)
            .map(|at| (at, as_json(&raw[at + 2..]).trim().to_owned()));
        Self {
            raw: raw.to_owned(),
            shown,
            key,
            nested,
        }
    }

    pub fn raw(&self) -> &str {
        &self.raw
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn expand(
        &self,
        out: &mut Expanded,
        scope: &dyn Scope,
        level: Level<'_>,
        form: Form,
    ) -> Result<(), Error> {
        match scope.get(&self.key) {
            Some(Value::String(text)) => {
                put(out, text, form);
                return Ok(());
            }
            Some(Value::Null) => return Err(Error::Absent(self.shown.clone())),
            Some(_) => return Err(Error::NotText(self.shown.clone())),
            None => {}
        }
        if let Some((at, name)) = &self.nested {
            match scope.get(name) {
                Some(Value::String(text)) => {
                    out.text.push_str("{{");
                    out.text.push_str(&self.raw[..*at]);
                    put(out, text, form);
                    out.unresolved = true;
                    return Ok(());
                }
                Some(Value::Null) => {
                    return Err(Error::NestedAbsent {
                        tag: self.shown.clone(),
                        name: name.clone(),
                    });
                }
                Some(_) => return Err(Error::NotText(self.shown.clone())),
                None => {}
            }
        }
        let refused = match level {
            Level::Lenient => false,
            Level::Strict => true,
            Level::StrictPrefixes(prefixes) => {
                has_prefix(&self.key, prefixes) && !self.key.contains(".outputs.artifacts.")
            }
        };
        if refused {
            return Err(Error::Unresolved(self.shown.clone()));
        }
        out.text.push_str("{{");
        out.text.push_str(&self.raw);
        out.text.push_str("}}");
        out.unresolved = true;
        Ok(())
    }
}

/// Puts a value in. The original escapes it as Go source text, which JSON does not always take.
fn put(out: &mut Expanded, text: &str, form: Form) {
    match form {
        Form::Json => go_quote_into(&mut out.text, text.as_bytes()),
        Form::Plain => {
            // Most values are plain ASCII. Without an end inside a chunk, its bytes are looked at together.
            let is_plain = |b: &u8| (b' '..0x7f).contains(b) | (*b == b'\n');
            let all_plain = |chunk: &[u8]| chunk.iter().fold(true, |all, b| all & is_plain(b));
            let plain = text.as_bytes().chunks(256).all(all_plain);
            out.unprintable |= !plain && text.chars().any(unprintable);
            if out.text.is_empty() {
                text.clone_into(&mut out.text);
            } else {
                out.text.push_str(text);
            }
        }
    }
}

/// Characters that Go escapes in a way that JSON does not know.
fn unprintable(c: char) -> bool {
    match c as u32 {
        8 | 9 | 10 | 12 | 13 => false,
        0..0x20 | 0x7f => true,
        0..0x1_0000 => false,
        _ => !is_print(c),
    }
}
