//! Progress bars on standard error, for whatever takes more than a few seconds.
//!
//! Bars are drawn only for a person: where standard error is no terminal, or the program was asked for JSON or to be
//! quiet, every call here does nothing.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

const KNOWN_ITEMS: &str = "{prefix:16} [{bar:30}] {human_pos}/{human_len}  {per_sec}  {eta} left  {wide_msg}";
const SOME_ITEMS: &str = "{prefix:16} {spinner} {human_pos}  {per_sec}  {elapsed}  {wide_msg}";
const KNOWN_BYTES: &str =
    "{prefix:16} [{bar:30}] {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta} left  {wide_msg}";
const SOME_BYTES: &str = "{prefix:16} {spinner} {binary_bytes}  {binary_bytes_per_sec}  {elapsed}  {wide_msg}";

/// Redraws a second: enough to look alive, few enough to cost nothing over a slow terminal.
const REDRAWS: u8 = 8;

/// Where bars are drawn: cheap to clone, and every clone is the same place.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    bars: Option<MultiProgress>,
}

/// One bar. Dropping it takes it off the screen.
#[derive(Debug)]
pub struct Bar {
    bar: Option<ProgressBar>,
}

// === impl Progress ===

impl Progress {
    /// Draws where a person looks on: standard error is a terminal and the program is not `quiet` (pass `--json` or
    /// `--quiet`).
    pub fn detect(quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self::hidden();
        }
        Self { bars: Some(MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS))) }
    }

    /// Draws nothing.
    pub fn hidden() -> Self {
        Self { bars: None }
    }

    /// Whether anything is drawn.
    pub fn is_shown(&self) -> bool {
        self.bars.is_some()
    }

    /// A bar that counts items, such as samples; `total` where it is known.
    pub fn items(&self, what: impl Into<Cow<'static, str>>, total: Option<u64>) -> Bar {
        self.bar(what, total, if total.is_some() { KNOWN_ITEMS } else { SOME_ITEMS })
    }

    /// A bar that counts bytes; `total` where it is known.
    pub fn bytes(&self, what: impl Into<Cow<'static, str>>, total: Option<u64>) -> Bar {
        self.bar(what, total, if total.is_some() { KNOWN_BYTES } else { SOME_BYTES })
    }

    /// Writes something else to the terminal, with the bars out of its way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    fn bar(&self, what: impl Into<Cow<'static, str>>, total: Option<u64>, template: &str) -> Bar {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new).with_prefix(what);
            let bar = bars.add(bar);
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Bar { bar }
    }
}

// === impl Bar ===

impl Bar {
    /// So many more are done.
    pub fn add(&self, count: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(count);
        }
    }

    /// So many are done in all.
    pub fn set(&self, count: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(count);
        }
    }

    /// Some words behind the bar, such as a loss.
    pub fn note(&self, words: impl Into<Cow<'static, str>>) {
        if let Some(bar) = &self.bar {
            bar.set_message(words);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_well_formed() {
        for template in [KNOWN_ITEMS, SOME_ITEMS, KNOWN_BYTES, SOME_BYTES] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn nothing_is_drawn_for_programs() {
        let progress = Progress::detect(true);
        assert!(!progress.is_shown());
        let bar = progress.items("samples", Some(3));
        bar.add(1);
        bar.set(3);
        bar.note("done");
        assert_eq!(progress.suspend(|| 7), 7);
    }
}
