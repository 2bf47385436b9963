//! Bit operations on 64-bit integers.

use super::arg;
use crate::value::Value;

/// Calls one of the family.
///
/// # Errors
/// Arguments that are no integers; a negative shift.
pub fn call(name: &str, args: &[Value]) -> Result<Value, String> {
    let integer = |at: usize| {
        let v = arg(args, at)?;
        v.integer().ok_or_else(|| {
            format!(
                "cannot use {} as argument (type int) to call {name}",
                v.type_name()
            )
        })
    };
    let a = integer(0)?;
    if name == "bitnot" {
        return Ok(Value::Int(!a));
    }
    let b = integer(1)?;
    let shift = || -> Result<u32, String> {
        if b < 0 {
            return Err(format!("invalid operation: negative shift count {b} (type int)"));
        }
        Ok(u32::try_from(b).unwrap_or(u32::MAX))
    };
    Ok(Value::Int(match name {
        "bitand" => a & b,
        "bitor" => a | b,
        "bitxor" => a ^ b,
        "bitnand" => a & !b,
        "bitshl" => a.checked_shl(shift()?).unwrap_or(0),
        "bitshr" => a.checked_shr(shift()?).unwrap_or(if a < 0 { -1 } else { 0 }),
        _ => a.cast_unsigned().checked_shr(shift()?).unwrap_or(0).cast_signed(),
    }))
}
