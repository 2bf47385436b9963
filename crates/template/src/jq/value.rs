//! Values of jq filters: JSON with whole numbers of any size. What operators do with them is in `ops`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::{Flow, Stop};
use crate::value::number::float_json;
use crate::value::quote::json_string_into;

/// How deep values may be nested, so that walking one never runs out of stack.
pub const NESTED: u32 = 1_000;

/// A value. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Val {
    Null,
    Bool(bool),
    Num(Num),
    Str(Rc<str>),
    Arr(Rc<Nest<Vec<Val>>>),
    Obj(Rc<Nest<Members>>),
}

pub type Members = BTreeMap<Rc<str>, Val>;

/// A number.
#[derive(Clone, Debug)]
pub enum Num {
    Int(i64),
    /// Beyond 64 bits.
    Big(Rc<BigInt>),
    Float(f64),
    /// As `fromjson` read it: written back as it was.
    Written(Rc<str>),
}

/// Children with how deep they are nested.
#[derive(Clone, Debug)]
pub struct Nest<T> {
    depth: u32,
    pub inner: T,
}

impl Val {
    pub fn text(s: impl Into<Rc<str>>) -> Self {
        Self::Str(s.into())
    }

    pub fn int(n: usize) -> Self {
        Self::Num(Num::Int(i64::try_from(n).unwrap_or(i64::MAX)))
    }

    pub fn float(f: f64) -> Self {
        Self::Num(Num::Float(f))
    }

    fn depth(&self) -> u32 {
        match self {
            Self::Arr(a) => a.depth,
            Self::Obj(o) => o.depth,
            _ => 0,
        }
    }

    /// An array.
    ///
    /// # Errors
    /// When it would be nested too deep.
    pub fn array(items: Vec<Self>) -> Flow<Self> {
        let depth = nested(items.iter())?;
        Ok(Self::Arr(Rc::new(Nest { depth, inner: items })))
    }

    /// An object.
    ///
    /// # Errors
    /// Like [`Val::array`].
    pub fn object(members: Members) -> Flow<Self> {
        let depth = nested(members.values())?;
        Ok(Self::Obj(Rc::new(Nest {
            depth,
            inner: members,
        })))
    }

    /// Everything but null and false.
    pub fn truthy(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Num(_) => "number",
            Self::Str(_) => "string",
            Self::Arr(_) => "array",
            Self::Obj(_) => "object",
        }
    }

    /// What messages say of it: kind and the beginning of its JSON.
    pub fn describe(&self) -> String {
        match self {
            Self::Null => "null".into(),
            other => format!("{} ({})", other.kind(), other.preview()),
        }
    }

    /// Its JSON, cut after 30 bytes.
    pub fn preview(&self) -> String {
        const WHOLE: usize = 30;
        const KEPT: usize = 25;
        let text = self.json();
        if text.len() <= WHOLE {
            return text;
        }
        let mut cut = KEPT;
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let end = match self {
            Self::Str(_) => "\"",
            Self::Arr(_) => "]",
            Self::Obj(_) => "}",
            _ => "",
        };
        format!("{} ...{end}", &text[..cut])
    }

    /// JSON as `tojson` gives it: infinities become the greatest number, NaN null, nothing escaped for HTML.
    pub fn json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, false).unwrap_or_default();
        out
    }

    /// JSON as results are written, in Go's form.
    ///
    /// # Errors
    /// Infinities and NaN have no form.
    pub fn go_json(&self) -> Flow<String> {
        let mut out = String::new();
        self.write(&mut out, true)?;
        Ok(out)
    }

    fn write(&self, out: &mut String, result: bool) -> Flow {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Self::Num(n) => n.write(out, result)?,
            Self::Str(s) if result => json_string_into(out, s.as_bytes(), true),
            Self::Str(s) => inner_string(out, s),
            Self::Arr(items) => {
                out.push('[');
                for (i, item) in items.inner.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out, result)?;
                }
                out.push(']');
            }
            Self::Obj(members) => {
                out.push('{');
                for (i, (key, value)) in members.inner.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    if result {
                        json_string_into(out, key.as_bytes(), true);
                    } else {
                        inner_string(out, key);
                    }
                    out.push(':');
                    value.write(out, result)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }

    /// The value of a document, whose numbers are all floats, as the original reads them.
    ///
    /// # Errors
    /// Like [`Val::array`].
    pub fn document(value: &serde_json::Value) -> Flow<Self> {
        use serde_json::Value as Json;
        Ok(match value {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => Self::float(n.as_f64().unwrap_or(f64::NAN)),
            Json::String(s) => Self::text(s.as_str()),
            Json::Array(items) => Self::array(items.iter().map(Self::document).collect::<Flow<_>>()?)?,
            Json::Object(members) => Self::object(
                members
                    .iter()
                    .map(|(k, v)| Ok((k.as_str().into(), Self::document(v)?)))
                    .collect::<Flow<_>>()?,
            )?,
        })
    }
}

