//! Finds functions, variables, labels and formats that are not defined, before anything runs.

use super::ast::{Ast, Function, Key, Pattern, Piece};
use super::{defs, forms, functions, strings};

/// Checks a filter.
///
/// # Errors
/// The first name that is not defined.
pub fn check(ast: &Ast) -> Result<(), String> {
    Checker {
        variables: vec!["ENV"],
        functions: Vec::new(),
        labels: Vec::new(),
    }
    .node(ast)
}

struct Checker<'a> {
    variables: Vec<&'a str>,
    functions: Vec<(&'a str, usize)>,
    labels: Vec<&'a str>,
}

impl<'a> Checker<'a> {
    fn node(&mut self, ast: &'a Ast) -> Result<(), String> {
        match ast {
            Ast::Identity | Ast::Descend | Ast::Number(_) | Ast::Null | Ast::Bool(_) => Ok(()),
            Ast::Text(format, pieces) => {
                format.iter().try_for_each(|f| known_format(f))?;
                pieces.iter().try_for_each(|p| match p {
                    Piece::Plain(_) => Ok(()),
                    Piece::Value(ast) => self.node(ast),
                })
            }
            Ast::Format(name) => known_format(name),
            Ast::Variable(name) => self.variable(name),
            Ast::Call(name, args) => {
                self.function(name, args.len())?;
                args.iter().try_for_each(|a| self.node(a))
            }
            Ast::Array(inner) => inner.iter().try_for_each(|a| self.node(a)),
            Ast::Object(members) => members.iter().try_for_each(|(key, value)| {
                match key {
                    Key::Variable(name) => self.variable(name)?,
                    other => self.key(other)?,
                }
                value.iter().try_for_each(|v| self.node(v))
            }),
            Ast::Slice(base, from, to) => {
                self.node(base)?;
                from.iter().chain(to).try_for_each(|a| self.node(a))
            }
            Ast::Each(inner) | Ast::Negate(inner) | Ast::Optional(inner) => self.node(inner),
            Ast::Index(a, b) | Ast::Pipe(a, b) | Ast::Comma(a, b) => self.both(a, b),
            Ast::Binary(_, a, b) | Ast::Assign(_, a, b) => self.both(a, b),
            Ast::If(condition, yes, no) => {
                self.both(condition, yes)?;
                no.iter().try_for_each(|a| self.node(a))
            }
            Ast::Try(body, handler) => {
                self.node(body)?;
                handler.iter().try_for_each(|a| self.node(a))
            }
            Ast::Reduce(source, patterns, parts) => {
                self.node(source)?;
                self.node(&parts.0)?;
                self.bound(patterns, |c| c.node(&parts.1))
            }
            Ast::Foreach(source, patterns, parts) => {
                self.node(source)?;
                self.node(&parts.0)?;
                self.bound(patterns, |c| {
                    c.node(&parts.1)?;
                    parts.2.iter().try_for_each(|a| c.node(a))
                })
            }
            Ast::Bind(source, patterns, body) => {
                self.node(source)?;
                self.bound(patterns, |c| c.node(body))
            }
            Ast::Label(name, body) => {
                self.labels.push(name);
                let done = self.node(body);
                self.labels.pop();
                done
            }
            Ast::Break(name) if self.labels.contains(&name.as_str()) => Ok(()),
            Ast::Break(name) => Err(format!("label not defined: ${name}")),
            Ast::Def(function, body) => self.definition(function, body),
        }
    }

    fn both(&mut self, a: &'a Ast, b: &'a Ast) -> Result<(), String> {
        self.node(a)?;
        self.node(b)
    }

    fn definition(&mut self, function: &'a Function, body: &'a Ast) -> Result<(), String> {
        self.functions.push((&function.name, function.params.len()));
        let (functions, variables) = (self.functions.len(), self.variables.len());
        for param in &function.params {
            match param.strip_prefix('$') {
                Some(name) => self.variables.push(name),
                None => self.functions.push((param, 0)),
            }
        }
        let done = self.node(&function.body);
        self.functions.truncate(functions);
        self.variables.truncate(variables);
        let done = done.and_then(|()| self.node(body));
        self.functions.pop();
        done
    }

    fn key(&mut self, key: &'a Key) -> Result<(), String> {
        match key {
            Key::Computed(ast) => self.node(ast),
            _ => Ok(()),
        }
    }

    fn bound(
        &mut self,
        patterns: &'a [Pattern],
        inside: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let before = self.variables.len();
        for pattern in patterns {
            pattern.variables(&mut self.variables);
        }
        let keys = patterns.iter().try_for_each(|p| self.pattern(p));
        let done = keys.and_then(|()| inside(self));
        self.variables.truncate(before);
        done
    }

    fn pattern(&mut self, pattern: &'a Pattern) -> Result<(), String> {
        match pattern {
            Pattern::Variable(_) => Ok(()),
            Pattern::Array(items) => items.iter().try_for_each(|p| self.pattern(p)),
            Pattern::Object(members) => members.iter().try_for_each(|(key, value)| {
                self.key(key)?;
                value.iter().try_for_each(|p| self.pattern(p))
            }),
        }
    }

    fn variable(&self, name: &str) -> Result<(), String> {
        if self.variables.contains(&name) {
            return Ok(());
        }
        Err(format!("variable not defined: ${name}"))
    }

    fn function(&self, name: &str, args: usize) -> Result<(), String> {
        if self.functions.contains(&(name, args)) {
            return Ok(());
        }
        if matches!((name, args), ("input" | "inputs", 0)) {
            return Err("input(s)/0 is not allowed".into());
        }
        let known = defs::find(name, args).is_some()
            || forms::FORMS.contains(&(name, args))
            || functions::known(name, args);
        if known && !name.starts_with('_') {
            return Ok(());
        }
        Err(format!("function not defined: {name}/{args}"))
    }
}

fn known_format(name: &str) -> Result<(), String> {
    if strings::FORMATS.contains(&name) {
        return Ok(());
    }
    Err(format!("format not defined: @{name}"))
}
