//! What differs from call to call, or comes from outside: random text, identifiers, host names.

use std::net::{IpAddr, ToSocketAddrs};

use base64::Engine;

use super::{Outcome, SIZE, int as int_at, string};
use crate::value::Value;

/// Fills a buffer from the system's random source.
pub(super) fn fill(buffer: &mut [u8]) -> Result<(), String> {
    getrandom::fill(buffer).map_err(|e| format!("no random numbers: {e}"))
}

/// A number below a bound.
fn below(bound: u64) -> Result<u64, String> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    // 128 bits make the bias of the remainder invisible.
    Ok(u64::try_from(u128::from_le_bytes(bytes) % u128::from(bound.max(1))).unwrap_or(0))
}

fn from_set(a: &[Value], set: &[u8]) -> Outcome {
    let Ok(n) = usize::try_from(int_at(a, 0)) else {
        return Ok("".into());
    };
    if n > SIZE {
        return Err(format!("random text of more than {SIZE} bytes"));
    }
    let mut out = Vec::with_capacity(n);
    for _ in 0..n {
        out.push(set[usize::try_from(below(set.len() as u64)?).unwrap_or(0)]);
    }
    Ok(Value::str(out))
}

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";

pub fn alpha(a: &[Value]) -> Outcome {
    from_set(a, LETTERS)
}

pub fn alpha_num(a: &[Value]) -> Outcome {
    from_set(a, &[LETTERS, DIGITS].concat())
}

pub fn numeric(a: &[Value]) -> Outcome {
    from_set(a, DIGITS)
}

pub fn ascii(a: &[Value]) -> Outcome {
    from_set(a, &(b' '..=b'~').collect::<Vec<u8>>())
}

pub fn bytes(a: &[Value]) -> Outcome {
    let n =
        usize::try_from(int_at(a, 0)).map_err(|_| "runtime error: makeslice: len out of range".to_owned())?;
    if n > SIZE {
        return Err(format!("random text of more than {SIZE} bytes"));
    }
    let mut buffer = vec![0; n];
    fill(&mut buffer)?;
    Ok(Value::str(
        base64::engine::general_purpose::STANDARD.encode(buffer),
    ))
}

pub fn int(a: &[Value]) -> Outcome {
    let (low, high) = (int_at(a, 0), int_at(a, 1));
    if high <= low {
        return Err("invalid argument to Intn".into());
    }
    let n = below(high.wrapping_sub(low).cast_unsigned())?;
    Ok(Value::Int(low.wrapping_add(n.cast_signed())))
}

pub fn shuffle(a: &[Value]) -> Outcome {
    let mut chars: Vec<char> = string(a, 0).chars().collect();
    for i in (1..chars.len()).rev() {
        let j = usize::try_from(below(i as u64 + 1)?).unwrap_or(0);
        chars.swap(i, j);
    }
    Ok(Value::str(chars.into_iter().collect::<String>()))
}

pub fn uuid(_: &[Value]) -> Outcome {
    let mut b = [0u8; 16];
    fill(&mut b)?;
    b[6] = b[6] & 0x0f | 0x40;
    b[8] = b[8] & 0x3f | 0x80;
    let hex = super::crypto::hex(&b);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(Value::str(parts.join("-")))
}

/// Asks the system's resolver, as the original does; the only function that leaves the process.
pub fn host_by_name(a: &[Value]) -> Outcome {
    let name = string(a, 0);
    let mut found: Vec<IpAddr> = (name.as_str(), 0)
        .to_socket_addrs()
        .map_err(|_| format!("lookup {name}: no such host"))?
        .map(|s| s.ip())
        .collect();
    found.sort();
    Ok(found
        .first()
        .map_or_else(|| "".into(), |ip| Value::str(ip.to_string())))
}
