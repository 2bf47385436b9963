//! The environment of an expression: flat dotted names made into nested maps, and the functions beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expr::check::Names;
use crate::expr::types::Type;
use crate::scope::{SWITCHED_OFF, Scope};
use crate::text::Text;
use crate::value::json::from_scope;
use crate::value::{Func, Map, Value};

/// Top-level names and their values.
#[derive(Clone, Debug, Default)]
pub struct Env {
    roots: BTreeMap<String, Value>,
    functions: bool,
}

impl Env {
    /// Nests the names of a scope (C-EXP-02): `a.b.c` is reached as members of `a`; where a name is both a value
    /// and a parent of others, the value is dropped. `asInt`, `asFloat`, `jsonpath`, `toJson` and `sprig` are there
    /// beside the variables and win over them. `roots` limits the work to the top-level names that are needed.
    #[must_use]
    pub fn of(scope: &dyn Scope, roots: Option<&[String]>) -> Self {
        let mut tree = Tree::default();
        match roots {
            None => scope.each("", &mut |name, value| {
                if name != SWITCHED_OFF {
                    tree.insert(name, value);
                }
            }),
            Some(roots) => {
                for root in roots {
                    if let Some(value) = scope.get(root) {
                        tree.insert(root, value);
                    }
                    scope.each(&format!("{root}."), &mut |name, value| tree.insert(name, value));
                }
            }
        }
        let roots = tree
            .children
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.value()))
            .collect();
        Self {
            roots,
            functions: true,
        }
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

    /// Whether any text in it contains `needle`.
    #[must_use]
    pub fn any_text(&self, needle: &str) -> bool {
        fn within(v: &Value, needle: &str) -> bool {
            match v {
                Value::Str(s) => s.lossy().contains(needle),
                Value::Map(m) => m.entries.values().any(|v| within(v, needle)),
                _ => false,
            }
        }
        self.roots.values().any(|v| within(v, needle))
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

/// Names being nested.
#[derive(Default)]
struct Tree<'a> {
    value: Option<&'a serde_json::Value>,
    children: BTreeMap<&'a str, Tree<'a>>,
}

impl<'a> Tree<'a> {
    fn insert(&mut self, name: &'a str, value: &'a serde_json::Value) {
        let mut at = self;
        for part in name.split('.') {
            at = at.children.entry(part).or_default();
        }
        at.value = Some(value);
    }

    fn value(self) -> Value {
        if self.children.is_empty() {
            return self.value.map_or(Value::Nil, from_scope);
        }
        let entries = self
            .children
            .into_iter()
            .map(|(k, v)| (Text::from(k), v.value()))
            .collect::<BTreeMap<_, _>>();
        Value::Map(Arc::new(Map {
            of_text: false,
            entries,
        }))
    }
}
