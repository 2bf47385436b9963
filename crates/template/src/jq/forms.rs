//! Functions that take filters and need the machine: loops, limits, paths and updates.

use std::cmp::Ordering;

use super::ast::Ast;
use super::eval::{Machine, catch_break};
use super::item::{Env, Item, Out};
use super::value::{Val, order};
use super::{Flow, Stop, functions, ops, strings};

/// Names and numbers of arguments of what [`call`] knows.
pub const FORMS: &[(&str, usize)] = &[
    ("empty", 0),
    ("path", 1),
    ("range", 1),
    ("range", 2),
    ("range", 3),
    ("limit", 2),
    ("first", 1),
    ("isempty", 1),
    ("repeat", 1),
    ("until", 2),
    ("while", 2),
    ("recurse", 1),
    ("error", 0),
    ("error", 1),
    ("pick", 1),
    ("sub", 2),
    ("sub", 3),
    ("gsub", 2),
    ("gsub", 3),
    ("del", 1),
    ("_keyed", 2),
];

/// Calls a form, or `None` when there is none of that name.
pub fn call<'a>(
    m: &Machine,
    name: &str,
    args: &'a [Ast],
    env: &Env<'a>,
    input: &Item,
    out: Out<'_>,
) -> Option<Flow> {
    Some(match (name, args) {
        ("empty", []) => Ok(()),
        ("error", []) => Err(Stop::Error(input.val.clone())),
        ("error", [message]) => m.values(message, env, input, &mut |v| Err(Stop::Error(v))),
        ("path", [f]) => m.paths(f, env, &input.val, &mut |path| out(Item::off(Val::array(path)?))),
        ("range", [to]) => m.values(to, env, input, &mut |to| {
            range(m, &Val::int(0), &to, &Val::int(1), out)
        }),
        ("range", [from, to]) => m.values(from, env, input, &mut |from| {
            m.values(to, env, input, &mut |to| range(m, &from, &to, &Val::int(1), out))
        }),
        ("range", [from, to, by]) => m.values(from, env, input, &mut |from| {
            m.values(to, env, input, &mut |to| {
                m.values(by, env, input, &mut |by| range(m, &from, &to, &by, out))
            })
        }),
        ("limit", [count, f]) => m.values(count, env, input, &mut |count| {
            limit(m, &count, f, env, input, out)
        }),
        ("first", [f]) => limit(m, &Val::int(1), f, env, input, out),
        ("isempty", [f]) => {
            let label = m.label();
            let mut empty = true;
            let done = m.values(f, env, input, &mut |_| {
                empty = false;
                Err(Stop::Break(label))
            });
            catch_break(label, done).and_then(|()| out(Item::off(Val::Bool(empty))))
        }
        ("repeat", [f]) => loop {
            if let Err(stop) = m.eval(f, env, input.clone(), out) {
                break Err(stop);
            }
        },
        ("recurse", [f]) => iterate(m, &|v, then| m.eval(f, env, v, then), input.clone(), out),
        ("while", [condition, f]) => iterate_while(m, condition, f, env, input.clone(), out),
        ("until", [condition, f]) => until(m, condition, f, env, input.clone(), out),
        ("pick", [f]) => pick(m, f, env, input, out),
        ("del", [f]) => {
            let mut paths = Vec::new();
            m.paths(f, env, &input.val, &mut |path| {
                paths.push(path);
                Ok(())
            })
            .and_then(|()| m.work(paths.len() * functions::size(&input.val)))
            .and_then(|()| out(Item::off(ops::delete(&input.val, paths)?)))
        }
        ("_keyed", [name, f]) => keyed(m, name, f, env, input, out),
        ("sub" | "gsub", [re, with, flags @ ..]) => {
            strings::substitute(m, name == "gsub", [re, with], flags.first(), env, input, out)
        }
        _ => return None,
    })
}

/// `..`: the value and everything in it, outer before inner.
///
/// # Errors
/// What `out` gives back.
pub fn descend(m: &Machine, input: &Item, out: Out<'_>) -> Flow {
    m.work(1)?;
    out(input.clone())?;
    if let Ok(children) = ops::children(&input.val) {
        for (key, child) in children {
            descend(m, &input.child(&key, child)?, out)?;
        }
    }
    Ok(())
}

fn range(m: &Machine, from: &Val, to: &Val, by: &Val, out: Out<'_>) -> Flow {
    for v in [from, to, by] {
        if !matches!(v, Val::Num(_)) {
            return Err(Stop::error(format!(
                "range cannot be applied to: {}",
                v.describe()
            )));
        }
    }
    let zero = Val::int(0);
    let ends = match order(by, &zero) {
        Ordering::Equal => return Ok(()),
        Ordering::Greater => Ordering::Less,
        Ordering::Less => Ordering::Greater,
    };
    let mut at = from.clone();
    while order(&at, to) == ends {
        m.work(1)?;
        out(Item::off(at.clone()))?;
        at = ops::add(&at, by)?;
    }
    Ok(())
}

fn limit<'a>(m: &Machine, count: &Val, f: &'a Ast, env: &Env<'a>, input: &Item, out: Out<'_>) -> Flow {
    let Val::Num(count) = count else {
        return Err(Stop::error(format!(
            "limit cannot be applied to: {}",
            count.describe()
        )));
    };
    let count = count.clamped();
    if count < 0 {
        return Err(Stop::error("limit doesn't support negative count".into()));
    }
    if count == 0 {
        return Ok(());
    }
    let label = m.label();
    let mut given = 0;
    let done = m.eval(f, env, input.clone(), &mut |v| {
        given += 1;
        out(v)?;
        if given >= count {
            Err(Stop::Break(label))
        } else {
            Ok(())
        }
    });
    catch_break(label, done)
}

