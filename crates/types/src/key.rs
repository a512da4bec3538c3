//! A sample's key: its path below the dataset's root, with `/` between the parts.
//!
//! File systems take names that are no UTF-8, and a key is text. [`from_bytes`] writes each byte of such a name that is
//! a part of no character as a character of its own: U+EF80 for the byte 80, to U+EFFF for the byte FF. The bytes of
//! the characters U+EF80 to U+EFFF themselves are written in the same way: so no two names have one key, and
//! [`to_bytes`] gives the name back. (These characters are of a private use area; Python's `os.fsdecode` uses lone
//! surrogates in their place, which UTF-8 has not.)

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::caps::MAX_KEY_BYTES;
use crate::ids::ModelName;

/// A relative path that cannot name anything above its root: parts are not empty, `.` or `..`, and hold no NUL.
/// (Symbolic links are the store's to refuse.)
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleKey(Arc<str>);

/// Why text is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The empty key.
    #[error("a sample key may not be empty")]
    Empty,
    /// More than [`MAX_KEY_BYTES`] bytes.
    #[error("a sample key of {0} bytes is longer than {MAX_KEY_BYTES}")]
    TooLong(usize),
    /// A part that is empty, `.` or `..`, as in an absolute path.
    #[error("sample key {0:?} has a part that is empty, '.' or '..'")]
    Traversal(String),
    /// A NUL.
    #[error("sample key {0:?} holds a NUL")]
    Character(String),
}

// === impl SampleKey ===

impl SampleKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first folder of the key, by which class folders label a sample; `None` for a file right under the root.
    pub fn top_folder(&self) -> Option<&str> {
        self.0.split_once('/').map(|(folder, _)| folder)
    }

    /// Checks without making a key.
    pub fn check(text: &str) -> Result<(), KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLong(text.len()));
        }
        if text.contains('\0') {
            return Err(KeyError::Character(text.to_owned()));
        }
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(KeyError::Traversal(text.to_owned()));
        }
        Ok(())
    }
}

impl FromStr for SampleKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::check(text).map(|()| Self(text.into()))
    }
}

impl From<&ModelName> for SampleKey {
    /// A name is always a key: one part that begins with a letter or digit.
    fn from(name: &ModelName) -> Self {
        Self(name.as_str().into())
    }
}

impl fmt::Display for SampleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The character that stands for the byte 0, if that had to be written as one.
const FIRST: u32 = 0xEF00;
/// The characters that stand for bytes.
const ESCAPES: std::ops::RangeInclusive<char> = '\u{EF80}'..='\u{EFFF}';

/// The text for the path that has these bytes: itself, where it is UTF-8 and nothing in it looks like an escape.
pub fn from_bytes(path: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(path) {
        Ok(text) if !has_escapes(text) => Cow::Borrowed(text),
        _ => Cow::Owned(escaped(path)),
    }
}

/// The bytes of the path that has this text by [`from_bytes`].
pub fn to_bytes(key: &str) -> Cow<'_, [u8]> {
    if !has_escapes(key) {
        return Cow::Borrowed(key.as_bytes());
    }
    let mut bytes = Vec::with_capacity(key.len());
    for c in key.chars() {
        match u8::try_from(u32::from(c).wrapping_sub(FIRST)) {
            Ok(byte) if ESCAPES.contains(&c) => bytes.push(byte),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// Whether a text has a character that stands for a byte.
pub fn has_escapes(text: &str) -> bool {
    text.contains(|c| ESCAPES.contains(&c))
}

/// A key, or a text with keys in it, as one line for people: control characters are written as Rust writes them, and
/// bytes of names that are no UTF-8 as `\xe9`.
pub fn shown(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !c.is_control() && !ESCAPES.contains(&c);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if ESCAPES.contains(&c) => line.push_str(&format!("\\x{:02x}", u32::from(c) - FIRST)),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    Cow::Owned(line)
}

fn escaped(path: &[u8]) -> String {
    let escape = |byte: u8| char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut text = String::with_capacity(3 * path.len());
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match ESCAPES.contains(&c) {
                true => text.extend(c.encode_utf8(&mut [0; 4]).bytes().map(escape)),
                false => text.push(c),
            }
        }
        text.extend(chunk.invalid().iter().copied().map(escape));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_leads_out_of_the_root() {
        for bad in ["", "/etc/passwd", "..", "a/../../b", "a//b", "./a", "a/.", "a/", "a\0b"] {
            assert!(bad.parse::<SampleKey>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(1025).parse::<SampleKey>().is_err());
        for good in ["a.jpg", "red/a b.jpg", "..a/b..", "ünï/コード.png", "..\\b", "a\nb"] {
            assert_eq!(good.parse::<SampleKey>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_name_of_any_bytes_is_text_and_comes_back() {
        for (name, text) in [
            (&b"cat/a.jpg"[..], "cat/a.jpg"),
            (b"caf\xe9.jpg", "caf\u{efe9}.jpg"),
            ("caf\u{e9}.jpg".as_bytes(), "caf\u{e9}.jpg"),
            ("cafe\u{301}.jpg".as_bytes(), "cafe\u{301}.jpg"),
            // A character that looks like an escape is three bytes, each escaped.
            ("\u{efe9}".as_bytes(), "\u{efee}\u{efbf}\u{efa9}"),
            (b"\xe2\x82", "\u{efe2}\u{ef82}"),
        ] {
            assert_eq!(from_bytes(name), text);
            assert_eq!(to_bytes(text), name);
        }
    }

    #[test]
    fn a_shown_key_is_one_line_of_no_effect_on_a_terminal() {
        assert_eq!(shown("cat/\u{e9} \"1\".jpg"), "cat/\u{e9} \"1\".jpg");
        assert_eq!(shown("a\nb\t\u{1b}[31m\u{85}"), "a\\nb\\t\\u{1b}[31m\\u{85}");
        assert_eq!(shown(&from_bytes(b"caf\xe9.jpg")), "caf\\xe9.jpg");
    }

    proptest::proptest! {
        #[test]
        fn no_two_names_have_one_text(
            name in proptest::collection::vec(0_u8.., 0..40),
            text in "(\\PC|[\u{ef70}-\u{f010}]){0,20}",
        ) {
            for bytes in [name.as_slice(), text.as_bytes()] {
                let key = from_bytes(bytes);
                proptest::prop_assert_eq!(&*to_bytes(&key), bytes);
            }
        }
    }

    #[test]
    fn every_name_is_a_key() {
        for name in ["m", "0", "a.b_c-d", &"x".repeat(64)] {
            let key = SampleKey::from(&name.parse::<ModelName>().unwrap());
            assert_eq!(name.parse::<SampleKey>().unwrap(), key);
        }
    }

    #[test]
    fn the_label_is_the_first_folder() {
        assert_eq!("red/x/y.jpg".parse::<SampleKey>().unwrap().top_folder(), Some("red"));
        assert_eq!("y.jpg".parse::<SampleKey>().unwrap().top_folder(), None);
    }
}
