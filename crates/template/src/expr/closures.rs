//! Built-in functions that take a closure: `map`, `filter`, `reduce` and their like.

use std::sync::Arc;

use super::ast::{Builtin, Node, Op};
use super::error::Fault;
use super::eval::{Frame, Machine, Run, Stop, conversion};
use super::ops;
use crate::builtins::maps::Places;
use crate::value::{AnyMap, Value, Width};

/// Runs one of them.
///
/// # Errors
/// When the collection is none, or the closure fails or gives the wrong type.
pub fn run<'a>(machine: &mut Machine<'a>, node: &Node, builtin: &'a Builtin) -> Run {
    let at = node.at;
    let collection = match builtin.args.first() {
        Some(n) => machine.eval(n)?,
        None => return Err(Fault::new(at, "not enough arguments").into()),
    };
    let len = length(&collection).map_err(|m| Fault::new(at, m))?;
    let mut walk = Walk {
        machine,
        body: builtin.args.get(1),
        collection,
        len,
        at,
    };
    match builtin.name {
        "all" => Ok(Value::Bool(walk.first(false, false)?.is_none())),
        "none" => Ok(Value::Bool(walk.first(true, false)?.is_none())),
        "any" => Ok(Value::Bool(walk.first(true, false)?.is_some())),
        "one" => Ok(Value::Bool(walk.count()? == 1)),
        "count" => Ok(Value::Int(walk.count()?)),
        "find" => walk.first(true, false)?.map_or(Ok(Value::Nil), |i| walk.item(i)),
        "findLast" => walk.first(true, true)?.map_or(Ok(Value::Nil), |i| walk.item(i)),
        "findIndex" => Ok(walk.first(true, false)?.map_or(Value::Nil, int)),
        "findLastIndex" => Ok(walk.first(true, true)?.map_or(Value::Nil, int)),
        "filter" => walk.filter(),
        "map" => walk.map(),
        "sum" => walk.sum(),
        "groupBy" => walk.group(),
        "sortBy" => {
            let order = match builtin.args.get(2) {
                Some(n) => Some(walk.machine.eval(n)?),
                None => None,
            };
            walk.sort(order)
        }
        _ => {
            let initial = match builtin.args.get(2) {
                Some(n) => Some(walk.machine.eval(n)?),
                None => None,
            };
            walk.reduce(initial)
        }
    }
}

fn int(i: usize) -> Value {
    Value::Int(i64::try_from(i).unwrap_or(i64::MAX))
}

/// The length of what closures may walk over, in the words of Go's reflection when there is none.
fn length(v: &Value) -> Result<usize, String> {
    match v {
        Value::List(l) => Ok(l.items.len()),
        Value::Bytes(b) => Ok(b.len()),
        Value::Str(s) => Ok(s.bytes().len()),
        Value::Map(m) => Ok(m.entries.len()),
        Value::AnyMap(m) => Ok(m.entries.len()),
        Value::Nil => Err("reflect: call of reflect.Value.Len on zero Value".into()),
        other => Err(format!(
            "reflect: call of reflect.Value.Len on {} Value",
            other.type_name()
        )),
    }
}

struct Walk<'m, 'a> {
    machine: &'m mut Machine<'a>,
    body: Option<&'a Node>,
    collection: Value,
    len: usize,
    at: usize,
}

impl Walk<'_, '_> {
    fn fail(&self, message: impl Into<String>) -> Stop {
        Fault::new(self.at, message).into()
    }

    fn item(&self, i: usize) -> Result<Value, Stop> {
        self.element(i).map_err(|m| self.fail(m))
    }

