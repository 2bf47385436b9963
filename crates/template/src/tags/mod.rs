//! Tags in text: `{{name}}` and `{{=expression}}` (C-SUB). A text is compiled once into segments and expanded many
//! times; `document` applies this to whole JSON texts and value trees.

mod document;
mod error;
mod expression;
mod simple;

pub use document::{replace_in_json, replace_in_value, simple_tags_in_json};
pub use error::Error;

use std::sync::Arc;

use crate::expr::{self, Expr};
use crate::kept::Kept;
use crate::scope::Scope;
use crate::value::quote::json_escape_into;

/// What happens to tags whose variables are not known (C-SUB-05).
#[derive(Clone, Copy, Debug)]
pub enum Level<'a> {
    /// They stay as they are; expressions that fail stay too.
    Lenient,
    /// Names that start with one of these (as whole dotted parts) must be known; others stay.
    StrictPrefixes(&'a [&'a str]),
    /// Every name must be known.
    Strict,
}

/// How many compiled texts are kept: twice this, at a few hundred bytes each.
const TEXTS: usize = 4_096;

/// A text cut at its tags.
#[derive(Clone, Debug)]
pub struct Tags {
    segments: Vec<Segment>,
    form: Form,
}

/// Whether a text is as people wrote it or as it stands inside a JSON string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Json,
}

#[derive(Clone, Debug)]
enum Segment {
    Literal(String),
    Simple(simple::Simple),
    Expression(Box<expression::Expression>),
}

/// What a text became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The text.
    pub text: String,
    /// Whether tags were left in it.
    pub unresolved: bool,
    /// Whether a value in it cannot be written as JSON the way the original does (control characters such as
    /// U+0007): to be reported as [`Error::InvalidResult`] when the whole document is done.
    pub(crate) unprintable: bool,
}

impl Tags {
    /// Cuts a text at its tags. Broken expressions are not refused here but when they are expanded.
    ///
    /// # Errors
    /// [`Error::Unterminated`] for a tag without end.
    pub fn compile(text: &str) -> Result<Self, Error> {
        Self::cut(text, Form::Plain)
    }

    /// Like [`Tags::compile`], keeping what was compiled last in this process: the texts of a workflow come again in
    /// every pass and for every item of a loop.
    ///
    /// # Errors
    /// Like [`Tags::compile`].
    pub fn cached(text: &str) -> Result<Arc<Self>, Error> {
        static KEPT: Kept<Result<Arc<Tags>, Error>> = Kept::new(TEXTS);
        KEPT.get(text, |text| Self::compile(text).map(Arc::new))
    }

    /// Like [`Tags::compile`] for JSON text, where tags are found in the escaped text and values are put in escaped.
    ///
    /// # Errors
    /// Like [`Tags::compile`].
    pub fn compile_json(text: &str) -> Result<Self, Error> {
        Self::cut(text, Form::Json)
    }

    fn cut(text: &str, form: Form) -> Result<Self, Error> {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let (before, after) = (&rest[..start], &rest[start + 2..]);
            let Some(end) = after.find("}}") else {
                return Err(Error::Unterminated {
                    template: text.to_owned(),
                    from: after.to_owned(),
                });
            };
            if !before.is_empty() {
                segments.push(Segment::Literal(before.to_owned()));
            }
            let tag = &after[..end];
            segments.push(match tag.strip_prefix('=') {
                Some(source) => Segment::Expression(Box::new(expression::Expression::new(source, form))),
                None => Segment::Simple(simple::Simple::new(tag, form)),
            });
            rest = &after[end + 2..];
        }
        if !rest.is_empty() {
            segments.push(Segment::Literal(rest.to_owned()));
        }
        Ok(Self { segments, form })
    }

    /// Whether the text has no tags.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.segments.iter().all(|s| matches!(s, Segment::Literal(_)))
    }

    /// The raw texts of the simple tags, in order.
    pub fn simple_tags(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|s| match s {
            Segment::Simple(s) => Some(s.raw()),
            _ => None,
        })
    }

    /// The name of the one simple tag that is the whole text, blanks around the name cut (C-ARG-04).
    #[must_use]
    pub fn only_simple(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [Segment::Simple(s)] => Some(s.key()),
            _ => None,
        }
    }

    /// The expressions of the expression tags, in order, or why they are none.
    pub fn expressions(&self) -> impl Iterator<Item = Result<&Expr, &expr::Error>> {
        self.segments.iter().filter_map(|s| match s {
            Segment::Expression(e) => e.program(),
            _ => None,
        })
    }

    /// Puts values in for tags.
    ///
    /// # Errors
    /// Names that must be known and are not, absent optionals, values that are no text, expressions that fail.
    pub fn expand(&self, scope: &dyn Scope, level: Level<'_>) -> Result<Expanded, Error> {
        let mut out = Expanded::default();
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => out.text.push_str(text),
                Segment::Simple(tag) => tag.expand(&mut out, scope, level, self.form)?,
                Segment::Expression(tag) => tag.expand(&mut out, scope, level, self.form)?,
            }
        }
        Ok(out)
    }

    /// Like [`Tags::expand`], giving the text alone.
    ///
    /// # Errors
    /// Like [`Tags::expand`], and [`Error::InvalidResult`] for values that the original cannot write.
    pub fn text(&self, scope: &dyn Scope, level: Level<'_>) -> Result<String, Error> {
        let expanded = self.expand(scope, level)?;
        if expanded.unprintable && self.form == Form::Plain {
            Err(Error::InvalidResult)
        } else {
            Ok(expanded.text)
        }
    }
}

/// Whether a tag begins in a text.
#[must_use]
pub fn begin_in(text: &str) -> bool {
    // Most texts are short, and there the general search takes longer to set up than to search.
    if text.len() < 32 {
        text.as_bytes().windows(2).any(|pair| pair == b"{{")
    } else {
        text.contains("{{")
    }
}

/// A text as it stands inside a JSON string that Go wrote.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    json_escape_into(&mut out, text.as_bytes(), true);
    out
}

/// Whether a dotted name starts with one of the prefixes, as whole parts.
fn has_prefix(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|p| {
        name.strip_prefix(p)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
