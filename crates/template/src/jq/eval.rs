//! Runs a filter: results are handed on one by one, so that nothing is computed that nobody asks for. Steps, depth
//! and memory are bounded. Functions on values are in `functions`, those with filters as arguments in `forms`.

use std::cell::Cell;
use std::rc::Rc;

use super::ast::{Assign, Ast, Function, Key, Op, Pattern, Piece};
use super::item::{Bound, Env, Item, Out, Track, bind, label, variable, with_variable};
use super::value::{Members, Num, Val};
use super::{Flow, STEPS, Stop, defs, forms, functions, ops, strings};

/// How deep evaluation may be nested; the thread that runs a filter has the stack for it.
const DEPTH: u32 = 50_000;

/// The state of one run.
#[derive(Debug, Default)]
pub struct Machine {
    steps: Cell<u64>,
    depth: Cell<u32>,
    labels: Cell<u64>,
}

impl Machine {
    /// Counts work: one for each node, more for functions that go through many elements.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn work(&self, steps: usize) -> Flow {
        let done = self.steps.get().saturating_add(steps as u64);
        self.steps.set(done);
        if done > STEPS {
            return Err(Stop::Limit(format!("filter takes more than {STEPS} steps")));
        }
        Ok(())
    }

    /// A number that no other `break` of this run has.
    pub fn label(&self) -> u64 {
        let n = self.labels.get() + 1;
        self.labels.set(n);
        n
    }

    /// Evaluates a filter on a value.
    ///
    /// # Errors
    /// What the filter fails with, and what `out` gives back.
    pub fn eval<'a>(&self, ast: &'a Ast, env: &Env<'a>, input: Item, out: Out<'_>) -> Flow {
        self.work(1)?;
        self.deeper(|| self.node(ast, env, input, out))
    }

    /// Runs something one level deeper.
    ///
    /// # Errors
    /// When that is too deep, and what it fails with.
    pub fn deeper(&self, run: impl FnOnce() -> Flow) -> Flow {
        let depth = self.depth.get() + 1;
        if depth > DEPTH {
            return Err(Stop::Limit(format!(
                "filter calls nest deeper than {DEPTH} levels"
            )));
        }
        self.depth.set(depth);
        let done = run();
        self.depth.set(depth - 1);
        done
    }

    fn node<'a>(&self, ast: &'a Ast, env: &Env<'a>, input: Item, out: Out<'_>) -> Flow {
        match ast {
            Ast::Identity => out(input),
            Ast::Null => out(input.computed(Val::Null)),
            Ast::Bool(b) => out(input.computed(Val::Bool(*b))),
            Ast::Descend => forms::descend(self, &input, out),
            Ast::Number(text) => {
                let n = Num::parse(text).unwrap_or(Num::Float(f64::NAN));
                out(input.computed(Val::Num(n)))
            }
            Ast::Text(format, pieces) => self.text(format.as_deref(), pieces, env, &input, out),
            Ast::Format(name) => out(input.computed(strings::format(name, &input.val)?)),
            Ast::Variable(name) => out(input.computed(variable(env, name))),
            Ast::Call(name, args) => self.call(name, args, env, input, out),
            Ast::Array(inner) => self.array(inner.as_deref(), env, &input, out),
            Ast::Object(members) => self.object(members, Members::new(), env, &input, out),
            Ast::Index(base, key) => self.index(base, key, env, input, out),
            Ast::Slice(base, from, to) => self.slice(base, from.as_deref(), to.as_deref(), env, input, out),
            Ast::Each(base) => self.each(base, env, input, out),
            Ast::Negate(operand) => {
                let at = input.clone();
                self.eval(operand, env, input, &mut |v| {
                    out(at.computed(ops::negate(&v.val)?))
                })
            }
            Ast::Pipe(first, second) => self.eval(first, env, input, &mut |v| self.eval(second, env, v, out)),
            Ast::Comma(first, second) => {
                self.eval(first, env, input.clone(), out)?;
                self.eval(second, env, input, out)
            }
            Ast::Binary(op, l, r) => self.binary(*op, l, r, env, input, out),
            Ast::Assign(kind, target, value) => self.assign(*kind, target, value, env, &input, out),
            Ast::If(condition, yes, no) => self.condition(condition, yes, no.as_deref(), env, &input, out),
            Ast::Optional(access) => self.optional(access, env, &input, out),
            Ast::Try(body, handler) => self.attempt(body, handler.as_deref(), env, input, out),
            Ast::Reduce(source, patterns, parts) => self.reduce(source, patterns, parts, env, &input, out),
            Ast::Foreach(source, patterns, parts) => self.foreach(source, patterns, parts, env, &input, out),
            Ast::Bind(source, patterns, body) => self.values(source, env, &input, &mut |v| {
                self.destructure(patterns, v, env, &input, &mut |env| {
                    self.eval(body, env, input.clone(), out)
                })
            }),
            Ast::Label(name, body) => {
                let id = self.label();
                let env = bind(env, Bound::Label(name, id));
                catch_break(id, self.eval(body, &env, input, out))
            }
            Ast::Break(name) => Err(Stop::Break(label(env, name))),
            Ast::Def(function, body) => {
                let env = bind(env, Bound::Function(function));
                self.eval(body, &env, input, out)
            }
        }
    }

    /// The values of a filter whose paths nobody wants.
    ///
    /// # Errors
    /// Like [`Machine::eval`].
    pub fn values<'a>(
        &self,
        ast: &'a Ast,
        env: &Env<'a>,
        input: &Item,
        out: &mut dyn FnMut(Val) -> Flow,
    ) -> Flow {
        self.eval(ast, env, Item::off(input.val.clone()), &mut |item| out(item.val))
    }

    /// All values of a filter.
    ///
    /// # Errors
    /// Like [`Machine::eval`].
    pub fn collect<'a>(&self, ast: &'a Ast, env: &Env<'a>, input: &Item) -> Flow<Vec<Val>> {
        let mut all = Vec::new();
        self.values(ast, env, input, &mut |v| {
            self.work(1)?;
            all.push(v);
            Ok(())
        })?;
        Ok(all)
    }

    /// The paths that a filter chooses in a value.
    ///
    /// # Errors
    /// Like [`Machine::eval`], and when a value stands nowhere.
    pub fn paths<'a>(
        &self,
        ast: &'a Ast,
        env: &Env<'a>,
        input: &Val,
        out: &mut dyn FnMut(Vec<Val>) -> Flow,
    ) -> Flow {
        let root = Item {
            val: input.clone(),
            path: Track::At(None),
        };
        self.eval(ast, env, root, &mut |item| out(item.keys()?))
    }

    fn text<'a>(
        &self,
        format: Option<&str>,
        pieces: &'a [Piece],
        env: &Env<'a>,
        input: &Item,
        out: Out<'_>,
    ) -> Flow {
        let Some((last, before)) = pieces.split_last() else {
            return out(input.computed(Val::text("")));
        };
        let joined = |front: &Item, end: &str| -> Flow<Item> {
            let Val::Str(front) = &front.val else {
                return Err(Stop::Limit("a text is made of texts".into()));
            };
            Ok(input.computed(ops::add(&Val::Str(Rc::clone(front)), &Val::text(end))?))
        };
        match last {
            Piece::Plain(plain) if before.is_empty() => out(input.computed(Val::text(plain.as_str()))),
            Piece::Plain(plain) => self.text(format, before, env, input, &mut |front| {
                out(joined(&front, plain)?)
            }),
            // The last value changes slowest.
            Piece::Value(ast) => self.values(ast, env, input, &mut |v| {
                let shown = match format {
                    Some(format) => strings::format(format, &v)?,
                    None => strings::to_text(&v),
                };
                let Val::Str(shown) = shown else { return Ok(()) };
                self.work(shown.len() / 64)?;
                self.text(format, before, env, input, &mut |front| {
                    out(joined(&front, &shown)?)
                })
            }),
        }
    }

    fn array<'a>(&self, inner: Option<&'a Ast>, env: &Env<'a>, input: &Item, out: Out<'_>) -> Flow {
        let items = match inner {
            Some(inner) => self.collect(inner, env, input)?,
            None => Vec::new(),
        };
        out(input.computed(Val::array(items)?))
    }

    fn object<'a>(
        &self,
        members: &'a [(Key, Option<Ast>)],
        made: Members,
        env: &Env<'a>,
        input: &Item,
        out: Out<'_>,
    ) -> Flow {
        let Some(((key, value), rest)) = members.split_first() else {
            return out(input.computed(Val::object(made)?));
        };
        self.key(key, env, input, &mut |name| {
            let mut with = |v: Val| {
                self.work(made.len())?;
                let mut made = made.clone();
                made.insert(Rc::clone(&name), v);
                self.object(rest, made, env, input, out)
            };
            match (value, key) {
                (Some(value), _) => self.values(value, env, input, &mut with),
                (None, Key::Variable(variable_name)) => with(variable(env, variable_name)),
                (None, _) => with(ops::index(&input.val, &Val::Str(Rc::clone(&name)))?),
            }
        })
    }

    /// The names that a key stands for.
    ///
    /// # Errors
    /// When one is no text.
    pub fn key<'a>(
        &self,
        key: &'a Key,
        env: &Env<'a>,
        input: &Item,
        out: &mut dyn FnMut(Rc<str>) -> Flow,
    ) -> Flow {
        match key {
            Key::Name(name) | Key::Variable(name) => out(name.as_str().into()),
            Key::Computed(ast) => self.values(ast, env, input, &mut |v| match v {
                Val::Str(name) => out(name),
                other => Err(Stop::error(format!(
                    "expected a string for object key but got: {}",
                    other.describe()
                ))),
            }),
        }
    }

    fn index<'a>(&self, base: &'a Ast, key: &'a Ast, env: &Env<'a>, input: Item, out: Out<'_>) -> Flow {
        // The key changes slowest.
        self.values(key, env, &input, &mut |key| {
            self.eval(base, env, input.clone(), &mut |base| {
                out(base.child(&key, ops::index(&base.val, &key)?)?)
            })
        })
    }

    fn slice<'a>(
        &self,
        base: &'a Ast,
        from: Option<&'a Ast>,
        to: Option<&'a Ast>,
        env: &Env<'a>,
        input: Item,
        out: Out<'_>,
    ) -> Flow {
        // The bounds change slowest.
        self.bounds(from, to, env, &input, &mut |from, to| {
            self.eval(base, env, input.clone(), &mut |base| {
                slice_of(&base, from, to, out)
            })
        })
    }

    fn bounds<'a>(
        &self,
        from: Option<&'a Ast>,
        to: Option<&'a Ast>,
        env: &Env<'a>,
        input: &Item,
        out: &mut dyn FnMut(&Val, &Val) -> Flow,
    ) -> Flow {
        let bound = |ast: Option<&'a Ast>, out: &mut dyn FnMut(Val) -> Flow| match ast {
            Some(ast) => self.values(ast, env, input, out),
            None => out(Val::Null),
        };
        bound(from, &mut |from| bound(to, &mut |to| out(&from, &to)))
    }

    /// An access that gives nothing where it does not fit.
    fn optional<'a>(&self, access: &'a Ast, env: &Env<'a>, input: &Item, out: Out<'_>) -> Flow {
        let (Ast::Index(base, _) | Ast::Slice(base, ..) | Ast::Each(base)) = access else {
            return self.eval(access, env, input.clone(), out);
        };
        let mut bases = Vec::new();
        self.eval(base, env, input.clone(), &mut |base| {
            bases.push(base);
            Ok(())
        })?;
        for base in bases {
            own_errors(out, |out| match access {
                Ast::Index(_, key) => self.values(key, env, input, &mut |key| {
                    out(base.child(&key, ops::index(&base.val, &key)?)?)
                }),
                Ast::Slice(_, from, to) => {
                    let (from, to) = (from.as_deref(), to.as_deref());
                    self.bounds(from, to, env, input, &mut |from, to| {
                        slice_of(&base, from, to, out)
                    })
                }
                _ => self.children(&base, out),
            })?;
        }
        Ok(())
    }

    fn children(&self, base: &Item, out: Out<'_>) -> Flow {
        for (key, child) in ops::children(&base.val)? {
            self.work(1)?;
            out(base.child(&key, child)?)?;
        }
        Ok(())
    }

    fn each<'a>(&self, base: &'a Ast, env: &Env<'a>, input: Item, out: Out<'_>) -> Flow {
        self.eval(base, env, input, &mut |base| self.children(&base, out))
    }

    fn binary<'a>(&self, op: Op, l: &'a Ast, r: &'a Ast, env: &Env<'a>, input: Item, out: Out<'_>) -> Flow {
        match op {
            Op::Alternative => {
                let mut any = false;
                self.eval(l, env, input.clone(), &mut |v| {
                    if v.val.truthy() {
                        any = true;
                        out(v)
                    } else {
                        Ok(())
                    }
                })?;
                if any {
                    Ok(())
                } else {
                    self.eval(r, env, input, out)
                }
            }
            Op::And | Op::Or => self.values(l, env, &input, &mut |v| {
                if v.truthy() == (op == Op::Or) {
                    return out(input.computed(Val::Bool(op == Op::Or)));
                }
                self.values(
                    r,
                    env,
                    &input,
                    &mut |v| out(input.computed(Val::Bool(v.truthy()))),
                )
            }),
            // The right operand changes slowest.
            _ => self.values(r, env, &input, &mut |right| {
                self.values(l, env, &input, &mut |left| {
                    self.work(functions::size(&left) + functions::size(&right))?;
                    out(input.computed(ops::binary(op, &left, &right)?))
                })
            }),
        }
    }

    fn assign<'a>(
        &self,
        kind: Assign,
        target: &'a Ast,
        value: &'a Ast,
        env: &Env<'a>,
        input: &Item,
        out: Out<'_>,
    ) -> Flow {
        if kind == Assign::Update {
            let changed = forms::update(self, target, env, &input.val, &mut |old, out| {
                self.values(value, env, &Item::off(old.clone()), out)
            })?;
            return out(input.computed(changed));
        }
        self.values(value, env, input, &mut |new| {
            let changed = match kind {
                Assign::With(op) => forms::update(self, target, env, &input.val, &mut |old, out| {
                    self.work(functions::size(old) + functions::size(&new))?;
                    out(ops::binary(op, old, &new)?)
                })?,
                _ => {
                    let mut at = input.val.clone();
                    self.paths(target, env, &input.val, &mut |path| {
                        self.work(functions::size(&at))?;
                        at = forms::set(&at, &path, &new)?;
                        Ok(())
                    })?;
                    at
                }
            };
            out(input.computed(changed))
        })
    }

    fn condition<'a>(
        &self,
        condition: &'a Ast,
        yes: &'a Ast,
        no: Option<&'a Ast>,
        env: &Env<'a>,
        input: &Item,
        out: Out<'_>,
    ) -> Flow {
        self.values(condition, env, input, &mut |v| match (v.truthy(), no) {
            (true, _) => self.eval(yes, env, input.clone(), out),
            (false, Some(no)) => self.eval(no, env, input.clone(), out),
            (false, None) => out(input.clone()),
        })
    }

    /// Runs a body; its own errors go to the handler, those of what comes after it go on.
    fn attempt<'a>(
        &self,
        body: &'a Ast,
        handler: Option<&'a Ast>,
        env: &Env<'a>,
        input: Item,
        out: Out<'_>,
    ) -> Flow {
        let at = input.clone();
        let caught = own_errors(out, |out| self.eval(body, env, input, out))?;
        match (caught, handler) {
            (Some(error), Some(handler)) => self.eval(handler, env, at.computed(error), out),
            _ => Ok(()),
        }
    }

    fn reduce<'a>(
        &self,
        source: &'a Ast,
        patterns: &'a [Pattern],
        parts: &'a (Ast, Ast),
        env: &Env<'a>,
        input: &Item,
        out: Out<'_>,
    ) -> Flow {
        let (start, update) = parts;
        self.eval(start, env, input.clone(), &mut |start| {
            let mut state = start;
            self.values(source, env, input, &mut |v| {
                self.destructure(patterns, v, env, input, &mut |env| {
                    // The last result is the next state; without any, the state stays.
                    let from = state.clone();
                    self.eval(update, env, from, &mut |next| {
                        state = next;
                        Ok(())
                    })
                })
            })?;
            out(state)
        })
    }

    fn foreach<'a>(
        &self,
        source: &'a Ast,
        patterns: &'a [Pattern],
        parts: &'a (Ast, Ast, Option<Ast>),
        env: &Env<'a>,
        input: &Item,
        out: Out<'_>,
    ) -> Flow {
        let (start, update, extract) = parts;
        self.eval(start, env, input.clone(), &mut |start| {
            let mut state = start;
            self.values(source, env, input, &mut |v| {
                self.destructure(patterns, v, env, input, &mut |env| {
                    let from = state.clone();
                    self.eval(update, env, from, &mut |next| {
                        state = next.clone();
                        match extract {
                            Some(extract) => self.eval(extract, env, next, out),
                            None => out(next),
                        }
                    })
                })
            })
        })
    }

    fn call<'a>(&self, name: &'a str, args: &'a [Ast], env: &Env<'a>, input: Item, out: Out<'_>) -> Flow {
        let mut at = env;
        while let Some(link) = at {
            match &link.bound {
                Bound::Argument(known, body, home) if args.is_empty() && *known == name => {
                    return self.eval(body, home, input, out);
                }
                Bound::Function(f) if f.name == name && f.params.len() == args.len() => {
                    return self.enter(f, &f.params, args, env, at.clone(), input, out);
                }
                _ => at = &link.outer,
            }
        }
        if let Some(f) = defs::find(name, args.len()) {
            return self.enter(f, &f.params, args, env, None, input, out);
        }
        if let Some(done) = forms::call(self, name, args, env, &input, out) {
            return done;
        }
        self.native(name, args, Vec::new(), env, &input, out)
    }

    /// Enters the body of a function when its arguments are bound.
    #[expect(
        clippy::too_many_arguments,
        reason = "where it is called, and where it was defined"
    )]
    fn enter<'a>(
        &self,
        function: &'a Function,
        params: &'a [String],
        args: &'a [Ast],
        outer: &Env<'a>,
        inner: Env<'a>,
        input: Item,
        out: Out<'_>,
    ) -> Flow {
        let (Some((param, params)), Some((arg, args))) = (params.split_first(), args.split_first()) else {
            return self.eval(&function.body, &inner, input, out);
        };
        match param.strip_prefix('$') {
            None => {
                let inner = bind(&inner, Bound::Argument(param, arg, outer.clone()));
                self.enter(function, params, args, outer, inner, input, out)
            }
            Some(name) => self.values(arg, outer, &input, &mut |v| {
                let inner = with_variable(&inner, name, v);
                self.enter(function, params, args, outer, inner, input.clone(), out)
            }),
        }
    }

    /// Calls a function on values with every combination of its arguments; the last changes slowest.
    fn native<'a>(
        &self,
        name: &'a str,
        args: &'a [Ast],
        given: Vec<Val>,
        env: &Env<'a>,
        input: &Item,
        out: Out<'_>,
    ) -> Flow {
        if let Some((last, before)) = args.split_last() {
            return self.values(last, env, input, &mut |v| {
                let mut given = given.clone();
                given.insert(0, v);
                self.native(name, before, given, env, input, out)
            });
        }
        if name == "getpath" {
            return self.getpath(&given[0], input, out);
        }
        self.work(functions::size(&input.val))?;
        out(input.computed(functions::call(name, &input.val, &given)?))
    }

    fn getpath(&self, path: &Val, input: &Item, out: Out<'_>) -> Flow {
        let fault = || {
            Stop::error(format!(
                "getpath({}) cannot be applied to: {}",
                path.preview(),
                input.val.describe()
            ))
        };
        let Val::Arr(keys) = path else {
            return Err(fault());
        };
        let mut at = input.clone();
        for key in &keys.inner {
            self.work(1)?;
            let val = ops::index(&at.val, key).map_err(|_| fault())?;
            at = at.child(key, val)?;
        }
        out(at)
    }
}

