//! The writer into an output. It counts bytes, and remembers what the file system said, however the error is wrapped on
//! its way.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use crate::output::{HungUp, is_hung_up, named};

/// A writer into an output.
#[derive(Debug)]
pub struct Sink<'a> {
    out: Out<'a>,
    offered: u64,
    fault: Option<io::Error>,
}

#[derive(Debug)]
enum Out<'a> {
    File(BufWriter<&'a File>),
    Stdout(io::Stdout),
    /// Nothing is written any more, after a fault.
    Closed,
}

// === impl Sink ===

impl<'a> Sink<'a> {
    pub(super) fn of_file(file: &'a File) -> Self {
        Self { out: Out::File(BufWriter::new(file)), offered: 0, fault: None }
    }

    pub(super) fn of_stdout() -> Self {
        Self { out: Out::Stdout(io::stdout()), offered: 0, fault: None }
    }

    /// Bytes that were to be written so far, whether or not they could be.
    pub(super) fn offered(&self) -> u64 {
        self.offered
    }

    /// The first error of the file system.
    pub(super) fn take_fault(&mut self) -> Option<io::Error> {
        // What is still buffered could not be written either, and is not tried again when this is dropped.
        let fault = self.fault.take()?;
        if let Out::File(file) = std::mem::replace(&mut self.out, Out::Closed) {
            drop(file.into_parts());
        }
        Some(fault)
    }

    fn noted<T>(&mut self, outcome: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &outcome
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.fault.get_or_insert_with(|| again(error));
        }
        outcome
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.offered += bytes.len() as u64;
        let outcome = match &mut self.out {
            Out::File(file) => file.write(bytes),
            Out::Stdout(out) => out.write(bytes).map_err(named),
            Out::Closed => Ok(0),
        };
        if let Ok(written) = outcome {
            // The rest is offered again.
            self.offered -= bytes.len().saturating_sub(written) as u64;
        }
        self.noted(outcome)
    }

    fn flush(&mut self) -> io::Result<()> {
        let outcome = match &mut self.out {
            Out::File(file) => file.flush(),
            Out::Stdout(out) => out.flush().map_err(named),
            Out::Closed => Ok(()),
        };
        self.noted(outcome)
    }
}

/// An error like the given one: errors of the system cannot be copied.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None if is_hung_up(error) => io::Error::new(error.kind(), HungUp),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
