//! Frames of SPDY/3.1 as bytes, as far as streams of commands need them.
//!
//! Deliberately absent: priorities, settings and windows; frames of those kinds are passed over.

use std::collections::BTreeMap;
use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest frame that is read: clients send what fits into a buffer of 32 KiB.
const LONGEST_FRAME: usize = 1024 * 1024;
/// Longest headers of a stream, unpacked; ours have one line.
const LONGEST_HEADERS: usize = 64 * 1024;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const FIN: u8 = 1;

/// A frame that was read.
pub enum Frame {
    /// A new stream, with headers that are still packed.
    Opened {
        stream: u32,
        headers: Vec<u8>,
    },
    /// Bytes of a stream; `last` when no more will come.
    Data {
        stream: u32,
        bytes: Vec<u8>,
        last: bool,
    },
    Ping(u32),
    /// A stream whose client wants no more of it.
    Reset(u32),
    /// The client goes.
    Bye,
    /// One of no interest.
    Other,
}

/// Reads one frame.
///
/// # Errors
/// The end of the connection, and a frame that is too long or too short.
pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let mut head = [0; 8];
    from.read_exact(&mut head).await?;
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (first, flags, length) = (word(0), head[4], (word(4) & 0x00ff_ffff) as usize);
    if length > LONGEST_FRAME {
        return Err(io::Error::other("a frame that is too long"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await?;
    if first >> 31 == 0 {
        return Ok(Frame::Data {
            stream: first,
            bytes,
            last: flags & FIN != 0,
        });
    }
    let number = |bytes: &[u8]| {
        let number = bytes.first_chunk().map(|chunk| u32::from_be_bytes(*chunk));
        number.ok_or_else(|| io::Error::other("a frame that is too short"))
    };
    Ok(match (first & 0xffff) as u16 {
        SYN_STREAM => {
            let stream = number(&bytes)? & 0x7fff_ffff;
            let headers = bytes.get(10..).unwrap_or_default().to_vec();
            Frame::Opened { stream, headers }
        }
        RST_STREAM => Frame::Reset(number(&bytes)? & 0x7fff_ffff),
        PING => Frame::Ping(number(&bytes)?),
        GOAWAY => Frame::Bye,
        _ => Frame::Other,
    })
}

fn control(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("our own frames are short");
    let mut frame = vec![0x80, 3];
    frame.extend(kind.to_be_bytes());
    frame.extend(length.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A ping, or the answer to one.
pub fn ping(number: u32) -> Vec<u8> {
    control(PING, &number.to_be_bytes())
}

/// The last frame: nothing more comes, and all is well.
pub fn goodbye() -> Vec<u8> {
    control(GOAWAY, &[0; 8])
}

/// Bytes of a stream.
pub fn data(stream: u32, bytes: &[u8], last: bool) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a read of 16 KiB");
    let mut frame = Vec::with_capacity(bytes.len() + 8);
    frame.extend(stream.to_be_bytes());
    frame.extend((length | u32::from(last) << 24).to_be_bytes());
    frame.extend(bytes);
    frame
}

/// Unpacks headers; all headers of a connection are one compressed stream.
pub struct Unpacker(Decompress);

impl Unpacker {
    pub fn new() -> Self {
        Unpacker(Decompress::new(true))
    }

    /// # Errors
    /// Bytes that are no headers, and headers that are too long.
    pub fn read(&mut self, packed: &[u8]) -> io::Result<BTreeMap<String, String>> {
        let mut text = Vec::with_capacity(LONGEST_HEADERS);
        let begin = self.0.total_in();
        let mut done = 0;
        while done < packed.len() {
            let before = self.0.total_out();
            match self
                .0
                .decompress_vec(&packed[done..], &mut text, FlushDecompress::Sync)
            {
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0.set_dictionary(&dictionary()).map_err(io::Error::other)?;
                    done = usize::try_from(self.0.total_in() - begin).unwrap_or(packed.len());
                    continue;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
            let now = usize::try_from(self.0.total_in() - begin).unwrap_or(packed.len());
            if now == done && self.0.total_out() == before {
                return Err(io::Error::other("headers that are too long"));
            }
            done = now;
        }
        pairs(&text).ok_or_else(|| io::Error::other("headers that cannot be read"))
    }
}

fn pairs(mut text: &[u8]) -> Option<BTreeMap<String, String>> {
    let number = |text: &mut &[u8]| {
        let (first, rest) = text.split_first_chunk()?;
        *text = rest;
        usize::try_from(u32::from_be_bytes(*first)).ok()
    };
    let word = |text: &mut &[u8]| {
        let length = number(text)?;
        let (word, rest) = text.split_at_checked(length)?;
        *text = rest;
        Some(String::from_utf8_lossy(word).into_owned())
    };
    let count = number(&mut text)?;
    // Each pair has two lengths, so the text bounds the loop.
    (0..count)
        .map(|_| Some((word(&mut text)?, word(&mut text)?)))
        .collect()
}

/// Packs the headers of replies.
pub struct Packer(Compress);

impl Packer {
    pub fn new() -> Self {
        let mut packer = Compress::new(Compression::default(), true);
        let set = packer.set_dictionary(&dictionary());
        set.expect("a dictionary can be set before anything is packed");
        Packer(packer)
    }

    /// The reply that takes a stream: without headers.
    ///
    /// # Errors
    /// Never in practice; what the library says.
    pub fn reply(&mut self, stream: u32) -> io::Result<Vec<u8>> {
        let mut payload = Vec::with_capacity(64);
        self.0
            .compress_vec(&0_u32.to_be_bytes(), &mut payload, FlushCompress::Sync)
            .map_err(io::Error::other)?;
        let mut all = stream.to_be_bytes().to_vec();
        all.extend(payload);
        Ok(control(SYN_REPLY, &all))
    }
}

/// What both sides' compressed streams begin with: words with their lengths, then a text.
fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in WORDS {
        let length = u32::try_from(word.len()).expect("words are short");
        bytes.extend(length.to_be_bytes());
        bytes.extend(word.as_bytes());
    }
    bytes.extend(TAIL.as_bytes());
    bytes
}

const WORDS: [&str; 65] = [
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
];

const TAIL: &str = concat!(
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Au",
    "thoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidd",
    "en404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr Ma",
    "y Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,imag",
    "e/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicpri",
    "vatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_the_protocols() {
        let bytes = dictionary();
        assert_eq!(bytes.len(), 1423);
        // The sum by which compressed streams name their dictionary.
        let (mut a, mut b) = (1_u32, 0_u32);
        for byte in bytes {
            a = (a + u32::from(byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        assert_eq!(b << 16 | a, 0xe3c6_a7c2);
    }

    #[test]
    fn headers_are_unpacked_one_after_the_other() {
        let mut packer = Compress::new(Compression::default(), true);
        packer.set_dictionary(&dictionary()).expect("set before use");
        let mut unpacker = Unpacker::new();
        for name in ["error", "stdin", "stdout"] {
            let mut text = 1_u32.to_be_bytes().to_vec();
            for word in ["streamtype", name] {
                text.extend(u32::try_from(word.len()).expect("short").to_be_bytes());
                text.extend(word.as_bytes());
            }
            let mut packed = Vec::with_capacity(256);
            packer
                .compress_vec(&text, &mut packed, FlushCompress::Sync)
                .expect("it fits");
            let read = unpacker.read(&packed).expect("it can be read");
            assert_eq!(read["streamtype"], name);
        }
        assert!(unpacker.read(b"nonsense").is_err());
    }
}
