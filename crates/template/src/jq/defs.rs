//! Functions that are written as filters.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::ast::Function;
use super::parse;

const TEXT: &str = r#"
def map(f): [.[] | f];
def map_values(f): .[] |= f;
def select(f): if f then . else empty end;
def recurse: recurse(.[]?);
def recurse(f; keep): recurse(f | select(keep));
def values: select(. != null);
def nulls: select(. == null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == "array" or type == "object");
def scalars: select(type != "array" and type != "object");
def finites: select(isinfinite | not);
def normals: select(isnormal);
def isfinite: type == "number" and (isinfinite | not);
def add(f): reduce f as $x (null; . + $x);
def in(others): . as $key | others | has($key);
def inside(others): . as $part | others | contains($part);
def combinations: if length == 0 then [] else .[0][] as $x | [$x] + (.[1:] | combinations) end;
def combinations($n): . as $all | [range($n)] | map($all) | combinations;
def any(source; f): isempty(first(source | f | select(.))) | not;
def any(f): any(.[]; f);
def any: any(.);
def all(source; f): isempty(first(source | f | select(. | not)));
def all(f): all(.[]; f);
def all: all(.);
def first: .[0];
def last: .[-1];
def last(f): reduce f as $x (null; $x);
def nth($n): .[$n];
def nth($n; f): if $n < 0 then error("nth doesn't support negative index") else first(skip($n; f)) end;
def skip($n; f):
  if $n < 0 then error("skip doesn't support negative count")
  elif $n == 0 then f
  else foreach f as $x (0; . + 1; if . > $n then $x else empty end) end;
def paths: path(..) | select(length > 0);
def paths(f): paths as $p | select(getpath($p) | f) | $p;
def to_entries: [keys[] as $k | {key: $k, value: .[$k]}];
def from_entries: reduce .[] as $e ({};
  . + {($e | .key // .name // .Name // .Key): ($e | if has("value") then .value else .Value end)});
def with_entries(f): to_entries | map(f) | from_entries;
def walk(f): def inner: if type == "array" or type == "object" then map_values(inner) else . end | f; inner;
def env: $ENV;
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdate: strptime("%Y-%m-%dT%H:%M:%S%z") | mktime;
def todateiso8601: todate;
def fromdateiso8601: fromdate;
def halt_error: halt_error(5);
def match($re): match($re; null);
def match($re; $flags): _match($re; $flags; "match") | .[];
def test($re): test($re; null);
def test($re; $flags): _match($re; $flags; "test") | length > 0;
def capture($re): capture($re; null);
def capture($re; $flags): match($re; $flags) | _captures;
def scan($re): scan($re; null);
def scan($re; $flags):
  match($re; "g" + $flags) | if (.captures | length) > 0 then [.captures[].string] else .string end;
def splits($re): splits($re; null);
def splits($re; $flags): split($re; $flags) | .[];
def split($re; $flags): . as $text
  | [foreach ((match($re; "g" + $flags) | [.offset, .length]), null) as $m ({at: 0};
      if $m == null then .piece = $text[.at:] else .piece = $text[.at:$m[0]] | .at = $m[0] + $m[1] end; .piece)];
def ascii_downcase: _ascii("ascii_downcase");
def ascii_upcase: _ascii("ascii_upcase");
def sort_by(f): _keyed("sort_by"; f);
def group_by(f): _keyed("group_by"; f);
def unique_by(f): _keyed("unique_by"; f);
def min_by(f): _keyed("min_by"; f);
def max_by(f): _keyed("max_by"; f);
def index($x): _index($x; "index");
def rindex($x): _index($x; "rindex");
def INDEX(source; key): reduce source as $x ({}; .[$x | key | tostring] = $x);
def INDEX(key): INDEX(.[]; key);
def IN(source): any(source == .; .);
def IN(source; others): any(source == others; .);
def JOIN($table; key): [.[] | [., $table[key]]];
def JOIN($table; source; key): source | [., $table[key]];
def JOIN($table; source; key; join): source | [., $table[key]] | join;
def tostream: path(def inner: (.[]? | inner), .; inner) as $p
  | getpath($p)
  | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def fromstream(f): foreach f as $e ({};
  (if .done then {} else . end)
  | if ($e | length) == 2
    then .made |= setpath($e[0]; $e[1]) | .done = (($e[0] | length) == 0)
    else .done = (($e[0] | length) == 1) end;
  if .done then .made else empty end);
def truncate_stream(f): . as $n | null | f | select(.[0] | length > $n) | .[0] |= .[$n:];
def transpose: [range(map(length) | max // 0) as $i | [.[][$i]]];
def flatten: flatten(1000000);
"#;

/// The function of a name and a number of arguments.
pub fn find(name: &str, args: usize) -> Option<&'static Function> {
    static ALL: LazyLock<BTreeMap<(String, usize), Function>> = LazyLock::new(|| {
        parse::definitions(TEXT)
            .expect("our own definitions are filters")
            .into_iter()
            .map(|f| ((f.name.clone(), f.params.len()), f))
            .collect()
    });
    ALL.get(&(name.to_owned(), args))
}

/// Names of all functions here, with their numbers of arguments; those of our own use begin with `_`.
pub fn names() -> impl Iterator<Item = (String, usize)> {
    parse::definitions(TEXT)
        .expect("our own definitions are filters")
        .into_iter()
        .map(|f| (f.name, f.params.len()))
}
