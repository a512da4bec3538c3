//! Lists within a variable: names with commas between, and `key=value` pairs as the W3C's Baggage has them.

use crate::error::SettingError;

/// What stands between commas.
pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Pairs, with what is percent-encoded decoded. Neither keys nor values are in the error: they may be secrets.
pub(super) fn pairs(name: &'static str, text: &str) -> Result<Vec<(String, String)>, SettingError> {
    let pair = |(place, pair): (usize, &str)| {
        let halves = pair.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let read =
            halves.filter(|(key, _)| !key.is_empty()).and_then(|(key, value)| Some((decoded(key)?, decoded(value)?)));
        read.ok_or_else(|| {
            SettingError::new(
                name,
                format!("pair {place} is not of the form key=value, percent-encoded where it has a comma or a blank"),
            )
        })
    };
    (1..).zip(listed(text)).map(pair).collect()
}

/// Text with its `%20` and the like decoded.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(*high)? << 4 | digit(*low)?);
                rest = after;
            }
            (b'%', _) => return None,
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
