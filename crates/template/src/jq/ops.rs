//! Operators and access: arithmetic, members, slices, and the setting and deleting of paths.

use std::cmp::Ordering;
use std::rc::Rc;

use num_bigint::BigInt;
use num_traits::Zero;

use super::ast::Op;
use super::value::{Members, Num, Val, find_row, order};
use super::{Flow, SIZE, Stop};

/// How long an array may become by setting an element beyond its end.
const LONGEST: i64 = 1 << 22;

/// Applies an operator whose operands are both needed.
///
/// # Errors
/// When the operands do not fit.
pub fn binary(op: Op, l: &Val, r: &Val) -> Flow<Val> {
    match op {
        Op::Add => add(l, r),
        Op::Subtract => subtract(l, r),
        Op::Multiply => multiply(l, r),
        Op::Divide => divide(l, r),
        Op::Modulo => modulo(l, r),
        Op::Equal => Ok(Val::Bool(order(l, r) == Ordering::Equal)),
        Op::Unequal => Ok(Val::Bool(order(l, r) != Ordering::Equal)),
        Op::Less => Ok(Val::Bool(order(l, r) == Ordering::Less)),
        Op::Greater => Ok(Val::Bool(order(l, r) == Ordering::Greater)),
        Op::AtMost => Ok(Val::Bool(order(l, r) != Ordering::Greater)),
        Op::AtLeast => Ok(Val::Bool(order(l, r) != Ordering::Less)),
        Op::Alternative => Ok(if l.truthy() { l.clone() } else { r.clone() }),
        Op::And => Ok(Val::Bool(l.truthy() && r.truthy())),
        Op::Or => Ok(Val::Bool(l.truthy() || r.truthy())),
    }
}

fn misfit(verb: &str, l: &Val, r: &Val) -> Stop {
    Stop::error(format!("cannot {verb}: {} and {}", l.describe(), r.describe()))
}

fn arithmetic(
    l: &Num,
    r: &Num,
    small: fn(i64, i64) -> Option<i64>,
    big: fn(BigInt, BigInt) -> BigInt,
    float: fn(f64, f64) -> f64,
) -> Val {
    if let (Num::Int(a), Num::Int(b)) = (l, r)
        && let Some(n) = small(*a, *b)
    {
        return Val::Num(Num::Int(n));
    }
    Val::Num(match (l.whole(), r.whole()) {
        (Some(a), Some(b)) => Num::big(big(a, b)),
        _ => Num::Float(float(l.float(), r.float())),
    })
}

/// `l + r`
///
/// # Errors
/// When the operands do not fit.
pub fn add(l: &Val, r: &Val) -> Flow<Val> {
    match (l, r) {
        (Val::Null, other) | (other, Val::Null) => Ok(other.clone()),
        (Val::Num(a), Val::Num(b)) => Ok(arithmetic(a, b, i64::checked_add, |a, b| a + b, |a, b| a + b)),
        (Val::Str(a), Val::Str(b)) => {
            fits(a.len() + b.len())?;
            Ok(Val::text(format!("{a}{b}")))
        }
        (Val::Arr(a), Val::Arr(b)) => Val::array(a.inner.iter().chain(&b.inner).cloned().collect()),
        (Val::Obj(a), Val::Obj(b)) => {
            let mut all = a.inner.clone();
            all.extend(b.inner.iter().map(|(k, v)| (Rc::clone(k), v.clone())));
            Val::object(all)
        }
        _ => Err(misfit("add", l, r)),
    }
}

/// # Errors
/// When a text of so many bytes is too long.
pub fn fits(bytes: usize) -> Flow {
    if bytes > SIZE {
        return Err(Stop::Limit(format!("text is longer than {SIZE} bytes")));
    }
    Ok(())
}

fn subtract(l: &Val, r: &Val) -> Flow<Val> {
    match (l, r) {
        (Val::Num(a), Val::Num(b)) => Ok(arithmetic(a, b, i64::checked_sub, |a, b| a - b, |a, b| a - b)),
        (Val::Arr(a), Val::Arr(b)) => Val::array(
            a.inner
                .iter()
                .filter(|x| !b.inner.iter().any(|y| order(x, y) == Ordering::Equal))
                .cloned()
                .collect(),
        ),
        _ => Err(misfit("subtract", l, r)),
    }
}

fn multiply(l: &Val, r: &Val) -> Flow<Val> {
    match (l, r) {
        (Val::Num(a), Val::Num(b)) => Ok(arithmetic(a, b, i64::checked_mul, |a, b| a * b, |a, b| a * b)),
        (Val::Str(s), Val::Num(n)) | (Val::Num(n), Val::Str(s)) => repeat(s, n.float()),
        (Val::Obj(a), Val::Obj(b)) => merge(&a.inner, &b.inner),
        _ => Err(misfit("multiply", l, r)),
    }
}

