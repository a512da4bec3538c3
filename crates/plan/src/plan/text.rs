//! A plan as a file: a head in TOML, a line `---`, and a line for each run of samples that travel alike.
//!
//! ```text
//! format = "headwater-plan"
//! version = 1
//! algorithm = "optimal"
//! samples = 40000
//!
//! [prediction]
//! epoch = 103.4
//! ...
//! [inputs]
//! ...
//! ---
//! 0-17 encoded
//! 18 flipped+lossless
//! 19-39999 jpeg-crop
//! ```
//!
//! A plan is text, so that it can be read, compared and kept beside a training run's settings. It has a line for each
//! run, so that a plan that is mostly one way is short. An index for each sample of a million makes about 20 MB, read
//! in a tenth of a second.
//!
//! Invariant: what is read back is the plan that was written, to the bit; runs are in order, without a gap, and make up
//! `samples`.

use std::fmt;
use std::io;

use headwater_types::Digest;
use headwater_types::caps::{MAX_PLAN_BYTES, MAX_PLAN_HEAD_BYTES};
use headwater_types::digest::Digester;

use super::error::{PlanFileError, RULE};
use super::head::PlanHead;
use super::{Plan, runs};

// === impl Plan ===

impl Plan {
    /// The plan as text; this module says how it is written.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // A String takes whatever is written.
        let _ = self.write_text(&mut text);
        text
    }

    /// Writes the plan's text.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, writer: &mut impl io::Write) -> io::Result<()> {
        struct Adapter<'w, W> {
            writer: &'w mut W,
            error: Option<io::Error>,
        }
        impl<W: io::Write> fmt::Write for Adapter<'_, W> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.writer.write_all(text.as_bytes()).map_err(|error| {
                    self.error = Some(error);
                    fmt::Error
                })
            }
        }
        let mut adapter = Adapter { writer, error: None };
        match self.write_text(&mut adapter) {
            Ok(()) => Ok(()),
            Err(fmt::Error) => Err(adapter.error.unwrap_or_else(|| io::Error::other("a plan cannot be written"))),
        }
    }

    /// BLAKE3 of the plan's text.
    pub fn digest(&self) -> Digest {
        struct Adapter(Digester);
        impl fmt::Write for Adapter {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.update(text.as_bytes());
                Ok(())
            }
        }
        let mut adapter = Adapter(Digester::default());
        let _ = self.write_text(&mut adapter);
        adapter.0.finish()
    }

    /// Reads a plan's text.
    ///
    /// # Errors
    /// [`PlanFileError`]: what is wrong, and in which line.
    pub fn parse(bytes: &[u8]) -> Result<Self, PlanFileError> {
        if bytes.len() > MAX_PLAN_BYTES {
            return Err(PlanFileError::TooLong { bytes: bytes.len(), most: MAX_PLAN_BYTES });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            PlanFileError::NotText(before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1)
        })?;
        let (head_text, body) = divide(text).ok_or(PlanFileError::NoRule)?;
        let head = PlanHead::parse(head_text)?;
        let first_line = head_text.lines().count() as u64 + 2;
        let (ways, choices) = runs::parse(body, first_line, head.samples)?;
        let PlanHead { algorithm, prediction, inputs, .. } = head;
        if ways.iter().any(|way| way.is_features()) && inputs.model_digest.is_none() {
            return Err(PlanFileError::Content("it has features of no model"));
        }
        Self::new(algorithm, inputs, prediction, ways, choices)
            .map_err(|_| PlanFileError::Content("its ways do not fit its choices"))
    }

    fn write_text(&self, out: &mut impl fmt::Write) -> fmt::Result {
        out.write_str(&toml::to_string(&PlanHead::of(self)).map_err(|_| fmt::Error)?)?;
        writeln!(out, "{RULE}")?;
        runs::write(self, out)
    }
}

/// Head and body, without the line between them.
fn divide(text: &str) -> Option<(&str, &str)> {
    let mut begin = 0;
    while begin <= MAX_PLAN_HEAD_BYTES {
        let rest = &text[begin..];
        let end = rest.find('\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        if line.trim_end() == RULE {
            return Some((&text[..begin], end.map_or("", |end| &rest[end + 1..])));
        }
        begin += end? + 1;
    }
    None
}
