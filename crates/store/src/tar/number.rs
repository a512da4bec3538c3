//! Numbers in the headers of tar files: octal digits, or the GNU form for those that are too large for them.

/// The number in a field; `None` for what is no number, is negative, or does not fit. An empty field is 0, as old
/// programs leave it.
///
/// ```text
/// "0000755 "              octal, with blanks or NUL around it
/// 0x80 ... big endian     the other bits of the field are the number
/// ```
pub(super) fn number(field: &[u8]) -> Option<u64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => binary(*first, &field[1..]),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().take_while(|byte| is_blank(byte)).count();
    let digits = &field[start..];
    let end = digits.iter().position(is_blank).unwrap_or(digits.len());
    let add = |sum: u64, digit: &u8| match digit {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    };
    digits[..end].iter().try_fold(0, add)
}

/// The second highest bit is the sign.
fn binary(first: u8, rest: &[u8]) -> Option<u64> {
    let add = |sum: u64, byte: &u8| sum.checked_mul(256)?.checked_add(u64::from(*byte));
    if first & 0x40 == 0 { rest.iter().try_fold(u64::from(first & 0x3f), add) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary_and_nothing_else() {
        for (field, expected) in [
            (&b"0000755\0"[..], Some(0o755)),
            (b"   755 \0", Some(0o755)),
            (b"77777777777\0", Some(0o77_777_777_777)),
            (b"", Some(0)),
            (b"\0\0\0", Some(0)),
            (b"12 9", Some(0o12)),
            (b"129", None),
            (b"-1", None),
            (b"0x1", None),
            (&[0x80, 0, 0, 1, 0], Some(256)),
            (&[0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Some(u64::MAX)),
            (&[0x81, 0, 0, 0, 0, 0, 0, 0, 0], None),
            (&[0xff; 12], None),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }
}
