//! Where variables come from: flat dotted names with JSON values. How names nest in expressions is in `env`.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Map, Value};

/// The only member of an object that stands for a time; no document can hold it, since it is no text for people.
const TIME: &str = "\u{0}time";

/// A name that, when it is in a scope, makes `{{=…}}` a tag like others, whose name nothing has. No document can
/// hold it either.
pub const SWITCHED_OFF: &str = "\u{0}no-expression-tags";

/// A variable whose value is a time in expressions (`time.Time`), in UTC.
#[must_use]
pub fn time(at: Timestamp) -> Value {
    Value::Object(Map::from_iter([(TIME.to_owned(), at.to_string().into())]))
}

/// The time that such a variable holds.
pub(crate) fn as_time(members: &Map<String, Value>) -> Option<Zoned> {
    let at: Timestamp = members.get(TIME)?.as_str()?.parse().ok()?;
    Some(at.to_zoned(TimeZone::UTC))
}

/// The variables at hand, by flat dotted name (`inputs.parameters.x`).
///
/// A name that is there with [`Value::Null`] is an *absent optional*: an output of a node that did not run.
/// Texts are what almost everything is; other values (lists, maps) serve expressions only.
pub trait Scope {
    /// The value of a name, or `None` when the name is not known.
    fn get(&self, name: &str) -> Option<&Value>;

    /// Calls `each` for every name that starts with `prefix`, in byte order of the names within one layer.
    fn each<'a>(&'a self, prefix: &str, each: &mut dyn FnMut(&'a str, &'a Value));

    /// Every name, sorted; for messages.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.each("", &mut |name, _| {
            if name != SWITCHED_OFF {
                names.push(name.to_owned());
            }
        });
        names.sort();
        names.dedup();
        names
    }
}

impl Scope for BTreeMap<String, Value> {
    fn get(&self, name: &str) -> Option<&Value> {
        BTreeMap::get(self, name)
    }

    fn each<'a>(&'a self, prefix: &str, each: &mut dyn FnMut(&'a str, &'a Value)) {
        for (name, value) in
            self.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
        {
            if !name.starts_with(prefix) {
                break;
            }
            each(name, value);
        }
    }
}

impl<S: Scope + ?Sized> Scope for &S {
    fn get(&self, name: &str) -> Option<&Value> {
        (**self).get(name)
    }

    fn each<'a>(&'a self, prefix: &str, each: &mut dyn FnMut(&'a str, &'a Value)) {
        (**self).each(prefix, each);
    }
}

/// Several scopes as one: the first that knows a name wins.
pub struct Layers<'s>(pub &'s [&'s dyn Scope]);

impl Scope for Layers<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find_map(|s| s.get(name))
    }

    fn each<'a>(&'a self, prefix: &str, each: &mut dyn FnMut(&'a str, &'a Value)) {
        for (i, scope) in self.0.iter().enumerate() {
            scope.each(prefix, &mut |name, value| {
                if !self.0[..i].iter().any(|before| before.get(name).is_some()) {
                    each(name, value);
                }
            });
        }
    }
}
