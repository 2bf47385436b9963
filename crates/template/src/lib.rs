//! Substitution and expressions over JSON values. Knows nothing of workflows: names come in, texts and values go out.
//!
//! Everything is compiled once and used many times; nothing reads a clock (but `now()` in an expression), a file or
//! the network; no input makes it panic or run without bound.
//!
//! # The parts that callers need
//!
//! **Variables** are a [`Scope`]: flat dotted names with JSON values. `BTreeMap<String, serde_json::Value>` is one;
//! [`Layers`] puts several on top of each other without copying. [`serde_json::Value::Null`] is an *absent
//! optional*: an output of a node that did not run.
//!
//! **Tags in a text**: [`Tags::compile`], then [`Tags::expand`] or [`Tags::text`] with a [`Level`]. In whole
//! documents: [`tags::replace_in_value`] (a value tree) or [`tags::replace_in_json`] (JSON text); both give the same.
//! [`tags::Error::is_missing_variable`] says whether waiting may help (C-SUB-06).
//!
//! **Expressions** (hooks, `retryStrategy.expression`, `valueFrom.expression`, …): [`Expr::compile`], then
//! [`Expr::eval`] with a scope. [`Expr::eval_bool`] for conditions, [`Expr::references`] for what it reads.
//! Results are [`Value`]s; [`value::json::to_json`] and [`value::print::plain`] turn them into JSON and text.
//!
//! **Conditions**: [`when::evaluate`] on the text after substitution. [`depends::Depends`] for DAG tasks.
//!
//! **Durations**: [`duration::parse`] (plain seconds or Go's form, C-EXE-12), [`duration::show`] (`1m0s`).
//!
//! ```
//! use std::collections::BTreeMap;
//! use argosy_template::{Expr, Level, Tags};
//! use serde_json::json;
//!
//! let scope = BTreeMap::from([("inputs.parameters.n".to_owned(), json!("4"))]);
//! let text = Tags::compile("{{inputs.parameters.n}} x 2 = {{=asInt(inputs.parameters.n) * 2}}")?;
//! assert_eq!(text.text(&scope, Level::Strict)?, "4 x 2 = 8");
//!
//! let expression = Expr::compile("inputs.parameters.n == '4'")?;
//! assert!(expression.eval_bool(&expression.env(&scope))?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod builtins;
pub mod conditions;
pub mod cron;
pub mod depends;
pub mod diagnose;
pub mod duration;
pub mod env;
pub mod expr;
pub mod gojson;
mod gostrings;
pub mod gotime;
pub mod jq;
pub mod jsonpath;
mod kept;
pub mod kubectl;
pub mod regexp;
pub mod scope;
pub mod sprig;
pub mod tags;
pub mod text;
pub mod value;
pub mod when;

pub use env::Env;
pub use expr::Expr;
pub use scope::{Layers, Scope};
pub use tags::{Expanded, Level, Tags};
pub use value::Value;
