//! Status that would not fit into one object: the nodes compressed, as the peer does it (C-PER-02, C-PER-03).
//!
//! With the feature `compression` only, because what runs in pods has no use for it. Written with gzip, read with gzip, zstd and brotli. Not here: the database that takes what does not fit even so.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;

use crate::{NodeStatus, Workflow, decode};

/// Nodes larger than this are not unpacked: 256 MiB are about 200,000 nodes, far more than one object can hold packed.
const UNPACKED_MAX: u64 = 256 << 20;

/// Why compressed nodes can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no base64.
    #[error("compressed nodes are no base64")]
    Text(#[source] base64::DecodeError),
    /// The bytes can't be unpacked.
    #[error("compressed nodes can't be unpacked")]
    Unpack(#[source] std::io::Error),
    /// They are larger than is sane.
    #[error("compressed nodes are larger than {UNPACKED_MAX} bytes")]
    TooLarge,
    /// What came out is no nodes.
    #[error("compressed nodes are no nodes")]
    Nodes(#[source] serde_json::Error),
}

/// A workflow that has its nodes in their place as soon as it is read.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(try_from = "Workflow")]
pub struct Unpacked(pub Workflow);

impl TryFrom<Workflow> for Unpacked {
    type Error = Error;

    fn try_from(mut workflow: Workflow) -> Result<Self, Error> {
        restore(&mut workflow)?;
        Ok(Self(workflow))
    }
}

/// What compressing takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// A quarter of the time, and about a third more bytes.
    Fast,
    /// As the peer does it.
    Usual,
}

/// The nodes as the field `compressedNodes` has them.
///
/// # Panics
/// Never: neither a wire type nor a vector can fail.
#[must_use]
pub fn compress<N: Borrow<NodeStatus> + Serialize>(nodes: &BTreeMap<String, N>, effort: Effort) -> String {
    let level = match effort {
        Effort::Fast => Compression::fast(),
        Effort::Usual => Compression::default(),
    };
    let mut packed = GzEncoder::new(Vec::new(), level);
    // Neither writing to a vector nor a wire type can fail.
    let text = crate::go_json::to_string(nodes).expect("wire types are always valid JSON");
    let done = packed.write_all(text.as_bytes()).and_then(|()| packed.finish());
    STANDARD.encode(done.expect("a vector takes everything"))
}

/// Puts compressed nodes in their place, if there are any.
///
/// # Errors
/// When they can't be read.
pub fn restore(workflow: &mut Workflow) -> Result<(), Error> {
    let status = &mut workflow.status;
    if status.compressed_nodes.is_empty() {
        return Ok(());
    }
    status.nodes = decompress(&status.compressed_nodes)?;
    status.compressed_nodes.clear();
    Ok(())
}

fn decompress(text: &str) -> Result<BTreeMap<String, NodeStatus>, Error> {
    let packed = STANDARD.decode(text).map_err(Error::Text)?;
    let reader: Box<dyn Read + '_> = match packed.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(packed.as_slice())),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(zstd::stream::read::Decoder::new(packed.as_slice()).map_err(Error::Unpack)?)
        }
        _ => Box::new(brotli_decompressor::Decompressor::new(packed.as_slice(), 4096)),
    };
    let mut unpacked = Vec::new();
    let read = reader.take(UNPACKED_MAX + 1).read_to_end(&mut unpacked);
    if read.map_err(Error::Unpack)? as u64 > UNPACKED_MAX {
        return Err(Error::TooLarge);
    }
    let text = std::str::from_utf8(&unpacked).map_err(|e| Error::Nodes(serde::de::Error::custom(e)))?;
    decode::text(text, |_, _| false).map_err(Error::Nodes)
}

/// How many bytes an object takes as JSON.
///
/// # Panics
/// Never: counting can't fail.
pub fn size<T: Serialize>(object: &T) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, object).expect("counting can't fail");
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflow(compressed: &str) -> Workflow {
        let mut workflow = Workflow::default();
        compressed.clone_into(&mut workflow.status.compressed_nodes);
        workflow
    }

    #[test]
    fn every_encoding_is_read() {
        let json = r#"{"a":{"id":"a","name":"n","phase":"Running"}}"#;
        let zstd = zstd::stream::encode_all(json.as_bytes(), 2).expect("packed");
        let mut read = workflow(&STANDARD.encode(zstd));
        restore(&mut read).expect("zstd");
        let nodes = read.status.nodes.clone();
        assert_eq!(nodes["a"].name, "n");
        let brotli = "GywA+J0HdgyZBlpYwOneapG9NrIZluaWOix9KRJWlpJ0slH9wtQJ0kDuY1HhfvA=";
        for (name, text) in [
            ("gzip", compress(&nodes, Effort::Usual)),
            ("fast gzip", compress(&nodes, Effort::Fast)),
            ("brotli", brotli.to_owned()),
        ] {
            let mut read = workflow(&text);
            restore(&mut read).expect(name);
            assert_eq!(read.status.nodes, nodes, "{name}");
            assert_eq!(read.status.compressed_nodes, "");
        }
    }

    #[test]
    fn what_is_damaged_is_told() {
        for (text, wanted) in [
            ("%", "no base64"),
            ("H4sIAAAAAAAA", "unpacked"),
            ("H4sIAAAAAAAAAwMAAAAAAAAAAAA=", "no nodes"),
        ] {
            let error = restore(&mut workflow(text)).expect_err("damaged");
            assert!(error.to_string().contains(wanted), "{text}: {error}");
        }
    }
}
