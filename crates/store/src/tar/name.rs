//! The names of members as text, and as keys.

use std::borrow::Cow;

use headwater_types::key;

/// A member's name as text, without what only says that it is relative.
pub(super) fn text(name: &[u8]) -> Cow<'_, str> {
    let mut name = name;
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    key::from_bytes(name)
}
