//! A terminal that may be gone: `indicatif` panics where it cannot draw.

use std::io;

use console::Term;
use indicatif::TermLike;

/// Standard error, on which whatever cannot be drawn is left out.
#[derive(Debug)]
pub(super) struct Screen(Term);

// === impl Screen ===

impl Screen {
    pub(super) fn stderr() -> Self {
        Self(Term::buffered_stderr())
    }

    /// How many columns it has now.
    pub(super) fn columns(&self) -> u16 {
        self.0.size().1
    }
}

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

/// An error of drawing is dropped: nobody sees the screen then, and nothing depends on it.
fn drawn(result: io::Result<()>) -> io::Result<()> {
    result.or(Ok(()))
}