fn nested<'a>(children: impl Iterator<Item = &'a Val>) -> Flow<u32> {
    let depth = children.map(Val::depth).max().unwrap_or(0) + 1;
    if depth > NESTED {
        return Err(Stop::Limit(format!(
            "value is nested deeper than {NESTED} levels"
        )));
    }
    Ok(depth)
}

/// A text as `tojson` writes it.
fn inner_string(out: &mut String, s: &str) {
    use std::fmt::Write as _;
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

impl Num {
    /// A number as a filter has it: whole ones stay whole.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return text
                .parse()
                .map(Self::Int)
                .ok()
                .or_else(|| Some(Self::big(text.parse().ok()?)));
        }
        let sane = digits.bytes().any(|b| b.is_ascii_digit())
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
        if sane {
            text.parse().ok().map(Self::Float)
        } else {
            None
        }
    }

    /// A whole number in the smallest form that holds it.
    pub fn big(n: BigInt) -> Self {
        n.to_i64().map_or_else(|| Self::Big(Rc::new(n)), Self::Int)
    }

    pub fn float(&self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "this is what the language does")]
            Self::Int(i) => *i as f64,
            Self::Big(b) => b.to_f64().unwrap_or(f64::INFINITY),
            Self::Float(f) => *f,
            Self::Written(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// The whole number that it is, if it is written as one.
    pub fn whole(&self) -> Option<BigInt> {
        match self {
            Self::Int(i) => Some(BigInt::from(*i)),
            Self::Big(b) => Some((**b).clone()),
            _ => None,
        }
    }

    /// Cut to 64 bits; what does not fit becomes the nearest number that does.
    pub fn clamped(&self) -> i64 {
        match self {
            Self::Int(i) => *i,
            Self::Big(b) if b.sign() == num_bigint::Sign::Minus => i64::MIN,
            Self::Big(_) => i64::MAX,
            #[expect(
                clippy::cast_possible_truncation,
                reason = "`as` clamps, which is what is wanted"
            )]
            other => other.float() as i64,
        }
    }

    fn write(&self, out: &mut String, result: bool) -> Flow {
        match self {
            Self::Int(i) => out.push_str(&i.to_string()),
            Self::Big(b) => out.push_str(&b.to_string()),
            Self::Written(text) => out.push_str(text),
            Self::Float(f) if result => match float_json(*f) {
                Some(text) => out.push_str(&text),
                None => {
                    return Err(Stop::error(format!(
                        "json: unsupported value: {}",
                        crate::value::number::float_text(*f)
                    )));
                }
            },
            Self::Float(f) if f.is_nan() => out.push_str("null"),
            Self::Float(f) => {
                let bounded = f.clamp(f64::MIN, f64::MAX);
                out.push_str(&float_json(bounded).unwrap_or_default());
            }
        }
        Ok(())
    }

    fn order(&self, other: &Self) -> Ordering {
        if let (Some(a), Some(b)) = (self.whole(), other.whole()) {
            return a.cmp(&b);
        }
        // NaN is less than every number, itself too.
        self.float()
            .partial_cmp(&other.float())
            .unwrap_or(if self.float().is_nan() {
                Ordering::Less
            } else {
                Ordering::Greater
            })
    }
}

/// The order of all values: null, booleans, numbers, texts, arrays, objects.
pub fn order(a: &Val, b: &Val) -> Ordering {
    fn rank(v: &Val) -> u8 {
        match v {
            Val::Null => 0,
            Val::Bool(false) => 1,
            Val::Bool(true) => 2,
            Val::Num(_) => 3,
            Val::Str(_) => 4,
            Val::Arr(_) => 5,
            Val::Obj(_) => 6,
        }
    }
    match (a, b) {
        (Val::Num(x), Val::Num(y)) => x.order(y),
        (Val::Str(x), Val::Str(y)) => x.cmp(y),
        (Val::Arr(x), Val::Arr(y)) => {
            for (p, q) in x.inner.iter().zip(&y.inner) {
                let found = order(p, q);
                if found != Ordering::Equal {
                    return found;
                }
            }
            x.inner.len().cmp(&y.inner.len())
        }
        (Val::Obj(x), Val::Obj(y)) => x.inner.keys().cmp(y.inner.keys()).then_with(|| {
            x.inner
                .values()
                .zip(y.inner.values())
                .map(|(p, q)| order(p, q))
                .find(|o| *o != Ordering::Equal)
                .unwrap_or(Ordering::Equal)
        }),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// The first place of some values in a row of others, from `from` on.
pub fn find_row(items: &[Val], row: &[Val], from: usize) -> Option<usize> {
    (from..=items.len().checked_sub(row.len())?).find(|at| {
        items[*at..*at + row.len()]
            .iter()
            .zip(row)
            .all(|(a, b)| order(a, b) == Ordering::Equal)
    })
}
