//! Tokens into a syntax tree: precedence climbing, pipes, closures, optional chains. Nothing is looked up but the
//! names of functions, since a variable may hide a function and then its call parses differently.

use super::ast::{Builtin, Call, Kind, Let, Member, Node, Op, Slice, unary};
use super::error::Fault;
use super::token::{Lexer, Token};
use crate::builtins::{self, Argument};
use crate::value::Value;
use crate::value::number::{Bad, parse_float, parse_int};
use crate::value::quote::go_quote;

/// How deep an expression may be nested; deeper ones are refused so that no input can exhaust the stack.
pub const DEPTH: usize = 120;

/// How many nodes an expression may have, as in the original.
pub const NODES: usize = 10_000;

pub struct Parser<'a> {
    lexer: Lexer,
    token: Token,
    at: usize,
    stashed: Option<(Token, usize)>,
    /// How many closures we are in.
    closures: usize,
    depth: usize,
    nodes: usize,
    hidden: &'a dyn Fn(&str) -> bool,
}

type Parsed = Result<Node, Fault>;

/// Parses a whole expression. `hidden` says which functions are hidden by a variable of the same name.
///
/// # Errors
/// The first thing in the text that is not part of the language, or a text that is too large or too deep.
pub fn parse(source: &str, hidden: &dyn Fn(&str) -> bool) -> Parsed {
    let mut lexer = Lexer::new(source);
    let (token, at) = lexer.next()?;
    let mut parser = Parser {
        lexer,
        token,
        at,
        stashed: None,
        closures: 0,
        depth: 0,
        nodes: 0,
        hidden,
    };
    let node = parser.sequence()?;
    if parser.token != Token::Eof {
        return Err(parser.unexpected());
    }
    Ok(node)
}

