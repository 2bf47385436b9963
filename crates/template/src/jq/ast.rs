//! The tree of a jq filter. What it means is in `eval`.

/// A filter.
#[derive(Debug)]
pub enum Ast {
    /// `.`
    Identity,
    /// `null`, `true`, `false`
    Null,
    Bool(bool),
    /// `..`
    Descend,
    /// A number as written.
    Number(String),
    /// A text: pieces, and a format for the values between them.
    Text(Option<String>, Vec<Piece>),
    /// `@name` without a text.
    Format(String),
    /// `$name`
    Variable(String),
    /// `name(args)`
    Call(String, Vec<Ast>),
    /// `[inner]`
    Array(Option<Box<Ast>>),
    /// `{key: value, …}`
    Object(Vec<(Key, Option<Ast>)>),
    /// `base[index]`, also `base.name`
    Index(Box<Ast>, Box<Ast>),
    /// `base[from:to]`
    Slice(Box<Ast>, Option<Box<Ast>>, Option<Box<Ast>>),
    /// `base[]`
    Each(Box<Ast>),
    /// `-operand`
    Negate(Box<Ast>),
    Pipe(Box<Ast>, Box<Ast>),
    Comma(Box<Ast>, Box<Ast>),
    Binary(Op, Box<Ast>, Box<Ast>),
    /// `target op value`; no operator is `=`.
    Assign(Assign, Box<Ast>, Box<Ast>),
    /// Condition, then, else.
    If(Box<Ast>, Box<Ast>, Option<Box<Ast>>),
    /// `base.name?`, `base[…]?`: what the base fails with is not caught.
    Optional(Box<Ast>),
    /// `try body catch handler`, also `(body)?`
    Try(Box<Ast>, Option<Box<Ast>>),
    /// `reduce source as pattern (start; update)`
    Reduce(Box<Ast>, Vec<Pattern>, Box<(Ast, Ast)>),
    /// `foreach source as pattern (start; update; extract)`
    Foreach(Box<Ast>, Vec<Pattern>, Box<(Ast, Ast, Option<Ast>)>),
    /// `source as pattern ?// pattern | body`
    Bind(Box<Ast>, Vec<Pattern>, Box<Ast>),
    /// `label $name | body`
    Label(String, Box<Ast>),
    /// `break $name`
    Break(String),
    /// `def …; body`
    Def(Box<Function>, Box<Ast>),
}

/// A piece of a text.
#[derive(Debug)]
pub enum Piece {
    Plain(String),
    Value(Ast),
}

/// A key of an object.
#[derive(Debug)]
pub enum Key {
    Name(String),
    /// `$name`: key and value.
    Variable(String),
    /// A text or an expression in brackets.
    Computed(Ast),
}

/// What takes a value apart.
#[derive(Debug)]
pub enum Pattern {
    Variable(String),
    Array(Vec<Pattern>),
    Object(Vec<(Key, Option<Pattern>)>),
}

/// A definition.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    /// Names; those with a dollar take values.
    pub params: Vec<String>,
    pub body: Ast,
}

/// Operators of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Alternative,
    Or,
    And,
    Equal,
    Unequal,
    Less,
    Greater,
    AtMost,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// Kinds of assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assign {
    /// `=`
    Set,
    /// `|=`
    Update,
    /// `+=` and its like
    With(Op),
}

impl Pattern {
    /// Every variable in it.
    pub fn variables<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Self::Variable(name) => found.push(name),
            Self::Array(items) => items.iter().for_each(|p| p.variables(found)),
            Self::Object(members) => {
                for (key, value) in members {
                    if let Key::Variable(name) = key {
                        found.push(name);
                    }
                    if let Some(value) = value {
                        value.variables(found);
                    }
                }
            }
        }
    }
}
