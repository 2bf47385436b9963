//! Expression tags: `{{=…}}` (C-SUB-05, C-SUB-07), with the guard for variables that come late.

use super::simple::Simple;
use super::{Error, Expanded, Form, Level, escaped, has_prefix};
use crate::env::is_function;
use crate::expr::{self, Expr, Reference};
use crate::gojson;
use crate::scope::{SWITCHED_OFF, Scope};
use crate::value::json::{COMPACT, write};
use crate::value::quote::json_escape_into;
use crate::value::{Value, quote::json_string_into};

/// Variables that come later than others: an expression that reads one waits for it.
const LATE: &[&str] = &[
    "item",
    "retries",
    "lastRetry.exitCode",
    "lastRetry.status",
    "lastRetry.duration",
    "lastRetry.message",
    "workflow.status",
    "workflow.failures",
];

/// How values that are not known yet look during validation (C-SUB-09).
pub const PLACEHOLDER: &str = "__argo__internal__placeholder-";

#[derive(Clone, Debug)]
pub(super) struct Expression {
    /// What stands in the text when the tag is left, without braces and `=`.
    left: String,
    /// As it stands in JSON text, for messages.
    shown: String,
    program: Result<Expr, Broken>,
    /// The tag where expressions are switched off.
    literal: Simple,
}

#[derive(Clone, Debug)]
enum Broken {
    /// The text is no JSON string.
    Json(String),
    Parse(expr::Error),
}

impl Expression {
    pub fn new(source: &str, form: Form) -> Self {
        let json = if form == Form::Json {
            source.to_owned()
        } else {
            escaped(source)
        };
        // The original undoes these escapes before it reads the string, also where a backslash precedes them.
        let shown = json
            .replace("\\u003c", "<")
            .replace("\\u003e", ">")
            .replace("\\u0026", "&");
        let program = match gojson::parse(format!("\"{shown}\"").as_bytes()) {
            Ok(serde_json::Value::String(text)) => Expr::cached(&text).map_err(Broken::Parse),
            Ok(_) => Err(Broken::Json("unexpected end of JSON input".into())),
            Err(e) => Err(Broken::Json(e)),
        };
        let left = if form == Form::Json {
            shown.clone()
        } else {
            source.to_owned()
        };
        Self {
            left,
            shown,
            program,
            literal: Simple::new(&format!("={source}"), form),
        }
    }

    pub fn program(&self) -> Option<Result<&Expr, &expr::Error>> {
        match &self.program {
            Ok(e) => Some(Ok(e)),
            Err(Broken::Parse(e)) => Some(Err(e)),
            Err(Broken::Json(_)) => None,
        }
    }

    fn leave(&self, out: &mut Expanded) {
        out.text.push_str("{{=");
        out.text.push_str(&self.left);
        out.text.push_str("}}");
        out.unresolved = true;
    }

    pub fn expand(
        &self,
        out: &mut Expanded,
        scope: &dyn Scope,
        level: Level<'_>,
        form: Form,
    ) -> Result<(), Error> {
        if scope.get(SWITCHED_OFF).is_some() {
            return self.literal.expand(out, scope, level, form);
        }
        let program = match &self.program {
            Ok(p) => p,
            Err(Broken::Json(e)) => return Err(Error::Unmarshal(e.clone())),
            Err(Broken::Parse(_)) if has_placeholder(scope) => {
                self.leave(out);
                return Ok(());
            }
            Err(Broken::Parse(e)) => return Err(Error::Evaluate(e.clone())),
        };
        match self.value(program, scope, level) {
            Ok(Some(json)) => {
                put(out, &json, form);
                Ok(())
            }
            Ok(None) => {
                self.leave(out);
                Ok(())
            }
            Err(_) if has_placeholder(scope) => {
                self.leave(out);
                Ok(())
            }
            Err(e) => Err(e),
        }
    }

    /// The value as text to put in, or `None` to leave the tag.
    fn value(&self, program: &Expr, scope: &dyn Scope, level: Level<'_>) -> Result<Option<Inserted>, Error> {
        let missing = |r: &&Reference| !r.optional && !known(scope, &r.name);
        let references = program.references();
        let refused = match level {
            Level::Lenient => None,
            Level::Strict => references.iter().find(missing),
            Level::StrictPrefixes(p) => references.iter().find(|r| has_prefix(&r.name, p) && missing(r)),
        };
        if let Some(r) = refused {
            return Err(Error::Missing(r.name.clone()));
        }
        let strict = matches!(level, Level::Strict);
        let late = |r: &Reference| LATE.contains(&r.name.as_str()) && !known(scope, &r.name);
        if !strict && references.iter().any(late) {
            return Ok(None);
        }
        let may_leave = match level {
            Level::Lenient => true,
            Level::StrictPrefixes(_) => references.iter().any(|r| missing(&r)),
            Level::Strict => false,
        };
        let result = match program.eval(scope) {
            Ok(v) if v.is_nil() && matches!(v, Value::Nil) => Err(Error::NoValue(self.shown.clone())),
            Ok(v) => insert(&v).map_err(Error::Marshal),
            Err(e) => Err(Error::Evaluate(e)),
        };
        match result {
            Ok(inserted) => Ok(Some(inserted)),
            Err(_) if may_leave => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// What is put in: text as it is, or JSON text of another value.
enum Inserted {
    Text(crate::text::Text),
    Json(String),
}

fn insert(v: &Value) -> Result<Inserted, String> {
    match v {
        Value::Str(s) => Ok(Inserted::Text(s.clone())),
        other => {
            let json = write(other, COMPACT)?;
            // A value that prints as a JSON string (a time) loses its quotes like text.
            match json.strip_prefix('"').and_then(|j| j.strip_suffix('"')) {
                Some(inner) => match gojson::parse(json.as_bytes()) {
                    Ok(serde_json::Value::String(s)) => Ok(Inserted::Text(s.into())),
                    _ => Ok(Inserted::Json(inner.to_owned())),
                },
                None => Ok(Inserted::Json(json)),
            }
        }
    }
}

fn put(out: &mut Expanded, value: &Inserted, form: Form) {
    match (value, form) {
        (Inserted::Text(s), Form::Plain) => out.text.push_str(&s.lossy()),
        (Inserted::Text(s), Form::Json) => json_escape_into(&mut out.text, s.bytes(), true),
        (Inserted::Json(j), Form::Plain) => out.text.push_str(j),
        (Inserted::Json(j), Form::Json) => {
            let mut quoted = String::with_capacity(j.len() + 2);
            json_string_into(&mut quoted, j.as_bytes(), true);
            out.text.push_str(&quoted[1..quoted.len() - 1]);
        }
    }
}

fn has_placeholder(scope: &dyn Scope) -> bool {
    let mut found = false;
    scope.each("", &mut |_, value| {
        found |= value.as_str().is_some_and(|s| s.starts_with(PLACEHOLDER));
    });
    found
}

/// Whether a dotted name is known: as a variable, as a parent of one, inside a variable's own structure, or as a
/// function.
fn known(scope: &dyn Scope, name: &str) -> bool {
    if scope.get(name).is_some() {
        return true;
    }
    let mut parent = false;
    scope.each(&format!("{name}."), &mut |_, _| parent = true);
    parent || is_function(name) || !name.starts_with("sprig.") && inside(scope, name)
}

fn inside(scope: &dyn Scope, name: &str) -> bool {
    name.match_indices('.').any(|(at, _)| {
        let mut value = scope.get(&name[..at]);
        for part in name[at + 1..].split('.') {
            value = value.and_then(|v| v.get(part));
        }
        value.is_some()
    })
}
