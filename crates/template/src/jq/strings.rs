//! Functions and formats of texts: parts, cases, patterns, encodings.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::ast::Ast;
use super::eval::Machine;
use super::functions::{misfit, object};
use super::item::{Env, Item, Out};
use super::value::{Num, Val};
use super::{Flow, SIZE, Stop, functions};

/// Names of formats.
pub const FORMATS: &[&str] = &[
    "text", "json", "html", "uri", "urid", "csv", "tsv", "sh", "base64", "base64d",
];

/// A value as text: texts as they are, everything else as JSON.
pub fn to_text(v: &Val) -> Val {
    match v {
        Val::Str(_) => v.clone(),
        other => Val::text(other.json()),
    }
}

fn shown(v: &Val) -> String {
    match v {
        Val::Str(s) => s.to_string(),
        other => other.json(),
    }
}

/// Calls a function of texts, or `None` when there is none of that name.
pub fn call(name: &str, v: &Val, args: &[Val]) -> Option<Flow<Val>> {
    let fault = || Err(misfit(name, args, v));
    Some(match (name, args, v) {
        ("tojson", [], _) => Ok(Val::text(v.json())),
        ("fromjson", [], Val::Str(s)) => from_json(s, v),
        ("tostring", [], _) => Ok(to_text(v)),
        ("tonumber", [], Val::Num(_)) => Ok(v.clone()),
        ("tonumber", [], Val::Str(s)) => match Num::parse(s) {
            Some(n) => Ok(Val::Num(n)),
            None => Err(about(name, v, "invalid number")),
        },
        ("toboolean", [], Val::Bool(_)) => Ok(v.clone()),
        ("toboolean", [], Val::Str(s)) => match &**s {
            "true" => Ok(Val::Bool(true)),
            "false" => Ok(Val::Bool(false)),
            _ => Err(about(name, v, "invalid boolean")),
        },
        ("utf8bytelength", [], Val::Str(s)) => Ok(Val::int(s.len())),
        ("explode", [], Val::Str(s)) => Val::array(s.chars().map(|c| Val::int(c as usize)).collect()),
        ("implode", [], Val::Arr(items)) => implode(&items.inner, v),
        ("split", [Val::Str(separator)], Val::Str(s)) => split(s, separator),
        ("split", [_], _) => Err(misfit(name, &[], v)),
        ("join", [glue], Val::Arr(items)) => join(&items.inner, glue),
        ("_ascii", [Val::Str(which)], Val::Str(s)) => Ok(Val::text(if &**which == "ascii_upcase" {
            s.to_ascii_uppercase()
        } else {
            s.to_ascii_lowercase()
        })),
        ("_ascii", [which], _) => Err(misfit(&shown(which), &[], v)),
        ("startswith", [Val::Str(part)], Val::Str(s)) => Ok(Val::Bool(s.starts_with(&**part))),
        ("endswith", [Val::Str(part)], Val::Str(s)) => Ok(Val::Bool(s.ends_with(&**part))),
        ("ltrimstr", [Val::Str(part)], Val::Str(s)) => Ok(Val::text(s.strip_prefix(&**part).unwrap_or(s))),
        ("rtrimstr", [Val::Str(part)], Val::Str(s)) => Ok(Val::text(s.strip_suffix(&**part).unwrap_or(s))),
        ("trimstr", [Val::Str(part)], Val::Str(s)) => {
            let s = s.strip_prefix(&**part).unwrap_or(s);
            Ok(Val::text(s.strip_suffix(&**part).unwrap_or(s)))
        }
        ("trim", [], Val::Str(s)) => Ok(Val::text(s.trim())),
        ("ltrim", [], Val::Str(s)) => Ok(Val::text(s.trim_start())),
        ("rtrim", [], Val::Str(s)) => Ok(Val::text(s.trim_end())),
        ("format", [Val::Str(which)], _) => {
            if FORMATS.contains(&&**which) {
                format(which, v)
            } else {
                Err(Stop::error(format!("format not defined: @{which}")))
            }
        }
        ("_match", [re, flags, what], _) => matches(v, re, flags, &shown(what)),
        ("_captures", [], _) => captures(v),
        (
            "fromjson" | "tonumber" | "toboolean" | "utf8bytelength" | "explode" | "implode" | "startswith"
            | "endswith" | "ltrimstr" | "rtrimstr" | "trimstr" | "trim" | "ltrim" | "rtrim" | "format"
            | "join",
            _,
            _,
        ) => fault(),
        _ => return None,
    })
}

fn about(name: &str, v: &Val, why: &str) -> Stop {
    Stop::error(format!("{name} cannot be applied to {}: {why}", v.preview()))
}

