//! Functions on values: what they are called, and what they give. Texts are in `strings`, numbers in `math`, times in
//! `time`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::value::{Members, Num, Val, order};
use super::{Flow, Stop, defs, forms, math, ops, strings, time};
use crate::expr::closures::merge_sort;

/// Names and numbers of arguments, beside those of `math`.
const NAMES: &[(&str, usize)] = &[
    ("_ascii", 1),
    ("_captures", 0),
    ("_index", 2),
    ("_match", 3),
    ("abs", 0),
    ("add", 0),
    ("bsearch", 1),
    ("builtins", 0),
    ("contains", 1),
    ("delpaths", 1),
    ("endswith", 1),
    ("explode", 0),
    ("flatten", 1),
    ("format", 1),
    ("fromjson", 0),
    ("getpath", 1),
    ("gmtime", 0),
    ("halt", 0),
    ("halt_error", 1),
    ("has", 1),
    ("implode", 0),
    ("indices", 1),
    ("infinite", 0),
    ("isinfinite", 0),
    ("isnan", 0),
    ("isnormal", 0),
    ("join", 1),
    ("keys", 0),
    ("length", 0),
    ("localtime", 0),
    ("ltrim", 0),
    ("ltrimstr", 1),
    ("max", 0),
    ("min", 0),
    ("mktime", 0),
    ("modulemeta", 0),
    ("nan", 0),
    ("not", 0),
    ("now", 0),
    ("reverse", 0),
    ("rtrim", 0),
    ("rtrimstr", 1),
    ("setpath", 2),
    ("sort", 0),
    ("split", 1),
    ("startswith", 1),
    ("strflocaltime", 1),
    ("strftime", 1),
    ("strptime", 1),
    ("toboolean", 0),
    ("tojson", 0),
    ("tonumber", 0),
    ("tostring", 0),
    ("trim", 0),
    ("trimstr", 1),
    ("type", 0),
    ("unique", 0),
    ("utf8bytelength", 0),
];

/// Whether there is such a function.
pub fn known(name: &str, args: usize) -> bool {
    NAMES.contains(&(name, args)) || math::known(name, args)
}

/// How much work it is to go through a value once, in steps.
pub fn size(v: &Val) -> usize {
    match v {
        Val::Str(s) => s.len() / 64,
        Val::Arr(items) => items.inner.len() / 4,
        Val::Obj(members) => members.inner.len() / 2,
        _ => 0,
    }
}

/// What is said when a function does not fit its input.
pub fn misfit(name: &str, args: &[Val], input: &Val) -> Stop {
    let given = if args.is_empty() {
        String::new()
    } else {
        let shown: Vec<String> = args.iter().map(Val::preview).collect();
        format!("({})", shown.join("; "))
    };
    Stop::error(format!(
        "{name}{given} cannot be applied to: {}",
        input.describe()
    ))
}

/// Calls a function.
///
/// # Errors
/// When the input or the arguments do not fit.
pub fn call(name: &str, v: &Val, args: &[Val]) -> Flow<Val> {
    if let Some(done) = strings::call(name, v, args) {
        return done.and_then(bounded);
    }
    if let Some(done) = time::call(name, v, args) {
        return done;
    }
    match (name, args) {
        ("type", []) => Ok(Val::text(v.kind())),
        ("not", []) => Ok(Val::Bool(!v.truthy())),
        ("length", []) => length(v),
        ("keys", []) => keys(v),
        ("has", [key]) => has(v, key),
        ("add", []) => add(v),
        ("contains", [part]) => Ok(Val::Bool(ops::contains(v, part)?)),
        ("flatten", [depth]) => flatten(v, depth),
        ("reverse", []) => Val::array(list(name, args, v)?.iter().rev().cloned().collect()),
        ("sort" | "unique" | "min" | "max", []) => {
            let rows = list(name, args, v)?.iter().map(|x| (vec![x.clone()], x.clone()));
            by_keys(&format!("{name}_by"), rows.collect())
        }
        ("bsearch", [x]) => search(list(name, args, v)?, x),
        ("indices", [x]) => match (v, x) {
            (Val::Null, _) => Ok(Val::Null),
            _ => places(v, x, args),
        },
        ("_index", [x, which]) => index(v, x, which),
        ("setpath", [path, new]) => match path {
            Val::Null => Err(misfit(name, &args[..1], v)),
            Val::Arr(path) => forms::set(v, &path.inner, new),
            _ => Err(misfit(name, &args[..1], v)),
        },
        ("delpaths", [paths]) => delete(v, paths, args),
        ("halt", []) => Err(Stop::Halt(Val::Null)),
        ("halt_error", [Val::Num(_)]) => Err(Stop::Halt(v.clone())),
        ("halt_error", [code]) => Err(Stop::error(format!(
            "halt_error cannot be applied to: {}",
            code.describe()
        ))),
        ("builtins", []) => builtins(),
        ("modulemeta", []) => match v {
            Val::Str(module) => Err(Stop::error(format!("cannot load module: {module:?}"))),
            _ => Err(misfit(name, args, v)),
        },
        _ => math::call(name, v, args),
    }
}

