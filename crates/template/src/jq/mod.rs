//! jq filters (`valueFrom.jqFilter`): a language of its own here, since the filter comes from users and must end: the
//! number of steps, the depth of calls and the size of values and results are bounded, which no crate offers.
//!
//! `parse` makes an `ast`, `check` finds names that are not defined, `eval` walks it. `defs` holds the functions that
//! are written as filters, `forms` those that take filters, `functions`, `strings`, `math` and `time` those on values.

mod ast;
mod check;
mod defs;
mod eval;
mod forms;
mod functions;
mod item;
mod math;
mod ops;
mod parse;
mod pattern;
mod strings;
mod time;
mod token;
mod value;

use serde_json::Value;

use eval::Machine;
use item::Item;
use value::Val;

/// Why a filter has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no filter, or uses what does not exist.
    #[error("{0}")]
    Compile(String),
    /// It failed on the document.
    #[error("{0}")]
    Run(String),
}

/// How many results a filter may give.
const RESULTS: usize = 2_000_000;

/// How many bytes a text or all results may take.
const SIZE: usize = 64 << 20;

/// How much work a filter may be: some seconds.
const STEPS: u64 = 10_000_000;

/// How long a filter may be, in bytes.
const LENGTH: usize = 256 << 10;

/// The stack of the thread that runs a filter. Only what is used takes memory.
const STACK: usize = 512 << 20;

/// Why evaluation stopped before its end.
#[derive(Clone, Debug)]
enum Stop {
    /// An error that `try` can catch.
    Error(Val),
    /// On the way to a label.
    Break(u64),
    /// `halt` and `halt_error`.
    Halt(Val),
    /// A bound of ours: nothing catches it.
    Limit(String),
}

type Flow<T = ()> = Result<T, Stop>;

impl Stop {
    fn error(message: String) -> Self {
        Self::Error(Val::text(message))
    }

    fn message(&self) -> String {
        let shown = |v: &Val| match v {
            Val::Str(s) => s.to_string(),
            other => other.json(),
        };
        match self {
            Self::Error(v) => shown(v),
            Self::Break(_) => "break without its label".into(),
            Self::Halt(v) => format!("halt error: {}", shown(v)),
            Self::Limit(message) => message.clone(),
        }
    }
}

/// Runs a filter: each result on a line of its own, texts as they are, blanks around the whole cut.
///
/// # Errors
/// [`Error`]
pub fn run(filter: &str, document: &Value) -> Result<String, Error> {
    if filter.len() > LENGTH {
        return Err(Error::Compile(format!("filter is longer than {LENGTH} bytes")));
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("jq".into())
            .stack_size(STACK)
            .spawn_scoped(scope, || evaluate(filter, document))
            .map_err(|e| Error::Run(format!("starting a thread for the filter: {e}")))?
            .join()
            .unwrap_or_else(|_| Err(Error::Run("the filter could not be run".into())))
    })
}

fn evaluate(filter: &str, document: &Value) -> Result<String, Error> {
    let ast = parse::parse(filter).map_err(Error::Compile)?;
    check::check(&ast).map_err(Error::Compile)?;
    let mut results: Vec<String> = Vec::new();
    let mut size = 0;
    let done = Val::document(document).and_then(|input| {
        let machine = Machine::default();
        machine.eval(&ast, &None, Item::off(input), &mut |item| {
            let text = match &item.val {
                Val::Str(s) => s.to_string(),
                other => other.go_json()?,
            };
            size += text.len() + 1;
            if size > SIZE || results.len() >= RESULTS {
                return Err(Stop::Limit(format!(
                    "filter gives more than {RESULTS} results or {SIZE} bytes"
                )));
            }
            results.push(text);
            Ok(())
        })
    });
    match done {
        Ok(()) => Ok(results.join("\n").trim().to_owned()),
        Err(stop) => Err(Error::Run(stop.message())),
    }
}
