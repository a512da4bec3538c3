//! A sample's key: its path below the dataset's root, with `/` between the parts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::caps::MAX_KEY_BYTES;
use crate::ids::ModelName;

/// A relative path that cannot name anything above its root: parts are not empty, `.` or `..`, and hold no NUL or
/// backslash. (Symbolic links are the store's to refuse.)
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
    /// A NUL or a backslash.
    #[error("sample key {0:?} holds a NUL or a backslash")]
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
        if text.contains(['\0', '\\']) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_leads_out_of_the_root() {
        for bad in ["", "/etc/passwd", "..", "a/../../b", "a//b", "./a", "a/.", "a/", "a\0b", "..\\b"] {
            assert!(bad.parse::<SampleKey>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(1025).parse::<SampleKey>().is_err());
        for good in ["a.jpg", "red/a b.jpg", "..a/b..", "ünï/コード.png"] {
            assert_eq!(good.parse::<SampleKey>().unwrap().as_str(), good);
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