fn repeat(s: &str, times: f64) -> Flow<Val> {
    if times.is_nan() || times < 0.0 {
        return Ok(Val::Null);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and `as` clamps"
    )]
    let times = times as usize;
    fits(s.len().saturating_mul(times))?;
    Ok(Val::text(s.repeat(times)))
}

fn merge(a: &Members, b: &Members) -> Flow<Val> {
    let mut all = a.clone();
    for (key, value) in b {
        let merged = match (all.get(key), value) {
            (Some(Val::Obj(x)), Val::Obj(y)) => merge(&x.inner, &y.inner)?,
            _ => value.clone(),
        };
        all.insert(Rc::clone(key), merged);
    }
    Val::object(all)
}

fn divide(l: &Val, r: &Val) -> Flow<Val> {
    match (l, r) {
        (Val::Num(a), Val::Num(b)) => {
            if b.float() == 0.0 {
                return Err(Stop::error(format!(
                    "cannot divide {} by: {}",
                    l.describe(),
                    r.describe()
                )));
            }
            if let (Some(x), Some(y)) = (a.whole(), b.whole())
                && (&x % &y).is_zero()
            {
                return Ok(Val::Num(Num::big(x / y)));
            }
            Ok(Val::float(a.float() / b.float()))
        }
        (Val::Str(a), Val::Str(b)) => super::strings::split(a, b),
        _ => Err(misfit("divide", l, r)),
    }
}

fn modulo(l: &Val, r: &Val) -> Flow<Val> {
    let (Val::Num(a), Val::Num(b)) = (l, r) else {
        return Err(misfit("modulo", l, r));
    };
    if a.float().is_nan() || b.float().is_nan() {
        return Ok(Val::float(f64::NAN));
    }
    let cut = |n: &Num| n.whole().unwrap_or_else(|| BigInt::from(n.clamped()));
    let (x, mut y) = (cut(a), cut(b));
    if y.is_zero() {
        return Err(Stop::error(format!(
            "cannot modulo {} by: {}",
            l.describe(),
            r.describe()
        )));
    }
    if y < BigInt::zero() {
        y = -y;
    }
    Ok(Val::Num(Num::big(x % y)))
}

/// `-v`
///
/// # Errors
/// When it is no number.
pub fn negate(v: &Val) -> Flow<Val> {
    match v {
        Val::Num(n) => Ok(Val::Num(match n.whole() {
            Some(whole) => Num::big(-whole),
            None => Num::Float(-n.float()),
        })),
        other => Err(Stop::error(format!("cannot negate: {}", other.describe()))),
    }
}

fn wanted(kind: &str, v: &Val) -> Stop {
    Stop::error(format!("expected {kind} but got: {}", v.describe()))
}

fn place(n: &Num) -> i64 {
    n.clamped()
}

/// `base[key]`
///
/// # Errors
/// When the key does not fit the base.
pub fn index(base: &Val, key: &Val) -> Flow<Val> {
    match (base, key) {
        (Val::Obj(members), Val::Str(name)) => Ok(members.inner.get(name).cloned().unwrap_or(Val::Null)),
        (Val::Null, Val::Str(_)) => Ok(Val::Null),
        (_, Val::Str(_)) => Err(wanted("an object", base)),
        (Val::Null, Val::Num(_)) => Ok(Val::Null),
        (Val::Arr(items), Val::Num(n)) => {
            let at = resolve(place(n), items.inner.len());
            Ok(at.and_then(|i| items.inner.get(i)).cloned().unwrap_or(Val::Null))
        }
        (Val::Str(s), Val::Num(n)) => {
            let at = resolve(place(n), s.chars().count());
            let found = at.and_then(|i| s.chars().nth(i));
            Ok(found.map_or(Val::Null, |c| Val::text(c.to_string())))
        }
        (_, Val::Num(_)) => Err(wanted("an array", base)),
        (_, Val::Obj(range)) => match (range.inner.get("start"), range.inner.get("end")) {
            (Some(from), Some(to)) => slice(base, from, to),
            _ => Err(Stop::error(format!(
                "expected \"start\" and \"end\" for slicing but got: {}",
                key.describe()
            ))),
        },
        (Val::Arr(items), Val::Arr(row)) => super::functions::indices(items, row),
        (Val::Null, Val::Arr(_)) => Ok(Val::Null),
        (Val::Obj(_), _) => Err(wanted("a string for object key", key)),
        _ => Err(wanted("a number for indexing an array", key)),
    }
}

