//! From parser events to JSON values with places. Aliases, merge keys and tags are resolved here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::scalar::{self, Scalar};
use super::{Document, Error, Position, Spans};

/// Bytes that anchors and aliases may copy while one text is read: twice the longest text. Hand-written manifests stay
/// below a thousandth of it.
const MAX_COPIED: usize = 2 * super::MAX_BYTES;
/// Bytes that a value needs beside its text.
const BYTES_PER_VALUE: usize = 100;

const TEMPLATE_HINT: &str = "a value that starts with {{ must be in quotes: \"{{…}}\"";

/// A value with its places and its size in bytes, kept for aliases.
#[derive(Clone)]
struct Node {
    value: Value,
    spans: Spans,
    size: usize,
}

/// A key of a mapping as read.
enum Key {
    Name(String),
    Merge,
}

struct Builder<'a> {
    text: &'a str,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: BTreeMap<usize, Node>,
    copied: usize,
    duplicates: Vec<Error>,
}

pub(super) fn documents(text: &str) -> Result<Vec<Document>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    no_control_characters(text)?;
    let options = granit_parser::options! { emit_comments: false };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder {
        text,
        parser,
        anchors: BTreeMap::new(),
        copied: 0,
        duplicates: Vec::new(),
    };
    let mut documents = Vec::new();
    let mut index = 0;
    while let Some((event, span)) = builder.next()? {
        if matches!(event, Event::StreamStart | Event::StreamEnd | Event::DocumentEnd) {
            continue;
        }
        if matches!(event, Event::DocumentStart(..)) {
            builder.anchors.clear();
            let (event, span) = builder.expect(span)?;
            let node = builder.node(event, span)?;
            let duplicates = std::mem::take(&mut builder.duplicates);
            if !node.value.is_null() {
                documents.push(Document {
                    value: node.value,
                    index,
                    duplicates,
                    spans: node.spans,
                });
            }
            index += 1;
        }
    }
    Ok(documents)
}

