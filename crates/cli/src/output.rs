//! Results on standard output.

use std::io::{self, ErrorKind, StdoutLock, Write};

use serde::Serialize;

/// Who read standard output has hung up, as `head` does once it has seen enough: the end of a program, and no failure
/// to speak of.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
pub struct HungUp;

/// Standard output takes nothing more, as on a full disk.
#[derive(Debug, thiserror::Error)]
#[error("standard output could not be written: {0}")]
struct Unwritten(#[source] io::Error);

/// Standard output, for results. Where its reader hangs up, the error is a [`HungUp`], and no other broken pipe is.
#[derive(Debug)]
pub struct Stdout(StdoutLock<'static>);

/// Standard output, for results.
pub fn stdout() -> Stdout {
    Stdout(io::stdout().lock())
}

/// Prints a result as one line of JSON.
///
/// # Errors
/// Standard output is closed or full, or the value cannot be written as JSON.
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut out = stdout();
    out.write_all(&line)?;
    out.flush()
}

/// Prints a result for people.
///
/// # Errors
/// Standard output is closed or full.
pub fn print_text(text: &impl std::fmt::Display) -> io::Result<()> {
    let mut out = stdout();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Whether an error is that of a reader who hung up.
pub(crate) fn is_hung_up(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<HungUp>())
}

/// Gives a broken pipe of standard output an error of its own, which no other broken pipe has.
pub(crate) fn named(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::BrokenPipe { io::Error::new(ErrorKind::BrokenPipe, HungUp) } else { error }
}

/// Names a broken pipe as [`named`] does, and says of any other error that it is one of standard output.
fn of_stdout(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => named(error),
        kind => io::Error::new(kind, Unwritten(error)),
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(of_stdout)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(of_stdout)
    }
}
