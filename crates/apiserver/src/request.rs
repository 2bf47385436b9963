//! What a request asks for: its path and query as data.
//!
//! Deliberately absent: whether the asked-for kind exists and whether the user may ask.

use std::collections::BTreeMap;

/// The place in the API that a path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// API group, empty for the core group.
    pub group: String,
    /// Version in the group.
    pub version: String,
    /// Namespace in the path, empty when there is none.
    pub namespace: String,
    /// Plural of the kind.
    pub plural: String,
    /// Name of the object, empty for the collection.
    pub name: String,
    /// Subresource, empty for the object itself.
    pub subresource: String,
}

impl Target {
    /// Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`; `None` for every other path.
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            // A namespace's own subresources look like a kind in it.
            ["namespaces", _, "status" | "finalize"] => ("", rest),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            _ => ("", rest),
        };
        let (plural, name, subresource) = match rest {
            [plural] => (*plural, "", String::new()),
            [plural, name] => (*plural, *name, String::new()),
            [plural, name, rest @ ..] => (*plural, *name, rest.join("/")),
            [] => return None,
        };
        let decode = |text: &str| form_urlencoded_path(text);
        Some(Target {
            group: group.to_owned(),
            version: version.to_owned(),
            namespace: decode(namespace),
            plural: plural.to_owned(),
            name: decode(name),
            subresource,
        })
    }
}

/// Percent decoding of one path segment.
fn form_urlencoded_path(text: &str) -> String {
    if text.contains('%') {
        decode(text, false)
    } else {
        text.to_owned()
    }
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
                continue;
            }
            (b'+', _, _) if plus_is_space => out.push(b' '),
            (byte, _, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The query's parameters; of repeated ones all values in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    /// Reads the part of a URL after `?`.
    pub fn parse(text: Option<&str>) -> Self {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in text
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            all.entry(decode(name, true))
                .or_default()
                .push(decode(value, true));
        }
        Query(all)
    }

    /// The first value of a parameter, empty when it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).first().map(String::as_str).unwrap_or_default()
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a parameter is present with a value that means yes, as Kubernetes reads booleans of queries.
    pub fn is(&self, name: &str) -> bool {
        self.0.contains_key(name) && !matches!(self.get(name), "false" | "0")
    }

    /// A parameter as a number, `None` when it is missing or none.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_places() {
        let cases = [
            ("/api/v1/pods", Some(["", "v1", "", "pods", "", ""])),
            ("/api/v1/namespaces", Some(["", "v1", "", "namespaces", "", ""])),
            (
                "/api/v1/namespaces/a",
                Some(["", "v1", "", "namespaces", "a", ""]),
            ),
            (
                "/api/v1/namespaces/a/status",
                Some(["", "v1", "", "namespaces", "a", "status"]),
            ),
            (
                "/api/v1/namespaces/a/pods/",
                Some(["", "v1", "a", "pods", "", ""]),
            ),
            (
                "/api/v1/namespaces/a/pods/b/log",
                Some(["", "v1", "a", "pods", "b", "log"]),
            ),
            (
                "/apis/g.io/v2/namespaces/a/xs/b%2Ec",
                Some(["g.io", "v2", "a", "xs", "b.c", ""]),
            ),
            ("/apis/g.io/v2", None),
            ("/healthz", None),
        ];
        for (path, expected) in cases {
            let got = Target::parse(path);
            let got = got.as_ref().map(|t| {
                [
                    &t.group,
                    &t.version,
                    &t.namespace,
                    &t.plural,
                    &t.name,
                    &t.subresource,
                ]
                .map(String::as_str)
            });
            assert_eq!(got, expected, "{path}");
        }
    }

    #[test]
    fn queries_are_decoded() {
        let query = Query::parse(Some("a=b%3Dc&d&command=ls&command=-l+x&watch=1&pretty=false"));
        assert_eq!(query.get("a"), "b=c");
        assert!(query.is("d") && query.is("watch") && !query.is("pretty") && !query.is("x"));
        assert_eq!(query.all("command"), ["ls", "-l x"]);
    }
}