/// Refuses what Go's library refuses before it looks at anything else.
fn no_control_characters(text: &str) -> Result<(), Error> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    let Some(at) = text.find(|c| !allowed(c)) else {
        return Ok(());
    };
    let (line, column) = text[..at].char_indices().fold((1, 1), |(line, column), (_, c)| {
        if c == '\n' {
            (line + 1, 1)
        } else {
            (line, column + 1)
        }
    });
    let message = "control characters are not allowed".to_owned();
    Err(Error {
        at: Position { line, column },
        message,
        hint: None,
    })
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Error> {
        match self.parser.next() {
            None => Ok(None),
            Some(Ok(next)) => Ok(Some(next)),
            Some(Err(error)) => {
                let at = position(error.marker());
                Err(self.error_near(at, error.info()))
            }
        }
    }

    fn expect(&mut self, after: Span) -> Result<(Event<'a>, Span), Error> {
        let at = position(&after.start);
        self.next()?
            .ok_or_else(|| self.error(at, "the text ends in the middle of a value"))
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, Error> {
        let at = position(&span.start);
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let suffix = tag
                    .as_deref()
                    .map(|t| t.core_suffix().unwrap_or("other").to_owned());
                let value = self.scalar(&text, style, suffix.as_deref(), at)?;
                let size = BYTES_PER_VALUE + text.len();
                (
                    Node {
                        value,
                        spans: Spans {
                            value: at,
                            ..Spans::default()
                        },
                        size,
                    },
                    anchor,
                )
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(at)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(at)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, at),
            _ => return Err(self.error(at, "expected a value")),
        };
        if anchor != 0 {
            self.copy(node.size, at)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<Node, Error> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.error(at, "the anchor contains itself"));
        };
        let size = node.size;
        let mut node = node.clone();
        node.spans.value = at;
        self.copy(size, at)?;
        Ok(node)
    }

    /// Counts a copy that is made for an anchor or alias.
    fn copy(&mut self, size: usize, at: Position) -> Result<(), Error> {
        self.copied = self.copied.saturating_add(size);
        if self.copied > MAX_COPIED {
            return Err(self.error(at, "document contains excessive aliasing"));
        }
        Ok(())
    }

    fn sequence(&mut self, at: Position) -> Result<Node, Error> {
        let (mut values, mut items, mut size) = (Vec::new(), Vec::new(), BYTES_PER_VALUE);
        loop {
            match self.next()? {
                Some((Event::SequenceEnd, _)) => break,
                Some((event, span)) => {
                    let node = self.node(event, span)?;
                    size += node.size;
                    values.push(node.value);
                    items.push(node.spans);
                }
                None => return Err(self.error(at, "the list never ends")),
            }
        }
        Ok(Node {
            value: Value::Array(values),
            spans: Spans {
                value: at,
                items,
                ..Spans::default()
            },
            size,
        })
    }

    fn mapping(&mut self, at: Position) -> Result<Node, Error> {
        let (mut values, mut keys, mut size) = (Map::new(), BTreeMap::new(), BYTES_PER_VALUE);
        loop {
            let Some((event, span)) = self.next()? else {
                return Err(self.error(at, "the mapping never ends"));
            };
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key_at = position(&span.start);
            let key = self.key(event, span)?;
            let (event, span) = self.expect(span)?;
            let mut node = self.node(event, span)?;
            size += node.size;
            match key {
                Key::Merge => self.merge(node, key_at, &mut values, &mut keys)?,
                Key::Name(name) => {
                    node.spans.key = Some(key_at);
                    if keys.insert(name.clone(), node.spans).is_some() {
                        let error = self.error(key_at, format!("key {name:?} already set in map"));
                        self.duplicates.push(error);
                    }
                    values.insert(name, node.value);
                }
            }
        }
        Ok(Node {
            value: Value::Object(values),
            spans: Spans {
                value: at,
                keys,
                ..Spans::default()
            },
            size,
        })
    }

    fn key(&mut self, event: Event<'a>, span: Span) -> Result<Key, Error> {
        let at = position(&span.start);
        let (text, style, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if anchor != 0 {
                    let value = Value::String(text.to_string());
                    let spans = Spans {
                        value: at,
                        ..Spans::default()
                    };
                    let size = BYTES_PER_VALUE + text.len();
                    self.copy(size, at)?;
                    self.anchors.insert(anchor, Node { value, spans, size });
                }
                (
                    text,
                    style,
                    tag.as_deref().and_then(|t| t.core_suffix().map(str::to_owned)),
                )
            }
            Event::Alias(anchor) => match self.alias(anchor, at)?.value {
                Value::String(text) => (Cow::Owned(text), ScalarStyle::DoubleQuoted, None),
                _ => return Err(self.error(at, "a key must be text")),
            },
            _ => {
                let mut error = self.error(at, "a key must be text, not a mapping or a list");
                if self.text_at(at).starts_with('{') || self.line(at).contains("{{") {
                    error.hint = Some(TEMPLATE_HINT.to_owned());
                }
                return Err(error);
            }
        };
        if style != ScalarStyle::Plain || tag.as_deref() == Some("str") {
            return Ok(Key::Name(text.into_owned()));
        }
        if text == "<<" {
            return Ok(Key::Merge);
        }
        let key = scalar::resolve(&text).key(&text);
        key.map(Key::Name)
            .ok_or_else(|| self.error(at, format!("{text:?} cannot be a key")))
    }

    /// Takes over the keys of a mapping or of each mapping of a list; of a list, the first mapping wins.
    fn merge(
        &mut self,
        node: Node,
        at: Position,
        values: &mut Map<String, Value>,
        keys: &mut BTreeMap<String, Spans>,
    ) -> Result<(), Error> {
        let sources = match node.value {
            Value::Object(map) => vec![(map, node.spans)],
            Value::Array(items) => {
                let mut sources = Vec::new();
                for (item, spans) in items.into_iter().zip(node.spans.items).rev() {
                    match item {
                        Value::Object(map) => sources.push((map, spans)),
                        _ => {
                            return Err(
                                self.error(at, "map merge requires map or sequence of maps as the value")
                            );
                        }
                    }
                }
                sources
            }
            _ => return Err(self.error(at, "map merge requires map or sequence of maps as the value")),
        };
        for (map, mut spans) in sources {
            for (key, value) in map {
                keys.insert(key.clone(), spans.keys.remove(&key).unwrap_or_default());
                values.insert(key, value);
            }
        }
        Ok(())
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&str>,
        at: Position,
    ) -> Result<Value, Error> {
        let mismatch = |what: &str| self.error(at, format!("cannot decode {text:?} as a {what}"));
        let resolved = match (tag, style) {
            (Some("str" | "other"), _) => Scalar::Text,
            (None, ScalarStyle::Plain) | (Some(_), _) => scalar::resolve(text),
            (None, _) => Scalar::Text,
        };
        let fits = match tag {
            Some("int") => matches!(resolved, Scalar::Int(_) | Scalar::Uint(_)),
            Some("float") => matches!(resolved, Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)),
            Some("bool") => matches!(resolved, Scalar::Bool(_)),
            Some("null") => matches!(resolved, Scalar::Null),
            _ => true,
        };
        if !fits {
            return Err(mismatch(tag.unwrap_or_default()));
        }
        resolved
            .value(text)
            .ok_or_else(|| self.error(at, format!("JSON cannot hold the number {text}")))
    }

    fn error(&self, at: Position, message: impl Into<String>) -> Error {
        Error {
            at,
            message: message.into(),
            hint: None,
        }
    }

    /// An error of the parser. Most often the cause is a template tag without quotes.
    fn error_near(&self, at: Position, message: String) -> Error {
        let near = [
            self.line(at),
            self.line(Position {
                line: at.line.saturating_sub(1),
                column: 1,
            }),
        ];
        let tag = near.iter().any(|line| unquoted_tag(line));
        Error {
            at,
            message,
            hint: tag.then(|| TEMPLATE_HINT.to_owned()),
        }
    }

    fn line(&self, at: Position) -> &'a str {
        self.text
            .lines()
            .nth(at.line.saturating_sub(1))
            .unwrap_or_default()
    }

    fn text_at(&self, at: Position) -> &'a str {
        let line = self.line(at);
        line.char_indices()
            .nth(at.column.saturating_sub(1))
            .map_or("", |(i, _)| &line[i..])
    }
}

/// Whether a line has a value that starts with `{{` and no quotes.
fn unquoted_tag(line: &str) -> bool {
    line.match_indices("{{").any(|(at, _)| {
        let before = line[..at].trim_end();
        before.is_empty() || before.ends_with([':', '-', ',', '['])
    })
}

fn position(marker: &Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}
