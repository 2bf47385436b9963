//! Reads a jq filter. Texts are read by the parser itself, since filters stand in them.

use super::ast::{Assign, Ast, Function, Key, Op, Pattern, Piece};
use super::token::{Parser, Token};

/// How deep brackets may be nested.
const DEPTH: usize = 200;

const KEYWORDS: &[&str] = &[
    "or", "and", "def", "reduce", "foreach", "as", "if", "then", "elif", "else", "end", "try", "catch",
    "label", "import", "include", "__loc__",
];

pub type Parsed<T> = Result<T, String>;

/// Parses a filter.
///
/// # Errors
/// Where it stops being one.
pub fn parse(source: &str) -> Parsed<Ast> {
    let mut parser = Parser::new(source);
    if parser.peek()? == &Token::End {
        return Err("missing query (try \".\")".into());
    }
    parser.refuse_modules()?;
    let ast = parser.pipe()?;
    parser.end()?;
    Ok(ast)
}

/// Parses definitions without a body.
///
/// # Errors
/// Like [`parse`].
pub fn definitions(source: &str) -> Parsed<Vec<Function>> {
    let mut parser = Parser::new(source);
    let mut all = Vec::new();
    while parser.word("def")? {
        all.push(parser.function()?);
    }
    parser.end()?;
    Ok(all)
}

