//! Letter case: titles, swapped case, and the conventions of names in code.

use crate::gostrings::{to_lower, to_upper};

/// Go's `strings.Title`: the first letter of each word in upper case.
pub fn title(s: &str) -> String {
    let mut before = ' ';
    s.chars()
        .map(|c| {
            let made = if separates(before) { to_upper(c) } else { c };
            before = c;
            made
        })
        .collect()
}

fn separates(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    !(c.is_alphabetic() || c.is_numeric()) && c.is_whitespace()
}

/// The first letter of each word in lower case.
pub fn untitle(s: &str) -> String {
    let mut fresh = true;
    s.chars()
        .map(|c| {
            let made = if fresh { to_lower(c) } else { c };
            fresh = c.is_whitespace();
            made
        })
        .collect()
}

/// Upper case becomes lower and the other way round.
pub fn swap(s: &str) -> String {
    s.chars()
        .map(|c| {
            if c.is_uppercase() {
                to_lower(c)
            } else {
                to_upper(c)
            }
        })
        .collect()
}

/// What a word is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Number,
    Upper,
    Lower,
    Connector,
    Punctuation,
    Other,
}

fn class(c: char) -> Class {
    if c == '_' || c == '-' || c.is_whitespace() {
        Class::Connector
    } else if c.is_numeric() {
        Class::Number
    } else if c.is_uppercase() {
        Class::Upper
    } else if c.is_alphabetic() {
        Class::Lower
    } else if is_punctuation(c) {
        Class::Punctuation
    } else {
        Class::Other
    }
}

/// Unicode's punctuation, which symbols such as `=` and `+` are not.
fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c);
    }
    ('\u{2010}'..='\u{2027}').contains(&c) || "¡§«¶·»¿、。「」".contains(c)
}

/// Cuts a text into words: runs of one class, a capital with the small letters after it, capitals before that.
fn words(s: &str) -> Vec<(Class, String)> {
    let chars: Vec<char> = s.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let kind = class(chars[i]);
        let run = |from: usize, kind: Class| chars[from..].iter().take_while(|c| class(**c) == kind).count();
        let mut len = run(i, kind);
        let mut shown = kind;
        if kind == Class::Upper {
            let small = run(i + len, Class::Lower);
            if len == 1 && small > 0 {
                len += small;
                shown = Class::Lower;
            } else if small > 0 {
                len -= 1;
            }
        }
        out.push((shown, chars[i..i + len].iter().collect()));
        i += len;
    }
    out
}

/// `snake_case` or `kebab-case`: words in small letters with delimiters between; a number stays with the word before
/// it unless small letters follow.
pub fn delimited(s: &str, delimiter: char) -> String {
    let words = words(s);
    let mut out = String::with_capacity(s.len() + 8);
    let put = |out: &mut String, (kind, word): &(Class, String)| match kind {
        Class::Connector => out.extend(std::iter::repeat_n(delimiter, word.chars().count())),
        _ => out.extend(word.chars().map(to_lower)),
    };
    let joins = |kind: Option<Class>| !matches!(kind, None | Some(Class::Punctuation | Class::Connector));
    let kind = |i: usize| words.get(i).map(|w| w.0);
    let mut i = 0;
    while i < words.len() {
        put(&mut out, &words[i]);
        let mut next = i + 1;
        // Numbers take the small letters and numbers after them along.
        let tail = |from: usize, out: &mut String| {
            let mut at = from;
            while matches!(kind(at), Some(Class::Lower | Class::Number)) {
                put(out, &words[at]);
                at += 1;
            }
            at
        };
        match words[i].0 {
            Class::Connector | Class::Punctuation => {}
            Class::Number => {
                next = tail(next, &mut out);
                if joins(kind(next)) {
                    out.push(delimiter);
                }
            }
            _ if kind(next) == Some(Class::Number) && next + 1 < words.len() => {
                if kind(next + 1) == Some(Class::Lower) {
                    out.push(delimiter);
                    put(&mut out, &words[next]);
                    next = tail(next + 1, &mut out);
                } else {
                    put(&mut out, &words[next]);
                    next += 1;
                }
                if joins(kind(next)) {
                    out.push(delimiter);
                }
            }
            _ if kind(next) != Some(Class::Number) && joins(kind(next)) => out.push(delimiter),
            _ => {}
        }
        i = next;
    }
    out
}

/// `PascalCase`: words at blanks, `_` and `-` start with a capital, capitals right after it become small. Of several
/// blanks between words one is taken away, of those around them none.
pub fn pascal(s: &str) -> String {
    let chars: Vec<char> = s.chars().collect();
    let mut out = String::with_capacity(s.len());
    let mut i = 0;
    // Blanks before the first word stay.
    while i < chars.len() && class(chars[i]) == Class::Connector {
        out.push(chars[i]);
        i += 1;
    }
    if i == chars.len() {
        // The original writes the last one twice.
        out.extend(chars.last());
    }
    while i < chars.len() {
        if class(chars[i]) == Class::Connector {
            let run = chars[i..]
                .iter()
                .take_while(|c| class(**c) == Class::Connector)
                .count();
            let kept = if i + run == chars.len() { run } else { run - 1 };
            out.extend(&chars[i..i + kept]);
            i += run;
            continue;
        }
        out.push(to_upper(chars[i]));
        let capital = class(chars[i]) == Class::Upper;
        i += 1;
        while capital && i < chars.len() && class(chars[i]) == Class::Upper {
            out.push(to_lower(chars[i]));
            i += 1;
        }
        while i < chars.len() && class(chars[i]) != Class::Connector {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}
