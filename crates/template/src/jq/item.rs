//! Values on their way through a filter, with the paths they came by, and the names in force.

use std::rc::Rc;

use super::ast::{Ast, Function};
use super::value::{Members, Val};
use super::{Flow, Stop};

/// What is handed to whoever wants results.
pub type Out<'o> = &'o mut dyn FnMut(Item) -> Flow;

/// A value on its way, with the path it came by when somebody wants paths.
#[derive(Clone, Debug)]
pub struct Item {
    pub val: Val,
    pub path: Track,
}

/// Where a value stands in the document.
#[derive(Clone, Debug)]
pub enum Track {
    /// Nobody asked.
    Off,
    /// At these keys.
    At(Path),
    /// Nowhere: it was computed.
    Lost,
}

/// Keys, the last one first.
pub type Path = Option<Rc<Step>>;

#[derive(Debug)]
pub struct Step {
    key: Val,
    before: Path,
}

impl Item {
    pub fn off(val: Val) -> Self {
        Self {
            val,
            path: Track::Off,
        }
    }

    /// The same place with a value that was computed.
    pub fn computed(&self, val: Val) -> Self {
        let path = match self.path {
            Track::Off => Track::Off,
            _ => Track::Lost,
        };
        Self { val, path }
    }

    /// A child of this value.
    ///
    /// # Errors
    /// When this value stands nowhere but paths are wanted.
    pub fn child(&self, key: &Val, val: Val) -> Flow<Self> {
        let path = match &self.path {
            Track::Off => Track::Off,
            Track::At(before) => Track::At(Some(Rc::new(Step {
                key: key.clone(),
                before: before.clone(),
            }))),
            Track::Lost => return Err(self.nowhere()),
        };
        Ok(Self { val, path })
    }

    fn nowhere(&self) -> Stop {
        Stop::error(format!("invalid path against: {}", self.val.describe()))
    }

    /// The keys that lead to it.
    ///
    /// # Errors
    /// When it stands nowhere.
    pub fn keys(&self) -> Flow<Vec<Val>> {
        let Track::At(path) = &self.path else {
            return Err(self.nowhere());
        };
        let mut keys = Vec::new();
        let mut at = path;
        while let Some(step) = at {
            keys.push(step.key.clone());
            at = &step.before;
        }
        keys.reverse();
        Ok(keys)
    }
}

/// Names in force, the innermost first.
pub type Env<'a> = Option<Rc<Link<'a>>>;

/// One name, and those outside.
#[derive(Debug)]
pub struct Link<'a> {
    pub bound: Bound<'a>,
    pub outer: Env<'a>,
}

/// What a name stands for.
#[derive(Debug)]
pub enum Bound<'a> {
    Variable(&'a str, Val),
    Function(&'a Function),
    /// An argument: a filter where it was written.
    Argument(&'a str, &'a Ast, Env<'a>),
    Label(&'a str, u64),
}

/// One more name.
pub fn bind<'a>(env: &Env<'a>, bound: Bound<'a>) -> Env<'a> {
    Some(Rc::new(Link {
        bound,
        outer: env.clone(),
    }))
}

/// An empty set of names with one more variable.
pub fn with_variable<'a>(env: &Env<'a>, name: &'a str, value: Val) -> Env<'a> {
    bind(env, Bound::Variable(name, value))
}

/// The value of a variable.
pub fn variable(env: &Env<'_>, name: &str) -> Val {
    let mut at = env;
    while let Some(link) = at {
        match &link.bound {
            Bound::Variable(known, v) if *known == name => return v.clone(),
            _ => at = &link.outer,
        }
    }
    // The only one that nobody binds is `$ENV`, in which there is nothing: filters don't see this machine.
    Val::object(Members::new()).unwrap_or(Val::Null)
}

/// What a `break` to this label carries.
pub fn label(env: &Env<'_>, name: &str) -> u64 {
    let mut at = env;
    while let Some(link) = at {
        match &link.bound {
            Bound::Label(known, id) if *known == name => return *id,
            _ => at = &link.outer,
        }
    }
    0
}
