//! A trace: accesses in the order in which they came, as tab-separated text with a header.
//!
//! ```text
//! # epoch sample  bytes           names of columns; # may start the line
//! 0       1817    110592          one access a line
//! 0       9369    84992
//! ```
//!
//! | column | what it says | where it is missing |
//! |---|---|---|
//! | `sample` or `key` | which sample is read: any text | must be there |
//! | `epoch` | the job's epoch; never less than in the job's row before | all rows are one epoch |
//! | `bytes` or `size` | bytes of the sample, in either tier | 1 each |
//! | `cost` | seconds to bring it back from its origin | 1 each |
//! | `loss` | its loss in this access: its importance from here on | 1 each |
//! | `flag` | 1: it was picked for its importance; 0: it was not | all were |
//! | `full_access` | 1: its epoch reads all samples, so that `flag` says nothing | 0 |
//! | `job` | who reads it: any text | one job |

mod columns;
mod error;
mod lines;
mod names;
mod row;

pub use error::{TraceError, TraceFault};

use columns::Column;
use lines::{Line, Lines};
use names::Names;
use row::Row;

/// Most bytes of a trace: some hundred million accesses.
pub const MOST_BYTES: u64 = 4 << 30;
/// Most accesses.
const MOST_ROWS: u64 = 500_000_000;
/// Most samples.
const MOST_SAMPLES: u32 = 200_000_000;
/// Most jobs.
const MOST_JOBS: u32 = 10_000;

/// Accesses, in the order in which they came.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub(crate) accesses: Vec<Access>,
    /// Names of samples, by number.
    pub(crate) samples: Vec<Box<str>>,
    /// Names of jobs, by number; none where the trace does not tell jobs apart.
    pub(crate) jobs: Vec<Box<str>>,
    /// Whether it says losses.
    pub(crate) has_losses: bool,
}

/// One access.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Access {
    pub(crate) sample: u32,
    pub(crate) epoch: u32,
    pub(crate) bytes: u64,
    pub(crate) cost: f32,
    pub(crate) importance: f32,
    pub(crate) job: u32,
}

// === impl Trace ===

impl Trace {
    /// Reads a trace.
    ///
    /// # Errors
    /// [`TraceError`]: the place at which the text is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, TraceError> {
        let mut lines = Lines::new(bytes);
        let empty = TraceError { line: 1, column: 1, fault: TraceFault::Empty };
        let header = lines.next()?.ok_or_else(|| empty.clone())?;
        let columns = Column::of_header(&header)?;
        let mut reader = Reader::default();
        while let Some(line) = lines.next()? {
            reader.read(&line, &columns)?;
        }
        let Reader { accesses, samples, jobs, .. } = reader;
        if accesses.is_empty() {
            return Err(TraceError { line: header.number + 1, ..empty });
        }
        let has_losses = columns.contains(&Column::Loss);
        Ok(Self { accesses, samples: samples.finish(), jobs: jobs.finish(), has_losses })
    }

    /// The number of accesses.
    pub fn accesses(&self) -> u64 {
        self.accesses.len() as u64
    }

    /// Whether it says samples' losses: else all are alike.
    pub fn has_losses(&self) -> bool {
        self.has_losses
    }

    /// The number of samples.
    pub fn samples(&self) -> u64 {
        self.samples.len() as u64
    }

    /// The number of jobs.
    pub fn jobs(&self) -> u64 {
        self.jobs.len().max(1) as u64
    }

    /// Bytes of all samples, each as it was read last.
    pub fn bytes(&self) -> u64 {
        let mut bytes = vec![0; self.samples.len()];
        self.accesses.iter().for_each(|access| bytes[access.sample as usize] = access.bytes);
        bytes.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes))
    }
}

/// What has been read.
#[derive(Default)]
struct Reader<'a> {
    accesses: Vec<Access>,
    samples: Names<'a>,
    jobs: Names<'a>,
    /// The epoch of each job.
    epochs: Vec<u32>,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn read(&mut self, line: &Line<'a>, columns: &[Column]) -> Result<(), TraceError> {
        let row = Row::read(line, columns)?;
        let too_many = |what, most| line.error(line.text, TraceFault::TooMany { what, most });
        let number = self.samples.number(row.key, MOST_SAMPLES);
        let sample = number.ok_or_else(|| too_many("samples", MOST_SAMPLES.into()))?;
        let job = match row.job {
            Some(name) => self.jobs.number(name, MOST_JOBS).ok_or_else(|| too_many("jobs", MOST_JOBS.into()))?,
            None => 0,
        };
        if self.accesses.len() as u64 >= MOST_ROWS {
            return Err(too_many("accesses", MOST_ROWS));
        }
        self.epochs.resize(self.epochs.len().max(job as usize + 1), 0);
        let before = std::mem::replace(&mut self.epochs[job as usize], row.epoch);
        if row.epoch < before {
            return Err(line.error(row.epoch_text, TraceFault::EpochBack { before, given: row.epoch }));
        }
        let Row { epoch, bytes, cost, .. } = row;
        self.accesses.push(Access { sample, epoch, bytes, cost, importance: row.importance(), job });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
