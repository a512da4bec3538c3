//! A line of words among the bars.

use std::borrow::Cow;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// A line of words, which is cut where the terminal ends. Dropping it takes it off the screen.
#[derive(Debug)]
pub struct Line(Option<ProgressBar>);

// === impl Line ===

impl Line {
    pub(super) fn new(bars: Option<&MultiProgress>) -> Self {
        Self(bars.map(|bars| {
            let line = bars.add(ProgressBar::no_length());
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                line.set_style(style);
            }
            line
        }))
    }

    /// Says this from now on.
    pub fn say(&self, words: impl Into<Cow<'static, str>>) {
        if let Some(line) = &self.0 {
            line.set_message(words);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(line) = &self.0 {
            line.finish_and_clear();
        }
    }
}
