//! Messages of the plugin protocol in the form of protocol buffers, version 3 (X-APLG-01,
//! X-APLG-02). Written by hand: eight small messages are less than a generator and what it
//! makes. Sending them is the neighbour's.

use argosy_model::artifact::Artifact;

/// Kinds of values on the wire.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// An answer that is no message of this protocol.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the plugin's answer is no message of the protocol")]
pub struct Malformed;

/// A message on its way out. Values that are their type's default are left out.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Field of a text.
    pub fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// Field of bytes.
    pub fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        if !value.is_empty() {
            self.head(field, BYTES);
            self.varint(value.len() as u64);
            self.0.extend_from_slice(value);
        }
        self
    }

    /// Field of another message, there even if that one is empty.
    pub fn message(mut self, field: u32, value: &Writer) -> Self {
        self.head(field, BYTES);
        self.varint(value.0.len() as u64);
        self.0.extend_from_slice(&value.0);
        self
    }

    /// Field of a whole number; negative ones take ten bytes.
    pub fn number(mut self, field: u32, value: i32) -> Self {
        if value != 0 {
            self.head(field, VARINT);
            self.varint(i64::from(value).cast_unsigned());
        }
        self
    }

    /// Field of yes or no.
    pub fn flag(self, field: u32, value: bool) -> Self {
        self.number(field, i32::from(value))
    }

    /// The message.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn head(&mut self, field: u32, kind: u64) {
        self.varint(u64::from(field) << 3 | kind);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

/// An artifact as plugins know it; its location is the plugin's.
pub fn artifact(artifact: &Artifact) -> Writer {
    let mut message = Writer::default()
        .text(1, &artifact.name)
        .text(2, &artifact.path)
        .number(3, artifact.mode.unwrap_or_default())
        .text(4, &artifact.from);
    if let Some(place) = &artifact.location.plugin {
        let place = Writer::default()
            .text(1, &place.name)
            .text(2, &place.configuration)
            .number(3, place.connection_timeout_seconds)
            .text(4, &place.key);
        message = message.message(5, &place);
    }
    message
        .flag(6, artifact.optional)
        .text(7, &artifact.sub_path)
        .flag(8, artifact.recurse_mode)
        .text(9, &artifact.from_expression)
        .flag(10, artifact.deleted)
}

/// What all answers are made of: every message of the protocol has at most one of each.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Reply {
    /// First field, if it is a number: success, is a folder, can do.
    pub yes: bool,
    /// First field, if it is bytes; the objects of a list.
    pub items: Vec<Vec<u8>>,
    /// Second field, if it is a number: the end of a stream.
    pub is_end: bool,
    /// What went wrong; empty if nothing.
    pub error: String,
}

impl Reply {
    /// Reads an answer whose error has this field's number. Fields that are not known are passed over.
    ///
    /// # Errors
    /// Bytes that are no message.
    pub fn read(mut bytes: &[u8], error_field: u64) -> Result<Self, Malformed> {
        let mut reply = Self::default();
        while !bytes.is_empty() {
            let head = varint(&mut bytes)?;
            let field = head >> 3;
            match head & 7 {
                VARINT => {
                    let is_set = varint(&mut bytes)? != 0;
                    match field {
                        1 => reply.yes = is_set,
                        2 => reply.is_end = is_set,
                        _ => {}
                    }
                }
                BYTES => {
                    let length = usize::try_from(varint(&mut bytes)?).map_err(|_| Malformed)?;
                    let value = take(&mut bytes, length)?;
                    if field == error_field {
                        reply.error = String::from_utf8_lossy(value).into_owned();
                    } else if field == 1 {
                        reply.items.push(value.to_vec());
                    }
                }
                FIXED64 => drop(take(&mut bytes, 8)?),
                FIXED32 => drop(take(&mut bytes, 4)?),
                _ => return Err(Malformed),
            }
        }
        Ok(reply)
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (value, rest) = bytes.split_at_checked(length).ok_or(Malformed)?;
    *bytes = rest;
    Ok(value)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;

    #[test]
    fn x_aplg_01_answers() {
        let reply = Writer::default().flag(1, true).finish();
        assert!(Reply::read(&reply, 2).unwrap().yes);
        let list = Writer::default()
            .text(1, "a/b")
            .text(1, "c")
            .text(2, "no")
            .finish();
        let list = Reply::read(&list, 2).unwrap();
        assert_eq!(
            (list.items, list.error.as_str()),
            (vec![b"a/b".to_vec(), b"c".to_vec()], "no")
        );
        let part = Writer::default()
            .bytes(1, &[7; 300])
            .flag(2, true)
            .text(3, "x")
            .finish();
        let part = Reply::read(&part, 3).unwrap();
        assert_eq!(
            (part.items[0].len(), part.is_end, part.error.as_str()),
            (300, true, "x")
        );
        for bad in [&[0x0a, 5, 1][..], &[0xff; 11], &[0x0b], &[0x80]] {
            assert_eq!(Reply::read(bad, 2), Err(Malformed), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Reply::read(&bytes, 2);
        }
    }
}