fn from_json(s: &str, v: &Val) -> Flow<Val> {
    if !crate::gojson::valid(s) {
        let why = crate::gojson::parse(s.as_bytes()).err();
        return Err(about(
            "fromjson",
            v,
            &why.unwrap_or_else(|| "invalid JSON".into()),
        ));
    }
    Reader { text: s, at: 0 }.value()
}

/// Reads JSON that is known to be valid, numbers as they are written.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&mut self) -> u8 {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text.as_bytes().get(self.at).copied().unwrap_or(b' ')
    }

    /// The bytes up to the first that is not wanted.
    fn token(&mut self, wanted: impl Fn(u8) -> bool) -> &'t str {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|b| !wanted(b)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn value(&mut self) -> Flow<Val> {
        match self.peek() {
            b'{' => {
                let mut members = super::value::Members::new();
                self.items(b'}', |reader| {
                    let key = reader.string();
                    reader.peek();
                    reader.at += 1;
                    members.insert(key.into(), reader.value()?);
                    Ok(())
                })?;
                Val::object(members)
            }
            b'[' => {
                let mut items = Vec::new();
                self.items(b']', |reader| {
                    items.push(reader.value()?);
                    Ok(())
                })?;
                Val::array(items)
            }
            b'"' => Ok(Val::text(self.string())),
            _ => Ok(
                match self.token(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
                    "null" => Val::Null,
                    "true" => Val::Bool(true),
                    "false" => Val::Bool(false),
                    number => Val::Num(match Num::parse(number) {
                        Some(whole @ (Num::Int(_) | Num::Big(_))) => whole,
                        _ => Num::Written(number.into()),
                    }),
                },
            ),
        }
    }

    fn items(&mut self, end: u8, mut one: impl FnMut(&mut Self) -> Flow) -> Flow {
        self.at += 1;
        while self.peek() != end {
            one(self)?;
            if self.peek() == b',' {
                self.at += 1;
                self.peek();
            }
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        loop {
            self.token(|b| b != b'"' && b != b'\\');
            let escape = self.text[self.at..].starts_with('\\');
            // An escaped character may be longer than a byte only if the text is not valid.
            self.at = (self.at + if escape { 2 } else { 1 }).min(self.text.len());
            if !escape {
                break;
            }
        }
        serde_json::from_str(&self.text[start..self.at]).unwrap_or_default()
    }
}

fn implode(codes: &[Val], v: &Val) -> Flow<Val> {
    let mut out = String::new();
    for code in codes {
        let Val::Num(n) = code else {
            return Err(misfit("implode", &[], v));
        };
        let c = u32::try_from(n.clamped()).ok().and_then(char::from_u32);
        out.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Ok(Val::text(out))
}

/// The parts of a text between separators; its characters when the separator is empty.
///
/// # Errors
/// Never but for nesting.
pub fn split(s: &str, separator: &str) -> Flow<Val> {
    if s.is_empty() {
        return Val::array(Vec::new());
    }
    if separator.is_empty() {
        return Val::array(s.chars().map(|c| Val::text(c.to_string())).collect());
    }
    Val::array(s.split(separator).map(Val::text).collect())
}

/// Elements as texts with something between them.
fn join(items: &[Val], glue: &Val) -> Flow<Val> {
    let refused = |so_far: String, other: &Val| {
        let so_far = Val::text(so_far).describe();
        Err(Stop::error(format!(
            "cannot add: {so_far} and {}",
            other.describe()
        )))
    };
    let mut all = String::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            match glue {
                Val::Str(glue) => all.push_str(glue),
                Val::Null => {}
                other => return refused(all, other),
            }
        }
        match item {
            Val::Null => {}
            Val::Str(s) => all.push_str(s),
            Val::Num(_) | Val::Bool(_) => all.push_str(&item.json()),
            other => return refused(all, other),
        }
    }
    Ok(Val::text(all))
}

/// Every place of a part, in characters; they may overlap.
pub fn places(s: &str, part: &str) -> Vec<usize> {
    if part.is_empty() {
        return Vec::new();
    }
    s.char_indices()
        .enumerate()
        .filter(|(_, (at, _))| s[*at..].starts_with(part))
        .map(|(n, _)| n)
        .collect()
}

