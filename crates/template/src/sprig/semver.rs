//! Semantic versions and constraints on them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::{Outcome, string};
use crate::value::quote::go_quote;
use crate::value::{Struct, Value, Width};

/// A version; `Display` gives the full form with three numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    pre: String,
    meta: String,
    original: String,
}

const NUMBERS: &str = r"([0-9]+)(\.[0-9]+)?(\.[0-9]+)?";
const REST: &str = r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";

impl Version {
    fn parse(text: &str) -> Result<Self, String> {
        static FORM: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(&format!("^v?{NUMBERS}{REST}$")).expect("the pattern is fixed"));
        let found = FORM.captures(text).ok_or("invalid semantic version")?;
        let group = |i: usize| found.get(i).map_or("", |m| m.as_str());
        let mut numbers = [0; 3];
        for (i, n) in numbers.iter_mut().enumerate() {
            let digits = group(i + 1).trim_start_matches('.');
            if !digits.is_empty() {
                *n = digits.parse().map_err(|_| {
                    let quoted = go_quote(digits.as_bytes());
                    format!("error parsing version segment: strconv.ParseUint: parsing {quoted}: value out of range")
                })?;
            }
        }
        let pre = group(5).to_owned();
        let zero_led = |p: &str| p.len() > 1 && p.starts_with('0') && p.bytes().all(|b| b.is_ascii_digit());
        if pre.split('.').any(zero_led) {
            return Err("version segment starts with 0".into());
        }
        Ok(Self {
            numbers,
            pre,
            meta: group(8).to_owned(),
            original: text.to_owned(),
        })
    }

    fn show(&self) -> String {
        let [a, b, c] = self.numbers;
        let mut out = format!("{a}.{b}.{c}");
        if !self.pre.is_empty() {
            out.push_str(&format!("-{}", self.pre));
        }
        if !self.meta.is_empty() {
            out.push_str(&format!("+{}", self.meta));
        }
        out
    }

    fn order(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => pre_order(&self.pre, &other.pre),
            })
    }
}

fn pre_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let ordering = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) => match (x.parse::<u64>(), y.parse::<u64>()) {
                (Ok(x), Ok(y)) => x.cmp(&y),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => x.cmp(y),
            },
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

pub fn make(a: &[Value]) -> Outcome {
    let v = Version::parse(&string(a, 0))?;
    let _ = v.show();
    let value = Struct {
        name: TYPE,
        fields: BTreeMap::new(),
        text: v.original,
    };
    Ok(Value::Struct(Arc::new(value)))
}

/// The text form of a version.
#[must_use]
pub fn show(text: &str) -> String {
    Version::parse(text).map_or_else(|_| text.to_owned(), |v| v.show())
}

/// Calls a method of a version that is known to exist.
///
/// # Errors
/// When a text is no version.
pub fn method(version: &str, name: &str, args: &[Value]) -> Result<Value, String> {
    let v = Version::parse(version)?;
    let other = match args.first() {
        Some(Value::Struct(s)) => Some(Version::parse(&s.text)?),
        _ => None,
    };
    let number = |i: usize| Value::Sized(Width::U64, v.numbers[i].cast_signed());
    if let Some(other) = other {
        let ordering = v.order(&other);
        return Ok(match name {
            "Compare" => Value::Int(ordering as i64),
            "Equal" => Value::Bool(ordering.is_eq()),
            "LessThan" => Value::Bool(ordering.is_lt()),
            "LessThanEqual" => Value::Bool(ordering.is_le()),
            "GreaterThanEqual" => Value::Bool(ordering.is_ge()),
            _ => Value::Bool(ordering.is_gt()),
        });
    }
    Ok(match name {
        "Major" => number(0),
        "Minor" => number(1),
        "Patch" => number(2),
        "Prerelease" => Value::str(v.pre),
        "Metadata" => Value::str(v.meta),
        "Original" => Value::str(v.original),
        _ => Value::str(v.show()),
    })
}

/// Go's name of the type.
pub const TYPE: &str = "*semver.Version";

/// One condition on a version.
struct Constraint {
    op: String,
    version: Version,
    /// Minor or patch number was left out or a wildcard.
    dirty: bool,
    minor_dirty: bool,
    patch_dirty: bool,
}

const OPS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
const PARTS: &str = r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?";

