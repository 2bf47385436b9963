//! Takes values apart: `as [$a, {b: $c}]`.

use super::ast::{Key, Pattern};
use super::eval::Machine;
use super::item::{Env, Item, with_variable};
use super::value::Val;
use super::{Flow, Stop, ops};

impl Machine {
    /// Binds the variables of a pattern. With several patterns, the first that does not fail counts, together with
    /// what is done with it.
    ///
    /// # Errors
    /// When no pattern fits, and what `then` gives back.
    pub fn destructure<'a>(
        &self,
        patterns: &'a [Pattern],
        v: Val,
        env: &Env<'a>,
        input: &Item,
        then: &mut dyn FnMut(&Env<'a>) -> Flow,
    ) -> Flow {
        let [first, rest @ ..] = patterns else {
            return Ok(());
        };
        if rest.is_empty() {
            return self.matched(first, &v, env, input, then);
        }
        let mut names = Vec::new();
        patterns.iter().for_each(|p| p.variables(&mut names));
        let unset = names
            .into_iter()
            .fold(env.clone(), |env, name| with_variable(&env, name, Val::Null));
        for (i, pattern) in patterns.iter().enumerate() {
            match self.matched(pattern, &v, &unset, input, then) {
                Err(Stop::Error(_)) if i + 1 < patterns.len() => {}
                other => return other,
            }
        }
        Ok(())
    }

    fn matched<'a>(
        &self,
        pattern: &'a Pattern,
        v: &Val,
        env: &Env<'a>,
        input: &Item,
        then: &mut dyn FnMut(&Env<'a>) -> Flow,
    ) -> Flow {
        match pattern {
            Pattern::Variable(name) => then(&with_variable(env, name, v.clone())),
            Pattern::Array(items) => self.matched_items(items, 0, v, env, input, then),
            Pattern::Object(members) => self.matched_members(members, v, env, input, then),
        }
    }

    fn matched_items<'a>(
        &self,
        items: &'a [Pattern],
        at: usize,
        v: &Val,
        env: &Env<'a>,
        input: &Item,
        then: &mut dyn FnMut(&Env<'a>) -> Flow,
    ) -> Flow {
        let Some(pattern) = items.get(at) else {
            return then(env);
        };
        if !matches!(v, Val::Arr(_) | Val::Null) {
            return Err(Stop::error(format!(
                "expected an array but got: {}",
                v.describe()
            )));
        }
        let element = ops::index(v, &Val::int(at))?;
        self.matched(pattern, &element, env, input, &mut |env| {
            self.matched_items(items, at + 1, v, env, input, then)
        })
    }

    fn matched_members<'a>(
        &self,
        members: &'a [(Key, Option<Pattern>)],
        v: &Val,
        env: &Env<'a>,
        input: &Item,
        then: &mut dyn FnMut(&Env<'a>) -> Flow,
    ) -> Flow {
        let Some(((key, pattern), rest)) = members.split_first() else {
            return then(env);
        };
        self.key(key, env, input, &mut |name| {
            let member = ops::index(v, &Val::Str(name))?;
            let env = match key {
                Key::Variable(name) => with_variable(env, name, member.clone()),
                _ => env.clone(),
            };
            match pattern {
                Some(pattern) => self.matched(pattern, &member, &env, input, &mut |env| {
                    self.matched_members(rest, v, env, input, then)
                }),
                None => self.matched_members(rest, v, &env, input, then),
            }
        })
    }
}