/// A value, and what a filter makes of it, again and again. A filter that gives one result each time is followed in
/// a loop, so that long chains need no stack: the last result is held back until it is known whether another comes.
fn iterate(m: &Machine, step: &dyn Fn(Item, Out<'_>) -> Flow, start: Item, out: Out<'_>) -> Flow {
    let mut at = start;
    loop {
        m.work(1)?;
        out(at.clone())?;
        let mut last: Option<Item> = None;
        step(at, &mut |next| match last.replace(next) {
            Some(before) => nested(m, step, before, out),
            None => Ok(()),
        })?;
        match last {
            Some(next) => at = next,
            None => return Ok(()),
        }
    }
}

fn nested(m: &Machine, step: &dyn Fn(Item, Out<'_>) -> Flow, start: Item, out: Out<'_>) -> Flow {
    m.deeper(|| iterate(m, step, start, out))
}

fn iterate_while<'a>(
    m: &Machine,
    condition: &'a Ast,
    f: &'a Ast,
    env: &Env<'a>,
    start: Item,
    out: Out<'_>,
) -> Flow {
    let holds = |v: Item, then: Out<'_>| {
        m.values(condition, env, &v, &mut |c| {
            if c.truthy() { then(v.clone()) } else { Ok(()) }
        })
    };
    let step = |v: Item, then: Out<'_>| m.eval(f, env, v, &mut |next| holds(next, then));
    holds(start, &mut |v| iterate(m, &step, v, out))
}

fn until<'a>(m: &Machine, condition: &'a Ast, f: &'a Ast, env: &Env<'a>, start: Item, out: Out<'_>) -> Flow {
    let step = |v: Item, then: Out<'_>| {
        m.values(condition, env, &v, &mut |c| {
            if c.truthy() {
                Ok(())
            } else {
                m.eval(f, env, v.clone(), then)
            }
        })
    };
    iterate(m, &step, start, &mut |v| {
        m.values(condition, env, &v, &mut |c| {
            if c.truthy() { out(v.clone()) } else { Ok(()) }
        })
    })
}

fn pick<'a>(m: &Machine, f: &'a Ast, env: &Env<'a>, input: &Item, out: Out<'_>) -> Flow {
    let mut picked = Val::Null;
    m.paths(f, env, &input.val, &mut |path| {
        m.work(functions::size(&picked))?;
        picked = set(&picked, &path, &ops::get(&input.val, &path)?)?;
        Ok(())
    })?;
    out(Item::off(picked))
}

/// Sorting and grouping by keys: the keys of an element are all results of the filter.
fn keyed<'a>(m: &Machine, name: &'a Ast, f: &'a Ast, env: &Env<'a>, input: &Item, out: Out<'_>) -> Flow {
    m.values(name, env, input, &mut |name| {
        let Val::Str(name) = name else { return Ok(()) };
        let Val::Arr(items) = &input.val else {
            return Err(Stop::error(format!(
                "{name} cannot be applied to: {}",
                input.val.describe()
            )));
        };
        let mut rows = Vec::with_capacity(items.inner.len());
        for item in &items.inner {
            let keys = m.collect(f, env, &Item::off(item.clone()))?;
            rows.push((keys, item.clone()));
        }
        m.work(rows.len() * 4)?;
        out(Item::off(functions::by_keys(&name, rows)?))
    })
}

/// What makes new values of an old one.
type Change<'c> = &'c mut dyn FnMut(&Val, &mut dyn FnMut(Val) -> Flow) -> Flow;

/// `target |= f`: each place gets the first result of `f`; where there is none, it is deleted at the end.
///
/// # Errors
/// What the target or `f` fail with.
pub fn update<'a>(m: &Machine, target: &'a Ast, env: &Env<'a>, input: &Val, f: Change<'_>) -> Flow<Val> {
    let mut at = input.clone();
    let mut gone = Vec::new();
    m.paths(target, env, input, &mut |path| {
        m.work(functions::size(&at))?;
        let old = ops::get(&at, &path)?;
        let label = m.label();
        let mut new = None;
        let done = f(&old, &mut |v| {
            new = Some(v);
            Err(Stop::Break(label))
        });
        catch_break(label, done)?;
        match new {
            Some(new) => at = set(&at, &path, &new)?,
            None => gone.push(path),
        }
        Ok(())
    })?;
    m.work(gone.len().saturating_mul(functions::size(&at)))?;
    ops::delete(&at, gone)
}

/// [`ops::set`] with the words of `setpath`.
///
/// # Errors
/// When a part of the path does not fit.
pub fn set(at: &Val, path: &[Val], new: &Val) -> Flow<Val> {
    ops::set(at, path, new.clone()).map_err(|stop| match stop {
        Stop::Error(Val::Str(why)) => {
            let path = Val::array(path.to_vec()).map(|p| p.preview()).unwrap_or_default();
            Stop::error(format!(
                "setpath({path}; {}) cannot be applied to {}: {why}",
                new.preview(),
                at.preview()
            ))
        }
        other => other,
    })
}
