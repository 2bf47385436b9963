//! Walks the tree and computes the value. Memory and steps are bounded; closures are in `closures`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Builtin, Call, Kind, Member, Node, Op};
use super::closures;
use super::error::Fault;
use super::ops;
use crate::builtins;
use crate::env::Env;
use crate::regexp;
use crate::text::Text;
use crate::value::{Element, Func, Value};

/// Elements that a run may make in lists, maps and repeated texts, as in the original.
pub const MEMORY: u64 = 1_000_000;

/// Nodes that a run may visit: some seconds at worst, so that no expression can hang its caller.
pub const STEPS: u64 = 10_000_000;

/// How many bytes a text may have that a run makes.
const TEXT: usize = 64 << 20;

/// How much work it is to go through a value once, in steps; what is inside its elements is not counted.
#[must_use]
pub fn size(v: &Value) -> u64 {
    let size = match v {
        Value::Str(s) => s.bytes().len() / 64,
        Value::Bytes(b) => b.len() / 64,
        Value::List(l) => l.items.len() / 16,
        Value::Map(m) => m.entries.len() / 8,
        Value::AnyMap(m) => m.entries.len() / 8,
        _ => 0,
    };
    size as u64
}

/// Why the walk stopped.
#[derive(Debug)]
pub enum Stop {
    /// Boxed, because the value of every node is moved in one piece with it.
    Fault(Box<Fault>),
    /// An optional access met nil: the enclosing chain is nil.
    Nil,
}

impl From<Fault> for Stop {
    fn from(f: Fault) -> Self {
        Self::Fault(Box::new(f))
    }
}

pub type Run = Result<Value, Stop>;

/// The state of one run.
pub struct Machine<'a> {
    env: &'a Env,
    variables: Vec<(&'a str, Value)>,
    pub closures: Vec<Frame>,
    memory: u64,
    steps: u64,
}

/// Where a closure is.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The element, or why there is none: only closures that look at it fail.
    pub item: Result<Value, &'static str>,
    pub index: usize,
    pub acc: Value,
}

/// Runs an expression.
///
/// # Errors
/// What fails while it runs, with its place.
pub fn run(node: &Node, env: &Env) -> Result<Value, Fault> {
    let mut machine = Machine {
        env,
        variables: Vec::new(),
        closures: Vec::new(),
        memory: 0,
        steps: 0,
    };
    match machine.eval(node) {
        Ok(v) => Ok(v),
        Err(Stop::Nil) => Ok(Value::Nil),
        Err(Stop::Fault(f)) => Err(*f),
    }
}

fn fault(node: &Node, message: impl Into<String>) -> Stop {
    Fault::new(node.at, message).into()
}

/// What Go says when a value is not of the type that is needed.
#[must_use]
pub fn conversion(v: &Value, wanted: &str) -> String {
    let given = if matches!(v, Value::Nil) {
        "nil".to_owned()
    } else {
        v.type_name()
    };
    format!("interface conversion: interface {{}} is {given}, not {wanted}")
}