fn resolve(at: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    usize::try_from(if at < 0 { at + len } else { at }).ok()
}

/// First and behind-last index of a slice.
fn bounds(len: usize, from: &Val, to: &Val) -> Flow<(usize, usize)> {
    let length = i64::try_from(len).unwrap_or(i64::MAX);
    let bound = |v: &Val, missing: i64, up: bool| match v {
        Val::Null => Ok(missing),
        Val::Num(n) => {
            let f = n.float();
            let whole = Num::Float(if up { f.ceil() } else { f.floor() }).clamped();
            Ok(if whole < 0 {
                whole.saturating_add(length)
            } else {
                whole
            })
        }
        other => Err(wanted("a number for indexing an array", other)),
    };
    let from = bound(from, 0, false)?.clamp(0, length);
    let to = bound(to, length, true)?.clamp(from, length);
    Ok((
        usize::try_from(from).unwrap_or_default(),
        usize::try_from(to).unwrap_or_default(),
    ))
}

/// `base[from:to]`
///
/// # Errors
/// When the base can't be sliced, or a bound is no number.
pub fn slice(base: &Val, from: &Val, to: &Val) -> Flow<Val> {
    match base {
        Val::Null => Ok(Val::Null),
        Val::Arr(items) => {
            let (a, b) = bounds(items.inner.len(), from, to)?;
            Val::array(items.inner[a..b].to_vec())
        }
        Val::Str(s) => {
            let (a, b) = bounds(s.chars().count(), from, to)?;
            Ok(Val::text(s.chars().skip(a).take(b - a).collect::<String>()))
        }
        other => Err(wanted("an array", other)),
    }
}

/// The children of a value with their keys.
///
/// # Errors
/// When it has none by its kind.
pub fn children(v: &Val) -> Flow<Vec<(Val, Val)>> {
    match v {
        Val::Arr(items) => Ok(items
            .inner
            .iter()
            .enumerate()
            .map(|(i, v)| (Val::int(i), v.clone()))
            .collect()),
        Val::Obj(members) => Ok(members
            .inner
            .iter()
            .map(|(k, v)| (Val::Str(Rc::clone(k)), v.clone()))
            .collect()),
        other => Err(Stop::error(format!("cannot iterate over: {}", other.describe()))),
    }
}

/// Replaces what stands at a path.
///
/// # Errors
/// When a part of the path does not fit.
pub fn set(root: &Val, path: &[Val], new: Val) -> Flow<Val> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(new);
    };
    match (root, key) {
        (Val::Null | Val::Obj(_), Val::Str(name)) => {
            let mut members = match root {
                Val::Obj(members) => members.inner.clone(),
                _ => Members::new(),
            };
            let old = members.get(name).cloned().unwrap_or(Val::Null);
            members.insert(Rc::clone(name), set(&old, rest, new)?);
            Val::object(members)
        }
        (Val::Null | Val::Arr(_), Val::Num(n)) => {
            let mut items = elements(root);
            let at = item_place(place(n), items.len())?;
            let old = items.get(at).cloned().unwrap_or(Val::Null);
            let new = set(&old, rest, new)?;
            if at >= items.len() {
                items.resize(at + 1, Val::Null);
            }
            items[at] = new;
            Val::array(items)
        }
        (Val::Null | Val::Arr(_), Val::Obj(_)) => {
            let mut items = elements(root);
            let (a, b) = range(key, items.len())?;
            let old = if matches!(root, Val::Null) {
                Val::Null
            } else {
                Val::array(items[a..b].to_vec())?
            };
            let Val::Arr(new) = set(&old, rest, new)? else {
                return Err(Stop::error(format!(
                    "expected an array but got: {}",
                    old.describe()
                )));
            };
            items.splice(a..b, new.inner.iter().cloned());
            Val::array(items)
        }
        (_, Val::Str(_)) => Err(wanted("an object", root)),
        (_, Val::Num(_) | Val::Obj(_)) => Err(wanted("an array", root)),
        (Val::Obj(_), _) => Err(wanted("a string for object key", key)),
        _ => Err(wanted("a number for indexing an array", key)),
    }
}

fn elements(v: &Val) -> Vec<Val> {
    match v {
        Val::Arr(items) => items.inner.clone(),
        _ => Vec::new(),
    }
}

fn item_place(at: i64, len: usize) -> Flow<usize> {
    if at >= LONGEST {
        return Err(Stop::error(format!("array index too large: {at}")));
    }
    resolve(at, len).ok_or_else(|| Stop::error(format!("array index should not be negative: {at}")))
}

