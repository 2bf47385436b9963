//! jq filters (`valueFrom.jqFilter`), on the crates of jaq; where they differ from the original's library they are
//! mended here: key order, whole floats, environment variables, inputs, modules, and the words of the usual errors.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data};
use jaq_json::{Num, Val, read};
use serde_json::Value;

use crate::value::number::float_json;
use crate::value::quote::json_string_into;

/// Why a filter has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no filter, or uses what does not exist.
    #[error("{0}")]
    Compile(String),
    /// It failed on the document.
    #[error("{0}")]
    Run(String),
}

/// How many results a filter may give.
const RESULTS: usize = 100_000;

/// How many bytes of result a filter may give.
const SIZE: usize = 64 << 20;

/// How deep results may be nested.
const DEPTH: usize = 500;

/// Functions of the crates that the original does not have, or that would read this machine.
const ABSENT: &[&str] = &["env", "input", "inputs", "input_filename", "debug", "ascii"];

/// Functions whose answers differ from the crates', and some that these lack. They stand before every filter.
const OURS: &str = r#"
def env: {};
def abs: if type == "number" then if . < 0 then -. else . end else error("abs cannot be applied to: \(type)") end;
def limit($n; f):
  if $n < 0 then error("limit doesn't support negative count")
  elif $n == 0 then empty
  else label $enough | foreach f as $x (0; . + 1; $x, if . >= $n then break $enough else empty end) end;
def join($glue):
  reduce .[] as $x (null;
    (if . == null then "" else . + $glue end)
    + ($x | if . == null then "" elif type == "number" or type == "boolean" then tostring else . end)
  ) // "";
def from_entries:
  reduce .[] as $e ({};
    ($e | [.key, .k, .name, .Name, .Key, .K] | map(select(. != null)) | first) as $k
    | ($e | [.value, .v, .Value, .V] | map(select(. != null)) | first) as $v
    | . + {($k | if type == "string" then . elif . == null then "null" else tostring end): $v});
def @csv:
  map(if type == "string" then "\"" + gsub("\""; "\"\"") + "\"" elif . == null then "" else tostring end)
  | join(",");
def @tsv:
  map(if type == "string" then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
      elif . == null then "" else tostring end)
  | join("\t");
def tostream:
  def leaves($at): if (type == "array" or type == "object") and length > 0
    then (keys as $ks | ($ks[] as $k | .[$k] | leaves($at + [$k])), [$at + [$ks[-1]]])
    else [$at, .] end;
  leaves([]);
