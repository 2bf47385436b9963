//! Checksums by which stores and we find out that bytes were damaged on the way. Which store uses
//! which is the drivers' affair.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use crate::store::Error;

/// What a store says that the content adds up to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Sum {
    /// MD5 in base64.
    Md5(String),
    /// CRC-32C.
    #[cfg(feature = "rest")]
    Crc32c(u32),
    /// CRC-64 of ECMA, as xz uses it.
    #[cfg(feature = "rest")]
    Crc64(u64),
}

/// A sum that is being made of bytes as they come by.
pub(crate) enum Summing {
    Md5(Box<Md5>),
    #[cfg(feature = "rest")]
    Crc(Box<crc_fast::Digest>),
}

impl Sum {
    /// The start of a sum that can be compared with this one.
    pub fn start(&self) -> Summing {
        match self {
            Self::Md5(_) => Summing::Md5(Box::default()),
            #[cfg(feature = "rest")]
            Self::Crc32c(_) => Summing::Crc(Box::new(crc_fast::Digest::new(
                crc_fast::CrcAlgorithm::Crc32Iscsi,
            ))),
            #[cfg(feature = "rest")]
            Self::Crc64(_) => Summing::Crc(Box::new(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Xz))),
        }
    }

    /// Whether the bytes that came by add up to this.
    pub fn is(&self, summing: Summing) -> bool {
        match (self, summing) {
            (Self::Md5(wanted), Summing::Md5(sum)) => *wanted == STANDARD.encode(sum.finalize()),
            #[cfg(feature = "rest")]
            (Self::Crc32c(wanted), Summing::Crc(sum)) => u64::from(*wanted) == sum.finalize(),
            #[cfg(feature = "rest")]
            (Self::Crc64(wanted), Summing::Crc(sum)) => *wanted == sum.finalize(),
            #[cfg(feature = "rest")]
            _ => false,
        }
    }
}

impl Summing {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(sum) => sum.update(bytes),
            #[cfg(feature = "rest")]
            Self::Crc(sum) => sum.update(bytes),
        }
    }
}

/// The MD5 in base64 of a part of a file, made on another thread.
pub(crate) async fn md5_of(path: &Path, offset: u64, size: u64) -> Result<String, Error> {
    let owned = path.to_owned();
    let summed = tokio::task::spawn_blocking(move || md5_now(&owned, offset, size)).await;
    summed
        .map_err(io::Error::other)
        .and_then(|sum| sum)
        .map_err(|e| Error::io("read", path, e))
}

/// The MD5 in base64 of what is in memory.
#[cfg(feature = "s3")]
pub(crate) fn md5_of_bytes(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

fn md5_now(path: &Path, offset: u64, size: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut rest = file.take(size);
    let mut buffer = vec![0; 128 * 1024];
    let mut sum = Md5::new();
    loop {
        match rest.read(&mut buffer)? {
            0 => break,
            read => sum.update(&buffer[..read]),
        }
    }
    Ok(STANDARD.encode(sum.finalize()))
}
