//! The runs of an index: found, begun, forgotten.

use std::sync::atomic::Ordering;

use headwater_types::Digest;
use headwater_types::caps::MAX_LABEL_RUNS;
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata as _, WriteTransaction};

use super::LabelIndex;
use crate::error::LabelError;
use crate::fault::Fault;
use crate::labeller::Labeller;
use crate::record::Record;
use crate::run::{Run, RunId};
use crate::tables::{BLOCKS, Bytes, DEAD, RUNS, TAILS, blocks_of, next_run};
use crate::tail::Tail;

impl LabelIndex {
    /// The runs over a dataset, in the order in which they were begun.
    ///
    /// # Errors
    /// What the disk refuses, or an index that is broken.
    pub fn runs(&self, dataset: &Digest) -> Result<Vec<Run>, LabelError> {
        let mut runs = self.database.read(all)?;
        runs.retain(|run| run.dataset == *dataset);
        runs.sort_by_key(|run| (run.begun, run.id));
        Ok(runs)
    }

    /// The run of this labeller over this dataset, by the labeller's digest: found or made. What else is said of a
    /// labeller is kept as it is said last.
    ///
    /// # Errors
    /// A labeller beyond a limit, too many runs, what the disk refuses, or an index that is broken.
    pub fn begin(&self, dataset: &Digest, labeller: &Labeller, now: u64) -> Result<Run, LabelError> {
        let record = Record { dataset: *dataset, begun: now, labeller: labeller.clone() };
        record.check()?;
        let known = self.database.read(all)?.into_iter().find(|run| is_of(run, &record));
        if let Some(run) = known.filter(|run| run.labeller == *labeller) {
            return Ok(run);
        }
        let least = self.next_run.load(Ordering::Relaxed);
        let run = self.database.write(|transaction| begin(transaction, record, least))?;
        self.next_run.fetch_max(run.id.0.saturating_add(1), Ordering::Relaxed);
        Ok(run)
    }

    /// Removes a run with its rows, if there is one.
    ///
    /// # Errors
    /// What the disk refuses, or an index that is broken.
    pub fn forget(&self, run: RunId) -> Result<(), LabelError> {
        self.database.write(|transaction| {
            transaction.open_table(RUNS)?.remove(run.0)?;
            transaction.open_table(TAILS)?.remove(run.0)?;
            transaction.open_table(BLOCKS)?.retain_in(blocks_of(run.0), |_, _| false)?;
            transaction.open_table(DEAD)?.retain_in(blocks_of(run.0), |_, _| false)?;
            Ok(())
        })
    }
}

fn is_of(run: &Run, record: &Record) -> bool {
    run.dataset == record.dataset && run.labeller.digest == record.labeller.digest
}

/// Every run, by number.
fn all(transaction: &ReadTransaction) -> Result<Vec<Run>, Fault> {
    list(&transaction.open_table(RUNS)?, &transaction.open_table(TAILS)?)
}

fn list(runs: &impl ReadableTable<u32, Bytes>, tails: &impl ReadableTable<u32, Bytes>) -> Result<Vec<Run>, Fault> {
    let mut found = Vec::new();
    for entry in runs.iter()? {
        let (id, value) = entry?;
        let id = id.value();
        let tail = tails.get(id)?.and_then(|value| Tail::open(value.value(), id));
        let (Some(record), Some(tail)) = (Record::open(value.value(), id), tail) else {
            return Err(Fault::Broken(format!("the record of run {id} is not what was written")));
        };
        found.push(run(id, record, tail));
    }
    Ok(found)
}

fn run(id: u32, record: Record, tail: Tail) -> Run {
    let Record { dataset, begun, labeller } = record;
    Run { id: RunId(id), dataset, labeller, begun, rows: tail.live }
}

/// Finds the run again, to note what its labeller is now, or makes it.
fn begin(transaction: &WriteTransaction, mut record: Record, least: u32) -> Result<Run, Fault> {
    let mut runs = transaction.open_table(RUNS)?;
    let mut tails = transaction.open_table(TAILS)?;
    let known = list(&runs, &tails)?.into_iter().find(|run| is_of(run, &record));
    let (id, tail) = match known {
        Some(run) => {
            record.begun = run.begun;
            (run.id.0, None)
        }
        None => (new_run(transaction, runs.len()?, least)?, Some(Tail::default())),
    };
    runs.insert(id, record.seal(id).as_slice())?;
    if let Some(tail) = tail {
        tails.insert(id, tail.seal(id).as_slice())?;
    }
    let tail = tails.get(id)?.and_then(|value| Tail::open(value.value(), id)).unwrap_or_default();
    Ok(run(id, record, tail))
}

fn new_run(transaction: &WriteTransaction, runs: u64, least: u32) -> Result<u32, Fault> {
    let (actual, most) = (runs as usize + 1, MAX_LABEL_RUNS);
    if actual > most {
        return Err(LabelError::TooLarge { what: "runs of labels", actual, most }.into());
    }
    let (actual, most) = (u32::MAX as usize + 1, u32::MAX as usize);
    let next = next_run(transaction, least)?;
    next.ok_or_else(|| LabelError::TooLarge { what: "runs that were ever begun", actual, most }.into())
}
