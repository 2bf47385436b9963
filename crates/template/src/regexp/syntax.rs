//! The syntax of Go's regular expressions: reads a pattern once, tells what is wrong in Go's words, and writes it as the
//! `regex` crate reads it. Not here: compiling.

use std::collections::BTreeSet;

/// The highest count of a repetition, and of nested ones together.
const REPEATS: u64 = 1000;

const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Writes a pattern as the `regex` crate reads it.
///
/// # Errors
/// What is wrong with it, in Go's words.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut reader = Reader {
        pattern,
        rest: pattern,
        out: String::with_capacity(pattern.len() + 8),
        groups: vec![Group::default()],
        names: BTreeSet::new(),
    };
    while let Some(c) = reader.next() {
        reader.one(c)?;
    }
    if reader.groups.len() > 1 {
        return Err(wrong("missing closing )", pattern));
    }
    Ok(reader.out)
}

fn wrong(what: &str, text: &str) -> String {
    format!("{what}: `{text}`")
}

/// Flags without repetitions, which the crate does not take.
fn once_each(flags: &str) -> String {
    let mut kept = String::new();
    for c in flags.chars() {
        if !kept.contains(c) {
            kept.push(c);
        }
    }
    kept
}

/// What is open around the place.
#[derive(Default)]
struct Group {
    /// How often what a repetition would repeat repeats things already; `None` when there is nothing to repeat.
    last: Option<u64>,
    /// The most of that in the group.
    most: u64,
    /// Where the repetition starts that ends here.
    repetition: Option<usize>,
}

impl Group {
    fn atom(&mut self, repeats: u64) {
        self.last = Some(repeats);
        self.most = self.most.max(repeats);
        self.repetition = None;
    }
}

struct Reader<'p> {
    pattern: &'p str,
    rest: &'p str,
    out: String,
    groups: Vec<Group>,
    names: BTreeSet<&'p str>,
}

