//! Progress bars on standard error, for whatever takes more than a few seconds.
//!
//! Bars are drawn only for a person: where standard error is no terminal, or the program was asked for JSON or to be
//! quiet, every call here does nothing. A bar is one line of 60 to 200 columns: what is done, how fast with three
//! digits, how long it will take; the bar itself takes the room that is left.

mod counted;
mod growing;
mod line;
mod screen;
mod style;

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use self::counted::Counted;
use self::screen::Screen;
use self::style::style;

pub use growing::GrowingBar;
pub use line::Line;

/// Redraws a second: enough to look alive, few enough to cost nothing over a slow terminal.
const REDRAWS: u8 = 8;

/// Where bars are drawn: cheap to clone, and every clone is the same place.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    bars: Option<MultiProgress>,
    /// Of the terminal, when it was looked at.
    columns: u16,
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
        let screen = Screen::stderr();
        let columns = screen.columns();
        Self::on(ProgressDrawTarget::term_like_with_hz(Box::new(screen), REDRAWS), columns)
    }

    /// Draws nothing.
    pub fn hidden() -> Self {
        Self::default()
    }

    fn on(target: ProgressDrawTarget, columns: u16) -> Self {
        Self { bars: Some(MultiProgress::with_draw_target(target)), columns }
    }

    /// Whether anything is drawn.
    pub fn is_shown(&self) -> bool {
        self.bars.is_some()
    }

    /// A bar that counts items, such as samples; `total` where it is known.
    pub fn items(&self, what: impl Into<Cow<'static, str>>, total: Option<u64>) -> Bar {
        self.bar(what, total, Counted::Items)
    }

    /// A bar that counts bytes; `total` where it is known.
    pub fn bytes(&self, what: impl Into<Cow<'static, str>>, total: Option<u64>) -> Bar {
        self.bar(what, total, Counted::Bytes)
    }

    /// A line of words among the bars, such as a row of a table. It is empty until something is said.
    pub fn line(&self) -> Line {
        Line::new(self.bars.as_ref())
    }

    /// Writes something else to the terminal, with the bars out of its way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    fn bar(&self, what: impl Into<Cow<'static, str>>, total: Option<u64>, counted: Counted) -> Bar {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new).with_prefix(what);
            let bar = bars.add(bar);
            if let Ok(style) = style(counted, total.is_some(), self.columns) {
                bar.set_style(style);
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

    /// So many are to be done in all.
    pub fn grow(&self, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
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
    use super::style::ROOM_FOR_WORDS;
    use super::*;

    /// A bar with this much done, as a terminal of so many columns shows it.
    fn shown_by(columns: u16, draw: impl FnOnce(&Progress) -> Bar) -> String {
        let terminal = indicatif::InMemoryTerm::new(10, columns);
        let progress = Progress::on(ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255), columns);
        let bar = draw(&progress);
        if let Some(bar) = &bar.bar {
            bar.tick();
        }
        terminal.contents()
    }

    #[test]
    fn a_bar_is_one_line_at_every_width() {
        for columns in [60, 80, 120, 200] {
            for (total, done) in [(399, 17), (1_281_167, 1_281_167), (u64::MAX, 7)] {
                let line = shown_by(columns, |progress| {
                    let bar = progress.items("photos of a profile with a long title", Some(total));
                    bar.add(done);
                    bar.note("validation top-1 0.9123, loss 0.3211, and so on and so on");
                    bar
                });
                assert_eq!(line.lines().count(), 1, "{columns}: {line}");
                assert!(line.chars().count() <= columns.into(), "{columns}: {line}");
                assert!(line.contains("/s ") && line.contains(" left"), "{columns}: {line}");
                assert!(columns < ROOM_FOR_WORDS || line.contains("top-1 0.9123"), "{columns}: {line}");
            }
            let bytes = shown_by(columns, |progress| {
                let bar = progress.bytes("received", None);
                bar.set(4_157_272);
                bar
            });
            assert!(bytes.contains("4.16 MB") && bytes.lines().count() == 1, "{columns}: {bytes}");
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
