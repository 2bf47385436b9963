//! Static rules of operators: which types fit each other and what comes out.

use super::ast::{Kind, Node, Op};
use super::check::Checked;
use super::error::Fault;
use super::types::Type;
use crate::regexp;

pub fn unary(node: &Node, op: &str, t: &Type) -> Checked {
    let fits = match op {
        "not" | "!" => t.is_bool(),
        _ => t.is_number(),
    };
    if fits {
        return Ok(t.clone());
    }
    if t.is_unknown() {
        return Ok(if matches!(op, "not" | "!") {
            Type::Bool
        } else {
            Type::Unknown
        });
    }
    Err(Fault::new(
        node.at,
        format!("invalid operation: {op} (mismatched type {})", t.name()),
    ))
}

/// Whether one side is unknown and the other unknown too or one of the kinds.
fn perhaps(l: &Type, r: &Type, kinds: &[fn(&Type) -> bool]) -> bool {
    match (l.is_unknown(), r.is_unknown()) {
        (true, true) => true,
        (true, false) => kinds.iter().any(|k| k(r)),
        (false, true) => kinds.iter().any(|k| k(l)),
        (false, false) => false,
    }
}

fn both(l: &Type, r: &Type, kind: fn(&Type) -> bool) -> bool {
    kind(l) && kind(r)
}

pub fn binary(node: &Node, op: Op, right: &Node, l: &Type, r: &Type) -> Checked {
    const NUMBER: fn(&Type) -> bool = Type::is_number;
    const TEXT: fn(&Type) -> bool = Type::is_str;
    const TIME: fn(&Type) -> bool = Type::is_time;
    const SPAN: fn(&Type) -> bool = Type::is_duration;
    let result = match op {
        Op::Eq | Op::Ne => comparable(l, r).then_some(Type::Bool),
        Op::Or(_) | Op::And(_) => {
            (both(l, r, Type::is_bool) || perhaps(l, r, &[Type::is_bool])).then_some(Type::Bool)
        }
        Op::Lt | Op::Gt | Op::Ge | Op::Le => {
            let fits = [NUMBER, TEXT, TIME, SPAN].into_iter().any(|k| both(l, r, k));
            (fits || perhaps(l, r, &[NUMBER, TEXT, TIME, SPAN])).then_some(Type::Bool)
        }
        Op::Add | Op::Sub | Op::Mul => sum(op, l, r),
        Op::Div | Op::Pow(_) => (both(l, r, NUMBER) || perhaps(l, r, &[NUMBER])).then_some(Type::Float),
        Op::Mod => (both(l, r, Type::is_integer) || perhaps(l, r, &[Type::is_integer])).then_some(Type::Int),
        Op::In => return contained(node, l, r),
        Op::Matches => {
            if let Kind::Str(pattern) = &right.kind
                && let Err(e) = regexp::compile(&pattern.lossy())
            {
                return Err(Fault::new(node.at, e));
            }
            (both(l, r, TEXT) || perhaps(l, r, &[TEXT])).then_some(Type::Bool)
        }
        Op::Contains | Op::StartsWith | Op::EndsWith => {
            (both(l, r, TEXT) || perhaps(l, r, &[TEXT])).then_some(Type::Bool)
        }
        Op::Range => (both(l, r, Type::is_integer) || perhaps(l, r, &[Type::is_integer]))
            .then(|| Type::list_of(Type::Int)),
        Op::Coalesce => Some(match (l.is_nil(), r.is_nil()) {
            (true, _) => r.clone(),
            (false, true) => l.clone(),
            _ if r.assignable_to(l) => r.clone(),
            _ => Type::Unknown,
        }),
        Op::Pipe => None,
    };
    result.ok_or_else(|| mismatch(node, op, l, r))
}

fn mismatch(node: &Node, op: Op, l: &Type, r: &Type) -> Fault {
    let message = format!(
        "invalid operation: {} (mismatched types {} and {})",
        op.text(),
        l.name(),
        r.name()
    );
    Fault::new(node.at, message)
}

fn sum(op: Op, l: &Type, r: &Type) -> Option<Type> {
    const NUMBER: fn(&Type) -> bool = Type::is_number;
    const TEXT: fn(&Type) -> bool = Type::is_str;
    const TIME: fn(&Type) -> bool = Type::is_time;
    const SPAN: fn(&Type) -> bool = Type::is_duration;
    if both(l, r, NUMBER) {
        return Some(if *l == Type::Float || *r == Type::Float {
            Type::Float
        } else {
            Type::Int
        });
    }
    let known = match (op, l, r) {
        (Op::Add, Type::Str, Type::Str) => Some(Type::Str),
        (Op::Add, Type::Time, Type::Duration) | (Op::Add, Type::Duration, Type::Time) => Some(Type::Time),
        (Op::Sub, Type::Time, Type::Time) => Some(Type::Duration),
        (Op::Sub, Type::Time, Type::Duration) => Some(Type::Time),
        (_, Type::Duration, Type::Duration) => Some(Type::Duration),
        (Op::Mul, Type::Duration, n) | (Op::Mul, n, Type::Duration) if n.is_number() => Some(Type::Duration),
        _ => None,
    };
    if known.is_some() {
        return known;
    }
    let kinds: &[fn(&Type) -> bool] = match op {
        Op::Add => &[NUMBER, TEXT, TIME, SPAN],
        Op::Sub => &[NUMBER, TIME, SPAN],
        _ => &[NUMBER, SPAN],
    };
    perhaps(l, r, kinds).then_some(Type::Unknown)
}

fn comparable(l: &Type, r: &Type) -> bool {
    l.is_unknown()
        || r.is_unknown()
        || l.is_nil()
        || r.is_nil()
        || both(l, r, Type::is_number)
        || l.kind() == r.kind() && l.is_named() == r.is_named() && (!l.is_named() || l == r)
}

fn contained(node: &Node, l: &Type, r: &Type) -> Checked {
    if (l.is_str() || l.is_unknown()) && matches!(r, Type::Struct(_) | Type::Time) {
        return Ok(Type::Bool);
    }
    match r {
        Type::Map(_) if !l.is_unknown() && !l.is_str() => {
            let message = format!("cannot use {} as type {} in map key", l.name(), Type::Str.name());
            Err(Fault::new(node.at, message))
        }
        Type::Map(_) | Type::AnyMap(_) | Type::Unknown | Type::Any => Ok(Type::Bool),
        Type::List(..) | Type::Bytes => {
            let element = r.element();
            if comparable(l, &element) {
                return Ok(Type::Bool);
            }
            let message = format!("cannot use {} as type {} in array", l.name(), element.name());
            Err(Fault::new(node.at, message))
        }
        Type::Str if l.is_unknown() => Ok(Type::Bool),
        _ => Err(mismatch(node, Op::In, l, r)),
    }
}
