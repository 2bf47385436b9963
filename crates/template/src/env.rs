//! The environment of an expression: flat dotted names made into nested maps, and the functions beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expr::check::Names;
use crate::expr::names::is_root;
use crate::expr::types::Type;
use crate::scope::{SWITCHED_OFF, Scope};
use crate::text::Text;
use crate::value::json::from_scope;
use crate::value::{Func, Value};

/// Top-level names and their values.
#[derive(Clone, Debug, Default)]
pub struct Env {
    roots: BTreeMap<String, Value>,
    functions: bool,
}

impl Env {
    /// Nests the names of a scope (C-EXP-02): `a.b.c` is reached as members of `a`; where a name is both a value
    /// and a parent of others, the value is dropped. `asInt`, `asFloat`, `jsonpath`, `toJson` and `sprig` are there
    /// beside the variables and win over them.
    #[must_use]
    pub fn of(scope: &dyn Scope) -> Self {
        let mut tree = Tree::default();
        scope.each("", &mut |name, value| {
            if name != SWITCHED_OFF {
                tree.insert(name, Some(value));
            }
        });
        tree.env()
    }

    /// What an expression can see of a scope. Values that it does not read are not copied: only their names are there.
    #[must_use]
    pub fn reading(scope: &dyn Scope, reads: &Reads) -> Self {
        let mut tree = Tree::default();
        for root in &reads.roots {
            if let Some(value) = scope.get(&root.name) {
                tree.insert(&root.name, Some(value));
            }
            scope.each(&root.prefix, &mut |name, value| {
                tree.insert(name, reads.reads(name).then_some(value));
            });
        }
        tree.env()
    }

    /// An environment of exactly these values, without functions.
    #[must_use]
    pub fn bare(roots: BTreeMap<String, Value>) -> Self {
        Self {
            roots,
            functions: false,
        }
    }

    /// An environment of exactly these values and the functions.
    #[must_use]
    pub fn with_functions(roots: BTreeMap<String, Value>) -> Self {
        Self {
            roots,
            functions: true,
        }
    }

    /// The value of a top-level name.
    #[must_use]
    pub fn root(&self, name: &str) -> Option<Value> {
        if self.functions
            && let Some(f) = function(name)
        {
            return Some(f);
        }
        self.roots.get(name).cloned()
    }

    /// The variable of a top-level name, where it lies.
    pub(crate) fn place(&self, name: &str) -> Option<&Value> {
        if self.functions && FUNCTIONS.contains(&name) {
            return None;
        }
        self.roots.get(name)
    }

    /// The type of a top-level name, without copying its value.
    #[must_use]
    pub fn root_type(&self, name: &str) -> Option<Type> {
        if self.functions {
            match name {
                "asInt" => return Some(Type::Func(Func::AsInt)),
                "asFloat" => return Some(Type::Func(Func::AsFloat)),
                "jsonpath" => return Some(Type::Func(Func::JsonPath)),
                "toJson" => return Some(Type::Func(Func::ToJson)),
                "sprig" => return Some(Type::MAP),
                _ => {}
            }
        }
        self.roots.get(name).map(Type::of)
    }

    /// `$env`: all of it as one map.
    #[must_use]
    pub fn everything(&self) -> Value {
        let mut all: BTreeMap<Text, Value> = self
            .roots
            .iter()
            .map(|(k, v)| (Text::from(k.as_str()), v.clone()))
            .collect();
        if self.functions {
            for name in FUNCTIONS {
                if let Some(f) = function(name) {
                    all.insert(name.into(), f);
                }
            }
        }
        Value::map(all)
    }
}

impl Names for Env {
    fn lookup(&self, name: &str) -> Option<Type> {
        self.root_type(name)
    }
}

/// Functions beside the variables that are values themselves.
const FUNCTIONS: [&str; 5] = ["asFloat", "asInt", "jsonpath", "sprig", "toJson"];

/// Whether a dotted name is that of a function beside the variables: `asInt`, `sprig.trim`.
#[must_use]
pub fn is_function(name: &str) -> bool {
    match name.strip_prefix("sprig.") {
        Some(name) => crate::sprig::namespace().entries.contains_key(name.as_bytes()),
        None => FUNCTIONS.contains(&name),
    }
}

/// The dotted names of these functions and the names of built-in ones, for messages.
pub(crate) fn functions() -> Vec<String> {
    let sprig = crate::sprig::namespace().entries.keys();
    FUNCTIONS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(sprig.map(|name| format!("sprig.{name}")))
        .chain(crate::builtins::all_names().map(ToOwned::to_owned))
        .collect()
}

fn function(name: &str) -> Option<Value> {
    Some(match name {
        "asInt" => Value::Func(Func::AsInt),
        "asFloat" => Value::Func(Func::AsFloat),
        "jsonpath" => Value::Func(Func::JsonPath),
        "toJson" => Value::Func(Func::ToJson),
        "sprig" => Value::Map(Arc::clone(crate::sprig::namespace())),
        _ => return None,
    })
}

/// What of a scope an expression can read.
#[derive(Clone, Debug)]
pub struct Reads {
    roots: Vec<Root>,
    chains: Vec<String>,
}

#[derive(Clone, Debug)]
struct Root {
    name: String,
    /// What names below it start with.
    prefix: String,
}

impl Reads {
    /// By top-level names, and the dotted names that are read of them, as far as their parts are constant.
    pub(crate) fn new(roots: impl IntoIterator<Item = String>, chains: Vec<String>) -> Self {
        let root = |name: String| Root {
            prefix: format!("{name}."),
            name,
        };
        Self {
            roots: roots.into_iter().map(root).collect(),
            chains,
        }
    }

    /// Whether the value of a name can matter: what is read is it, is in it, or holds it.
    fn reads(&self, name: &str) -> bool {
        self.chains.iter().any(|c| is_root(c, name) || is_root(name, c))
    }
}

/// Names being nested.
#[derive(Default)]
struct Tree<'a> {
    value: Option<&'a serde_json::Value>,
    children: BTreeMap<&'a str, Tree<'a>>,
}

impl<'a> Tree<'a> {
    fn insert(&mut self, name: &'a str, value: Option<&'a serde_json::Value>) {
        let mut at = self;
        for part in name.split('.') {
            at = at.children.entry(part).or_default();
        }
        at.value = value;
    }

    fn env(self) -> Env {
        let roots = self.children.into_iter().map(|(k, v)| (k.to_owned(), v.value()));
        Env {
            roots: roots.collect(),
            functions: true,
        }
    }

    fn value(self) -> Value {
        if self.children.is_empty() {
            return self.value.map_or(Value::Nil, from_scope);
        }
        let entries = self.children.into_iter().map(|(k, v)| (Text::from(k), v.value()));
        Value::map(entries)
    }
}