impl<'p> Reader<'p> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Where the reader stands.
    fn at(&self) -> usize {
        self.pattern.len() - self.rest.len()
    }

    /// What was read since a place.
    fn since(&self, start: usize) -> &'p str {
        &self.pattern[start..self.at()]
    }

    fn group(&mut self) -> &mut Group {
        self.groups
            .last_mut()
            .expect("the outermost group is never closed")
    }

    fn atom(&mut self) {
        self.group().atom(1);
    }

    fn literal(&mut self, c: char) {
        self.out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        self.atom();
    }

    fn one(&mut self, c: char) -> Result<(), String> {
        let start = self.at() - c.len_utf8();
        match c {
            '\\' => self.escape(start)?,
            '[' => {
                self.class(start)?;
                self.atom();
            }
            '(' if self.rest.starts_with('?') => self.special_group(start)?,
            '(' => self.open("("),
            ')' => {
                if self.groups.len() == 1 {
                    return Err(wrong("unexpected )", self.pattern));
                }
                let inner = self.groups.pop().map_or(0, |group| group.most);
                self.group().atom(inner.max(1));
                self.out.push(')');
            }
            '|' => {
                self.group().last = None;
                self.group().repetition = None;
                self.out.push('|');
            }
            '*' | '+' | '?' => self.repeat(start, None)?,
            '{' => match self.count() {
                // Go reads a brace that opens no repetition as itself.
                None => self.literal('{'),
                Some((least, most)) => {
                    if least > REPEATS || most.is_some_and(|most| most > REPEATS || most < least) {
                        return Err(wrong("invalid repeat count", self.since(start)));
                    }
                    self.repeat(start, Some(most.unwrap_or(least)))?;
                }
            },
            '^' | '$' | '.' => {
                self.out.push(c);
                self.atom();
            }
            c => self.literal(c),
        }
        Ok(())
    }

    fn open(&mut self, text: &str) {
        self.out.push_str(text);
        self.groups.push(Group::default());
    }

    /// A repetition that was read from a place on, with its highest count if it has one.
    fn repeat(&mut self, start: usize, most: Option<u64>) -> Result<(), String> {
        self.take("?");
        let text = self.since(start);
        if let Some(before) = self.group().repetition {
            return Err(wrong("invalid nested repetition operator", self.since(before)));
        }
        let Some(inner) = self.group().last else {
            return Err(wrong("missing argument to repetition operator", text));
        };
        let all = inner.saturating_mul(most.unwrap_or(1));
        if most.is_some_and(|most| most >= 2) && all > REPEATS {
            return Err(wrong("invalid repeat count", text));
        }
        self.group().atom(if most == Some(0) { 0 } else { all });
        self.group().repetition = Some(start);
        self.out.push_str(text);
        Ok(())
    }

    /// The counts of `n}`, `n,}` or `n,m}`; nothing is read when it is none of them.
    fn count(&mut self) -> Option<(u64, Option<u64>)> {
        fn number(text: &str) -> Option<(u64, &str)> {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = text.split_at(digits);
            let well_formed = digits == 1 || (digits > 1 && !number.starts_with('0'));
            well_formed.then(|| (number.parse().unwrap_or(u64::MAX), rest))
        }
        let (least, mut rest) = number(self.rest)?;
        let mut most = Some(least);
        if let Some(after) = rest.strip_prefix(',') {
            (most, rest) = match number(after) {
                Some((most, rest)) => (Some(most), rest),
                None => (None, after),
            };
        }
        self.rest = rest.strip_prefix('}')?;
        Some((least, most))
    }

    /// A group that starts with `(?`.
    fn special_group(&mut self, start: usize) -> Result<(), String> {
        self.take("?");
        // A bracket at the very end begins no name.
        let at_end = matches!(self.rest, "<" | "P<");
        if !at_end && (self.take("P<") || self.take("<")) {
            let Some((name, rest)) = self.rest.split_once('>') else {
                return Err(wrong("invalid named capture", &self.pattern[start..]));
            };
            self.rest = rest;
            if name.is_empty() || !name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()) {
                // Without a name at all, what is told ends with the bracket.
                return Err(wrong("invalid named capture", self.since(start)));
            }
            // The crate takes no name twice, and none that starts with a digit.
            if self.names.insert(name) && !name.starts_with(|c: char| c.is_ascii_digit()) {
                self.open(&format!("(?P<{name}>"));
            } else {
                self.open("(");
            }
            return Ok(());
        }
        let (mut off, mut any) = (false, false);
        loop {
            match self.next() {
                Some('i' | 'm' | 's' | 'U') => any = true,
                Some('-') if !off => (off, any) = (true, false),
                Some(':' | ')') if off && !any => break,
                Some(end @ (')' | ':')) => {
                    let flags = once_each(self.since(start));
                    if end == ':' {
                        self.open(&flags);
                    } else {
                        self.out.push_str(&flags);
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(wrong("invalid or unsupported Perl syntax", self.since(start)))
    }

    /// An escape outside of classes.
    fn escape(&mut self, start: usize) -> Result<(), String> {
        match self.peek() {
            Some('b' | 'B') => {
                let c = self.next().unwrap_or('b');
                self.out.push_str(&format!("(?-u:\\{c})"));
                self.atom();
            }
            Some(c @ ('A' | 'z')) => {
                self.next();
                self.out.push('\\');
                self.out.push(c);
                self.atom();
            }
            Some('Q') => {
                self.next();
                let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                for c in text.chars() {
                    self.literal(c);
                }
            }
            Some('d' | 'D' | 's' | 'S' | 'w' | 'W' | 'p' | 'P') => {
                let class = self.named_class(start)?;
                self.out.push_str(&class);
                self.atom();
            }
            _ => {
                let c = self.escaped_char(start)?;
                self.literal(c);
            }
        }
        Ok(())
    }

    /// `\d` and its like, which know ASCII only, and `\p`; the backslash is read already.
    fn named_class(&mut self, start: usize) -> Result<String, String> {
        let Some(c) = self.next() else {
            return Err(wrong("trailing backslash at end of expression", ""));
        };
        Ok(match c {
            'd' => "[0-9]".to_owned(),
            'D' => "[^0-9]".to_owned(),
            'w' => "[0-9A-Za-z_]".to_owned(),
            'W' => "[^0-9A-Za-z_]".to_owned(),
            's' => "[\\t\\n\\f\\r ]".to_owned(),
            'S' => "[^\\t\\n\\f\\r ]".to_owned(),
            _ => return self.unicode_class(start, c == 'P'),
        })
    }

    fn unicode_class(&mut self, start: usize, mut negated: bool) -> Result<String, String> {
        let mut name = if self.take("{") {
            match self.rest.split_once('}') {
                Some((name, rest)) => {
                    self.rest = rest;
                    name
                }
                None => return Err(wrong("invalid character class range", &self.pattern[start..])),
            }
        } else {
            let from = self.at();
            self.next();
            self.since(from)
        };
        if let Some(positive) = name.strip_prefix('^') {
            (name, negated) = (positive, !negated);
        }
        let class = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
        let word = name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
        let known = word && !name.get(..2).is_some_and(|is| is.eq_ignore_ascii_case("is"));
        if known && regex::Regex::new(&class).is_ok() {
            Ok(class)
        } else {
            Err(wrong("invalid character class range", self.since(start)))
        }
    }

    /// The character that an escape stands for; the backslash is read already.
    fn escaped_char(&mut self, start: usize) -> Result<char, String> {
        let Some(c) = self.next() else {
            return Err(wrong("trailing backslash at end of expression", ""));
        };
        let octal = |c: Option<char>| c.filter(|c| c.is_digit(8));
        let found = match c {
            // A single digit that is no zero would refer to a group.
            '1'..='7' if octal(self.peek()).is_none() => None,
            '0'..='7' => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    if let Some(digit) = octal(self.peek()).and_then(|c| c.to_digit(8)) {
                        self.next();
                        value = value * 8 + digit;
                    }
                }
                char::from_u32(value)
            }
            'x' => self.hex(),
            'a' => Some('\u{7}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
            _ => None,
        };
        found.ok_or_else(|| wrong("invalid escape sequence", self.since(start)))
    }

    /// The number after `\x`; what is read of a wrong one ends with what makes it wrong.
    fn hex(&mut self) -> Option<char> {
        let braced = self.take("{");
        let (mut value, mut digits) = (0_u32, 0);
        while braced || digits < 2 {
            let c = self.next()?;
            if braced && c == '}' {
                break;
            }
            value = value * 16 + c.to_digit(16)?;
            digits += 1;
            if value > 0x0010_ffff {
                return None;
            }
        }
        char::from_u32(value).filter(|_| digits > 0)
    }

    /// A class in brackets, the first of which is read already.
    fn class(&mut self, start: usize) -> Result<(), String> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            let from = self.at();
            if self.rest.starts_with("[:")
                && let Some(end) = self.rest[2..].find(":]")
            {
                let name = &self.rest[..end + 4];
                self.rest = &self.rest[end + 4..];
                let word = name[2..end + 2].trim_start_matches('^');
                if name[2..].starts_with("^^") || !POSIX.contains(&word) {
                    return Err(wrong("invalid character class range", name));
                }
                self.out.push_str(name);
                continue;
            }
            let mut ahead = self.rest.chars();
            if ahead.next() == Some('\\') && ahead.next().is_some_and(|c| "dDsSwWpP".contains(c)) {
                self.next();
                let class = self.named_class(from)?;
                self.out.push_str(&class);
                continue;
            }
            let low = self.class_char(start)?;
            let mut high = low;
            if self.rest.len() >= 2 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.next();
                high = self.class_char(start)?;
                if high < low {
                    return Err(wrong("invalid character class range", self.since(from)));
                }
            }
            self.out.push_str(&format!(
                "\\x{{{:x}}}-\\x{{{:x}}}",
                u32::from(low),
                u32::from(high)
            ));
        }
        self.next();
        self.out.push(']');
        Ok(())
    }

    fn class_char(&mut self, class: usize) -> Result<char, String> {
        let from = self.at();
        match self.next() {
            None => Err(wrong("missing closing ]", &self.pattern[class..])),
            Some('\\') => self.escaped_char(from),
            Some(c) => Ok(c),
        }
    }
}
