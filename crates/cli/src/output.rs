//! Results on standard output.

use std::io::{self, Write as _};

use serde::Serialize;

/// Prints a result as one line of JSON.
///
/// # Errors
/// Standard output is closed or full, or the value cannot be written as JSON.
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
