//! Lines of a trace, and where in them something stands.

use super::error::{TraceError, TraceFault};

/// Most bytes of a line: a key of the longest kind, and some numbers.
const MOST_LINE: usize = 2048;
/// Characters of a wrong field that an error shows.
const SHOWN: usize = 40;

/// What is left of the text.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    number: u64,
}

/// One line.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: u64,
    pub(super) text: &'a str,
}

// === impl Lines ===

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), number: 0 }
    }

    /// The next line. `None` at the end: empty lines there are none.
    pub(super) fn next(&mut self) -> Result<Option<Line<'a>>, TraceError> {
        if self.rest.first().is_none_or(u8::is_ascii_whitespace) && self.rest.trim_ascii_start().is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let number = self.number;
        let end = self.rest.iter().take(MOST_LINE + 2).position(|&byte| byte == b'\n');
        let end = match end {
            Some(end) => end,
            None if self.rest.len() <= MOST_LINE => self.rest.len(),
            None => return Err(TraceError { line: number, column: 1, fault: TraceFault::LongLine(MOST_LINE) }),
        };
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|error| {
            let before = String::from_utf8_lossy(&line[..error.valid_up_to()]).chars().count() as u64;
            TraceError { line: number, column: before + 1, fault: TraceFault::NotText }
        })?;
        Ok(Some(Line { number, text }))
    }
}

// === impl Line ===

impl Line<'_> {
    /// An error at a part of this line.
    pub(super) fn error(&self, part: &str, fault: TraceFault) -> TraceError {
        let offset = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let before = self.text.get(..offset).map_or(0, |before| before.chars().count() as u64);
        TraceError { line: self.number, column: before + 1, fault }
    }
}

/// The beginning of a wrong field.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