impl Parser<'_> {
    fn refuse_modules(&mut self) -> Parsed<()> {
        if self.word("import")? || self.word("include")? {
            if self.peek()? != &Token::Quote {
                return self.unexpected();
            }
            self.next()?;
            let name = self.take_while(|c| c != '"').to_owned();
            return Err(format!("cannot load module: {name:?}"));
        }
        Ok(())
    }

    // ---- filters, from the loosest operator to the tightest

    fn pipe(&mut self) -> Parsed<Ast> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("filter is nested deeper than {DEPTH} levels"));
        }
        let before = std::mem::replace(&mut self.bindable, true);
        let ast = self.pipe_inside();
        self.bindable = before;
        self.depth -= 1;
        ast
    }

    fn pipe_inside(&mut self) -> Parsed<Ast> {
        // A long pipe is read in a loop, so that only brackets nest.
        let mut stages = Vec::new();
        let mut defs = Vec::new();
        loop {
            while self.word("def")? {
                defs.push((stages.len(), self.function()?));
            }
            stages.push(self.comma()?);
            if !self.sign("|")? {
                break;
            }
        }
        let mut count = stages.len();
        let mut stages = stages.into_iter().rev();
        let mut ast = stages.next().expect("the loop pushes at least one");
        loop {
            count -= 1;
            while defs.last().is_some_and(|(at, _)| *at == count) {
                let (_, def) = defs.pop().expect("it was just seen");
                ast = Ast::Def(Box::new(def), Box::new(ast));
            }
            match stages.next() {
                Some(before) => ast = Ast::Pipe(Box::new(before), Box::new(ast)),
                None => return Ok(ast),
            }
        }
    }

    fn function(&mut self) -> Parsed<Function> {
        let Token::Name(name) = self.peek()?.clone() else {
            return self.unexpected();
        };
        if matches!(&*name, "true" | "false" | "null") {
            return self.unexpected();
        }
        self.next()?;
        let mut params = Vec::new();
        if self.sign("(")? {
            loop {
                match self.peek()?.clone() {
                    Token::Name(name) => params.push(name),
                    Token::Variable(name) => params.push(format!("${name}")),
                    _ => return self.unexpected(),
                }
                self.next()?;
                if self.sign(")")? {
                    break;
                }
                self.expect(";")?;
            }
        }
        self.expect(":")?;
        let body = self.pipe()?;
        self.expect(";")?;
        Ok(Function { name, params, body })
    }

    fn comma(&mut self) -> Parsed<Ast> {
        let mut left = self.alternative()?;
        while self.sign(",")? {
            left = Ast::Comma(Box::new(left), Box::new(self.alternative()?));
        }
        Ok(left)
    }

    /// `//` binds to the right.
    fn alternative(&mut self) -> Parsed<Ast> {
        let mut parts = vec![self.assignment()?];
        while self.sign("//")? {
            parts.push(self.assignment()?);
        }
        let mut ast = parts.pop().expect("it begins with one");
        while let Some(left) = parts.pop() {
            ast = Ast::Binary(Op::Alternative, Box::new(left), Box::new(ast));
        }
        Ok(ast)
    }

    fn assignment(&mut self) -> Parsed<Ast> {
        let target = self.operators(0)?;
        let Token::Sign(sign) = self.peek()? else {
            return Ok(target);
        };
        let kind = match *sign {
            "=" => Assign::Set,
            "|=" => Assign::Update,
            "+=" => Assign::With(Op::Add),
            "-=" => Assign::With(Op::Subtract),
            "*=" => Assign::With(Op::Multiply),
            "/=" => Assign::With(Op::Divide),
            "%=" => Assign::With(Op::Modulo),
            "//=" => Assign::With(Op::Alternative),
            _ => return Ok(target),
        };
        self.next()?;
        let value = self.operators(0)?;
        Ok(Ast::Assign(kind, Box::new(target), Box::new(value)))
    }

    fn operator(&mut self, level: usize) -> Parsed<Option<Op>> {
        let op = match (level, self.peek()?) {
            (0, Token::Name(n)) if n == "or" => Op::Or,
            (1, Token::Name(n)) if n == "and" => Op::And,
            (2, Token::Sign("==")) => Op::Equal,
            (2, Token::Sign("!=")) => Op::Unequal,
            (2, Token::Sign("<")) => Op::Less,
            (2, Token::Sign(">")) => Op::Greater,
            (2, Token::Sign("<=")) => Op::AtMost,
            (2, Token::Sign(">=")) => Op::AtLeast,
            (3, Token::Sign("+")) => Op::Add,
            (3, Token::Sign("-")) => Op::Subtract,
            (4, Token::Sign("*")) => Op::Multiply,
            (4, Token::Sign("/")) => Op::Divide,
            (4, Token::Sign("%")) => Op::Modulo,
            _ => return Ok(None),
        };
        self.next()?;
        Ok(Some(op))
    }

    fn operators(&mut self, level: usize) -> Parsed<Ast> {
        if level == 5 {
            return self.postfix();
        }
        let mut left = self.operators(level + 1)?;
        while let Some(op) = self.operator(level)? {
            let right = self.operators(level + 1)?;
            left = Ast::Binary(op, Box::new(left), Box::new(right));
            if level == 2 && self.operator_ahead()? {
                return self.unexpected();
            }
        }
        Ok(left)
    }

    /// Whether a comparison follows: they do not chain.
    fn operator_ahead(&mut self) -> Parsed<bool> {
        Ok(matches!(
            self.peek()?,
            Token::Sign("==" | "!=" | "<" | ">" | "<=" | ">=")
        ))
    }

    fn postfix(&mut self) -> Parsed<Ast> {
        if self.sign("-")? {
            self.depth += 1;
            if self.depth > DEPTH {
                return Err(format!("filter is nested deeper than {DEPTH} levels"));
            }
            let operand = self.postfix()?;
            self.depth -= 1;
            return Ok(Ast::Negate(Box::new(operand)));
        }
        if self.sign("+")? {
            return self.term();
        }
        let term = self.term()?;
        if !self.bindable || !self.word("as")? {
            return Ok(term);
        }
        let patterns = self.patterns()?;
        self.expect("|")?;
        let body = self.pipe()?;
        Ok(Ast::Bind(Box::new(term), patterns, Box::new(body)))
    }

    /// A term with what follows it: members, indices, `?`.
    fn term(&mut self) -> Parsed<Ast> {
        let mut ast = self.primary()?;
        loop {
            match self.peek()?.clone() {
                Token::Field(name) => {
                    self.next()?;
                    ast = member(ast, name);
                }
                Token::Sign("[") => {
                    self.next()?;
                    ast = self.index(ast)?;
                }
                Token::Sign("?") => {
                    self.next()?;
                    ast = match ast {
                        Ast::Index(..) | Ast::Slice(..) | Ast::Each(_) => Ast::Optional(Box::new(ast)),
                        other => Ast::Try(Box::new(other), None),
                    };
                }
                Token::Sign(".") => {
                    self.next()?;
                    match self.peek()?.clone() {
                        Token::Quote => {
                            self.next()?;
                            let key = self.text(None)?;
                            ast = Ast::Index(Box::new(ast), Box::new(key));
                        }
                        Token::Sign("[") => {
                            self.next()?;
                            ast = self.index(ast)?;
                        }
                        _ => return self.unexpected(),
                    }
                }
                _ => return Ok(ast),
            }
        }
    }

    /// What stands between `[` and `]` behind a term.
    fn index(&mut self, base: Ast) -> Parsed<Ast> {
        let base = Box::new(base);
        if self.sign("]")? {
            return Ok(Ast::Each(base));
        }
        if self.sign(":")? {
            let to = self.pipe()?;
            self.expect("]")?;
            return Ok(Ast::Slice(base, None, Some(Box::new(to))));
        }
        let from = self.pipe()?;
        if self.sign("]")? {
            return Ok(Ast::Index(base, Box::new(from)));
        }
        self.expect(":")?;
        if self.sign("]")? {
            return Ok(Ast::Slice(base, Some(Box::new(from)), None));
        }
        let to = self.pipe()?;
        self.expect("]")?;
        Ok(Ast::Slice(base, Some(Box::new(from)), Some(Box::new(to))))
    }

    fn primary(&mut self) -> Parsed<Ast> {
        match self.peek()?.clone() {
            Token::Number(text) => {
                self.next()?;
                Ok(Ast::Number(text))
            }
            Token::Quote => {
                self.next()?;
                self.text(None)
            }
            Token::Format(name) => {
                self.next()?;
                if self.peek()? == &Token::Quote {
                    self.next()?;
                    return self.text(Some(name));
                }
                Ok(Ast::Format(name))
            }
            Token::Field(name) => {
                self.next()?;
                Ok(member(Ast::Identity, name))
            }
            Token::Variable(name) => {
                self.next()?;
                Ok(Ast::Variable(name))
            }
            Token::Name(name) => self.named(&name),
            Token::Sign(sign) => self.bracketed(sign),
            Token::End => self.unexpected(),
        }
    }

    fn bracketed(&mut self, sign: &'static str) -> Parsed<Ast> {
        match sign {
            "." => {
                self.next()?;
                if self.peek()? == &Token::Quote {
                    self.next()?;
                    let key = self.text(None)?;
                    return Ok(Ast::Index(Box::new(Ast::Identity), Box::new(key)));
                }
                Ok(Ast::Identity)
            }
            ".." => {
                self.next()?;
                Ok(Ast::Descend)
            }
            "(" => {
                self.next()?;
                let inner = self.pipe()?;
                self.expect(")")?;
                // Brackets keep a `?` behind them from belonging to the last member alone.
                Ok(match inner {
                    Ast::Index(..) | Ast::Slice(..) | Ast::Each(_) => {
                        Ast::Pipe(Box::new(Ast::Identity), Box::new(inner))
                    }
                    other => other,
                })
            }
            "[" => {
                self.next()?;
                if self.sign("]")? {
                    return Ok(Ast::Array(None));
                }
                let inner = self.pipe()?;
                self.expect("]")?;
                Ok(Ast::Array(Some(Box::new(inner))))
            }
            "{" => {
                self.next()?;
                self.object()
            }
            _ => self.unexpected(),
        }
    }

    fn named(&mut self, name: &str) -> Parsed<Ast> {
        if KEYWORDS.contains(&name) {
            return self.construct(name);
        }
        self.next()?;
        match name {
            "null" => return Ok(Ast::Null),
            "true" | "false" => return Ok(Ast::Bool(name == "true")),
            _ => {}
        }
        if name == "break" {
            let Token::Variable(label) = self.peek()?.clone() else {
                return self.unexpected();
            };
            self.next()?;
            return Ok(Ast::Break(label));
        }
        let mut args = Vec::new();
        if self.sign("(")? {
            loop {
                args.push(self.pipe()?);
                if self.sign(")")? {
                    break;
                }
                self.expect(";")?;
            }
        }
        Ok(Ast::Call(name.to_owned(), args))
    }

    fn construct(&mut self, keyword: &str) -> Parsed<Ast> {
        match keyword {
            "if" => {
                self.next()?;
                self.depth += 1;
                let ast = self.conditional();
                self.depth -= 1;
                ast
            }
            "try" => {
                self.next()?;
                self.depth += 1;
                if self.depth > DEPTH {
                    return Err(format!("filter is nested deeper than {DEPTH} levels"));
                }
                let body = self.term()?;
                let handler = if self.word("catch")? {
                    Some(Box::new(self.term()?))
                } else {
                    None
                };
                self.depth -= 1;
                Ok(Ast::Try(Box::new(body), handler))
            }
            "label" => {
                self.next()?;
                let Token::Variable(name) = self.peek()?.clone() else {
                    return self.unexpected();
                };
                self.next()?;
                self.expect("|")?;
                Ok(Ast::Label(name, Box::new(self.pipe()?)))
            }
            "reduce" | "foreach" => {
                self.next()?;
                self.fold(keyword == "reduce")
            }
            "def" => {
                self.next()?;
                let def = self.function()?;
                Ok(Ast::Def(Box::new(def), Box::new(self.pipe()?)))
            }
            "__loc__" => {
                self.next()?;
                Ok(Ast::Call(keyword.to_owned(), Vec::new()))
            }
            _ => self.unexpected(),
        }
    }

    fn conditional(&mut self) -> Parsed<Ast> {
        if self.depth > DEPTH {
            return Err(format!("filter is nested deeper than {DEPTH} levels"));
        }
        let condition = Box::new(self.pipe()?);
        self.expect_word("then")?;
        let yes = Box::new(self.pipe()?);
        let no = if self.word("elif")? {
            self.depth += 1;
            let nested = self.conditional()?;
            self.depth -= 1;
            return Ok(Ast::If(condition, yes, Some(Box::new(nested))));
        } else if self.word("else")? {
            Some(Box::new(self.pipe()?))
        } else {
            None
        };
        self.expect_word("end")?;
        Ok(Ast::If(condition, yes, no))
    }

    fn fold(&mut self, reduce: bool) -> Parsed<Ast> {
        let source = Box::new(self.term()?);
        self.expect_word("as")?;
        let patterns = self.patterns()?;
        self.expect("(")?;
        let start = self.pipe()?;
        self.expect(";")?;
        let update = self.pipe()?;
        if reduce {
            self.expect(")")?;
            return Ok(Ast::Reduce(source, patterns, Box::new((start, update))));
        }
        let extract = if self.sign(";")? { Some(self.pipe()?) } else { None };
        self.expect(")")?;
        Ok(Ast::Foreach(source, patterns, Box::new((start, update, extract))))
    }

    fn object(&mut self) -> Parsed<Ast> {
        let mut members = Vec::new();
        loop {
            if self.sign("}")? {
                return Ok(Ast::Object(members));
            }
            let (key, alone) = self.key()?;
            let value = if self.sign(":")? {
                let mut value = self.object_value()?;
                while self.sign("|")? {
                    value = Ast::Pipe(Box::new(value), Box::new(self.object_value()?));
                }
                Some(value)
            } else if alone {
                None
            } else {
                return self.unexpected();
            };
            members.push((key, value));
            if !self.sign(",")? {
                self.expect("}")?;
                return Ok(Ast::Object(members));
            }
        }
    }

    /// A member's value: everything but commas and bindings.
    fn object_value(&mut self) -> Parsed<Ast> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("filter is nested deeper than {DEPTH} levels"));
        }
        let before = std::mem::replace(&mut self.bindable, false);
        let value = self.alternative();
        self.bindable = before;
        self.depth -= 1;
        value
    }

    /// A key, and whether it may stand without a value.
    fn key(&mut self) -> Parsed<(Key, bool)> {
        let token = self.peek()?.clone();
        Ok(match token {
            Token::Name(name) => {
                self.next()?;
                (Key::Name(name), true)
            }
            Token::Variable(name) => {
                self.next()?;
                (Key::Variable(name), true)
            }
            Token::Quote => {
                self.next()?;
                (Key::Computed(self.text(None)?), true)
            }
            Token::Sign("(") => {
                self.next()?;
                let inner = self.pipe()?;
                self.expect(")")?;
                (Key::Computed(inner), false)
            }
            _ => return self.unexpected(),
        })
    }

    fn patterns(&mut self) -> Parsed<Vec<Pattern>> {
        let mut all = vec![self.pattern()?];
        while self.sign("?//")? {
            all.push(self.pattern()?);
        }
        Ok(all)
    }

    fn pattern(&mut self) -> Parsed<Pattern> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("filter is nested deeper than {DEPTH} levels"));
        }
        let pattern = match self.peek()?.clone() {
            Token::Variable(name) => {
                self.next()?;
                Pattern::Variable(name)
            }
            Token::Sign("[") => {
                self.next()?;
                let mut items = Vec::new();
                loop {
                    items.push(self.pattern()?);
                    if !self.sign(",")? {
                        break;
                    }
                }
                self.expect("]")?;
                Pattern::Array(items)
            }
            Token::Sign("{") => {
                self.next()?;
                let mut members = Vec::new();
                loop {
                    let (key, _) = self.key()?;
                    let value = if self.sign(":")? {
                        Some(self.pattern()?)
                    } else if matches!(key, Key::Variable(_)) {
                        None
                    } else {
                        return self.unexpected();
                    };
                    members.push((key, value));
                    if !self.sign(",")? {
                        break;
                    }
                }
                self.expect("}")?;
                Pattern::Object(members)
            }
            _ => return self.unexpected(),
        };
        self.depth -= 1;
        Ok(pattern)
    }

    // ---- texts

    /// The rest of a text whose opening quote was read.
    fn text(&mut self, format: Option<String>) -> Parsed<Ast> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err("unterminated string literal".into());
            };
            self.at += c.len_utf8();
            match c {
                '"' => break,
                '\\' if self.rest().starts_with('(') => {
                    self.at += 1;
                    if !plain.is_empty() {
                        pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Value(self.pipe()?));
                    self.expect(")")?;
                }
                '\\' => self.escape(&mut plain)?,
                other => plain.push(other),
            }
        }
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        Ok(Ast::Text(format, pieces))
    }
}

fn member(base: Ast, name: String) -> Ast {
    let key = Ast::Text(None, vec![Piece::Plain(name)]);
    Ast::Index(Box::new(base), Box::new(key))
}
