//! Variables that tags and expressions see, and substitution in structures of the model (C-SUB, C-WHEN).
//! The languages themselves are those of `argosy_template`.

use std::collections::BTreeMap;

use argosy_model::{Field, go_json};
use argosy_template::expr::error::Stage;
use argosy_template::{Expr, Layers, Scope, Tags, tags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Variables by full dotted name. A null is an output of a node that was skipped, without a default (C-ARG-04).
pub(crate) type Vars = BTreeMap<String, Value>;

/// What an unknown variable means (C-SUB-05).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// It stays.
    Lenient,
    /// Those of siblings are errors, others stay.
    Siblings,
    /// It is an error.
    StrictAll,
}

impl Level {
    fn of_tags(self) -> tags::Level<'static> {
        match self {
            Self::Lenient => tags::Level::Lenient,
            Self::Siblings => tags::Level::StrictPrefixes(&["steps", "tasks"]),
            Self::StrictAll => tags::Level::Strict,
        }
    }
}

/// Why a text can't be completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A variable does not exist, or not yet (C-SUB-06).
    #[error("{0}")]
    Missing(String),
    /// Anything that time does not heal.
    #[error("{0}")]
    Fault(String),
}

impl From<tags::Error> for Error {
    fn from(error: tags::Error) -> Self {
        if error.is_missing_variable() {
            Self::Missing(error.to_string())
        } else {
            Self::Fault(error.to_string())
        }
    }
}

impl From<Error> for crate::pass::Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Missing(message) => Self::Missing(message),
            Error::Fault(message) => Self::Error(message),
        }
    }
}

pub(crate) fn text(value: impl Into<String>) -> Value {
    Value::String(value.into())
}

/// What is put into texts, and what an unknown variable means.
#[derive(Debug, Clone, Copy)]
pub struct Substitution<'v> {
    layers: &'v [&'v Vars],
    level: Level,
}

impl<'v> Substitution<'v> {
    /// Nothing is known, and tags stay.
    pub const NONE: Self = Self {
        layers: &[],
        level: Level::Lenient,
    };

    /// What is known is put in, earlier layers before later ones; tags that read anything else stay.
    #[must_use]
    pub fn lenient(layers: &'v [&'v BTreeMap<String, Value>]) -> Self {
        Self::new(layers, Level::Lenient)
    }

    pub(crate) fn new(layers: &'v [&'v Vars], level: Level) -> Self {
        Self { layers, level }
    }

    /// A structure with the variables put into every text of it.
    ///
    /// A copy is made with the texts changed, by tags that are compiled once. What that can't do, errors above all, is
    /// left to the peer's way over JSON text, which decides their words and their order.
    ///
    /// # Errors
    /// When an expression fails, a tag has no end, or a variable must be known and is not.
    pub fn apply<T>(&self, value: &T) -> Result<T, Error>
    where
        T: Field + Serialize + DeserializeOwned,
    {
        let mut failed = false;
        let replaced = self.with_scope(|scope| {
            value.with_texts(&mut |text| {
                if failed || !tags::begin_in(text) {
                    return None;
                }
                let replaced = Tags::cached(text).and_then(|tags| tags.text(scope, self.level.of_tags()));
                failed = replaced.is_err();
                replaced.ok()
            })
        });
        if failed {
            self.over_json(value)
        } else {
            Ok(replaced)
        }
    }

    fn over_json<T: Serialize + DeserializeOwned>(&self, value: &T) -> Result<T, Error> {
        let fault = |e: serde_json::Error| Error::Fault(e.to_string());
        let json = go_json::to_string(value).map_err(fault)?;
        let replaced = self.with_scope(|scope| tags::replace_in_json(&json, scope, self.level.of_tags()))?;
        serde_json::from_str(&replaced).map_err(fault)
    }

    fn with_scope<R>(&self, with: impl FnOnce(&dyn Scope) -> R) -> R {
        let texts: Vec<Texts<'_>> = self.layers.iter().map(|l| Texts(l)).collect();
        let scopes: Vec<&dyn Scope> = texts.iter().map(|t| t as &dyn Scope).collect();
        with(&Layers(&scopes))
    }
}

