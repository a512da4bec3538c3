//! Photos to measure with.

use bytes::Bytes;
use headwater_types::{Address, Draws, SampleKey};

/// Encoded photos, and where they came from.
#[derive(Clone, Debug)]
pub struct Photos {
    /// The files' bytes, each with a name for messages.
    pub files: Vec<(String, Bytes)>,
    /// Where they came from.
    pub origin: Origin,
}

/// Where photos came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder that was given.
    Folder,
    /// This program.
    Generated,
}

// === impl Origin ===

impl Origin {
    /// Its name in a profile.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Generated => "generated",
        }
    }
}

/// The key by which the photo at this place is framed: the same in every run.
pub(crate) fn key(place: usize) -> Option<SampleKey> {
    format!("photo/{place}").parse().ok()
}

/// The draws of a photo: those of the first epoch of the first seed.
pub(crate) fn draws(key: &SampleKey) -> Draws<'_> {
    Draws { address: Address::default(), key }
}
