//! The static check: names must be known, operators must fit the types that are known. Its errors are part of the
//! language. The rules of operators are in `check_ops`, of calls in `check_calls`.

use super::ast::{Builtin, Kind, Member, Node, Slice};
use super::error::Fault;
use super::types::Type;
use super::{check_calls, check_ops, methods, names};
use crate::builtins;

/// What the check knows of the variables: the type of a top-level name, if there is one.
pub trait Names {
    fn lookup(&self, name: &str) -> Option<Type>;

    /// The type behind a dotted name. The language knows nothing below a top-level name; a linter does.
    fn member(&self, _path: &str) -> Option<Type> {
        None
    }
}

pub struct Checker<'a> {
    pub names: &'a dyn Names,
    variables: Vec<(String, Type)>,
    closures: Vec<Closure>,
}

/// What a closure works on, and its named pointers.
struct Closure {
    collection: Type,
    pointers: &'static [(&'static str, Type)],
}

/// The type of the functions whose arguments are judged by rules of their own.
const ANY_FUNCTION: Type = Type::Named("func(...interface {}) (interface {}, error)");

/// A type, or the first thing that does not fit.
pub type Checked = Result<Type, Fault>;

/// Checks a whole expression and gives its type.
///
/// # Errors
/// The first rule that is broken, in the order of the text.
pub fn check(node: &Node, names: &dyn Names) -> Checked {
    Checker {
        names,
        variables: Vec::new(),
        closures: Vec::new(),
    }
    .visit(node)
}

