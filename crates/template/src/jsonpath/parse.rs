//! A path into tokens.

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Root,
    Key(String),
    Index(i64),
    /// An index that is computed.
    Script(String),
    Wildcard,
    Recursive,
    Range(Option<i64>, Option<i64>, Option<i64>),
    Union(Vec<Token>),
    Filter(String),
}

/// How many steps a path may have.
const STEPS: usize = 100;

/// Parses a path; `@` may stand for `$`.
///
/// # Errors
/// The library's words.
pub fn parse(path: &str) -> Result<Vec<Token>, String> {
    let invalid = |what: &str| format!("invalid JSONPath selector '{path}' {what}");
    let chars: Vec<char> = path.chars().collect();
    match chars.first() {
        Some('$' | '@') => {}
        Some(c) => return Err(invalid(&format!("unexpected token '{c}' at index 0"))),
        None => return Err(invalid("unexpected token '' at index 0")),
    }
    let mut tokens = vec![Token::Root];
    let mut at = 1;
    while at < chars.len() {
        if tokens.len() > STEPS {
            return Err(invalid(&format!("path has more than {STEPS} steps")));
        }
        match chars[at] {
            '.' => {
                at += 1;
                if chars.get(at) == Some(&'.') {
                    at += 1;
                    tokens.push(Token::Recursive);
                    if matches!(chars.get(at), None | Some('[' | '.')) {
                        continue;
                    }
                } else if chars.get(at) == Some(&'[') {
                    continue;
                }
                at = key(&chars, at, &mut tokens).map_err(|what| invalid(&what))?;
            }
            '[' => {
                let end = closing(&chars, at);
                let text: String = chars[at..end.map_or(chars.len(), |e| e + 1)].iter().collect();
                let wrong = || {
                    invalid(&format!(
                        "invalid token. '{text}' does not match any token format"
                    ))
                };
                let Some(end) = end else { return Err(wrong()) };
                let inner: String = chars[at + 1..end].iter().collect();
                match bracket(inner.trim()) {
                    Ok(Some(token)) => tokens.push(token),
                    Ok(None) => return Err(wrong()),
                    Err(what) => return Err(invalid(&what)),
                }
                at = end + 1;
            }
            c if at == 1 => return Err(invalid(&format!("unexpected token '{c}' at index 1"))),
            _ => at = key(&chars, at, &mut tokens).map_err(|what| invalid(&what))?,
        }
    }
    Ok(tokens)
}

fn key(chars: &[char], from: usize, tokens: &mut Vec<Token>) -> Result<usize, String> {
    let len = chars[from..]
        .iter()
        .take_while(|c| !matches!(c, '.' | '['))
        .count();
    let name: String = chars[from..from + len].iter().collect();
    let name = name.trim();
    if name.is_empty() {
        return Err("invalid token. token string is empty".into());
    }
    tokens.push(if name == "*" {
        Token::Wildcard
    } else {
        Token::Key(name.to_owned())
    });
    Ok(from + len)
}

/// Where the bracket that opens at `from` closes; quotes and inner brackets are skipped.
fn closing(chars: &[char], from: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    let mut i = from;
    while i < chars.len() {
        match (quote, chars[i]) {
            (Some(_), '\\') => i += 1,
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, c @ ('\'' | '"')) => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => {
                depth -= 1;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
        i += 1;
    }
    None
}

fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text[1..].strip_suffix(quote)?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?),
            c if c == quote => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

fn integer(text: &str) -> Option<i64> {
    crate::value::number::parse_int(text, 10).ok()
}

fn simple(text: &str) -> Option<Token> {
    quoted(text)
        .map(Token::Key)
        .or_else(|| integer(text).map(Token::Index))
}

/// What stands in brackets; `None` when it is nothing that is known.
fn bracket(text: &str) -> Result<Option<Token>, String> {
    if text == "*" {
        return Ok(Some(Token::Wildcard));
    }
    if let Some(token) = simple(text) {
        return Ok(Some(token));
    }
    if let Some(expression) = text.strip_prefix("?(").and_then(|t| t.strip_suffix(')')) {
        return Ok(Some(Token::Filter(expression.trim().to_owned())));
    }
    if let Some(expression) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        return Ok(Some(Token::Script(expression.trim().to_owned())));
    }
    let parts = split(text, ',');
    if parts.len() > 1 {
        return Ok(parts
            .iter()
            .map(|p| simple(p.trim()))
            .collect::<Option<Vec<_>>>()
            .map(Token::Union));
    }
    let parts = split(text, ':');
    if (2..=3).contains(&parts.len()) {
        let mut bounds = [None; 3];
        for (bound, part) in bounds.iter_mut().zip(&parts) {
            let part = part.trim();
            if !part.is_empty() {
                let n =
                    integer(part).ok_or_else(|| format!("invalid expression. invalid format '{part}'"))?;
                *bound = Some(n);
            }
        }
        return Ok(Some(Token::Range(bounds[0], bounds[1], bounds[2])));
    }
    Ok(None)
}

/// Cuts at a separator that stands outside quotes.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(q) if q == c => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c == separator => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}