impl<'a> Machine<'a> {
    /// Counts elements against the memory budget.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn grow(&mut self, elements: u64) -> Result<(), String> {
        self.memory = self.memory.saturating_add(elements);
        if self.memory >= MEMORY {
            Err("memory budget exceeded".into())
        } else {
            Ok(())
        }
    }

    /// Counts work beyond the visit of a node.
    ///
    /// # Errors
    /// When there was too much.
    pub fn work(&mut self, steps: u64) -> Result<(), String> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > STEPS {
            return Err(format!("expression takes more than {STEPS} steps"));
        }
        Ok(())
    }

    /// Counts the work of a function by what goes in and comes out, and refuses texts that are too long.
    fn counted(&mut self, args: &[Value], outcome: Result<Value, String>) -> Result<Value, String> {
        let result = outcome?;
        self.work(args.iter().map(size).sum::<u64>() + size(&result))?;
        match &result {
            Value::Str(s) if s.bytes().len() > TEXT => {
                Err(format!("expression makes a text of more than {TEXT} bytes"))
            }
            _ => Ok(result),
        }
    }

    /// The value of a node. What costs nothing to find is found without a call.
    #[inline]
    pub fn eval(&mut self, node: &'a Node) -> Run {
        match &node.kind {
            Kind::Nil => Ok(Value::Nil),
            Kind::Bool(b) => Ok(Value::Bool(*b)),
            Kind::Int(i) => Ok(Value::Int(*i)),
            Kind::Float(f) => Ok(Value::Float(*f)),
            Kind::Str(s) => Ok(Value::Str(s.clone())),
            Kind::Predicate(body) => self.compute(body),
            _ => self.compute(node),
        }
    }

    fn compute(&mut self, node: &'a Node) -> Run {
        self.work(1).map_err(|m| fault(node, m))?;
        match &node.kind {
            Kind::Nil | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Str(_) | Kind::Predicate(_) => {
                self.eval(node)
            }
            Kind::Constant(v) => Ok(v.clone()),
            Kind::Name(name) => Ok(self.name(name)),
            Kind::Unary(op, operand) => self.unary(node, op, operand),
            Kind::Binary(op, l, r) => self.binary(node, *op, l, r),
            Kind::Chain(inner) => match self.eval(inner) {
                Err(Stop::Nil) => Ok(Value::Nil),
                Ok(v) if v.is_nil() => Ok(Value::Nil),
                other => other,
            },
            Kind::Member(member) => self.member(node, member),
            Kind::Slice(slice) => {
                let base = self.eval(&slice.node)?;
                let to = slice.to.as_ref().map(|n| self.eval(n)).transpose()?;
                let from = slice.from.as_ref().map(|n| self.eval(n)).transpose()?;
                ops::slice(&base, from.as_ref(), to.as_ref()).map_err(|m| fault(node, m))
            }
            Kind::Call(call) => self.call(node, call),
            Kind::Builtin(builtin) => self.builtin(node, builtin),
            Kind::Pointer(name) => self.pointer(node, name),
            Kind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let c = self.eval(condition)?;
                let Value::Bool(c) = c else {
                    return Err(fault(node, conversion(&c, "bool")));
                };
                self.eval(if c { yes } else { no })
            }
            Kind::Let(declared) => {
                let v = self.eval(&declared.value)?;
                self.variables.push((&declared.name, v));
                let result = self.eval(&declared.body);
                self.variables.pop();
                result
            }
            Kind::Sequence(nodes) => {
                let mut last = Value::Nil;
                for n in nodes {
                    last = self.eval(n)?;
                }
                Ok(last)
            }
            Kind::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    values.push(self.eval(item)?);
                }
                self.grow(values.len() as u64).map_err(|m| fault(node, m))?;
                Ok(Value::list(values))
            }
            Kind::Map(pairs) => self.map(node, pairs),
        }
    }

    fn name(&self, name: &str) -> Value {
        if let Some((_, v)) = self.variables.iter().rev().find(|(n, _)| *n == name) {
            return v.clone();
        }
        if name == "$env" {
            return self.env.everything();
        }
        self.env.root(name).unwrap_or(Value::Nil)
    }

    fn map(&mut self, node: &Node, pairs: &'a [(Node, Node)]) -> Run {
        let mut entries: BTreeMap<Text, Value> = BTreeMap::new();
        for (key, value) in pairs {
            let k = self.eval(key)?;
            let v = self.eval(value)?;
            let Value::Str(k) = k else {
                return Err(fault(node, conversion(&k, "string")));
            };
            entries.insert(k, v);
        }
        self.grow(pairs.len() as u64).map_err(|m| fault(node, m))?;
        Ok(Value::map(entries))
    }

    fn unary(&mut self, node: &Node, op: &str, operand: &'a Node) -> Run {
        let v = self.eval(operand)?;
        match op {
            "-" => ops::negate(&v).map_err(|m| fault(node, m)),
            "+" => Ok(v),
            _ => match v {
                Value::Bool(b) => Ok(Value::Bool(!b)),
                other => Err(fault(node, conversion(&other, "bool"))),
            },
        }
    }

    fn binary(&mut self, node: &Node, op: Op, left: &'a Node, right: &'a Node) -> Run {
        let l = match (op, self.eval(left)) {
            (Op::Coalesce, Ok(v)) if v.is_nil() => return self.eval(right),
            (Op::Coalesce, other) => return other,
            (_, other) => other?,
        };
        if let Op::Or(_) | Op::And(_) = op {
            let Value::Bool(b) = l else {
                return Err(fault(node, conversion(&l, "bool")));
            };
            return if b == matches!(op, Op::Or(_)) {
                Ok(Value::Bool(b))
            } else {
                self.eval(right)
            };
        }
        let r = self.eval(right)?;
        if let (Value::Int(l), Value::Int(r)) = (&l, &r)
            && let Some(value) = ops::integers(op, *l, *r)
        {
            return Ok(value);
        }
        let wrap = |b: Result<bool, String>| b.map(Value::Bool);
        let outcome = match op {
            Op::Eq => Ok(Value::Bool(ops::equal(&l, &r))),
            Op::Ne => Ok(Value::Bool(!ops::equal(&l, &r))),
            Op::Lt | Op::Gt | Op::Le | Op::Ge => wrap(ops::order(op, &l, &r)),
            Op::In => wrap(ops::contains(&l, &r)),
            Op::Matches | Op::Contains | Op::StartsWith | Op::EndsWith => wrap(texts(op, &l, &r)),
            Op::Range => self.range(&l, &r),
            _ => ops::arithmetic(op, &l, &r),
        };
        let outcome = self.counted(&[l, r], outcome);
        outcome.map_err(|m| fault(node, m))
    }

    fn range(&mut self, from: &Value, to: &Value) -> Result<Value, String> {
        let (a, b) = (ops::to_int(from)?, ops::to_int(to)?);
        let size = i128::from(b) - i128::from(a) + 1;
        let size = u64::try_from(size.max(0)).unwrap_or(u64::MAX);
        self.grow(size)?;
        Ok(Value::list_of(Element::Int, (a..=b).map(Value::Int).collect()))
    }

    /// The value of a chain of names, where it lies, when everything on the way is a map that has the name.
    fn place(&self, node: &Node) -> Option<&Value> {
        match &node.kind {
            Kind::Name(name) => match self.variables.iter().rev().find(|(n, _)| n == name) {
                Some((_, value)) => Some(value),
                None => self.env.place(name),
            },
            Kind::Pointer(name) if name.is_empty() => self.closures.last()?.item.as_ref().ok(),
            Kind::Member(member) => match self.place(&member.node)? {
                Value::Map(map) => map.entries.get(member.name()?.bytes()),
                _ => None,
            },
            _ => None,
        }
    }

    fn member(&mut self, node: &Node, member: &'a Member) -> Run {
        if let Some(value) = self.place(node) {
            return Ok(value.clone());
        }
        let base = self.eval(&member.node)?;
        if member.optional && base.is_nil() {
            return Err(Stop::Nil);
        }
        let key = self.eval(&member.property)?;
        ops::fetch(&base, &key).map_err(|m| {
            // The ends of a filtered list are looked for without making the list, and missed in other words.
            let filtered = matches!(&member.node.kind, Kind::Builtin(b) if b.name == "filter");
            let end = matches!(member.property.kind, Kind::Int(0 | -1));
            fault(
                node,
                if filtered && end {
                    "reflect: slice index out of range".to_owned()
                } else {
                    m
                },
            )
        })
    }

    fn call(&mut self, node: &Node, call: &'a Call) -> Run {
        // A method is found by name on the value itself; everything else is a value that can be called.
        if let Kind::Member(member) = &call.callee.kind
            && let Some(name) = member.name()
        {
            let mut args = Vec::with_capacity(call.args.len());
            for arg in &call.args {
                args.push(self.eval(arg)?);
            }
            let base = self.eval(&member.node)?;
            if member.optional && base.is_nil() {
                return Err(Stop::Nil);
            }
            if let Some(v) = ops::method(&base, &name.lossy(), &args).map_err(|m| fault(node, m))? {
                return Ok(v);
            }
            let key = Value::Str(name.clone());
            let callee = ops::fetch(&base, &key).map_err(|m| fault(&call.callee, m))?;
            return self.invoke(node, &callee, &args);
        }
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            args.push(self.eval(arg)?);
        }
        let callee = self.eval(&call.callee)?;
        self.invoke(node, &callee, &args)
    }

    fn invoke(&mut self, node: &Node, callee: &Value, args: &[Value]) -> Run {
        let outcome = match callee {
            Value::Func(Func::AsInt) => one(args).and_then(builtins::numbers::int),
            Value::Func(Func::AsFloat) => one(args).and_then(builtins::numbers::float),
            Value::Func(Func::JsonPath) => builtins::json::jsonpath(args),
            Value::Func(Func::ToJson) => one(args).and_then(builtins::json::compact),
            Value::Func(Func::Sprig(at)) => self
                .work(crate::sprig::work(*at, args))
                .and_then(|()| crate::sprig::call(*at, args)),
            Value::Method(m) => super::methods::invoke(&m.on, m.name, m.signature, args),
            Value::Nil => Err("invalid operation: cannot call nil".into()),
            other => Err(format!(
                "invalid operation: cannot call non-function of type {}",
                other.type_name()
            )),
        };
        let outcome = self.counted(args, outcome);
        outcome.map_err(|m| fault(node, m))
    }

    fn builtin(&mut self, node: &Node, builtin: &'a Builtin) -> Run {
        let Some(function) = builtin.function else {
            return closures::run(self, node, builtin);
        };
        if let [only] = builtin.args.as_slice() {
            let only = [self.eval(only)?];
            let outcome = function(self, builtin.name, &only);
            return self.counted(&only, outcome).map_err(|m| fault(node, m));
        }
        let mut args = Vec::with_capacity(builtin.args.len());
        for arg in &builtin.args {
            args.push(self.eval(arg)?);
        }
        let outcome = function(self, builtin.name, &args);
        let outcome = self.counted(&args, outcome);
        outcome.map_err(|m| fault(node, m))
    }

    fn pointer(&self, node: &Node, name: &str) -> Run {
        let Some(frame) = self.closures.last() else {
            return Err(fault(node, "cannot use pointer accessor outside predicate"));
        };
        Ok(match name {
            "" => match &frame.item {
                Ok(item) => item.clone(),
                Err(message) => return Err(fault(node, *message)),
            },
            "acc" => frame.acc.clone(),
            _ => Value::Int(i64::try_from(frame.index).unwrap_or(i64::MAX)),
        })
    }
}

