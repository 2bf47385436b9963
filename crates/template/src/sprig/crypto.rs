//! Checksums, base64 and base32, passwords, AES.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::Digest;

use super::{Outcome, random, string, text};
use crate::builtins::json::decode;
use crate::value::Value;

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
}

pub fn sha1sum(a: &[Value]) -> Outcome {
    Ok(Value::str(hex(&sha1::Sha1::digest(text(a, 0)))))
}

pub fn sha256sum(a: &[Value]) -> Outcome {
    Ok(Value::str(hex(&sha2::Sha256::digest(text(a, 0)))))
}

pub fn sha512sum(a: &[Value]) -> Outcome {
    Ok(Value::str(hex(&sha2::Sha512::digest(text(a, 0)))))
}

pub fn adler32sum(a: &[Value]) -> Outcome {
    let (mut x, mut y) = (1u32, 0u32);
    for b in text(a, 0) {
        x = (x + u32::from(*b)) % 65_521;
        y = (y + x) % 65_521;
    }
    Ok(Value::str(((y << 16) | x).to_string()))
}

pub fn b64enc(a: &[Value]) -> Outcome {
    Ok(Value::str(STANDARD.encode(text(a, 0))))
}

/// What is no base64 gives the error as text.
pub fn b64dec(a: &[Value]) -> Outcome {
    Ok(match decode(text(a, 0)) {
        Ok(b) => Value::str(b),
        Err(e) => Value::str(e),
    })
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub fn b32enc(a: &[Value]) -> Outcome {
    let mut out = Vec::new();
    for chunk in text(a, 0).chunks(5) {
        let mut block = [0u8; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        let digits = (chunk.len() * 8).div_ceil(5);
        for i in 0..8 {
            let digit = usize::try_from((bits >> (35 - 5 * i)) & 31).unwrap_or(0);
            out.push(if i < digits { BASE32[digit] } else { b'=' });
        }
    }
    Ok(Value::str(out))
}

pub fn b32dec(a: &[Value]) -> Outcome {
    Ok(match base32(text(a, 0)) {
        Ok(b) => Value::str(b),
        Err(at) => Value::str(format!("illegal base32 data at input byte {at}")),
    })
}

fn base32(given: &[u8]) -> Result<Vec<u8>, usize> {
    let clean: Vec<(usize, u8)> = given
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, b)| !matches!(b, b'\r' | b'\n'))
        .collect();
    let mut out = Vec::new();
    let mut ended = false;
    for chunk in clean.chunks(8) {
        if ended {
            return Err(chunk[0].0);
        }
        let mut bits = 0u64;
        let mut digits = 0;
        for (i, (at, b)) in chunk.iter().enumerate() {
            if *b == b'=' && i >= 2 && chunk.len() == 8 {
                ended = true;
                if let Some((wrong, _)) = chunk[i..].iter().find(|(_, b)| *b != b'=') {
                    return Err(*wrong);
                }
                break;
            }
            let digit = BASE32.iter().position(|c| c == b).ok_or(*at)?;
            bits = bits << 5 | digit as u64;
            digits += 1;
        }
        if chunk.len() < 8 {
            return Err(given.len());
        }
        let bytes = match digits {
            2 => 1,
            4 => 2,
            5 => 3,
            7 => 4,
            8 => 5,
            _ => return Err(chunk[digits.min(7)].0),
        };
        let whole = (bits << (5 * (8 - digits))).to_be_bytes();
        out.extend_from_slice(&whole[3..3 + bytes]);
    }
    Ok(out)
}

pub fn bcrypt(a: &[Value]) -> Outcome {
    hash(text(a, 0)).map(Value::str)
}

/// The original's form of the hash, `$2a$` with cost 10. It refuses passwords over 72 bytes.
fn hash(password: &[u8]) -> Result<String, String> {
    const COST: u32 = 10;
    if password.len() > 72 {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".into());
    }
    let mut salt = [0; 16];
    random::fill(&mut salt)?;
    let parts = bcrypt::hash_with_salt(password, COST, salt).map_err(|e| e.to_string())?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
}

pub fn htpasswd(a: &[Value]) -> Outcome {
    let user = string(a, 0);
    if user.contains(':') {
        return Ok(Value::str(format!("invalid username: {user}")));
    }
    Ok(Value::str(format!("{user}:{}", hash(text(a, 1))?)))
}

/// Cannot be called from an expression: its first parameter has a type that no expression gives.
pub fn derive_password(_: &[Value]) -> Outcome {
    Err("derivePassword needs a counter of type uint32".into())
}

/// The key is the password, cut or filled with zeros to 32 bytes.
fn key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let n = password.len().min(32);
    key[..n].copy_from_slice(&password[..n]);
    key
}

pub fn encrypt_aes(a: &[Value]) -> Outcome {
    use cbc::cipher::{BlockEncryptMut, KeyIvInit, block_padding::Pkcs7};
    let plain = text(a, 1);
    if plain.is_empty() {
        return Ok("".into());
    }
    let mut iv = [0; 16];
    random::fill(&mut iv)?;
    let cipher = cbc::Encryptor::<aes::Aes256>::new(&key(text(a, 0)).into(), &iv.into());
    let sealed = cipher.encrypt_padded_vec_mut::<Pkcs7>(plain);
    Ok(Value::str(STANDARD.encode([iv.to_vec(), sealed].concat())))
}

pub fn decrypt_aes(a: &[Value]) -> Outcome {
    use cbc::cipher::{BlockDecryptMut, KeyIvInit, block_padding::NoPadding};
    let given = text(a, 1);
    if given.is_empty() {
        return Ok("".into());
    }
    let sealed = decode(given)?;
    if sealed.len() < 16 {
        let n = given.len() / 4 * 3;
        return Err(format!(
            "runtime error: slice bounds out of range [:16] with capacity {n}"
        ));
    }
    let (iv, body) = sealed.split_at(16);
    let mut start = [0; 16];
    start.copy_from_slice(iv);
    let cipher = cbc::Decryptor::<aes::Aes256>::new(&key(text(a, 0)).into(), &start.into());
    let plain = cipher
        .decrypt_padded_vec_mut::<NoPadding>(body)
        .map_err(|_| "crypto/cipher: input not full blocks".to_owned())?;
    let padding = plain.last().copied().map_or(0, usize::from);
    let kept = plain.len().checked_sub(padding).ok_or_else(|| {
        format!(
            "runtime error: slice bounds out of range [:{}]",
            -i64::try_from(padding).unwrap_or(0)
        )
    })?;
    Ok(Value::str(&plain[..kept]))
}