def truncate_stream(stream): . as $n | stream | select(.[0] | length > $n) | .[0] |= .[$n:];
def fromstream(f):
  foreach f as $e ({};
    (if .done then {} else . end)
    | if ($e | length) == 2
      then .made = ((.made // null) | setpath($e[0]; $e[1])) | .done = (($e[0] | length) == 0)
      else .done = (($e[0] | length) == 1) end;
    if .done then .made else empty end);
"#;

/// Runs a filter: each result on a line of its own, texts as they are, blanks around the whole cut.
///
/// # Errors
/// [`Error`]
pub fn run(filter: &str, document: &Value) -> Result<String, Error> {
    if filter.trim().is_empty() {
        return Err(Error::Compile("missing query (try \".\")".into()));
    }
    // Objects keep the order of their keys, and serde_json gives them sorted, as the original does.
    let text = crate::value::json::write(
        &crate::value::json::from_document(document),
        crate::value::json::COMPACT,
    )
    .map_err(Error::Run)?;
    let input = read::parse_single(text.as_bytes()).map_err(|e| Error::Run(e.to_string()))?;
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let defs = defs.filter(|def| !ABSENT.contains(&def.name));
    let funs = jaq_core::funs()
        .chain(jaq_std::base_funs())
        .chain(jaq_std::extra_funs())
        .chain(jaq_json::funs());
    let funs = funs.filter(|(name, ..)| !ABSENT.contains(name));
    let starts_with_module = ["import", "include"]
        .iter()
        .any(|word| filter.trim_start().starts_with(word));
    let code = if starts_with_module {
        filter.to_owned()
    } else {
        format!("{OURS}{filter}")
    };
    let arena = Arena::default();
    let modules = Loader::new(defs)
        .load(
            &arena,
            File {
                code: code.as_str(),
                path: (),
            },
        )
        .map_err(|_| Error::Compile(syntax(filter)))?;
    let compiled = Compiler::default()
        .with_funs(funs)
        .with_global_vars(["$ENV"])
        .compile(modules)
        .map_err(|errors| Error::Compile(undefined(&errors)))?;
    let vars = Vars::new([Val::obj(jaq_json::Map::default())]);
    let context = Ctx::<data::JustLut<Val>>::new(&compiled.lut, vars);
    let mut out = String::new();
    for (n, result) in compiled.id.run((context, input)).enumerate() {
        // `halt` must not end our process, as the crate's own way of taking results would.
        let value = result.map_err(|e| match e.get_err() {
            Ok(error) => Error::Run(error.to_string()),
            Err(_) => Error::Run("halt error".into()),
        })?;
        if n >= RESULTS || out.len() > SIZE {
            return Err(Error::Run(format!(
                "filter gives more than {RESULTS} results or {SIZE} bytes"
            )));
        }
        if n > 0 {
            out.push('\n');
        }
        match &value {
            Val::TStr(s) | Val::BStr(s) => out.push_str(&crate::text::lossy(s)),
            other => write(&mut out, other, 0).map_err(Error::Run)?,
        }
    }
    Ok(out.trim().to_owned())
}

/// What the original says of a text that is no filter, as near as can be told without its parser.
fn syntax(filter: &str) -> String {
    let quotes = filter.replace("\\\"", "").matches('"').count();
    if quotes % 2 == 1 && !filter.contains("\\(") && !filter.contains('[') {
        return "unterminated string literal".into();
    }
    let trimmed = filter.trim_start();
    match trimmed.chars().next() {
        Some(c @ ('}' | ')' | ']')) => format!("unexpected token \"{c}\""),
        Some('\\') => "unexpected token \"\\\\\"".into(),
        Some('/') if trimmed.starts_with("//") => "unexpected token \"//\"".into(),
        _ if trimmed.starts_with("import") || trimmed.starts_with("include") => {
            let name = trimmed.split('"').nth(1).unwrap_or_default();
            format!("cannot load module: \"{name}\"")
        }
        _ => "unexpected EOF".into(),
    }
}

fn undefined<P>(errors: &jaq_core::compile::Errors<&str, P>) -> String {
    use jaq_core::compile::Undefined;
    for (_, list) in errors {
        if let Some((name, what)) = list.first() {
            return match what {
                Undefined::Filter(arity) => format!("function not defined: {name}/{arity}"),
                _ => format!("variable not defined: {name}"),
            };
        }
    }
    "filter does not compile".to_owned()
}

/// JSON as Go writes it: keys sorted, whole floats without a point, `<>&` escaped.
fn write(out: &mut String, value: &Val, depth: usize) -> Result<(), String> {
    if depth > DEPTH {
        return Err(format!("result is nested deeper than {DEPTH} levels"));
    }
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Val::Num(n) => number(out, n)?,
        Val::TStr(s) | Val::BStr(s) => json_string_into(out, s, true),
        Val::Arr(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(out, item, depth + 1)?;
            }
            out.push(']');
        }
        Val::Obj(members) => {
            let mut sorted: Vec<(Vec<u8>, &Val)> = Vec::with_capacity(members.len());
            for (k, v) in members.iter() {
                match k {
                    Val::TStr(s) | Val::BStr(s) => sorted.push((s.to_vec(), v)),
                    other => {
                        return Err(format!(
                            "expected a string for object key but got: {}",
                            describe(other)
                        ));
                    }
                }
            }
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (i, (k, v)) in sorted.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                json_string_into(out, k, true);
                out.push(':');
                write(out, v, depth + 1)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn number(out: &mut String, n: &Num) -> Result<(), String> {
    let float = match n {
        Num::Int(i) => {
            out.push_str(&i.to_string());
            return Ok(());
        }
        Num::BigInt(i) => {
            out.push_str(&i.to_string());
            return Ok(());
        }
        Num::Float(f) => *f,
        Num::Dec(s) => s.parse().unwrap_or(f64::INFINITY),
    };
    match float_json(float) {
        Some(text) => out.push_str(if text == "-0" { "0" } else { &text }),
        None => {
            return Err(format!(
                "json: unsupported value: {}",
                crate::value::number::float_text(float)
            ));
        }
    }
    Ok(())
}

fn describe(v: &Val) -> String {
    let mut text = String::new();
    let kind = match v {
        Val::Null => return "null".into(),
        Val::Bool(_) => "boolean",
        Val::Num(_) => "number",
        Val::TStr(_) | Val::BStr(_) => "string",
        Val::Arr(_) => "array",
        Val::Obj(_) => "object",
    };
    let _ = write(&mut text, v, 0);
    format!("{kind} ({text})")
}
