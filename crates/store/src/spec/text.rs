//! The text of a dataset's settings, taken apart at its options and put together again.

use std::fmt;

use headwater_types::option_text::{marked, plain, unmarked};

use super::options::OptionError;

/// The place and the options of a text.
pub(super) struct Parts<'a> {
    pub(super) place: String,
    /// The names and the values, in the order of the text.
    pub(super) options: Vec<(&'a str, String)>,
}

// === impl Parts ===

impl<'a> Parts<'a> {
    /// Takes a text apart. Which options there are is not looked at.
    pub(super) fn of(text: &'a str) -> Result<Self, OptionError> {
        let starts = unmarked(text);
        let ends = starts.iter().copied().skip(1).chain([text.len()]);
        let mut options: Vec<(&str, String)> = Vec::new();
        for (start, end) in starts.iter().copied().zip(ends) {
            let (name, value) = text[start + 1..end].split_once('=').unwrap_or_default();
            if options.iter().any(|(earlier, _)| *earlier == name) {
                return Err(OptionError::Twice(name.to_owned()));
            }
            options.push((name, plain(value)));
        }
        let place = starts.first().map_or(text, |&first| &text[..first]);
        Ok(Self { place: plain(place), options })
    }
}

/// Writes the place.
pub(super) fn place(place: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&marked(place))
}

/// Writes one option behind what was written before.
pub(super) fn option(name: &str, value: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, ",{name}={}", marked(value))
}
