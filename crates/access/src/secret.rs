//! Bearer tokens: as their holders have them, and as servers know them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use headwater_types::caps::MAX_TOKEN;

use crate::error::AccessError;
use crate::stamp::read;

/// A token that is shown with calls. It is in no message: not even its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// SHA-256 of a token, by which a server knows it. As a key of a table it is compared as it is: nobody can choose a
/// token by its hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

/// Least and most characters of a token: shorter ones can be guessed.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=MAX_TOKEN;

// === impl Secret ===

impl Secret {
    /// A token out of a file, whose first line it is.
    ///
    /// # Errors
    /// A file that cannot be read or holds no token; `setting` is named.
    pub fn read(setting: &'static str, path: &Path) -> Result<Self, AccessError> {
        let bytes = read(setting, path)?;
        let none = |reason| AccessError::Secret { setting, path: path.to_owned(), reason };
        let text = String::from_utf8(bytes).map_err(|_| none("it is no text"))?;
        Self::new(text.lines().next().unwrap_or_default()).map_err(none)
    }

    /// A token.
    ///
    /// # Errors
    /// What cannot be one, without a word of it.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        match () {
            () if text.is_empty() => Err("it holds no token"),
            () if !LENGTHS.contains(&text.len()) => Err("a token has 16 to 8,192 characters"),
            () if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Err("a token is ASCII without blanks"),
            () => Ok(Self(text.to_owned())),
        }
    }

    /// A new one, of 256 bits that nobody knows; `None` where the system gives none.
    pub fn generate() -> Option<Self> {
        let mut bits = [0; 32];
        rand::fill(&mut bits).ok()?;
        Some(Self(bits.iter().fold("hw-".to_owned(), |text, byte| format!("{text}{byte:02x}"))))
    }

    /// The token itself, to be sent.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// By what servers know it.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

// === impl SecretHash ===

impl SecretHash {
    /// The hash of what somebody shows.
    pub fn of(shown: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, shown).as_ref());
        Self(hash)
    }

    /// Whether both are the same, in a time that does not depend on where they differ.
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl FromStr for SecretHash {
    type Err = &'static str;

    /// Reads `sha256:` and 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "a hash is sha256: and 64 hexadecimal digits (printf %s TOKEN | sha256sum)";
        let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64).ok_or(WRONG)?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| WRONG)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| WRONG)?;
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_and_shown_nowhere() {
        let secret = Secret::new("abcdefghijklmnopqrstuvwxyz\n").unwrap();
        // printf %s abcdefghijklmnopqrstuvwxyz | sha256sum
        let hash = "sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73";
        assert_eq!(secret.hash().to_string(), hash);
        assert!(hash.parse::<SecretHash>().unwrap().is(&secret.hash()));
        let other = Secret::new("abcdefghijklmnopqrstuvwxyZ").unwrap();
        assert!(!other.hash().is(&secret.hash()));
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        let made = Secret::generate().unwrap();
        assert!(Secret::new(made.expose()) == Ok(made.clone()) && Secret::generate() != Some(made));
    }

    #[test]
    fn what_is_no_token_and_no_hash_is_refused() {
        for text in ["", "short", "0123456789 abcdef", "0123456789abcde\u{e9}", &"x".repeat(9000)] {
            let reason = Secret::new(text).unwrap_err();
            assert!(text.is_empty() || !reason.contains(text));
        }
        for text in
            ["", "sha256:", "71c480df", &format!("sha256:{}", "g".repeat(64)), &format!("md5:{}", "0".repeat(64))]
        {
            assert!(text.parse::<SecretHash>().is_err(), "{text}");
        }
    }
}
