//! Arrivals on one side, finished parts on the other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use headwater_types::SampleIndex;

use super::ExtractError;
use crate::parts::{Assembly, Contents, Folder, Misdelivery, Missing, Retry, Task};
use crate::provenance::Provenance;
use crate::source::Arrival;

/// An extraction under way: writes a part as soon as its last sample is there.
///
/// Samples arrive roughly in order from each server, so that about two parts a server are open at a time; each holds its
/// rows x feature length x 4 bytes.
#[derive(Debug)]
pub(crate) struct Gathering {
    folder: Folder,
    provenance: Provenance,
    retry: Retry,
    /// By first index.
    tasks: BTreeMap<u64, Task>,
    open: BTreeMap<u64, Assembly>,
}

// === impl Gathering ===

impl Gathering {
    pub(crate) fn new(folder: Folder, provenance: Provenance, retry: Retry, tasks: Vec<Task>) -> Self {
        let tasks = tasks.into_iter().map(|task| (task.range.start, task)).collect();
        Self { folder, provenance, retry, tasks, open: BTreeMap::new() }
    }

    /// Puts a sample into its part.
    pub(crate) fn take(&mut self, arrival: Arrival) -> Result<(), ExtractError> {
        let Arrival { index, key, label, outcome } = arrival;
        let unexpected = Misdelivery::Unexpected(index);
        let (&first, task) = self.tasks.range(..=index.0).next_back().ok_or(unexpected)?;
        let assembly = match self.open.entry(first) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => free.insert(open(&self.folder, task, self.retry, self.provenance.feature_len)?),
        };
        match (outcome, key) {
            (Ok(feature), Some(key)) => assembly.fill(index, key, label, &feature)?,
            (Ok(_), None) => return Err(Misdelivery::Keyless(index).into()),
            (Err(failure), key) => assembly.fail(index, key.as_ref(), &failure)?,
        }
        if assembly.is_complete()
            && let Some(assembly) = self.open.remove(&first)
        {
            self.folder.write(&self.provenance, &assembly.finish())?;
            self.tasks.remove(&first);
        }
        Ok(())
    }

    /// Lists the failures, and counts what is there; an error if something is still missing.
    pub(crate) fn finish(self) -> Result<Contents, ExtractError> {
        match self.tasks.values().next() {
            Some(task) => Err(ExtractError::Missing(SampleIndex(task.range.start))),
            None => Ok(self.folder.finish()?),
        }
    }
}

fn open(folder: &Folder, task: &Task, retry: Retry, feature_len: usize) -> Result<Assembly, ExtractError> {
    Ok(match task.missing {
        Missing::All => Assembly::new(task.range.clone(), feature_len),
        Missing::Failed(_) => {
            Assembly::reopen(&folder.read(task.range.start)?, feature_len, |failed| retry.includes(failed.kind))
        }
    })
}