fn slice_of(base: &Item, from: &Val, to: &Val, out: Out<'_>) -> Flow {
    let val = ops::slice(&base.val, from, to)?;
    if matches!(base.path, Track::Off) {
        return out(Item::off(val));
    }
    let key = [("start".into(), from.clone()), ("end".into(), to.clone())];
    out(base.child(&Val::object(Members::from(key))?, val)?)
}

/// Runs something that gives results; gives back the error that is its own, and passes on what `out` stopped with.
///
/// # Errors
/// What `out` gave back, breaks and limits.
pub fn own_errors(out: Out<'_>, run: impl FnOnce(Out<'_>) -> Flow) -> Flow<Option<Val>> {
    let mut after = None;
    let done = run(&mut |v| {
        out(v).map_err(|stop| {
            after = Some(stop);
            Stop::Break(0)
        })
    });
    match (after, done) {
        (Some(stop), _) => Err(stop),
        (None, Err(Stop::Error(error))) => Ok(Some(error)),
        (None, Err(other)) => Err(other),
        (None, Ok(())) => Ok(None),
    }
}

/// Ends where a label stands.
///
/// # Errors
/// Everything but the break to this label.
pub fn catch_break(id: u64, done: Flow) -> Flow {
    match done {
        Err(Stop::Break(to)) if to == id => Ok(()),
        other => other,
    }
}
