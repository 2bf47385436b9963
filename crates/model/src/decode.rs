//! Reading wire types from JSON values: the lenient mode that a controller needs and the strict one for people.
//!
//! Both walk the same code, over text as well as over values in memory. Nulls become zero values, as in Go. Wrong types are always problems; unknown keys only in the
//! strict mode and inside `steps`. Not here: YAML (see `yaml`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::object::{Field, Object};
use crate::source::{self, Entries, Items, Stopped, Target};

/// Problems beyond this number are not kept: nobody reads them, and a huge wrong file must stay cheap.
const MAX_PROBLEMS: usize = 100;

/// How deep objects may nest. JSON parsers stop at 128; the deepest place that the types give without nesting
/// templates in templates is about 20.
const MAX_DEPTH: usize = 128;

/// One thing that is wrong with a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as `spec.templates[0].container`; empty for the whole value.
    pub path: String,
    /// The same as steps from the root, to look up a place in a file.
    pub steps: Vec<Step>,
    /// What is wrong, in our words and without the path.
    pub message: String,
    /// A known key that looks like the unknown one.
    pub nearest: Option<String>,
    /// The text that Go's `encoding/json` gives for it, for clients that compare texts.
    pub go_text: String,
    /// Whether the lenient mode refuses it too.
    pub fatal: bool,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A key of an object.
    Key(Cow<'static, str>),
    /// An index of a list, from 0.
    Index(usize),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean \"{nearest}\"?")?;
        }
        Ok(())
    }
}

/// Why a value could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", join(.problems))]
pub struct Error {
    /// What is wrong, in the order of the keys; never empty.
    pub problems: Vec<Problem>,
}

fn join(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Reads a value as a controller does: unknown keys are ignored.
///
/// # Errors
/// When a key has a value of the wrong type.
pub fn lenient<T: Field>(value: Value) -> Result<T, Error> {
    read(value, false)
}

/// Reads a value as `lint` does: unknown keys are problems too, and all problems are reported.
///
/// # Errors
/// When a key is unknown or has a value of the wrong type.
pub fn strict<T: Field>(value: Value) -> Result<T, Error> {
    read(value, true)
}

/// Reads a value of a manifest written by a person: as [`strict`], and numbers and booleans are taken as text where
/// text is wanted, because tools of Kubernetes do so for YAML files (`image: 3.20` becomes `"3.2"`).
///
/// # Errors
/// As [`strict`].
pub fn manifest<T: Field>(value: Value) -> Result<T, Error> {
    finish(
        Reader {
            scalars_as_text: true,
            ..Reader::new(true)
        },
        value,
    )
}

fn read<T: Field>(value: Value, strict: bool) -> Result<T, Error> {
    finish(Reader::new(strict), value)
}

fn finish<T: Field>(mut reader: Reader, value: Value) -> Result<T, Error> {
    let object = T::read(value, &mut reader);
    if reader.problems.is_empty() {
        Ok(object)
    } else {
        Err(Error {
            problems: reader.problems,
        })
    }
}

/// Which keys are not read at all, by the Go name of their type and their own name.
pub type LeftOut = fn(of: &str, key: &str) -> bool;

/// Reads an object from its text, as a controller does, without what is not wanted of it.
///
/// # Errors
/// When it is no JSON, or the first problem in the order of the keys.
pub fn text<T: Field>(text: &str, left_out: LeftOut) -> Result<T, serde_json::Error> {
    let mut reader = Reader {
        left_out,
        ..Reader::new(false)
    };
    let mut source = serde_json::Deserializer::from_str(text);
    let object = reader.take(&mut source)?;
    source.end()?;
    reader.without_problems(object)
}

/// Serde's way in: lenient, and the first problem is the error.
pub(crate) fn from_deserializer<'de, T: Field, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let mut reader = Reader::new(false);
    let object = reader.take(deserializer)?;
    reader.without_problems(object)
}

/// The walk over a value: where it is, and what was wrong so far.
pub struct Reader {
    strict: bool,
    scalars_as_text: bool,
    left_out: LeftOut,
    steps: Vec<Step>,
    /// Go names of the structs around the current place, innermost last.
    structs: Vec<&'static str>,
    /// How many of them texts of Go may name: a decoder inside a decoder loses its own.
    named: Option<usize>,
    problems: Vec<Problem>,
}