impl Parser<'_> {
    fn next(&mut self) -> Result<(), Fault> {
        if let Some((token, at)) = self.stashed.take() {
            self.token = token;
            self.at = at;
            return Ok(());
        }
        if self.token == Token::Eof {
            return Err(Fault::new(self.at, "unexpected end of expression"));
        }
        let (token, at) = self.lexer.next()?;
        self.token = token;
        self.at = at;
        Ok(())
    }

    fn unexpected(&self) -> Fault {
        Fault::new(self.at, format!("unexpected token {}", self.token.show()))
    }

    fn expect_op(&mut self, op: &str) -> Result<(), Fault> {
        if self.token.is_op(op) {
            self.next()
        } else {
            Err(self.unexpected())
        }
    }

    fn expect_bracket(&mut self, bracket: char) -> Result<(), Fault> {
        if self.token.is_bracket(bracket) {
            self.next()
        } else {
            Err(self.unexpected())
        }
    }

    fn node(&mut self, at: usize, kind: Kind) -> Parsed {
        self.nodes += 1;
        if self.nodes > NODES {
            return Err(Fault::new(
                at,
                "compilation failed: expression exceeds maximum allowed nodes",
            ));
        }
        Ok(Node { at, kind })
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fault::new(
                self.at,
                format!("expression is nested deeper than {DEPTH} levels"),
            ));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn sequence(&mut self) -> Parsed {
        let first = self.expression(0)?;
        let mut nodes = vec![first];
        while self.token.is_op(";") {
            self.next()?;
            if self.token == Token::Eof {
                break;
            }
            nodes.push(self.expression(0)?);
        }
        if nodes.len() == 1 {
            return Ok(nodes.remove(0));
        }
        let at = nodes[0].at;
        self.node(at, Kind::Sequence(nodes))
    }

    fn expression(&mut self, precedence: u32) -> Parsed {
        self.deeper(|p| p.expression_here(precedence))
    }

    fn expression_here(&mut self, precedence: u32) -> Parsed {
        if precedence == 0 && self.token.is_op("let") {
            return self.declaration();
        }
        if precedence == 0 && self.token.is_op("if") {
            return self.if_else();
        }
        let mut left = self.primary()?;
        let mut previous: Option<Op> = None;
        let mut links = 0;
        while let Token::Operator(mut op_text) = self.token.clone() {
            let mut op_at = self.at;
            let mut negated = None;
            if op_text == "not" {
                let not = (self.token.clone(), self.at);
                self.next()?;
                let Some(next) = self.negatable() else {
                    return Err(self.unexpected());
                };
                if next.1 < precedence {
                    self.stashed = Some((std::mem::replace(&mut self.token, not.0), self.at));
                    self.at = not.1;
                    break;
                }
                negated = Some(not.1);
                next.0.clone_into(&mut op_text);
                op_at = self.at;
            }
            let Some((op, level, right)) = Op::find(&op_text) else {
                break;
            };
            if level < precedence {
                break;
            }
            links += 1;
            if links > NODES {
                return Err(Fault::new(
                    op_at,
                    "compilation failed: expression exceeds maximum allowed nodes",
                ));
            }
            self.next()?;
            if previous == Some(Op::Coalesce) && op != Op::Coalesce && op != Op::Pipe {
                return Err(Fault::new(
                    op_at,
                    format!(
                        "Operator ({op_text}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses."
                    ),
                ));
            }
            left = self.after_operator(left, op, op_at, level, right, negated)?;
            previous = Some(op);
        }
        if precedence == 0 {
            left = self.conditional(left)?;
        }
        Ok(left)
    }

    fn after_operator(
        &mut self,
        left: Node,
        op: Op,
        at: usize,
        level: u32,
        right: bool,
        negated: Option<usize>,
    ) -> Parsed {
        if op == Op::Pipe {
            let Token::Identifier(name) = self.token.clone() else {
                return Err(self.unexpected());
            };
            let name_at = self.at;
            self.next()?;
            return self.call(&name, name_at, vec![left], true);
        }
        if op.is_order() {
            return self.comparison(left, op, at, level);
        }
        let operand = self.expression(if right { level } else { level + 1 })?;
        let node = self.node(at, Kind::Binary(op, Box::new(left), Box::new(operand)))?;
        match negated {
            Some(at) => self.node(at, Kind::Unary("not", Box::new(node))),
            None => Ok(node),
        }
    }

    /// Operators that may follow `not`.
    fn negatable(&self) -> Option<(&'static str, u32)> {
        let Token::Operator(op) = &self.token else {
            return None;
        };
        ["contains", "matches", "startsWith", "endsWith", "in"]
            .iter()
            .find(|o| *o == op)
            .map(|o| (*o, 20))
    }

    fn comparison(&mut self, mut left: Node, first: Op, first_at: usize, level: u32) -> Parsed {
        let (mut op, mut at) = (first, first_at);
        let mut root: Option<Node> = None;
        loop {
            let right = self.expression(level + 1)?;
            let compare = self.node(at, Kind::Binary(op, Box::new(left), Box::new(right.clone())))?;
            root = Some(match root {
                None => compare,
                Some(before) => self.node(
                    at,
                    Kind::Binary(Op::And("&&"), Box::new(before), Box::new(compare)),
                )?,
            });
            left = right;
            let Token::Operator(text) = &self.token else { break };
            match Op::find(text) {
                Some((next, ..)) if next.is_order() => op = next,
                _ => break,
            }
            at = self.at;
            self.next()?;
        }
        Ok(root.expect("the loop body ran at least once"))
    }

    fn conditional(&mut self, mut node: Node) -> Parsed {
        while self.token.is_op("?") {
            self.next()?;
            let (yes, no) = if self.token.is_op(":") {
                self.next()?;
                (node.clone(), self.expression(0)?)
            } else {
                let yes = self.expression(0)?;
                self.expect_op(":")?;
                (yes, self.expression(0)?)
            };
            // Errors of the condition point behind it, as in the original.
            node = self.node(self.at, Kind::Conditional(Box::new([node, yes, no])))?;
        }
        Ok(node)
    }

    fn declaration(&mut self) -> Parsed {
        self.next()?;
        let at = self.at;
        let Token::Identifier(name) = self.token.clone() else {
            return Err(self.unexpected());
        };
        self.next()?;
        self.expect_op("=")?;
        let value = self.expression(0)?;
        self.expect_op(";")?;
        let body = self.sequence()?;
        self.node(at, Kind::Let(Box::new(Let { name, value, body })))
    }

    fn if_else(&mut self) -> Parsed {
        let at = self.at;
        self.next()?;
        let condition = self.expression(0)?;
        self.expect_bracket('{')?;
        let yes = self.sequence()?;
        self.expect_bracket('}')?;
        self.expect_op("else")?;
        let no = if self.token.is_op("if") {
            self.deeper(Self::if_else)?
        } else {
            self.expect_bracket('{')?;
            let no = self.sequence()?;
            self.expect_bracket('}')?;
            no
        };
        self.node(at, Kind::Conditional(Box::new([condition, yes, no])))
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at;
        if let Token::Operator(op) = &self.token {
            if let Some((op, level)) = unary(op) {
                self.next()?;
                let operand = self.expression(level)?;
                let node = self.node(at, Kind::Unary(op, Box::new(operand)))?;
                return self.postfix(node);
            }
            if op == "::" {
                self.next()?;
                let (Token::Identifier(name), name_at) = (self.token.clone(), self.at) else {
                    return Err(self.unexpected());
                };
                self.next()?;
                let call = self.call(&name, name_at, Vec::new(), false)?;
                return self.postfix(call);
            }
            if self.closures > 0 && (op == "#" || op == ".") {
                let mut name = String::new();
                if op == "#" {
                    self.next()?;
                    if let Token::Identifier(n) = &self.token {
                        name.clone_from(n);
                        self.next()?;
                    }
                }
                let node = self.node(at, Kind::Pointer(name))?;
                return self.postfix(node);
            }
        }
        if self.token.is_bracket('(') {
            self.next()?;
            let node = self.sequence()?;
            self.expect_bracket(')')?;
            return self.postfix(node);
        }
        self.secondary()
    }

    fn secondary(&mut self) -> Parsed {
        let at = self.at;
        let node = match self.token.clone() {
            Token::Identifier(word) => {
                self.next()?;
                match word.as_str() {
                    "true" => return self.node(at, Kind::Bool(true)),
                    "false" => return self.node(at, Kind::Bool(false)),
                    "nil" => return self.node(at, Kind::Nil),
                    _ if self.token.is_bracket('(') => self.call(&word, at, Vec::new(), true)?,
                    _ => self.node(at, Kind::Name(word))?,
                }
            }
            Token::Number(text) => {
                self.next()?;
                let kind = number(&text).map_err(|m| Fault::new(self.at, m))?;
                return self.node(at, kind);
            }
            Token::Str(text) => {
                self.next()?;
                self.node(at, Kind::Str(text))?
            }
            Token::Bytes(bytes) => {
                self.next()?;
                self.node(at, Kind::Constant(Value::Bytes(bytes.into())))?
            }
            Token::Bracket('[') => self.array()?,
            Token::Bracket('{') => self.map()?,
            _ => return Err(self.unexpected()),
        };
        self.postfix(node)
    }

    fn array(&mut self) -> Parsed {
        let at = self.at;
        self.next()?;
        let mut items = Vec::new();
        while !self.token.is_bracket(']') {
            if !items.is_empty() {
                self.expect_op(",")?;
                if self.token.is_bracket(']') {
                    break;
                }
            }
            items.push(self.expression(0)?);
        }
        self.expect_bracket(']')?;
        self.node(at, Kind::Array(items))
    }

    fn map(&mut self) -> Parsed {
        let at = self.at;
        self.next()?;
        let mut pairs = Vec::new();
        while !self.token.is_bracket('}') {
            if !pairs.is_empty() {
                self.expect_op(",")?;
                if self.token.is_bracket('}') {
                    break;
                }
                if self.token.is_op(",") {
                    return Err(self.unexpected());
                }
            }
            let key_at = self.at;
            let key = match self.token.clone() {
                Token::Number(s) | Token::Identifier(s) => {
                    self.next()?;
                    self.node(key_at, Kind::Str(s.into()))?
                }
                Token::Str(s) => {
                    self.next()?;
                    self.node(key_at, Kind::Str(s))?
                }
                Token::Bracket('(') => self.expression(0)?,
                other => {
                    let message = "a map key must be a quoted string, a number, a identifier, or an expression \
                                   enclosed in parentheses (unexpected token ";
                    return Err(Fault::new(key_at, format!("{message}{})", other.show())));
                }
            };
            self.expect_op(":")?;
            pairs.push((key, self.expression(0)?));
        }
        self.expect_bracket('}')?;
        self.node(at, Kind::Map(pairs))
    }

    fn call(&mut self, name: &str, at: usize, mut args: Vec<Node>, may_hide: bool) -> Parsed {
        let hidden = may_hide && (self.hidden)(name);
        if !hidden && let Some((name, shape)) = builtins::closure_shape(name) {
            self.expect_bracket('(')?;
            self.closure_arguments(shape, &mut args)?;
            return self.node(
                at,
                Kind::Builtin(Box::new(Builtin {
                    name,
                    args,
                    function: None,
                })),
            );
        }
        if !hidden && let Some(name) = builtins::known(name) {
            let args = self.arguments(args)?;
            let function = Some(builtins::function(name));
            return self.node(at, Kind::Builtin(Box::new(Builtin { name, args, function })));
        }
        let callee = self.node(at, Kind::Name(name.to_owned()))?;
        let args = self.arguments(args)?;
        self.node(at, Kind::Call(Box::new(Call { callee, args })))
    }

    fn closure_arguments(&mut self, shape: &'static [Argument], args: &mut Vec<Node>) -> Result<(), Fault> {
        let wanted = &shape[args.len().min(shape.len())..];
        for (i, argument) in wanted.iter().enumerate() {
            if self.token.is_bracket(')') {
                if argument.is_optional() {
                    break;
                }
                return Err(Fault::new(
                    self.at,
                    format!("expected at least {} arguments", wanted.len()),
                ));
            }
            if i > 0 {
                self.expect_op(",")?;
            }
            if argument.is_optional() && self.token.is_bracket(')') {
                break;
            }
            let node = if argument.is_closure() {
                self.predicate()?
            } else {
                self.expression(0)?
            };
            args.push(node);
        }
        if self.token.is_op(",") {
            self.next()?;
        }
        self.expect_bracket(')')
    }

    fn predicate(&mut self) -> Parsed {
        let at = self.at;
        let braces = self.token.is_bracket('{');
        if braces {
            self.next()?;
        }
        self.closures += 1;
        let body = if braces {
            self.sequence()?
        } else {
            let body = self.expression(0)?;
            if self.token.is_op(";") {
                return Err(Fault::new(self.at, "wrap predicate with brackets { and }"));
            }
            body
        };
        self.closures -= 1;
        if braces {
            self.expect_bracket('}')?;
        }
        self.node(at, Kind::Predicate(Box::new(body)))
    }

    fn arguments(&mut self, mut args: Vec<Node>) -> Result<Vec<Node>, Fault> {
        let given = args.len();
        self.expect_bracket('(')?;
        while !self.token.is_bracket(')') {
            if args.len() > given {
                self.expect_op(",")?;
            }
            if self.token.is_bracket(')') {
                break;
            }
            args.push(self.expression(0)?);
        }
        self.expect_bracket(')')?;
        Ok(args)
    }

    fn postfix(&mut self, mut node: Node) -> Parsed {
        let mut links = 0;
        loop {
            links += 1;
            if links > DEPTH {
                return Err(Fault::new(
                    self.at,
                    format!("expression is nested deeper than {DEPTH} levels"),
                ));
            }
            let optional = self.token.is_op("?.");
            if optional || self.token.is_op(".") {
                self.next()?;
                if optional && self.token.is_bracket('[') {
                    node = self.index(node, true)?;
                } else {
                    node = self.member(node, optional)?;
                }
            } else if self.token.is_bracket('[') {
                node = self.index(node, false)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn member(&mut self, node: Node, optional: bool) -> Parsed {
        let at = self.at;
        let token = self.token.clone();
        self.next()?;
        let name = match token {
            Token::Identifier(s) => s,
            Token::Operator(s) if s.starts_with(|c: char| c.is_alphabetic()) => s,
            _ => return Err(Fault::new(self.at, "expected name")),
        };
        let (node, chained) = match node.kind {
            Kind::Chain(inner) => (*inner, true),
            kind => (Node { at: node.at, kind }, false),
        };
        let property = self.node(at, Kind::Str(name.into()))?;
        let method = self.token.is_bracket('(');
        let mut made = self.node(
            at,
            Kind::Member(Box::new(Member {
                node,
                property,
                optional,
                method,
            })),
        )?;
        if method {
            let args = self.arguments(Vec::new())?;
            made = self.node(at, Kind::Call(Box::new(Call { callee: made, args })))?;
        }
        if chained || optional {
            self.node(at, Kind::Chain(Box::new(made)))
        } else {
            Ok(made)
        }
    }

    fn index(&mut self, node: Node, optional: bool) -> Parsed {
        let at = self.at;
        self.next()?;
        let (mut from, mut to) = (None, None);
        if !self.token.is_op(":") {
            from = Some(self.expression(0)?);
        }
        if !self.token.is_op(":") {
            self.expect_bracket(']')?;
            let property = from.take().expect("parsed just above");
            let made = Member {
                node,
                property,
                optional,
                method: false,
            };
            let made = self.node(at, Kind::Member(Box::new(made)))?;
            return if optional {
                self.node(at, Kind::Chain(Box::new(made)))
            } else {
                Ok(made)
            };
        }
        self.next()?;
        if !self.token.is_bracket(']') {
            to = Some(self.expression(0)?);
        }
        self.expect_bracket(']')?;
        self.node(at, Kind::Slice(Box::new(Slice { node, from, to })))
    }
}

fn number(text: &str) -> Result<Kind, String> {
    let digits = text.replace('_', "");
    let lower = digits.to_lowercase();
    let failed = |what: &str, function: &str, bad: Bad| {
        let quoted = go_quote(digits.as_bytes());
        format!(
            "invalid {what} literal: strconv.{function}: parsing {quoted}: {}",
            bad.text()
        )
    };
    let (what, base) = if lower.starts_with("0x") {
        ("hex", 0)
    } else if lower.contains(['.', 'e']) {
        return parse_float(&digits)
            .map(Kind::Float)
            .map_err(|e| failed("float", "ParseFloat", e));
    } else if lower.starts_with("0b") {
        ("binary", 0)
    } else if lower.starts_with("0o") {
        ("octal", 0)
    } else {
        ("integer", 10)
    };
    parse_int(&digits, base)
        .map(Kind::Int)
        .map_err(|e| failed(what, "ParseInt", e))
}