impl Checker<'_> {
    pub fn visit(&mut self, node: &Node) -> Checked {
        Ok(match &node.kind {
            Kind::Nil => Type::Nil,
            Kind::Bool(_) => Type::Bool,
            Kind::Int(_) => Type::Int,
            Kind::Float(_) => Type::Float,
            Kind::Str(_) => Type::Str,
            Kind::Constant(v) => Type::of(v),
            Kind::Name(name) => self.name(node, name)?,
            Kind::Unary(op, operand) => {
                let t = self.visit(operand)?;
                check_ops::unary(node, op, &t)?
            }
            Kind::Binary(op, left, right) => {
                let l = self.visit(left)?;
                let r = self.visit(right)?;
                check_ops::binary(node, *op, right, &l, &r)?
            }
            Kind::Chain(inner) => self.visit(inner)?,
            Kind::Member(member) => self.member(node, member)?,
            Kind::Slice(slice) => self.slice(node, slice)?,
            Kind::Call(call) => check_calls::call(self, node, call)?,
            Kind::Builtin(builtin) => self.builtin(node, builtin)?,
            Kind::Predicate(body) => self.visit(body)?,
            Kind::Pointer(name) => self.pointer(node, name)?,
            Kind::Conditional(parts) => self.conditional(parts)?,
            Kind::Let(declared) => {
                self.redeclared(node, &declared.name)?;
                let t = self.visit(&declared.value)?;
                self.variables.push((declared.name.clone(), t));
                let body = self.visit(&declared.body)?;
                self.variables.pop();
                body
            }
            Kind::Sequence(nodes) => {
                let mut last = Type::Unknown;
                for n in nodes {
                    last = self.visit(n)?;
                }
                last
            }
            Kind::Array(items) => self.array(items)?,
            Kind::Map(pairs) => {
                for (key, value) in pairs {
                    self.visit(key)?;
                    self.visit(value)?;
                }
                Type::MAP
            }
        })
    }

    fn name(&mut self, node: &Node, name: &str) -> Checked {
        if let Some((_, t)) = self.variables.iter().rev().find(|(n, _)| n == name) {
            return Ok(t.clone());
        }
        if name == "$env" {
            return Ok(Type::Unknown);
        }
        self.identifier(node, name, true, true)
    }

    fn identifier(&self, node: &Node, name: &str, strict: bool, functions: bool) -> Checked {
        if let Some(t) = self.names.lookup(name) {
            return Ok(t);
        }
        if functions && builtins::known(name).is_some() {
            return Ok(match builtins::rule(name) {
                builtins::Rule::Types([first, ..]) => Type::Signature(first),
                _ => ANY_FUNCTION,
            });
        }
        if functions && builtins::closure_shape(name).is_some() {
            return Ok(ANY_FUNCTION);
        }
        if strict {
            let mut fault = Fault::new(node.at, format!("unknown name {name}"));
            fault.unknown = Some(name.to_owned());
            return Err(fault);
        }
        Ok(Type::Unknown)
    }

    fn redeclared(&self, node: &Node, name: &str) -> Result<(), Fault> {
        let what = if self.names.lookup(name).is_some() {
            ""
        } else if builtins::known(name).is_some() || builtins::closure_shape(name).is_some() {
            "builtin "
        } else if self.variables.iter().any(|(n, _)| n == name) {
            "variable "
        } else {
            return Ok(());
        };
        Err(Fault::new(node.at, format!("cannot redeclare {what}{name}")))
    }

    fn member(&mut self, node: &Node, member: &Member) -> Checked {
        if matches!(&member.node.kind, Kind::Name(n) if n == "$env") {
            return match member.name() {
                Some(name) => self.identifier(node, &name.lossy(), !member.optional, false),
                None => Ok(Type::Unknown),
            };
        }
        let base = self.visit(&member.node)?;
        let property = self.visit(&member.property)?;
        if let Some(path) = names::chain(node)
            && !self.variables.iter().any(|(own, _)| names::is_root(own, &path))
            && let Some(t) = self.names.member(&path)
        {
            return Ok(t);
        }
        if base.is_unknown() {
            return Ok(Type::Unknown);
        }
        if let Some(name) = member.name() {
            if base.is_nil() {
                return Err(Fault::new(node.at, format!("type nil has no field {name}")));
            }
            if let Some(t) = methods::method_type(&base, &name.lossy()) {
                return Ok(t);
            }
        }
        match &base {
            Type::Map(_) | Type::AnyMap(_) => {
                let any_key = matches!(base, Type::AnyMap(_));
                if !any_key && !property.is_unknown() && !property.is_str() {
                    let message = format!(
                        "cannot use {} to get an element from {}",
                        property.name(),
                        base.name()
                    );
                    return Err(Fault::new(member.property.at, message));
                }
                Ok(base.element())
            }
            Type::List(..) | Type::Bytes => {
                if !property.is_integer() && !property.is_unknown() {
                    let message = format!(
                        "array elements can only be selected using an integer (got {})",
                        property.name()
                    );
                    return Err(Fault::new(member.property.at, message));
                }
                Ok(base.element())
            }
            _ => {
                let Some(name) = member.name() else {
                    let message = format!("type {}[{}] is undefined", base.name(), property.name());
                    return Err(Fault::new(node.at, message));
                };
                if let Some(t) = methods::field_type(&base, &name.lossy()) {
                    return Ok(t);
                }
                let what = if member.method { "method" } else { "field" };
                Err(Fault::new(
                    node.at,
                    format!("type {} has no {what} {name}", base.name()),
                ))
            }
        }
    }

    fn slice(&mut self, node: &Node, slice: &Slice) -> Checked {
        let base = self.visit(&slice.node)?;
        if !(base.is_unknown() || base.is_str() || base.is_list()) {
            return Err(Fault::new(
                node.at,
                format!("cannot slice {}", base.pointer_name()),
            ));
        }
        for bound in [&slice.from, &slice.to].into_iter().flatten() {
            let t = self.visit(bound)?;
            if !t.is_integer() && !t.is_unknown() && !base.is_unknown() {
                return Err(Fault::new(
                    bound.at,
                    format!("non-integer slice index {}", t.name()),
                ));
            }
        }
        Ok(base)
    }

    fn pointer(&self, node: &Node, name: &str) -> Checked {
        let Some(scope) = self.closures.last() else {
            return Err(Fault::new(
                node.at,
                "cannot use pointer accessor outside predicate",
            ));
        };
        if name.is_empty() {
            return Ok(scope.collection.element());
        }
        match scope.pointers.iter().find(|(n, _)| *n == name) {
            Some((_, t)) => Ok(t.clone()),
            None => Err(Fault::new(node.at, format!("unknown pointer #{name}"))),
        }
    }

    fn conditional(&mut self, parts: &[Node; 3]) -> Checked {
        let [condition, yes, no] = parts;
        let t = self.visit(condition)?;
        if !t.is_bool() && !t.is_unknown() {
            let message = format!("non-bool expression (type {}) used as condition", t.name());
            return Err(Fault::new(condition.at, message));
        }
        let a = self.visit(yes)?;
        let b = self.visit(no)?;
        Ok(match (a.is_nil(), b.is_nil()) {
            (true, _) => b,
            (false, true) => a,
            _ if a.assignable_to(&b) => a,
            _ => Type::Unknown,
        })
    }

    fn array(&mut self, items: &[Node]) -> Checked {
        let mut same = true;
        let mut previous: Option<Type> = None;
        for item in items {
            let t = self.visit(item)?;
            if let Some(p) = &previous {
                same &= p.kind() == t.kind();
            }
            previous = Some(t);
        }
        Ok(match previous {
            Some(t) if same => Type::list_of(t),
            _ => Type::LIST,
        })
    }

    /// Checks a closure's body with the collection it works on.
    fn closure(
        &mut self,
        collection: &Type,
        pointers: &'static [(&'static str, Type)],
        body: &Node,
    ) -> Checked {
        self.closures.push(Closure {
            collection: collection.clone(),
            pointers,
        });
        let t = self.visit(body);
        self.closures.pop();
        t
    }

    fn builtin(&mut self, node: &Node, builtin: &Builtin) -> Checked {
        if builtins::closure_shape(builtin.name).is_some() {
            return self.closure_builtin(builtin);
        }
        if builtin.name == "get" {
            return check_calls::get(self, node, &builtin.args);
        }
        check_calls::function(self, node, builtin.name, &builtin.args)
    }

    fn closure_builtin(&mut self, builtin: &Builtin) -> Checked {
        const INDEX: &[(&str, Type)] = &[("index", Type::Int)];
        const REDUCE: &[(&str, Type)] = &[("index", Type::Int), ("acc", Type::Unknown)];
        let name = builtin.name;
        let Some(first) = builtin.args.first() else {
            return Ok(Type::Unknown);
        };
        let collection = self.visit(first)?;
        if !collection.is_list() && !collection.is_unknown() {
            let message = format!("builtin {name} takes only array (got {})", collection.name());
            return Err(Fault::new(first.at, message));
        }
        let element = collection.element();
        let Some(body) = builtin.args.get(1) else {
            return Ok(if name == "sum" { element } else { Type::Int });
        };
        let pointers = match name {
            "map" => INDEX,
            "reduce" => REDUCE,
            _ => &[],
        };
        let result = self.closure(&collection, pointers, body)?;
        for extra in builtin.args.iter().skip(2) {
            let t = self.visit(extra)?;
            if name == "sortBy" && !t.is_str() && !t.is_unknown() {
                let message = format!("sortBy order argument must be a string (got {})", t.name());
                return Err(Fault::new(extra.at, message));
            }
        }
        if result.is_nil() && name == "sum" {
            let message =
                "cannot use func(interface {}) as argument (type func(interface {}) bool) to call sum ";
            return Err(Fault::new(body.at, message));
        }
        if result.is_nil() {
            let inputs = if name == "reduce" { "two" } else { "one" };
            let message = format!("predicate should has {inputs} input and one output param");
            return Err(Fault::new(body.at, message));
        }
        let wants_bool = !matches!(name, "map" | "sum" | "groupBy" | "sortBy" | "reduce");
        if wants_bool && !result.is_bool() && !result.is_unknown() {
            let message = format!("predicate should return boolean (got {})", result.name());
            return Err(Fault::new(body.at, message));
        }
        Ok(match name {
            "all" | "none" | "any" | "one" => Type::Bool,
            "count" | "findIndex" | "findLastIndex" => Type::Int,
            "find" | "findLast" => element,
            "map" => Type::list_of(result),
            "filter" | "sortBy" if collection.is_unknown() => Type::LIST,
            "filter" | "sortBy" => Type::list_of(element),
            "groupBy" => Type::AnyMap(true),
            "sum" => result,
            _ => Type::Unknown,
        })
    }
}