impl Reader {
    fn new(strict: bool) -> Self {
        Self {
            strict,
            scalars_as_text: false,
            left_out: |_, _| false,
            steps: Vec::new(),
            structs: Vec::new(),
            named: None,
            problems: Vec::new(),
        }
    }

    /// The text of a number or boolean, where this mode takes it as text.
    pub(crate) fn scalar_text(&self, value: &Value) -> Option<String> {
        match value {
            Value::Bool(b) if self.scalars_as_text => Some(b.to_string()),
            Value::Number(n) if self.scalars_as_text => Some(match n.as_f64() {
                Some(float) if n.is_f64() => crate::go_json::float_general_long(float),
                _ => n.to_string(),
            }),
            _ => None,
        }
    }

    /// Reads an object that is in memory.
    pub fn object<T: Object + Field>(&mut self, value: Value) -> T {
        match value {
            Value::Null => T::default(),
            Value::Object(_) => self.walk(value),
            other => {
                self.wrong_type::<T>(&other, "an object");
                T::default()
            }
        }
    }

    /// Reads a list or an object that is in memory, whose type reads it as it comes.
    pub(crate) fn walk<T: Field>(&mut self, value: Value) -> T {
        let mut slot = Slot::new(self);
        source::give_value(value, &mut slot);
        slot.value.unwrap_or_default()
    }

    /// Reads what serde gives.
    fn take<'de, T: Field, D: serde::Deserializer<'de>>(&mut self, from: D) -> Result<T, D::Error> {
        let mut slot = Slot::new(self);
        source::give(from, &mut slot)?;
        Ok(slot.value.unwrap_or_default())
    }

    /// What was read, or the first problem in the order of the keys.
    fn without_problems<T, E: serde::de::Error>(&self, object: T) -> Result<T, E> {
        match self.problems.iter().min_by(|a, b| a.steps.cmp(&b.steps)) {
            Some(first) => Err(E::custom(first)),
            None => Ok(object),
        }
    }

    /// Reads an object key by key.
    pub(crate) fn entries<T: Object + Field>(&mut self, entries: &mut dyn Entries<'_>) -> Result<T, Stopped> {
        let mut object = T::default();
        let is_too_deep = self.steps.len() > MAX_DEPTH;
        if is_too_deep {
            self.invalid(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        self.structs.push(T::NAME);
        while let Some(key) = entries.key()? {
            if is_too_deep || (self.left_out)(T::NAME, &key) {
                entries.skip()?;
            } else if !object.set(&key, entries, self)? {
                entries.skip()?;
                if self.strict {
                    let mut known = Vec::new();
                    T::keys(&mut known);
                    self.unknown(key.into_owned(), &known);
                }
            }
        }
        self.structs.pop();
        Ok(object)
    }

    /// Reads the value of a key of a struct.
    pub fn field<T: Field>(
        &mut self,
        key: &'static str,
        entries: &mut dyn Entries<'_>,
    ) -> Result<T, Stopped> {
        self.steps.push(Step::Key(Cow::Borrowed(key)));
        let mut slot = Slot::new(self);
        entries.value(&mut slot)?;
        let value = slot.value.unwrap_or_default();
        self.steps.pop();
        Ok(value)
    }

    /// Reads a list.
    pub(crate) fn list<T: Field>(&mut self, items: &mut dyn Items) -> Result<Vec<T>, Stopped> {
        let mut all = Vec::new();
        loop {
            self.steps.push(Step::Index(all.len()));
            let mut slot = Slot::new(self);
            let is_there = items.next(&mut slot)?;
            let value = slot.value;
            self.steps.pop();
            if !is_there {
                // Many objects are kept, and lists that grow by doubling are half empty.
                all.shrink_to_fit();
                return Ok(all);
            }
            all.extend(value);
        }
    }

    /// Reads a map.
    pub(crate) fn map<T: Field>(
        &mut self,
        entries: &mut dyn Entries<'_>,
    ) -> Result<BTreeMap<String, T>, Stopped> {
        let mut all = BTreeMap::new();
        while let Some(key) = entries.key()? {
            self.steps.push(Step::Key(Cow::Owned(key.into_owned())));
            let mut slot = Slot::new(self);
            entries.value(&mut slot)?;
            let value = slot.value.unwrap_or_default();
            if let Some(Step::Key(key)) = self.steps.pop() {
                all.insert(key.into_owned(), value);
            }
        }
        Ok(all)
    }

    /// Reads with unknown keys refused, whatever the mode, and fatal.
    pub(crate) fn refusing_unknown<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.strict, true);
        let first = self.problems.len();
        let outer = self.named.replace(self.named.unwrap_or(self.structs.len()));
        let result = read(self);
        self.named = outer;
        for problem in &mut self.problems[first..] {
            problem.fatal = true;
        }
        self.strict = before;
        result
    }

