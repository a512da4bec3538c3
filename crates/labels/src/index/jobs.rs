//! Records of jobs that label, which are the server's: so that a job goes on after a restart.

use headwater_types::Digest;
use headwater_types::caps::{MAX_LABEL_JOB_BYTES, MAX_LABEL_JOB_ID_BYTES, MAX_LABEL_JOBS};
use redb::{ReadableTable as _, ReadableTableMetadata as _};

use super::LabelIndex;
use crate::error::LabelError;
use crate::fault::Fault;
use crate::seal;
use crate::tables::JOBS;

const MAGIC: seal::Magic = *b"JOB\x01";

impl LabelIndex {
    /// Keeps a job's record, in the place of an earlier one. It is durable when this returns.
    ///
    /// # Errors
    /// An id or a record that is too long, too many records, what the disk refuses, or an index that is broken.
    pub fn put_job(&self, id: &str, record: &[u8]) -> Result<(), LabelError> {
        check("bytes of a labelling job's id", id.len(), MAX_LABEL_JOB_ID_BYTES)?;
        check("bytes of a labelling job's record", record.len(), MAX_LABEL_JOB_BYTES)?;
        self.database.write(|transaction| {
            let mut jobs = transaction.open_table(JOBS)?;
            jobs.insert(id, seal::seal(MAGIC, key(id), record).as_slice())?;
            check("records of labelling jobs", jobs.len()? as usize, MAX_LABEL_JOBS)?;
            Ok(())
        })
    }

    /// Removes a job's record, if there is one.
    ///
    /// # Errors
    /// What the disk refuses, or an index that is broken.
    pub fn remove_job(&self, id: &str) -> Result<(), LabelError> {
        self.database.write(|transaction| {
            transaction.open_table(JOBS)?.remove(id)?;
            Ok(())
        })
    }

    /// All jobs with their records, by id.
    ///
    /// # Errors
    /// What the disk refuses, or an index that is broken.
    pub fn jobs(&self) -> Result<Vec<(String, Vec<u8>)>, LabelError> {
        self.database.read(|transaction| {
            let mut found = Vec::new();
            for entry in transaction.open_table(JOBS)?.iter()? {
                let (id, value) = entry?;
                let id = id.value();
                let record = seal::open(MAGIC, key(id), value.value())
                    .ok_or_else(|| Fault::Broken("the record of a job is not what was written".to_owned()))?;
                found.push((id.to_owned(), record.to_vec()));
            }
            Ok(found)
        })
    }
}

/// What a record's checksum is seeded with.
fn key(id: &str) -> u64 {
    Digest::of(id.as_bytes()).as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

fn check(what: &'static str, actual: usize, most: usize) -> Result<(), LabelError> {
    (actual <= most).then_some(()).ok_or(LabelError::TooLarge { what, actual, most })
}
