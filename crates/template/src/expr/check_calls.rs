//! Static rules of calls: number and types of arguments.

use super::ast::{Call, Kind, Node};
use super::check::{Checked, Checker};
use super::error::Fault;
use super::types::{Signature, Type};
use crate::builtins::{self, Rule};
use crate::value::Func;

/// A call of something that is not a built-in function of the language.
pub fn call(checker: &mut Checker<'_>, node: &Node, call: &Call) -> Checked {
    let callee = checker.visit(&call.callee)?;
    let name = match &call.callee.kind {
        Kind::Name(n) => n.clone(),
        Kind::Member(m) => m
            .name()
            .map_or_else(|| "function".to_owned(), ToString::to_string),
        _ => "function".to_owned(),
    };
    match &callee {
        Type::Unknown | Type::Any => Ok(Type::Unknown),
        Type::Nil => Err(Fault::new(
            node.at,
            format!("{name} is nil; cannot call nil as function"),
        )),
        Type::Func(f) => arguments(checker, &name, of_func(*f), &call.args, node),
        Type::Signature(s) if s.also.len() > 1 => Err(Fault::new(
            node.at,
            format!("func {name} returns more then two values"),
        )),
        Type::Signature(s) => arguments(checker, &name, s, &call.args, node),
        other => Err(Fault::new(node.at, format!("{} is not callable", other.name()))),
    }
}

fn of_func(f: Func) -> &'static Signature {
    static ANY: Signature = Signature::plain(&[Type::Unknown], Type::Any);
    static TWO: Signature = Signature::plain(&[Type::Str, Type::Str], Type::Any);
    static TEXT: Signature = Signature::plain(&[Type::Unknown], Type::Str);
    static FREE: Signature = Signature {
        receiver: None,
        params: &[Type::Unknown],
        out: Type::Any,
        also: &[],
        variadic: true,
    };
    match f {
        Func::AsInt | Func::AsFloat => &ANY,
        Func::JsonPath => &TWO,
        Func::ToJson => &TEXT,
        Func::Sprig(_) => &FREE,
    }
}

/// Checks arguments against a signature.
///
/// # Errors
/// Too many, too few, or one that cannot be given.
pub fn arguments(
    checker: &mut Checker<'_>,
    name: &str,
    signature: &Signature,
    args: &[Node],
    node: &Node,
) -> Checked {
    let wanted = signature.params.len();
    let wrong = if !signature.variadic && args.len() > wanted {
        Some("too many")
    } else if args.len() < wanted.saturating_sub(usize::from(signature.variadic)) {
        Some("not enough")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        for arg in args {
            checker.visit(arg)?;
        }
        return Err(Fault::new(node.at, format!("{wrong} arguments to call {name}")));
    }
    for (i, arg) in args.iter().enumerate() {
        let given = checker.visit(arg)?;
        let param = &signature.params[i.min(wanted - 1)];
        if given.is_unknown() || param.is_number() && given.is_integer() {
            continue;
        }
        if given.is_nil() {
            if matches!(param, Type::Unknown | Type::Any | Type::Zone) {
                continue;
            }
            let message = format!(
                "cannot use nil as argument (type {}) to call {name}",
                param.name()
            );
            return Err(Fault::new(arg.at, message));
        }
        if !given.assignable_to(param) {
            let message = format!(
                "cannot use {} as argument (type {}) to call {name} ",
                given.plain_name(),
                param.plain_name()
            );
            return Err(Fault::new(arg.at, message));
        }
    }
    Ok(signature.out.clone())
}

/// A built-in function without closure.
pub fn function(checker: &mut Checker<'_>, node: &Node, name: &'static str, args: &[Node]) -> Checked {
    match builtins::rule(name) {
        Rule::Validate(validate) => {
            let mut types = Vec::with_capacity(args.len());
            for arg in args {
                types.push(checker.visit(arg)?);
            }
            validate(&types).map_err(|m| Fault::new(node.at, m))
        }
        Rule::Types(signatures) => {
            if let [only] = signatures {
                return arguments(checker, name, only, args, node);
            }
            // Visiting an argument again gives the same answer; the cost is bounded by the few overloads.
            let mut last = None;
            for signature in signatures {
                match arguments(checker, name, signature, args, node) {
                    Ok(t) => return Ok(t),
                    Err(e) => last = Some(e),
                }
            }
            for arg in args {
                checker.visit(arg)?;
            }
            Err(last.unwrap_or_else(|| Fault::new(node.at, format!("no matching overload for {name}"))))
        }
    }
}

/// `get` looks at the type of what it gets from.
pub fn get(checker: &mut Checker<'_>, node: &Node, args: &[Node]) -> Checked {
    let [base_node, key_node] = args else {
        let message = format!("invalid number of arguments (expected 2, got {})", args.len());
        return Err(Fault::new(node.at, message));
    };
    let base = checker.visit(base_node)?;
    let key = checker.visit(key_node)?;
    match &base {
        Type::Unknown | Type::Any => Ok(Type::Unknown),
        Type::Map(_) | Type::AnyMap(_) => {
            if matches!(base, Type::Map(_)) && !key.is_unknown() && !key.is_str() {
                let message = format!("cannot use {} to get an element from {}", key.name(), base.name());
                return Err(Fault::new(key_node.at, message));
            }
            Ok(base.element())
        }
        Type::List(..) | Type::Bytes => {
            if !key.is_integer() && !key.is_unknown() {
                return Err(Fault::new(
                    key_node.at,
                    format!("non-integer slice index {}", key.name()),
                ));
            }
            Ok(base.element())
        }
        other => Err(Fault::new(
            base_node.at,
            format!("type {} does not support indexing", other.plain_name()),
        )),
    }
}