/// A value in a format.
///
/// # Errors
/// When it does not fit the format.
pub fn format(name: &str, v: &Val) -> Flow<Val> {
    let text = match name {
        "text" => return Ok(to_text(v)),
        "json" => v.json(),
        "html" => html(&shown(v)),
        "uri" => encode_uri(&shown(v)),
        "urid" => decode_uri(&shown(v)).map_err(|why| about("@urid", v, &why))?,
        "base64" => STANDARD.encode(shown(v)),
        "base64d" => decode_base64(&shown(v)).map_err(|why| about("@base64d", v, &why))?,
        "csv" => row(name, v, ",", &|s| format!("\"{}\"", s.replace('"', "\"\"")))?,
        "tsv" => row(name, v, "\t", &|s| {
            s.replace('\\', "\\\\")
                .replace('\t', "\\t")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
        })?,
        "sh" => {
            let quoted = |s: &str| format!("'{}'", s.replace('\'', "'\\''"));
            match v {
                Val::Arr(_) => row(name, v, " ", &quoted)?,
                other => {
                    let one = Val::array(vec![other.clone()])?;
                    row(name, &one, " ", &quoted)?
                }
            }
        }
        other => return Err(Stop::error(format!("format not defined: @{other}"))),
    };
    Ok(Val::text(text))
}

fn html(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

fn encode_uri(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for b in s.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

fn decode_uri(s: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(s.len());
    let mut rest = s.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let digits = rest.get(..2).and_then(|d| std::str::from_utf8(d).ok());
                let byte = digits
                    .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|d| u8::from_str_radix(d, 16).ok());
                let Some(byte) = byte else {
                    let shown = String::from_utf8_lossy(&rest[..rest.len().min(2)]).into_owned();
                    return Err(format!("invalid URL escape {:?}", format!("%{shown}")));
                };
                bytes.push(byte);
                rest = &rest[2..];
            }
            other => bytes.push(*other),
        }
    }
    Ok(crate::text::lossy(&bytes).into_owned())
}

fn decode_base64(s: &str) -> Result<String, String> {
    let kept: String = s.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD_NO_PAD
        .decode(kept.trim_end_matches('='))
        .map_err(|e| match e {
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => {
                format!("illegal base64 data at input byte {at}")
            }
            _ => format!("illegal base64 data at input byte {}", kept.len()),
        })?;
    Ok(crate::text::lossy(&bytes).into_owned())
}

fn row(name: &str, v: &Val, between: &str, text: &dyn Fn(&str) -> String) -> Flow<String> {
    let Val::Arr(items) = v else {
        return Err(misfit(&format!("@{name}"), &[], v));
    };
    let mut cells = Vec::with_capacity(items.inner.len());
    for item in &items.inner {
        cells.push(match item {
            Val::Str(s) => text(s),
            Val::Null if name == "sh" => "null".into(),
            Val::Null => String::new(),
            Val::Arr(_) | Val::Obj(_) => {
                return Err(Stop::error(format!(
                    "@{name} cannot format an array including: {}",
                    item.describe()
                )));
            }
            other => other.json(),
        });
    }
    Ok(cells.join(between))
}

// ---- patterns

/// Matches of a pattern as objects, as `match` gives them.
fn matches(v: &Val, re: &Val, flags: &Val, what: &str) -> Flow<Val> {
    let (Val::Str(text), Val::Str(re)) = (v, re) else {
        return Err(misfit(what, &[re.clone(), flags.clone()], v));
    };
    let flags = match flags {
        Val::Null => "",
        Val::Str(flags) => flags,
        _ => return Err(misfit(what, &[Val::Str(re.clone()), flags.clone()], v)),
    };
    if flags.chars().any(|c| !matches!(c, 'g' | 'i')) {
        return Err(Stop::error(format!(
            "unsupported regular expression flag: {flags:?}"
        )));
    }
    let pattern = if flags.contains('i') {
        format!("(?i){re}")
    } else {
        re.to_string()
    };
    let compiled = crate::regexp::for_text(&pattern)
        .map_err(|e| Stop::error(format!("invalid regular expression {re:?}: {e}")))?;
    let names: Vec<Option<String>> = compiled.capture_names().map(|n| n.map(str::to_owned)).collect();
    let limit = if flags.contains('g') { usize::MAX } else { 1 };
    let mut place = Characters::new(text);
    let mut found = Vec::new();
    for captures in compiled.captures_iter(text).take(limit) {
        let part = |place: &mut Characters<'_>, m: Option<regex::Match<'_>>| match m {
            Some(m) => [
                Val::int(place.of(m.start())),
                Val::int(m.as_str().chars().count()),
                Val::text(m.as_str()),
            ],
            None => [Val::Num(Num::Int(-1)), Val::int(0), Val::Null],
        };
        let [offset, length, string] = part(&mut place, captures.get(0));
        let mut groups = Vec::new();
        for (i, name) in names.iter().enumerate().skip(1) {
            let [offset, length, string] = part(&mut place, captures.get(i));
            let name = name.as_ref().map_or(Val::Null, |n| Val::text(n.as_str()));
            groups.push(object([
                ("name".into(), name),
                ("offset".into(), offset),
                ("length".into(), length),
                ("string".into(), string),
            ])?);
        }
        found.push(object([
            ("offset".into(), offset),
            ("length".into(), length),
            ("string".into(), string),
            ("captures".into(), Val::array(groups)?),
        ])?);
    }
    Val::array(found)
}

