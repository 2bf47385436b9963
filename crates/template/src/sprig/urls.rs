//! URLs in parts, as Go's `net/url` cuts them.

use super::{Outcome, any, string};
use crate::text::Text;
use crate::value::Value;
use crate::value::quote::go_quote;

/// A URL's parts, decoded where Go decodes them.
#[derive(Default)]
struct Url {
    scheme: String,
    opaque: String,
    user: Option<String>,
    host: String,
    path: String,
    query: String,
    fragment: String,
}

fn unescape(s: &str) -> Result<String, String> {
    let bytes = s.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'%' {
            let digits = bytes.get(i + 1..i + 3).and_then(|d| std::str::from_utf8(d).ok());
            match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
                Some(b) => out.push(b),
                None => {
                    let shown = &bytes[i..bytes.len().min(i + 3)];
                    return Err(format!("invalid URL escape {}", go_quote(shown)));
                }
            }
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    Ok(crate::text::lossy(&out).into_owned())
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        let mut url = Self::default();
        if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
            return Err("net/url: invalid control character in URL".into());
        }
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        url.fragment = unescape(fragment)?;
        if text.is_empty() {
            return Ok(url);
        }
        if text == "*" {
            url.path = "*".into();
            return Ok(url);
        }
        let mut rest = text;
        if let Some((scheme, after)) = scheme(text)? {
            url.scheme = scheme.to_lowercase();
            rest = after;
        }
        if let Some((before, query)) = rest.split_once('?') {
            url.query = query.to_owned();
            rest = before;
        }
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_owned();
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|first| first.contains(':')) {
                return Err("first path segment in URL cannot contain colon".into());
            }
        }
        if rest.starts_with("//") && !(url.scheme.is_empty() && rest.starts_with("///")) {
            let authority = &rest[2..];
            let end = authority.find('/').unwrap_or(authority.len());
            rest = &authority[end..];
            url.authority(&authority[..end])?;
        }
        url.path = unescape(rest)?;
        Ok(url)
    }

    fn authority(&mut self, text: &str) -> Result<(), String> {
        let host = match text.rsplit_once('@') {
            Some((user, host)) => {
                let fits = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
                if !user.chars().all(fits) {
                    return Err("net/url: invalid userinfo".into());
                }
                let shown = match user.split_once(':') {
                    Some((name, password)) => {
                        format!(
                            "{}:{}",
                            escape(&unescape(name)?, USER),
                            escape(&unescape(password)?, USER)
                        )
                    }
                    None => escape(&unescape(user)?, USER),
                };
                self.user = Some(shown);
                host
            }
            None => text,
        };
        let port = match host.rfind(']') {
            Some(end) => &host[end + 1..],
            None if host.starts_with('[') => return Err("missing ']' in host".into()),
            None => host.rfind(':').map_or("", |i| &host[i..]),
        };
        let digits = |p: &str| p.bytes().all(|b| b.is_ascii_digit());
        let fits = port.is_empty() || port.strip_prefix(':').is_some_and(digits);
        if !fits {
            return Err(format!("invalid port {} after host", go_quote(port.as_bytes())));
        }
        if let Some(bad) = host.chars().find(|c| " <>\"{}|\\^`".contains(*c)) {
            return Err(format!(
                "invalid character {} in host name",
                go_quote(bad.to_string().as_bytes())
            ));
        }
        self.host = unescape(host)?;
        Ok(())
    }

    fn hostname(&self) -> String {
        let host = match self.host.rfind(':') {
            Some(i) if self.host[i + 1..].bytes().all(|b| b.is_ascii_digit()) => &self.host[..i],
            _ => &self.host,
        };
        host.strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host)
            .to_owned()
    }

    fn show(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&format!("{}:", self.scheme));
        }
        if self.opaque.is_empty() {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some() {
                if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                    out.push_str("//");
                }
                if let Some(user) = &self.user {
                    out.push_str(&format!("{user}@"));
                }
                out.push_str(&escape(&self.host, HOST));
            }
            let path = escape(&self.path, PATH);
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                out.push('/');
            }
            if out.is_empty() && path.split('/').next().is_some_and(|first| first.contains(':')) {
                out.push_str("./");
            }
            out.push_str(&path);
        } else {
            out.push_str(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push_str(&format!("?{}", self.query));
        }
        if !self.fragment.is_empty() {
            out.push_str(&format!("#{}", escape(&self.fragment, FRAGMENT)));
        }
        out
    }
}

const PATH: &str = "$&+,/:;=@";
const USER: &str = "$&+,;=";
const HOST: &str = "!$&'()*+,;=:[]<>\"";
const FRAGMENT: &str = "$&+,/:;=?@!()*";

fn escape(s: &str, kept: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for b in s.bytes() {
        let c = char::from(b);
        if b.is_ascii_alphanumeric() || "-_.~".contains(c) || (b.is_ascii() && kept.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// The scheme and what follows it; `None` for a relative reference.
fn scheme(text: &str) -> Result<Option<(&str, &str)>, String> {
    for (i, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if i > 0 => {}
            '0'..='9' | '+' | '-' | '.' => return Ok(None),
            ':' if i == 0 => return Err("missing protocol scheme".into()),
            ':' => return Ok(Some((&text[..i], &text[i + 1..]))),
            _ => return Ok(None),
        }
    }
    Ok(None)
}

pub fn parse(a: &[Value]) -> Outcome {
    let text = string(a, 0);
    let url = Url::parse(&text)
        .map_err(|e| format!("unable to parse url: parse {}: {e}", go_quote(text.as_bytes())))?;
    let parts = [
        ("scheme", url.scheme.clone()),
        ("host", url.host.clone()),
        ("hostname", url.hostname()),
        ("path", url.path.clone()),
        ("query", url.query.clone()),
        ("opaque", url.opaque.clone()),
        ("fragment", url.fragment.clone()),
        ("userinfo", url.user.clone().unwrap_or_default()),
    ];
    Ok(Value::map(
        parts.into_iter().map(|(k, v)| (Text::from(k), Value::str(v))),
    ))
}

pub fn join(a: &[Value]) -> Outcome {
    let part = |key: &str| -> Result<String, String> {
        match any(a, 0) {
            Value::Map(m) => match m.entries.get(key.as_bytes()) {
                None => Ok(String::new()),
                Some(Value::Str(s)) => Ok(s.lossy().into_owned()),
                Some(other) => Err(format!(
                    "unable to parse {key} key, must be of type string, but {} found",
                    super::kind(other)
                )),
            },
            _ => Ok(String::new()),
        }
    };
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let whole = format!("proto://{user}@host");
        let parsed = Url::parse(&whole).map_err(|e| {
            format!(
                "unable to parse userinfo in dict: parse {}: {e}",
                go_quote(whole.as_bytes())
            )
        })?;
        url.user = parsed.user;
    }
    Ok(Value::str(url.show()))
}