    /// Notes a value of the wrong type.
    pub fn wrong_type<T: Field>(&mut self, value: &Value, wanted: &str) {
        self.not_of_type(value, wanted, &T::go_type());
    }

    fn not_of_type(&mut self, value: &Value, wanted: &str, go_type: &str) {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let go_found = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(n) if wanted == INTEGER => format!("number {n}"),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
        };
        let known = &self.structs[..self.named.unwrap_or(self.structs.len())];
        let place = match known.last() {
            Some(name) => format!("Go struct field {name}.{}", self.go_path()),
            None => "Go value".to_owned(),
        };
        let go_text = format!("json: cannot unmarshal {go_found} into {place} of type {go_type}");
        self.problem(format!("expected {wanted}, got {found}"), None, go_text, true);
    }

    /// Notes that a value of the right type has a text or size that is not accepted.
    pub fn invalid(&mut self, message: String) {
        self.problem(message.clone(), None, message, true);
    }

    /// As [`Reader::invalid`], where Go's text differs from ours.
    pub(crate) fn invalid_as(&mut self, message: String, go_text: String) {
        self.problem(message, None, go_text, true);
    }

    fn unknown(&mut self, key: String, known: &[&str]) {
        let nearest = nearest(&key, known).map(str::to_owned);
        let go_text = format!("json: unknown field {}", crate::go_json::quoted(&key));
        self.at(Step::Key(Cow::Owned(key)), |reader| {
            reader.problem("unknown field".to_owned(), nearest, go_text, false);
        });
    }

    fn problem(&mut self, message: String, nearest: Option<String>, go_text: String, fatal: bool) {
        if self.problems.len() < MAX_PROBLEMS {
            let (path, steps) = (path_text(&self.steps), self.steps.clone());
            self.problems.push(Problem {
                path,
                steps,
                message,
                nearest,
                go_text,
                fatal,
            });
        }
    }

    fn at<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.steps.push(step);
        let result = read(self);
        self.steps.pop();
        result
    }

    fn go_path(&self) -> String {
        let keys = self.steps.iter().filter_map(|s| match s {
            Step::Key(key) => Some(key.as_ref()),
            Step::Index(_) => None,
        });
        keys.collect::<Vec<_>>().join(".")
    }
}

/// Where one value of a wire type is read into.
struct Slot<'r, T> {
    reader: &'r mut Reader,
    value: Option<T>,
}

impl<'r, T> Slot<'r, T> {
    fn new(reader: &'r mut Reader) -> Self {
        Self { reader, value: None }
    }
}

impl<T: Field> Target for Slot<'_, T> {
    fn value(&mut self, value: Value) {
        self.value = Some(T::read(value, self.reader));
    }

    fn text(&mut self, text: &str) {
        self.value = Some(T::read_text(text, self.reader));
    }

    fn list(&mut self, items: &mut dyn Items) -> Result<(), Stopped> {
        self.value = Some(T::read_list(items, self.reader)?);
        Ok(())
    }

    fn object(&mut self, entries: &mut dyn Entries<'_>) -> Result<(), Stopped> {
        self.value = Some(T::read_map(entries, self.reader)?);
        Ok(())
    }
}

/// What an integer field wants; Go's text then names the number.
pub(crate) const INTEGER: &str = "an integer";

/// A path as people write it: `spec.templates[0].name`; keys with other characters than letters, digits, `_` and `-` are quoted.
pub fn path_text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Index(i) => text.push_str(&format!("[{i}]")),
            Step::Key(key)
                if !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') =>
            {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Key(key) => text.push_str(&format!("[{}]", crate::go_json::quoted(key))),
        }
    }
    text
}

/// The known word that a mistyped one most likely means, if any is close enough.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 4);
    let lower = word.to_lowercase();
    known
        .iter()
        .map(|k| (distance(&lower, &k.to_lowercase()), *k))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// Edit distance with swaps of neighbours counted once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 4 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}
