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
    s.chars().map(|c| if c.is_uppercase() { to_lower(c) } else { to_upper(c) }).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Upper,
    Lower,
    Digit,
    Blank,
    Other,
}

fn class(c: char) -> Class {
    if c == '_' || c == '-' || c.is_whitespace() {
        Class::Blank
    } else if c.is_uppercase() {
        Class::Upper
    } else if c.is_numeric() {
        Class::Digit
    } else if c.is_alphabetic() {
        Class::Lower
    } else {
        Class::Other
    }
}

/// `snake_case` or `kebab-case`: words are cut before capitals, with runs of capitals kept together, and at blanks,
/// `_` and `-`; digits stay with the word before them unless a capital follows.
pub fn delimited(s: &str, delimiter: char) -> String {
    let chars: Vec<char> = s.chars().collect();
    let mut out = String::with_capacity(s.len() + 8);
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let here = class(c);
        if here == Class::Blank {
            let run = chars[i..].iter().take_while(|c| class(**c) == Class::Blank).count();
            let delimiters = chars[i..i + run].iter().filter(|c| !c.is_whitespace()).count().max(1);
            out.extend(std::iter::repeat_n(delimiter, delimiters));
            i += run;
            continue;
        }
        let before = i.checked_sub(1).map(|b| class(chars[b]));
        let after = chars.get(i + 1).map(|c| class(*c));
        let starts = match (before, here) {
            (Some(Class::Lower | Class::Digit), Class::Upper) => true,
            (Some(Class::Upper), Class::Upper) => after == Some(Class::Lower),
            (Some(Class::Digit), Class::Lower) => false,
            _ => false,
        };
        if starts {
            out.push(delimiter);
        }
        out.push(to_lower(c));
        i += 1;
    }
    out
}

/// `PascalCase`: words at blanks, `_` and `-` start with a capital.
pub fn pascal(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    let mut fresh = true;
    let mut started = false;
    for c in s.chars() {
        if class(c) == Class::Blank {
            // Blanks before the first word stay.
            if started {
                fresh = true;
            } else {
                out.push(c);
            }
            continue;
        }
        started = true;
        if fresh {
            out.push(to_upper(c));
            fresh = !c.is_alphabetic() && !c.is_numeric();
        } else {
            out.push(c);
        }
    }
    out
}