fn bounded(v: Val) -> Flow<Val> {
    match &v {
        Val::Str(s) => ops::fits(s.len()).map(|()| v),
        _ => Ok(v),
    }
}

fn list<'v>(name: &str, args: &[Val], v: &'v Val) -> Flow<&'v [Val]> {
    match v {
        Val::Arr(items) => Ok(&items.inner),
        other => Err(misfit(name, args, other)),
    }
}

fn length(v: &Val) -> Flow<Val> {
    Ok(match v {
        Val::Null => Val::int(0),
        Val::Num(n) if n.float() < 0.0 => ops::negate(v)?,
        Val::Num(_) => v.clone(),
        Val::Str(s) => Val::int(s.chars().count()),
        Val::Arr(items) => Val::int(items.inner.len()),
        Val::Obj(members) => Val::int(members.inner.len()),
        Val::Bool(_) => return Err(misfit("length", &[], v)),
    })
}

fn keys(v: &Val) -> Flow<Val> {
    match v {
        Val::Arr(items) => Val::array((0..items.inner.len()).map(Val::int).collect()),
        Val::Obj(members) => Val::array(members.inner.keys().map(|k| Val::Str(Rc::clone(k))).collect()),
        _ => Err(misfit("keys", &[], v)),
    }
}

fn has(v: &Val, key: &Val) -> Flow<Val> {
    Ok(Val::Bool(match (v, key) {
        (Val::Arr(items), Val::Num(n)) => usize::try_from(n.clamped()).is_ok_and(|at| at < items.inner.len()),
        (Val::Obj(members), Val::Str(name)) => members.inner.contains_key(name),
        (Val::Null, _) => false,
        _ => return Err(misfit("has", std::slice::from_ref(key), v)),
    }))
}

fn add(v: &Val) -> Flow<Val> {
    let items: Vec<&Val> = match v {
        Val::Arr(items) => items.inner.iter().collect(),
        Val::Obj(members) => members.inner.values().collect(),
        _ => return Err(misfit("add", &[], v)),
    };
    // Long lists of texts and lists are joined at once.
    if items.iter().all(|x| matches!(x, Val::Str(_))) && !items.is_empty() {
        let mut all = String::new();
        for item in items {
            if let Val::Str(s) = item {
                all.push_str(s);
            }
        }
        return bounded(Val::text(all));
    }
    if items.iter().all(|x| matches!(x, Val::Arr(_))) && !items.is_empty() {
        let mut all = Vec::new();
        for item in items {
            if let Val::Arr(inner) = item {
                all.extend(inner.inner.iter().cloned());
            }
        }
        return Val::array(all);
    }
    items
        .into_iter()
        .try_fold(Val::Null, |sum, item| ops::add(&sum, item))
}

fn flatten(v: &Val, depth: &Val) -> Flow<Val> {
    fn into(out: &mut Vec<Val>, items: &[Val], depth: f64) {
        for item in items {
            match item {
                Val::Arr(inner) if depth != 0.0 => into(out, &inner.inner, depth - 1.0),
                other => out.push(other.clone()),
            }
        }
    }
    let Val::Num(n) = depth else {
        return Err(misfit("flatten", std::slice::from_ref(depth), v));
    };
    if n.float() < 0.0 {
        return Err(Stop::error(format!(
            "flatten depth should not be negative: {}",
            depth.json()
        )));
    }
    let items: Vec<Val> = match v {
        Val::Arr(items) => items.inner.clone(),
        Val::Obj(members) => members.inner.values().cloned().collect(),
        _ => return Err(misfit("flatten", &[], v)),
    };
    let mut out = Vec::new();
    into(&mut out, &items, n.float());
    Val::array(out)
}

fn compare_keys(a: &[Val], b: &[Val]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(x, y)| order(x, y))
        .find(|o| *o != Ordering::Equal)
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// The keys of a value, and the value.
pub type Row = (Vec<Val>, Val);

