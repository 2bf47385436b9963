//! The expression language: compiled once, evaluated many times. Variables come from an [`Env`]; the static check
//! depends on what kinds of values the top-level names hold, so its outcome is kept for each combination seen.

pub mod ast;
pub mod check;
mod check_calls;
mod check_ops;
pub mod closures;
pub mod error;
pub mod eval;
mod fold;
pub mod methods;
pub mod names;
pub mod ops;
mod parser;
mod token;
pub mod types;

use std::sync::{Arc, Mutex, PoisonError};

pub use error::{Error, Stage};
pub use eval::conversion;
pub use names::{Reference, references};

use crate::env::{Env, Reads};
use crate::kept::Kept;
use crate::scope::Scope;
use crate::value::Value;
use ast::Node;
use types::Type;

/// How many combinations of kinds of variables are kept checked.
const SHAPES: usize = 8;

/// How many compiled expressions are kept: twice this, at a few KiB each.
const EXPRESSIONS: usize = 2_048;

/// A compiled expression. Cheap to clone, safe to share.
#[derive(Clone, Debug)]
pub struct Expr {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Arc<str>,
    /// The tree when no variable hides a function.
    tree: Node,
    /// Every top-level name in the text, sorted.
    roots: Vec<String>,
    /// Functions called by name, sorted: a variable of the same name hides them.
    called: Vec<String>,
    references: Vec<Reference>,
    reads: Reads,
    shapes: Mutex<Vec<(Vec<Option<Type>>, Program)>>,
}

type Program = Result<Arc<Node>, Error>;

impl Expr {
    /// Parses an expression.
    ///
    /// # Errors
    /// When the text is no expression, or one that is too large or too deep.
    pub fn compile(source: &str) -> Result<Self, Error> {
        let source: Arc<str> = source.into();
        let tree = parser::parse(&source, &|_| false).map_err(|f| f.place(Stage::Parse, &source))?;
        let (roots, called) = names::roots(&tree);
        let references = names::references(&tree);
        // A variable may hide a function of its name.
        let chains = [names::chains(&tree), called.clone()].concat();
        let reads = Reads::new([&roots[..], &called].concat(), chains);
        let shapes = Mutex::default();
        Ok(Self {
            inner: Arc::new(Inner {
                source,
                tree,
                roots,
                called,
                references,
                reads,
                shapes,
            }),
        })
    }

    /// Like [`Expr::compile`], keeping what was compiled last in this process: the expressions of a workflow are
    /// read once, however often it is looked at.
    ///
    /// # Errors
    /// Like [`Expr::compile`].
    pub fn cached(source: &str) -> Result<Self, Error> {
        static KEPT: Kept<Result<Expr, Error>> = Kept::new(EXPRESSIONS);
        KEPT.get(source, Self::compile)
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The variables that it reads, each once, in order of the text (C-SUB-08).
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.inner.references
    }

    /// The names that it declares itself (`let x = …`); they are among its references too.
    #[must_use]
    pub fn declared(&self) -> Vec<String> {
        names::declared(&self.inner.tree)
    }

    /// Evaluates with the variables of a scope and the functions of C-EXP-02.
    ///
    /// # Errors
    /// When it does not fit the variables or fails while it runs.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, Error> {
        self.eval_env(&self.env(scope))
    }

    /// The environment of a scope, holding what this expression needs of it.
    #[must_use]
    pub fn env(&self, scope: &dyn Scope) -> Env {
        if self.inner.roots.iter().any(|r| r == "$env") {
            return Env::of(scope);
        }
        Env::reading(scope, &self.inner.reads)
    }

    /// Evaluates in an environment.
    ///
    /// # Errors
    /// Like [`Expr::eval`].
    pub fn eval_env(&self, env: &Env) -> Result<Value, Error> {
        let program = self.program(env)?;
        eval::run(&program, env).map_err(|f| f.place(Stage::Run, &self.inner.source))
    }

    /// Evaluates and wants a boolean.
    ///
    /// # Errors
    /// Like [`Expr::eval`], and when the value is none: `unable to cast expression result '…' to bool`.
    pub fn eval_bool(&self, env: &Env) -> Result<bool, Error> {
        match self.eval_env(env)? {
            Value::Bool(b) => Ok(b),
            other => {
                let shown = crate::value::print::plain(&other);
                Err(Error {
                    stage: Stage::Run,
                    message: format!("unable to cast expression result '{shown}' to bool"),
                    at: None,
                    source: Arc::clone(&self.inner.source),
                    unknown: None,
                })
            }
        }
    }

    /// Checks against an environment without running.
    ///
    /// # Errors
    /// What the static check finds.
    pub fn check(&self, env: &Env) -> Result<(), Error> {
        self.program(env).map(|_| ())
    }

    /// Checks against what is known of variables before there are any: for linters.
    ///
    /// # Errors
    /// What the static check finds: a name that is not known, or a kind that does not fit.
    pub fn check_kinds(&self, names: &dyn check::Names) -> Result<(), Error> {
        check::check(&self.inner.tree, names)
            .map(drop)
            .map_err(|f| f.place(Stage::Check, &self.inner.source))
    }

    fn program(&self, env: &Env) -> Program {
        let inner = &*self.inner;
        let shape: Vec<Option<Type>> = inner
            .roots
            .iter()
            .chain(&inner.called)
            .map(|name| env.root_type(name))
            .collect();
        let mut shapes = inner.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, program)) = shapes.iter().find(|(s, _)| *s == shape) {
            return program.clone();
        }
        let program = self.build(env);
        // `$env` can reach names that are not in the shape.
        if !inner.roots.iter().any(|r| r == "$env") {
            if shapes.len() >= SHAPES {
                drop(shapes.remove(0));
            }
            shapes.push((shape, program.clone()));
        }
        program
    }

    fn build(&self, env: &Env) -> Program {
        let inner = &*self.inner;
        let hidden = |name: &str| env.root_type(name).is_some();
        let tree = if inner.called.iter().any(|name| hidden(name)) {
            parser::parse(&inner.source, &hidden).map_err(|f| f.place(Stage::Parse, &inner.source))?
        } else {
            inner.tree.clone()
        };
        check::check(&tree, env).map_err(|f| f.place(Stage::Check, &inner.source))?;
        fold::fold(tree)
            .map(Arc::new)
            .map_err(|f| f.place(Stage::Check, &inner.source))
    }
}
