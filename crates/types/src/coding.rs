//! How u8 pixels are written when they travel.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the pixels of the u8 cuts (`decoded`, `cropped`, `flipped`) travel. Whatever the coding, they are the same
/// pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelCoding {
    /// A byte each.
    #[default]
    Raw,
    /// Coded without loss: fewer bytes, for some CPU on both sides. A picture that would not become smaller comes raw.
    Lossless,
}

/// A coding that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no pixel coding {0:?}: use raw or lossless")]
pub struct PixelCodingError(String);

// === impl PixelCoding ===

impl PixelCoding {
    /// Every coding.
    pub const ALL: [Self; 2] = [Self::Raw, Self::Lossless];

    /// The coding's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Lossless => "lossless",
        }
    }
}

impl FromStr for PixelCoding {
    type Err = PixelCodingError;

    fn from_str(name: &str) -> Result<Self, PixelCodingError> {
        Self::ALL.into_iter().find(|coding| coding.as_str() == name).ok_or_else(|| PixelCodingError(name.to_owned()))
    }
}

impl fmt::Display for PixelCoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_have_names_and_no_others() {
        for coding in PixelCoding::ALL {
            assert_eq!(coding.to_string().parse(), Ok(coding));
        }
        assert!("webp".parse::<PixelCoding>().unwrap_err().to_string().contains("lossless"));
    }
}