/// Sorts, groups or chooses values by keys.
///
/// # Errors
/// Never but for nesting.
pub fn by_keys(name: &str, mut rows: Vec<Row>) -> Flow<Val> {
    match name {
        "min_by" | "max_by" => {
            let least = name == "min_by";
            let mut best: Option<(Vec<Val>, Val)> = None;
            for row in rows {
                let better = best.as_ref().is_none_or(|(keys, _)| {
                    let found = compare_keys(&row.0, keys);
                    if least {
                        found == Ordering::Less
                    } else {
                        found != Ordering::Less
                    }
                });
                if better {
                    best = Some(row);
                }
            }
            return Ok(best.map_or(Val::Null, |(_, v)| v));
        }
        _ => {
            let less = &mut |a: &Row, b: &Row| Ok::<_, Stop>(compare_keys(&a.0, &b.0) == Ordering::Less);
            rows = merge_sort(rows, less)?;
        }
    }
    if name == "sort_by" {
        return Val::array(rows.into_iter().map(|(_, v)| v).collect());
    }
    let mut groups: Vec<(Vec<Val>, Vec<Val>)> = Vec::new();
    for (keys, v) in rows {
        match groups.last_mut() {
            Some((known, group)) if compare_keys(known, &keys) == Ordering::Equal => group.push(v),
            _ => groups.push((keys, vec![v])),
        }
    }
    if name == "group_by" {
        let groups = groups.into_iter().map(|(_, group)| Val::array(group));
        return Val::array(groups.collect::<Flow<_>>()?);
    }
    Val::array(
        groups
            .into_iter()
            .filter_map(|(_, group)| group.into_iter().next())
            .collect(),
    )
}

fn search(items: &[Val], x: &Val) -> Flow<Val> {
    let at = items.partition_point(|item| order(item, x) == Ordering::Less);
    let found = items
        .get(at)
        .is_some_and(|item| order(item, x) == Ordering::Equal);
    let at = i64::try_from(at).unwrap_or(i64::MAX);
    Ok(Val::Num(Num::Int(if found { at } else { -1 - at })))
}

/// Every place at which a row of values begins.
///
/// # Errors
/// Never but for nesting.
pub fn indices(
    items: &Rc<super::value::Nest<Vec<Val>>>,
    row: &Rc<super::value::Nest<Vec<Val>>>,
) -> Flow<Val> {
    let found = ops::places(&items.inner, &row.inner);
    Val::array(found.into_iter().map(Val::int).collect())
}

fn places(v: &Val, x: &Val, args: &[Val]) -> Flow<Val> {
    match (v, x) {
        (Val::Arr(items), Val::Arr(row)) => indices(items, row),
        (Val::Arr(items), x) => {
            let found = ops::places(&items.inner, std::slice::from_ref(x));
            Val::array(found.into_iter().map(Val::int).collect())
        }
        (Val::Str(s), Val::Str(part)) => {
            let found = strings::places(s, part);
            Val::array(found.into_iter().map(Val::int).collect())
        }
        _ => Err(misfit("indices", args, v)),
    }
}

fn index(v: &Val, x: &Val, which: &Val) -> Flow<Val> {
    let last = matches!(which, Val::Str(s) if &**s == "rindex");
    if matches!(v, Val::Null) {
        return Ok(Val::Null);
    }
    let name = if last { "rindex" } else { "index" };
    let found = places(v, x, std::slice::from_ref(x)).map_err(|stop| match stop {
        Stop::Error(_) => misfit(name, std::slice::from_ref(x), v),
        other => other,
    })?;
    let Val::Arr(found) = found else {
        return Ok(Val::Null);
    };
    let found = if last {
        found.inner.last()
    } else {
        found.inner.first()
    };
    Ok(found.cloned().unwrap_or(Val::Null))
}

fn delete(v: &Val, paths: &Val, args: &[Val]) -> Flow<Val> {
    let Val::Arr(paths) = paths else {
        return Err(misfit("delpaths", args, v));
    };
    let mut all = Vec::with_capacity(paths.inner.len());
    for path in &paths.inner {
        match path {
            Val::Arr(path) => all.push(path.inner.clone()),
            _ => return Err(misfit("delpaths", args, v)),
        }
    }
    ops::delete(v, all)
}

/// Functions that the original lists, though filters can't use them here.
const LISTED: &[(&str, usize)] = &[("debug", 1), ("input", 0), ("inputs", 0)];

fn builtins() -> Flow<Val> {
    let constant = |(name, args): &(&str, usize)| ((*name).to_owned(), *args);
    let mut all: Vec<(String, usize)> = NAMES
        .iter()
        .chain(forms::FORMS)
        .chain(LISTED)
        .map(constant)
        .chain(math::names())
        .chain(defs::names())
        .filter(|(name, _)| !name.starts_with('_'))
        .collect();
    all.sort();
    all.dedup();
    let shown = all
        .into_iter()
        .map(|(name, args)| Val::text(format!("{name}/{args}")));
    Val::array(shown.collect())
}

/// An object of texts.
///
/// # Errors
/// Never but for nesting.
pub fn object(pairs: impl IntoIterator<Item = (String, Val)>) -> Flow<Val> {
    Val::object(pairs.into_iter().map(|(k, v)| (k.into(), v)).collect::<Members>())
}
