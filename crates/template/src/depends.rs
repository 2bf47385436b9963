//! `depends` of DAG tasks (C-DAG-02 to 04): expansion of bare task names, the tasks that are named, and evaluation
//! over results that the caller looks up. What the results mean is the caller's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use crate::env::Env;
use crate::expr::{self, Expr};
use crate::value::{Struct, Value};

/// The results that may follow a task's name.
pub const RESULTS: &[&str] = &[
    "Succeeded",
    "Failed",
    "Errored",
    "Skipped",
    "Omitted",
    "Daemoned",
    "AnySucceeded",
    "AllFailed",
];

/// Why a `depends` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A word in it is no task of the template. The original panics with this text.
    #[error("target {0} does not exist")]
    UnknownTask(String),
    /// A result that does not exist.
    #[error("task result '{result}' for task '{task}' is invalid")]
    UnknownResult { task: String, result: String },
    /// The expression does not parse or fails.
    #[error("unable to evaluate expression '{expression}': {source}")]
    Evaluate { expression: String, source: expr::Error },
}

/// Which failures of a task its dependants accept, for the expansion of its bare name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContinueOn {
    pub error: bool,
    pub failed: bool,
}

/// A compiled `depends`.
#[derive(Clone, Debug)]
pub struct Depends {
    logic: String,
    tasks: Vec<String>,
    results: Vec<(String, String)>,
    expression: String,
    program: Result<Expr, expr::Error>,
}

impl Depends {
    /// Compiles a `depends` text. `task` tells of each name whether there is such a task and what it continues on.
    ///
    /// A text that is no expression is not refused here but by [`Depends::evaluate`], as the original does.
    ///
    /// # Errors
    /// [`Error::UnknownTask`] for a bare word that is no task. `X.Succeeded` of an unknown X is not refused here.
    pub fn compile(text: &str, task: impl Fn(&str) -> Option<ContinueOn>) -> Result<Self, Error> {
        static WORDS: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"([a-zA-Z0-9][-a-zA-Z0-9]*?)\.([A-Z][a-zA-Z]+)|([a-zA-Z0-9][-a-zA-Z0-9]*)")
                .expect("the pattern is fixed")
        });
        let mut logic = String::with_capacity(text.len() * 2);
        let mut tasks = BTreeSet::new();
        let mut results = Vec::new();
        let mut copied = 0;
        // Bare names only are looked up, and of several unknown ones the last is told.
        let bare = WORDS
            .captures_iter(text)
            .filter_map(|found| found.get(3))
            .map(|m| m.as_str());
        if let Some(unknown) = bare.filter(|name| task(name).is_none()).last() {
            return Err(Error::UnknownTask(unknown.to_owned()));
        }
        for found in WORDS.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            logic.push_str(&text[copied..whole.start()]);
            copied = whole.end();
            let name = found.get(1).or(found.get(3)).map_or("", |m| m.as_str());
            tasks.insert(name.to_owned());
            match found.get(2) {
                Some(result) => {
                    results.push((name.to_owned(), result.as_str().to_owned()));
                    logic.push_str(whole.as_str());
                }
                None => logic.push_str(&expand(name, task(name).unwrap_or_default())),
            }
        }
        logic.push_str(&text[copied..]);
        Ok(Self::of_logic(logic, tasks.into_iter().collect(), results))
    }

    /// What `dependencies: [A, B]` stands for.
    ///
    /// # Errors
    /// [`Error::UnknownTask`] for the first name that is no task.
    pub fn of_dependencies(
        names: &[impl AsRef<str>],
        task: impl Fn(&str) -> Option<ContinueOn>,
    ) -> Result<Self, Error> {
        let mut parts = Vec::with_capacity(names.len());
        let mut tasks = BTreeSet::new();
        for name in names {
            let name = name.as_ref();
            let accepted = task(name).ok_or_else(|| Error::UnknownTask(name.to_owned()))?;
            parts.push(expand(name, accepted));
            tasks.insert(name.to_owned());
        }
        Ok(Self::of_logic(
            parts.join(" && "),
            tasks.into_iter().collect(),
            Vec::new(),
        ))
    }

    fn of_logic(logic: String, tasks: Vec<String>, results: Vec<(String, String)>) -> Self {
        // The expression language has no dash in names.
        let expression = logic.replace('-', "_");
        let program = Expr::compile(&expression);
        Self {
            logic,
            tasks,
            results,
            expression,
            program,
        }
    }

    /// The text with bare names expanded.
    #[must_use]
    pub fn logic(&self) -> &str {
        &self.logic
    }

    /// The tasks it names, sorted, each once.
    #[must_use]
    pub fn tasks(&self) -> &[String] {
        &self.tasks
    }

    /// Checks that every `Task.Result` uses a result that exists.
    ///
    /// # Errors
    /// [`Error::UnknownResult`] for the first that does not.
    pub fn check_results(&self) -> Result<(), Error> {
        match self
            .results
            .iter()
            .find(|(_, result)| !RESULTS.contains(&result.as_str()))
        {
            Some((task, result)) => Err(Error::UnknownResult {
                task: task.clone(),
                result: result.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Evaluates it. `holds(task, result)` says whether a task has a result, one of [`RESULTS`].
    ///
    /// # Errors
    /// [`Error::Evaluate`] when the text is no expression, names what does not exist, or gives no boolean.
    pub fn evaluate(&self, mut holds: impl FnMut(&str, &str) -> bool) -> Result<bool, Error> {
        let failed = |source| Error::Evaluate {
            expression: self.expression.clone(),
            source,
        };
        let program = self.program.as_ref().map_err(|e| failed(e.clone()))?;
        let mut roots = BTreeMap::new();
        for task in &self.tasks {
            let fields = RESULTS
                .iter()
                .map(|r| (*r, Value::Bool(holds(task, r))))
                .collect();
            let results = Struct {
                name: "controller.TaskResults",
                fields,
                text: String::new(),
            };
            roots.insert(task.replace('-', "_"), Value::Struct(Arc::new(results)));
        }
        program.eval_bool(&Env::bare(roots)).map_err(failed)
    }
}

/// `(A.Succeeded || A.Skipped || A.Daemoned)`, and more where the task says so.
fn expand(name: &str, accepted: ContinueOn) -> String {
    let mut out = format!("({name}.Succeeded || {name}.Skipped || {name}.Daemoned");
    if accepted.error {
        out.push_str(&format!(" || {name}.Errored"));
    }
    if accepted.failed {
        out.push_str(&format!(" || {name}.Failed"));
    }
    out.push(')');
    out
}