    fn element(&self, i: usize) -> Result<Value, &'static str> {
        match &self.collection {
            Value::List(l) => Ok(l.items[i].clone()),
            Value::Bytes(b) => Ok(Value::Sized(Width::U8, i64::from(b[i]))),
            Value::Str(s) => Ok(Value::Sized(Width::U8, i64::from(s.bytes()[i]))),
            _ => Err("reflect: call of reflect.Value.Index on map Value"),
        }
    }

    /// The closure's value for one element; without a closure the element itself.
    fn at_item(&mut self, i: usize, acc: Value) -> Run {
        let Some(body) = self.body else {
            return self.item(i);
        };
        let item = self.element(i);
        self.machine.closures.push(Frame { item, index: i, acc });
        let result = self.machine.eval(body);
        self.machine.closures.pop();
        result
    }

    fn holds(&mut self, i: usize) -> Result<bool, Stop> {
        match self.at_item(i, Value::Nil)? {
            Value::Bool(b) => Ok(b),
            other => Err(self.fail(conversion(&other, "bool"))),
        }
    }

    /// The place of the first (or last) element for which the closure gives `wanted`.
    fn first(&mut self, wanted: bool, from_end: bool) -> Result<Option<usize>, Stop> {
        for step in 0..self.len {
            let i = if from_end { self.len - 1 - step } else { step };
            if self.holds(i)? == wanted {
                return Ok(Some(i));
            }
        }
        Ok(None)
    }

    fn count(&mut self) -> Result<i64, Stop> {
        let mut n = 0;
        for i in 0..self.len {
            n += i64::from(self.holds(i)?);
        }
        Ok(n)
    }

    fn collect(&mut self, items: Vec<Value>) -> Run {
        match self.machine.grow(items.len() as u64) {
            Ok(()) => Ok(Value::list(items)),
            Err(m) => Err(self.fail(m)),
        }
    }

    fn filter(&mut self) -> Run {
        let mut kept = Vec::new();
        for i in 0..self.len {
            if self.holds(i)? {
                kept.push(self.item(i)?);
            }
        }
        self.collect(kept)
    }

    fn map(&mut self) -> Run {
        let mut made = Vec::with_capacity(self.len);
        for i in 0..self.len {
            made.push(self.at_item(i, Value::Nil)?);
        }
        self.collect(made)
    }

    fn sum(&mut self) -> Run {
        let mut total = Value::Int(0);
        for i in 0..self.len {
            let v = self.at_item(i, Value::Nil)?;
            total = ops::arithmetic(Op::Add, &v, &total).map_err(|m| self.fail(m))?;
        }
        Ok(total)
    }

    fn group(&mut self) -> Run {
        let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
        let mut places = Places::default();
        for i in 0..self.len {
            let key = self.at_item(i, Value::Nil)?;
            if matches!(
                key,
                Value::List(_) | Value::Map(_) | Value::AnyMap(_) | Value::Bytes(_)
            ) {
                let message = format!("hash of unhashable type: {}", key.type_name());
                return Err(self.fail(message));
            }
            let item = self.item(i)?;
            let found = places.find(self.machine, &key, &groups);
            match found.map_err(|m| self.fail(m))? {
                Some(at) => groups[at].1.push(item),
                None => groups.push((key, vec![item])),
            }
        }
        let entries = groups
            .into_iter()
            .map(|(k, items)| (k, Value::list(items)))
            .collect();
        Ok(Value::AnyMap(Arc::new(AnyMap {
            of_lists: true,
            entries,
        })))
    }

    fn sort(&mut self, order: Option<Value>) -> Run {
        let descending = match order {
            None => false,
            Some(Value::Str(s)) if s.bytes() == b"asc" => false,
            Some(Value::Str(s)) if s.bytes() == b"desc" => true,
            Some(Value::Str(_)) => return Err(self.fail("unknown order, use asc or desc")),
            Some(_) => return Err(self.fail("sortBy order argument must be a string")),
        };
        let mut keyed = Vec::with_capacity(self.len);
        for i in 0..self.len {
            keyed.push((self.at_item(i, Value::Nil)?, self.item(i)?));
        }
        let items = sorted(keyed, descending).map_err(|m| self.fail(m))?;
        self.collect(items)
    }

    fn reduce(&mut self, initial: Option<Value>) -> Run {
        let (mut acc, start) = match initial {
            Some(v) => (v, 0),
            None if self.len == 0 => {
                return Err(self.fail("reduce of empty array with no initial value"));
            }
            None => (self.item(0)?, 1),
        };
        for i in start..self.len {
            acc = self.at_item(i, acc)?;
        }
        Ok(acc)
    }
}

/// Up to this length Go sorts by insertion.
const INSERTION: usize = 12;

/// Values in the order of their keys; equal keys keep their order.
///
/// # Errors
/// Keys that cannot be compared.
pub fn sorted(mut keyed: Vec<(Value, Value)>, descending: bool) -> Result<Vec<Value>, String> {
    if keyed.len() <= INSERTION {
        // The same comparisons in the same order as Go's sort, so that a failing one is the same.
        for i in 1..keyed.len() {
            for j in (1..=i).rev() {
                let (a, b) = if descending { (j - 1, j) } else { (j, j - 1) };
                if !ops::order(Op::Lt, &keyed[a].0, &keyed[b].0)? {
                    break;
                }
                keyed.swap(j, j - 1);
            }
        }
        return Ok(keyed.into_iter().map(|(_, v)| v).collect());
    }
    merge_sort(keyed, &mut |a, b| {
        let (x, y) = if descending { (b, a) } else { (a, b) };
        ops::order(Op::Lt, &x.0, &y.0)
    })
    .map(|keyed| keyed.into_iter().map(|(_, v)| v).collect())
}

/// A stable sort by a comparison that may fail, or be no order at all (NaN): the standard library's may panic then.
///
/// # Errors
/// What the comparison fails with.
pub fn merge_sort<T, E>(
    mut items: Vec<T>,
    less: &mut dyn FnMut(&T, &T) -> Result<bool, E>,
) -> Result<Vec<T>, E> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let count = items.len() + right.len();
    let mut left = merge_sort(items, less)?.into_iter().peekable();
    let mut right = merge_sort(right, less)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(count);
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if less(b, a)? { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
