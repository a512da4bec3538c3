//! Progress bars on standard error, for whatever takes more than a few seconds.
//!
//! Bars are drawn only for a person: where standard error is no terminal, or the program was asked for JSON or to be
//! quiet, every call here does nothing. A bar is one line of 60 to 200 columns: what is done, how fast with three digits, how long it
//! will take; the bar itself takes the room that is left.

use std::borrow::Cow;
use std::fmt::Write;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use console::Term;
use headwater_types::shown;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};

const KNOWN: &str = "{prefix:14!} [{wide_bar}] {done}/{all} {rate} {left}";
const SOME: &str = "{prefix:14!} {spinner} {done} {rate} {elapsed}";
/// Words such as a loss stand behind a bar where a terminal has room for them.
const ROOM_FOR_WORDS: u16 = 100;
const WORDS: &str = "  {msg:40!}";

/// Redraws a second: enough to look alive, few enough to cost nothing over a slow terminal.
const REDRAWS: u8 = 8;

/// Where bars are drawn: cheap to clone, and every clone is the same place.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    bars: Option<MultiProgress>,
    /// Of the terminal, when it was looked at.
    columns: u16,
}

/// What a bar counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Items,
    Bytes,
}

/// A terminal that may be gone: `indicatif` panics where it cannot draw.
#[derive(Debug)]
struct Screen(Term);

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
        let columns = Term::stderr().size().1;
        Self::on(ProgressDrawTarget::term_like_with_hz(Box::new(Screen(Term::buffered_stderr())), REDRAWS), columns)
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
            let words = if self.columns >= ROOM_FOR_WORDS { WORDS } else { "" };
            if let Ok(style) = style(&format!("{}{words}", if total.is_some() { KNOWN } else { SOME }), counted) {
                bar.set_style(style);
            }
            bar
        });
        Bar { bar }
    }
}

fn style(template: &str, counted: Counted) -> Result<ProgressStyle, indicatif::style::TemplateError> {
    let style = ProgressStyle::with_template(template)?.progress_chars("=> ");
    let keyed = |show: fn(&ProgressState, Counted) -> String| {
        move |state: &ProgressState, line: &mut dyn Write| {
            let _ = line.write_str(&show(state, counted));
        }
    };
    Ok(style
        .with_key("done", keyed(|state, counted| counted.amount(state.pos())))
        .with_key("all", keyed(|state, counted| counted.amount(state.len().unwrap_or_default())))
        .with_key("rate", keyed(|state, counted| counted.rate(state.per_sec())))
        .with_key("left", keyed(|state, _| format!("{} left", duration(state.eta()))))
        .with_key("elapsed", keyed(|state, _| duration(state.elapsed()))))
}

/// `45 s`, `12 min`, `3.5 h`: what matters of how long something takes.
fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6000 => format!("{} min", seconds / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

// === impl Screen ===

impl TermLike for Screen {
    fn width(&self) -> u16 {
        TermLike::width(&self.0)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.0)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        drawn(self.0.move_cursor_up(lines))
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        drawn(self.0.move_cursor_down(lines))
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        drawn(self.0.move_cursor_right(columns))
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        drawn(self.0.move_cursor_left(columns))
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        drawn(self.0.write_line(line))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        drawn(self.0.write_str(text))
    }

    fn clear_line(&self) -> io::Result<()> {
        drawn(self.0.clear_line())
    }

    fn flush(&self) -> io::Result<()> {
        drawn(self.0.flush())
    }
}

/// Nobody sees what cannot be drawn, and nothing depends on it.
fn drawn(result: io::Result<()>) -> io::Result<()> {
    result.or(Ok(()))
}

// === impl Counted ===

impl Counted {
    fn amount(self, count: u64) -> String {
        match self {
            // Samples are counted one by one while they fit.
            Self::Items if count < 1_000_000 => count.to_string(),
            Self::Items => shown::count(count as f64),
            Self::Bytes => shown::bytes(count),
        }
    }

    fn rate(self, rate: f64) -> String {
        match self {
            Self::Items => format!("{}/s", shown::count(rate)),
            Self::Bytes => format!("{}/s", shown::bytes(rate as u64)),
        }
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
    fn rates_have_three_digits() {
        assert_eq!(Counted::Items.rate(335.2042), "335/s");
        assert_eq!(Counted::Items.rate(0.034_21), "0.0342/s");
        assert_eq!(Counted::Bytes.rate(92_891_250.0), "92.9 MB/s");
        assert_eq!(Counted::Items.amount(999_999), "999999");
        let shown = [7, 119, 7200].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(shown, ["7 s", "1 min", "2.0 h"]);
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