fn range(key: &Val, len: usize) -> Flow<(usize, usize)> {
    let Val::Obj(range) = key else {
        return Ok((0, 0));
    };
    match (range.inner.get("start"), range.inner.get("end")) {
        (Some(from), Some(to)) => bounds(len, from, to),
        _ => Err(Stop::error(format!(
            "expected \"start\" and \"end\" for slicing but got: {}",
            key.describe()
        ))),
    }
}

/// What stands at a path; null where nothing is.
///
/// # Errors
/// When a part of the path does not fit.
pub fn get(root: &Val, path: &[Val]) -> Flow<Val> {
    let mut at = root.clone();
    for key in path {
        at = index(&at, key)?;
    }
    Ok(at)
}

/// Takes away what stands at each of the paths.
///
/// # Errors
/// When a part of a path does not fit.
pub fn delete(root: &Val, paths: Vec<Vec<Val>>) -> Flow<Val> {
    // Places from the end name the same elements as places from the start: resolve them before anything moves.
    let mut resolved: Vec<Vec<Val>> = paths.into_iter().map(|path| absolute(root, path)).collect();
    resolved.sort_by(|a, b| {
        a.iter()
            .zip(b)
            .map(|(x, y)| order(x, y))
            .find(|o| *o != Ordering::Equal)
            .unwrap_or_else(|| a.len().cmp(&b.len()))
    });
    resolved.dedup_by(|a, b| {
        a.len() == b.len()
            && a.iter()
                .zip(b.iter())
                .all(|(x, y)| order(x, y) == Ordering::Equal)
    });
    // From the last to the first, so that what is left to delete keeps its place.
    resolved
        .iter()
        .rev()
        .try_fold(root.clone(), |at, path| remove(&at, path))
}

fn absolute(root: &Val, mut path: Vec<Val>) -> Vec<Val> {
    let mut at = root.clone();
    for key in &mut path {
        if let (Val::Arr(items), Val::Num(n)) = (&at, &*key)
            && let Some(i) = resolve(place(n), items.inner.len())
        {
            *key = Val::int(i);
        }
        at = index(&at, key).unwrap_or(Val::Null);
    }
    path
}

fn remove(root: &Val, path: &[Val]) -> Flow<Val> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(Val::Null);
    };
    if matches!(root, Val::Null) {
        return Ok(Val::Null);
    }
    if !rest.is_empty() {
        let inner = index(root, key)?;
        if matches!(inner, Val::Null) {
            return Ok(root.clone());
        }
        let changed = remove(&inner, rest)?;
        return set(root, std::slice::from_ref(key), changed);
    }
    match (root, key) {
        (Val::Obj(members), Val::Str(name)) => {
            let mut members = members.inner.clone();
            members.remove(name);
            Val::object(members)
        }
        (Val::Arr(items), Val::Num(n)) => {
            let mut items = items.inner.clone();
            if let Some(at) = resolve(place(n), items.len())
                && at < items.len()
            {
                items.remove(at);
            }
            Val::array(items)
        }
        (Val::Arr(items), Val::Obj(_)) => {
            let mut items = items.inner.clone();
            let (a, b) = range(key, items.len())?;
            items.drain(a..b);
            Val::array(items)
        }
        (_, Val::Str(_)) => Err(wanted("an object", root)),
        (_, Val::Num(_) | Val::Obj(_)) => Err(wanted("an array", root)),
        _ => Err(wanted("a string for object key", key)),
    }
}

/// Whether `a` contains `b`.
///
/// # Errors
/// When their kinds differ.
pub fn contains(a: &Val, b: &Val) -> Flow<bool> {
    match (a, b) {
        (Val::Obj(x), Val::Obj(y)) => {
            for (key, wanted) in &y.inner {
                match x.inner.get(key) {
                    Some(found) if contains(found, wanted)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Val::Arr(x), Val::Arr(y)) => {
            for wanted in &y.inner {
                if !x
                    .inner
                    .iter()
                    .any(|found| contains(found, wanted).unwrap_or(false))
                {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Val::Str(x), Val::Str(y)) => Ok(x.contains(&**y)),
        _ if a.kind() == b.kind() => Ok(order(a, b) == Ordering::Equal),
        _ => Err(Stop::error(format!(
            "contains({}) cannot be applied to: {}",
            b.preview(),
            a.describe()
        ))),
    }
}

/// Every place at which a row of values begins.
pub fn places(items: &[Val], row: &[Val]) -> Vec<usize> {
    let mut found = Vec::new();
    if row.is_empty() {
        return found;
    }
    let mut from = 0;
    while let Some(at) = find_row(items, row, from) {
        found.push(at);
        from = at + 1;
    }
    found
}