/// [`Substitution::apply`] for callers that have the parts.
pub(crate) fn substitute<T>(value: &T, layers: &[&Vars], level: Level) -> Result<T, Error>
where
    T: Field + Serialize + DeserializeOwned,
{
    Substitution::new(layers, level).apply(value)
}

/// [`substitute`] for a structure that its owner has no more use for: one without tags is given back as it is.
pub(crate) fn substitute_owned<T>(value: T, layers: &[&Vars], level: Level) -> Result<T, Error>
where
    T: Field + Serialize + DeserializeOwned,
{
    if value.any_text(&mut tags::begin_in) {
        substitute(&value, layers, level)
    } else {
        Ok(value)
    }
}

/// Puts the variables into one text.
pub(crate) fn substitute_text(value: &str, layers: &[&Vars], level: Level) -> Result<String, Error> {
    substitute(&value.to_owned(), layers, level)
}

/// The variables that tags see: artifacts are for references and expressions of their own only.
struct Texts<'v>(&'v Vars);

impl Scope for Texts<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|v| !v.is_object())
    }

    fn each<'a>(&'a self, prefix: &str, each: &mut dyn FnMut(&'a str, &'a Value)) {
        self.0.each(prefix, &mut |name, value| {
            if !value.is_object() {
                each(name, value);
            }
        });
    }
}

/// The value of a `when` text whose variables are in (C-WHEN-01).
pub(crate) fn when(text: &str) -> Result<bool, String> {
    argosy_template::when::evaluate(text).map_err(|e| e.to_string())
}

/// The value of an expression.
pub(crate) fn evaluate(expression: &str, layers: &[&Vars]) -> Result<Value, String> {
    let scopes: Vec<&dyn Scope> = layers.iter().map(|l| *l as &dyn Scope).collect();
    let value = Expr::cached(expression)
        .and_then(|e| e.eval(&Layers(&scopes)))
        .map_err(|e| e.to_string())?;
    argosy_template::value::json::to_json(&value)
}

/// The value of an expression that must be true or false.
pub(crate) fn condition(expression: &str, layers: &[&Vars]) -> Result<bool, String> {
    let scopes: Vec<&dyn Scope> = layers.iter().map(|l| *l as &dyn Scope).collect();
    let compiled = Expr::cached(expression).map_err(|e| e.to_string())?;
    let value = compiled
        .eval_env(&compiled.env(&Layers(&scopes)))
        .map_err(|e| match e.stage {
            Stage::Run => format!("unable to evaluate expression '{expression}': {e}"),
            Stage::Parse | Stage::Check => e.to_string(),
        })?;
    match argosy_template::value::json::to_json(&value)? {
        Value::Bool(b) => Ok(b),
        other => Err(format!(
            "unable to cast expression result '{}' to bool",
            go_percent_s(&other)
        )),
    }
}

/// A value as Go's `%s` prints it.
fn go_percent_s(value: &Value) -> String {
    match value {
        Value::Null => "%!s(<nil>)".to_owned(),
        Value::Bool(b) => format!("%!s(bool={b})"),
        Value::Number(n) if n.is_f64() => {
            format!("%!s(float64={})", go_json::float(n.as_f64().unwrap_or_default()))
        }
        Value::Number(n) => format!("%!s(int={n})"),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_percent_s).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{k}:{}", go_percent_s(v)))
                .collect();
            format!("map[{}]", pairs.join(" "))
        }
    }
}

/// The words of Go's JSON reader for a text that is no JSON.
pub(crate) fn go_json_error(text: &str, error: &serde_json::Error) -> String {
    argosy_template::gojson::parse(text.as_bytes())
        .err()
        .unwrap_or_else(|| error.to_string())
}