impl Constraint {
    fn parse(text: &str) -> Option<Self> {
        static FORM: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(&format!(r"^\s*({OPS})\s*({PARTS}{REST})\s*$")).expect("the pattern is fixed")
        });
        let found = FORM.captures(text)?;
        let group = |i: usize| found.get(i).map_or("", |m| m.as_str());
        let wild = |s: &str| matches!(s, "x" | "X" | "*");
        let (mut version, mut dirty, mut minor_dirty, mut patch_dirty) =
            (group(2).to_owned(), false, false, false);
        let tail = format!("{}{}", group(6), "");
        let (minor, patch) = (group(4).trim_start_matches('.'), group(5).trim_start_matches('.'));
        if wild(group(3)) {
            (version, dirty) = ("0.0.0".into(), true);
            (minor_dirty, patch_dirty) = (false, false);
            let op = if group(1).is_empty() || group(1) == "=" {
                ">="
            } else {
                group(1)
            };
            return Some(Self {
                op: op.to_owned(),
                version: Version::parse(&version).ok()?,
                dirty,
                minor_dirty,
                patch_dirty,
            });
        }
        if wild(minor) || minor.is_empty() {
            (minor_dirty, dirty) = (true, true);
            version = format!("{}.0.0{tail}", group(3));
        } else if wild(patch) || patch.is_empty() {
            (patch_dirty, dirty) = (true, true);
            version = format!("{}.{minor}.0{tail}", group(3));
        }
        let version = Version::parse(&version).ok()?;
        Some(Self {
            op: group(1).to_owned(),
            version,
            dirty,
            minor_dirty,
            patch_dirty,
        })
    }

    fn holds(&self, v: &Version) -> bool {
        let c = &self.version;
        // A version with a pre-release fits only conditions that name one.
        let hidden = !v.pre.is_empty() && c.pre.is_empty();
        let ordering = v.order(c);
        let ([v0, v1, _], [c0, c1, _]) = (v.numbers, c.numbers);
        match self.op.as_str() {
            "" | "=" if !self.dirty => ordering.is_eq(),
            "" | "=" => self.tilde(v, hidden),
            _ if hidden => false,
            "!=" if self.dirty => c0 != v0 || (c1 != v1 && !self.minor_dirty),
            "!=" => !ordering.is_eq(),
            ">" if !self.dirty => ordering.is_gt(),
            ">" => v0 > c0 || (v0 == c0 && !self.minor_dirty && self.patch_dirty && v1 > c1),
            "<" => ordering.is_lt(),
            ">=" | "=>" => ordering.is_ge(),
            "<=" | "=<" if !self.dirty => ordering.is_le(),
            "<=" | "=<" => v0 < c0 || (v0 == c0 && (self.minor_dirty || v1 <= c1)),
            "~" | "~>" => self.tilde(v, hidden),
            _ => self.caret(v),
        }
    }

    fn tilde(&self, v: &Version, hidden: bool) -> bool {
        let c = &self.version;
        if hidden || v.order(c).is_lt() {
            return false;
        }
        if c.numbers == [0, 0, 0] && !self.minor_dirty && !self.patch_dirty {
            return true;
        }
        v.numbers[0] == c.numbers[0] && (v.numbers[1] == c.numbers[1] || self.minor_dirty)
    }

    fn caret(&self, v: &Version) -> bool {
        let (c, [v0, v1, v2]) = (&self.version, v.numbers);
        let [c0, c1, c2] = c.numbers;
        if v.order(c).is_lt() {
            return false;
        }
        if c0 > 0 || self.minor_dirty {
            return v0 == c0;
        }
        if v0 > c0 {
            return false;
        }
        if c1 > 0 || self.patch_dirty {
            return v1 == c1;
        }
        v1 == 0 && v2 == c2
    }
}

/// Alternatives of conditions that must all hold.
fn constraints(text: &str) -> Result<Vec<Vec<Constraint>>, String> {
    static RANGE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"\s*({PARTS}{REST})\s+-\s+({PARTS}{REST})\s*")).expect("the pattern is fixed")
    });
    static ALL: LazyLock<Regex> = LazyLock::new(|| {
        let one = format!(r"({OPS})\s*({PARTS}{REST})");
        Regex::new(&format!(r"^(\s*{one}\s*)((?:\s+|,\s*){one}\s*)*$")).expect("the pattern is fixed")
    });
    static ONE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!(r"({OPS})\s*({PARTS}{REST})")).expect("the pattern is fixed"));
    let improper = || format!("improper constraint: {}", go_quote(text.as_bytes()));
    let text_of = RANGE.replace_all(text, ">=$1 <=$12 ");
    let mut all = Vec::new();
    for part in text_of.split("||") {
        if !ALL.is_match(part) {
            return Err(improper());
        }
        let conditions: Option<Vec<Constraint>> = ONE
            .find_iter(part)
            .map(|m| Constraint::parse(m.as_str()))
            .collect();
        all.push(conditions.ok_or_else(improper)?);
    }
    Ok(all)
}

pub fn compare(a: &[Value]) -> Outcome {
    let all = constraints(&string(a, 0))?;
    let v = Version::parse(&string(a, 1))?;
    Ok(Value::Bool(
        all.iter()
            .any(|conditions| conditions.iter().all(|c| c.holds(&v))),
    ))
}
