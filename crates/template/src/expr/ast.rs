//! The syntax tree of an expression. Nodes know their place in characters; nothing is resolved here.

use crate::builtins::Function;
use crate::text::Text;
use crate::value::Value;

/// A node and where errors about it point to.
#[derive(Clone, Debug)]
pub struct Node {
    pub at: usize,
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Text),
    /// Bytes and values found out before the run.
    Constant(Value),
    Name(String),
    Unary(&'static str, Box<Node>),
    Binary(Op, Box<Node>, Box<Node>),
    /// Where an optional member access that met nil stops.
    Chain(Box<Node>),
    Member(Box<Member>),
    Slice(Box<Slice>),
    Call(Box<Call>),
    Builtin(Box<Builtin>),
    /// A closure's body.
    Predicate(Box<Node>),
    /// `#`, `#acc`, `#index`; plain `#` has no name.
    Pointer(String),
    Conditional(Box<[Node; 3]>),
    Let(Box<Let>),
    Sequence(Vec<Node>),
    Array(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

#[derive(Clone, Debug)]
pub struct Member {
    pub node: Node,
    pub property: Node,
    pub optional: bool,
    pub method: bool,
}

impl Member {
    /// The property's name when it is a constant.
    #[must_use]
    pub fn name(&self) -> Option<&Text> {
        match &self.property.kind {
            Kind::Str(s) => Some(s),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Slice {
    pub node: Node,
    pub from: Option<Node>,
    pub to: Option<Node>,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub callee: Node,
    pub args: Vec<Node>,
}

#[derive(Clone, Debug)]
pub struct Builtin {
    pub name: &'static str,
    pub args: Vec<Node>,
    /// What to call, when it takes no closure.
    pub function: Option<Function>,
}

#[derive(Clone, Debug)]
pub struct Let {
    pub name: String,
    pub value: Node,
    pub body: Node,
}

/// Binary operators; the spelling is kept for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Or(&'static str),
    And(&'static str),
    Eq,
    Ne,
    Lt,
    Gt,
    Ge,
    Le,
    In,
    Matches,
    Contains,
    StartsWith,
    EndsWith,
    Range,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow(&'static str),
    Coalesce,
    Pipe,
}

impl Op {
    /// The operator of a token, its precedence, and whether it groups to the right.
    #[must_use]
    pub fn find(text: &str) -> Option<(Self, u32, bool)> {
        Some(match text {
            "|" => (Self::Pipe, 0, false),
            "||" => (Self::Or("||"), 10, false),
            "or" => (Self::Or("or"), 10, false),
            "&&" => (Self::And("&&"), 15, false),
            "and" => (Self::And("and"), 15, false),
            "==" => (Self::Eq, 20, false),
            "!=" => (Self::Ne, 20, false),
            "<" => (Self::Lt, 20, false),
            ">" => (Self::Gt, 20, false),
            ">=" => (Self::Ge, 20, false),
            "<=" => (Self::Le, 20, false),
            "in" => (Self::In, 20, false),
            "matches" => (Self::Matches, 20, false),
            "contains" => (Self::Contains, 20, false),
            "startsWith" => (Self::StartsWith, 20, false),
            "endsWith" => (Self::EndsWith, 20, false),
            ".." => (Self::Range, 25, false),
            "+" => (Self::Add, 30, false),
            "-" => (Self::Sub, 30, false),
            "*" => (Self::Mul, 60, false),
            "/" => (Self::Div, 60, false),
            "%" => (Self::Mod, 60, false),
            "**" => (Self::Pow("**"), 100, true),
            "^" => (Self::Pow("^"), 100, true),
            "??" => (Self::Coalesce, 500, false),
            _ => return None,
        })
    }

    /// As written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Or(s) | Self::And(s) | Self::Pow(s) => s,
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Le => "<=",
            Self::In => "in",
            Self::Matches => "matches",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Range => "..",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Coalesce => "??",
            Self::Pipe => "|",
        }
    }

    /// Whether `a < b < c` may be chained with it.
    #[must_use]
    pub fn is_order(self) -> bool {
        matches!(self, Self::Lt | Self::Gt | Self::Ge | Self::Le)
    }
}

/// Operators that stand before their operand, with their precedence.
#[must_use]
pub fn unary(text: &str) -> Option<(&'static str, u32)> {
    Some(match text {
        "not" => ("not", 50),
        "!" => ("!", 50),
        "-" => ("-", 90),
        "+" => ("+", 90),
        _ => return None,
    })
}
