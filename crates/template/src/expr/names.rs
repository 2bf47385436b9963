//! Which variables an expression reads (C-SUB-08), found on the syntax tree.

use super::ast::{Kind, Node, Op};

/// A variable that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The dotted name, as far as its parts are constant.
    pub name: String,
    /// Whether the expression can do without it: it stands left of `??` or below `?.`.
    pub optional: bool,
    /// Where it stands, in characters from the start.
    pub at: usize,
}

/// All references, in the order in which they are met, each name once.
#[must_use]
pub fn references(node: &Node) -> Vec<Reference> {
    let mut found = Vec::new();
    walk(node, false, &mut found);
    found
}

fn add(found: &mut Vec<Reference>, name: String, optional: bool, at: usize) {
    match found.iter_mut().find(|r| r.name == name) {
        Some(known) => known.optional &= optional,
        None => found.push(Reference { name, optional, at }),
    }
}

/// The dotted name of a chain of constant members.
pub(super) fn chain(node: &Node) -> Option<String> {
    optional_chain(node).map(|(name, _)| name)
}

/// Whether a dotted name begins with another one, in whole parts.
pub(crate) fn is_root(root: &str, name: &str) -> bool {
    name.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The dotted name of a chain of constant members, and whether an optional access is in it.
fn optional_chain(node: &Node) -> Option<(String, bool)> {
    match &node.kind {
        Kind::Name(name) => Some((name.clone(), false)),
        Kind::Chain(inner) => optional_chain(inner),
        Kind::Member(m) => {
            let (base, optional) = optional_chain(&m.node)?;
            let name = m.name()?;
            Some((format!("{base}.{name}"), optional || m.optional))
        }
        _ => None,
    }
}

/// The longest dotted names of constant members: whatever the expression reads of variables is below one of them.
#[must_use]
pub fn chains(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    add_chains(node, &mut found);
    found
}

fn add_chains(node: &Node, found: &mut Vec<String>) {
    match chain(node) {
        Some(name) => found.push(name),
        None => children(node)
            .into_iter()
            .for_each(|child| add_chains(child, found)),
    }
}

/// Where a chain of members begins.
fn start(node: &Node) -> usize {
    match &node.kind {
        Kind::Chain(inner) => start(inner),
        Kind::Member(m) => start(&m.node),
        _ => node.at,
    }
}

fn walk(node: &Node, optional: bool, found: &mut Vec<Reference>) {
    match &node.kind {
        Kind::Name(name) => add(found, name.clone(), false, node.at),
        Kind::Chain(inner) => walk(inner, optional, found),
        Kind::Member(m) => {
            let chained = optional_chain(node);
            let optional = optional || chained.as_ref().is_some_and(|(_, chained)| *chained);
            walk(&m.node, optional, found);
            if let Some((name, _)) = chained {
                add(found, name, optional, start(&m.node));
            } else {
                walk(&m.property, false, found);
            }
        }
        Kind::Binary(Op::Coalesce, l, r) => {
            walk(l, true, found);
            walk(r, optional, found);
        }
        _ => {
            for child in children(node) {
                walk(child, false, found);
            }
        }
    }
}

fn children(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::Unary(_, n) | Kind::Chain(n) | Kind::Predicate(n) => vec![n],
        Kind::Binary(_, l, r) => vec![l, r],
        Kind::Member(m) => vec![&m.node, &m.property],
        Kind::Slice(s) => std::iter::once(&s.node).chain(&s.from).chain(&s.to).collect(),
        Kind::Call(c) => std::iter::once(&c.callee).chain(&c.args).collect(),
        Kind::Builtin(b) => b.args.iter().collect(),
        Kind::Conditional(parts) => parts.iter().collect(),
        Kind::Let(l) => vec![&l.value, &l.body],
        Kind::Sequence(nodes) | Kind::Array(nodes) => nodes.iter().collect(),
        Kind::Map(pairs) => pairs.iter().flat_map(|(k, v)| [k, v]).collect(),
        _ => Vec::new(),
    }
}

/// Names that the expression itself declares (`let x = …`).
#[must_use]
pub fn declared(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    if let Kind::Let(l) = &node.kind {
        found.push(l.name.clone());
    }
    for child in children(node) {
        found.extend(declared(child));
    }
    found
}

/// Every top-level name and every function called by name, each sorted.
#[must_use]
pub fn roots(node: &Node) -> (Vec<String>, Vec<String>) {
    let (mut names, mut called) = (Vec::new(), Vec::new());
    collect(node, &mut names, &mut called);
    for list in [&mut names, &mut called] {
        list.sort();
        list.dedup();
    }
    (names, called)
}

fn collect(node: &Node, names: &mut Vec<String>, called: &mut Vec<String>) {
    match &node.kind {
        Kind::Name(name) => names.push(name.clone()),
        Kind::Builtin(b) => called.push(b.name.to_owned()),
        Kind::Let(l) => names.push(l.name.clone()),
        _ => {}
    }
    for child in children(node) {
        collect(child, names, called);
    }
}