fn one(args: &[Value]) -> Result<&Value, String> {
    args.first().ok_or_else(|| "not enough arguments".to_owned())
}

fn texts(op: Op, l: &Value, r: &Value) -> Result<bool, String> {
    if l.is_nil() || r.is_nil() {
        return Ok(false);
    }
    let (Value::Str(a), Value::Str(b)) = (l, r) else {
        // `matches` looks at its pattern first, and takes a left operand that is no text for bytes.
        return Err(match (op, l, r) {
            (Op::Matches, _, Value::Str(_)) => conversion(l, "[]uint8"),
            (Op::Matches, ..) | (_, Value::Str(_), _) => conversion(r, "string"),
            _ => conversion(l, "string"),
        });
    };
    Ok(match op {
        Op::Matches => regexp::cached(&b.lossy())?.is_match(a.bytes()),
        Op::Contains => find(a.bytes(), b.bytes()).is_some(),
        Op::StartsWith => a.bytes().starts_with(b.bytes()),
        _ => a.bytes().ends_with(b.bytes()),
    })
}

/// The first place of some bytes in others.
#[must_use]
pub fn find(stack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    match (std::str::from_utf8(stack), std::str::from_utf8(needle)) {
        (Ok(s), Ok(n)) => s.find(n),
        _ => stack.windows(needle.len()).position(|w| w == needle),
    }
}

/// Shared pieces of a run that functions need.
pub type Shared<T> = Arc<T>;
