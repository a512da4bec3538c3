//! The text of a dataset's settings, taken apart at its options and put together again.
//!
//! An option begins at a comma that a word of small letters and `=` follow, so that the commas in braces and paths do
//! no harm. A comma of a path at which an option would begin is written `\,`.

use std::fmt;

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
        let starts: Vec<usize> = starts(text).filter(|&at| !text[..at].ends_with('\\')).collect();
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

/// The commas at which an option would begin.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices(',').map(|(at, _)| at).filter(|&at| {
        let word = text[at + 1..].split_once('=').map(|(word, _)| word);
        word.is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    })
}

/// Without the marks before commas at which no option begins.
fn plain(text: &str) -> String {
    let marks: Vec<usize> = starts(text).filter_map(|at| at.checked_sub(1)).collect();
    let is_mark = |at: usize| text.as_bytes()[at] == b'\\' && marks.binary_search(&at).is_ok();
    text.char_indices().filter(|&(at, _)| !is_mark(at)).map(|(_, c)| c).collect()
}

/// With marks before the commas at which an option would begin.
fn marked(text: &str) -> String {
    let starts: Vec<usize> = starts(text).collect();
    let mut marked = String::with_capacity(text.len() + starts.len());
    for (at, c) in text.char_indices() {
        if starts.binary_search(&at).is_ok() {
            marked.push('\\');
        }
        marked.push(c);
    }
    marked
}
