//! What can be found out before the run: constant ranges and remainders by a literal zero.

use super::ast::{Kind, Node, Op};
use super::error::Fault;
use crate::value::{Element, Value};

/// The longest range that is made before the run, where it does not count against the memory budget.
const RANGE: i64 = 1_000_000;

/// Folds constants.
///
/// # Errors
/// A remainder by zero.
pub fn fold(mut node: Node) -> Result<Node, Fault> {
    visit(&mut node)?;
    Ok(node)
}

fn visit(node: &mut Node) -> Result<(), Fault> {
    for child in children(node) {
        visit(child)?;
    }
    let Kind::Binary(op, l, r) = &node.kind else {
        return Ok(());
    };
    if let (Op::In, Kind::Array(items)) = (op, &r.kind)
        && let Some(set) = text_set(items)
    {
        let at = r.at;
        if let Kind::Binary(_, _, r) = &mut node.kind {
            **r = Node {
                at,
                kind: Kind::Constant(set),
            };
        }
        return Ok(());
    }
    if let Op::And(_) | Op::Or(_) = op {
        fold_logic(node);
        return Ok(());
    }
    let (Kind::Int(a), Kind::Int(b)) = (&l.kind, &r.kind) else {
        return Ok(());
    };
    let folded = match op {
        Op::Mod if *b == 0 => return Err(Fault::new(node.at, "integer divide by zero")),
        Op::Mod => Kind::Int(a.wrapping_rem(*b)),
        Op::Add => Kind::Int(a.wrapping_add(*b)),
        Op::Sub => Kind::Int(a.wrapping_sub(*b)),
        Op::Mul => Kind::Int(a.wrapping_mul(*b)),
        Op::Range if a <= b && b.saturating_sub(*a) < RANGE => {
            Kind::Constant(Value::list_of(Element::Int, (*a..=*b).map(Value::Int).collect()))
        }
        _ => return Ok(()),
    };
    node.kind = folded;
    Ok(())
}

/// A constant side decides, or leaves the other side as the value, whatever its type.
fn fold_logic(node: &mut Node) {
    let Kind::Binary(op, l, r) = &mut node.kind else {
        return;
    };
    let neutral = matches!(op, Op::And(_));
    let constant = |n: &Node| if let Kind::Bool(b) = n.kind { Some(b) } else { None };
    let kept = match (constant(l), constant(r)) {
        (Some(a), _) if a == neutral => r,
        (_, Some(b)) if b == neutral => l,
        (None, None) => return,
        _ => {
            node.kind = Kind::Bool(!neutral);
            return;
        }
    };
    let kept = std::mem::replace(
        &mut **kept,
        Node {
            at: 0,
            kind: Kind::Nil,
        },
    );
    *node = kept;
}

/// A list of texts becomes a map, so that `in` looks up instead of comparing each, and like the original refuses
/// to look for what is no text.
fn text_set(items: &[Node]) -> Option<Value> {
    if items.is_empty() {
        return None;
    }
    let text = |n: &Node| match &n.kind {
        Kind::Str(s) => Some((s.clone(), Value::Nil)),
        _ => None,
    };
    items.iter().map(text).collect::<Option<Vec<_>>>().map(Value::map)
}

fn children(node: &mut Node) -> Vec<&mut Node> {
    match &mut node.kind {
        Kind::Unary(_, n) | Kind::Chain(n) | Kind::Predicate(n) => vec![n],
        Kind::Binary(_, l, r) => vec![l, r],
        Kind::Member(m) => vec![&mut m.node, &mut m.property],
        Kind::Slice(s) => std::iter::once(&mut s.node)
            .chain(&mut s.from)
            .chain(&mut s.to)
            .collect(),
        Kind::Call(c) => std::iter::once(&mut c.callee).chain(&mut c.args).collect(),
        Kind::Builtin(b) => b.args.iter_mut().collect(),
        Kind::Conditional(parts) => parts.iter_mut().collect(),
        Kind::Let(l) => vec![&mut l.value, &mut l.body],
        Kind::Sequence(nodes) | Kind::Array(nodes) => nodes.iter_mut().collect(),
        Kind::Map(pairs) => pairs.iter_mut().flat_map(|(k, v)| [k, v]).collect(),
        _ => Vec::new(),
    }
}