/// Counts characters up to places that come almost in order.
struct Characters<'t> {
    text: &'t str,
    byte: usize,
    count: usize,
}

impl<'t> Characters<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            byte: 0,
            count: 0,
        }
    }

    fn of(&mut self, byte: usize) -> usize {
        if byte < self.byte {
            self.byte = 0;
            self.count = 0;
        }
        self.count += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        self.count
    }
}

/// The named groups of a match as an object.
fn captures(found: &Val) -> Flow<Val> {
    let mut pairs = Vec::new();
    if let Val::Obj(found) = found
        && let Some(Val::Arr(groups)) = found.inner.get("captures")
    {
        for group in &groups.inner {
            if let Val::Obj(group) = group
                && let Some(Val::Str(name)) = group.inner.get("name")
            {
                let string = group.inner.get("string").cloned().unwrap_or(Val::Null);
                pairs.push((name.to_string(), string));
            }
        }
    }
    object(pairs)
}

/// `sub` and `gsub`: when the replacement gives several results, so do they.
///
/// # Errors
/// When the pattern or the replacement fail.
pub fn substitute<'a>(
    m: &Machine,
    all: bool,
    [re, with]: [&'a Ast; 2],
    flags: Option<&'a Ast>,
    env: &Env<'a>,
    input: &Item,
    out: Out<'_>,
) -> Flow {
    m.values(re, env, input, &mut |re| {
        let mut run = |flags: Val| {
            let flags = match (flags, all) {
                (Val::Str(flags), true) => Val::text(format!("g{flags}")),
                (_, true) => Val::text("g"),
                (flags, false) => flags,
            };
            replaced(m, &re, &flags, with, env, input, out)
        };
        match flags {
            Some(flags) => m.values(flags, env, input, &mut run),
            None => run(Val::Null),
        }
    })
}

fn replaced<'a>(
    m: &Machine,
    re: &Val,
    flags: &Val,
    with: &'a Ast,
    env: &Env<'a>,
    input: &Item,
    out: Out<'_>,
) -> Flow {
    let found = matches(&input.val, re, flags, "match")?;
    let (Val::Arr(found), Val::Str(text)) = (found, &input.val) else {
        return Ok(());
    };
    if found.inner.is_empty() {
        return out(Item::off(input.val.clone()));
    }
    let mut made: Vec<String> = Vec::new();
    let (mut byte, mut count) = (0, 0);
    for one in &found.inner {
        let at = member(one, "offset");
        let gap_start = byte;
        let gap_end = byte + byte_of(&text[byte..], at - count);
        let parts = m.collect(with, env, &Item::off(captures(one)?))?;
        m.work(functions::size(&input.val) + parts.len())?;
        for (i, part) in parts.iter().enumerate() {
            let Val::Str(part) = part else {
                return Err(Stop::error(format!("cannot add: string and {}", part.describe())));
            };
            if made.len() <= i {
                // What came before this result began is the same text without replacements.
                made.push(text[..gap_start].to_owned());
            }
            made[i].push_str(&text[gap_start..gap_end]);
            made[i].push_str(part);
            if made[i].len() > SIZE {
                return Err(Stop::Limit(format!("text is longer than {SIZE} bytes")));
            }
        }
        byte = gap_end + member_text(one).len();
        count = at + member(one, "length");
    }
    for text_made in made {
        out(Item::off(Val::text(text_made + &text[byte..])))?;
    }
    Ok(())
}

fn byte_of(text: &str, at: usize) -> usize {
    text.char_indices().nth(at).map_or(text.len(), |(i, _)| i)
}

fn member(v: &Val, name: &str) -> usize {
    match v {
        Val::Obj(members) => match members.inner.get(name) {
            Some(Val::Num(n)) => usize::try_from(n.clamped()).unwrap_or_default(),
            _ => 0,
        },
        _ => 0,
    }
}

fn member_text(v: &Val) -> String {
    match v {
        Val::Obj(members) => match members.inner.get("string") {
            Some(Val::Str(s)) => s.to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}
