//! What stands of runs over the generations that are held, in memory: read once, and kept up by the job that labels.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use headwater_labels::{Found, LabelError, LabelIndex, RunId, Standing};
use headwater_store::Catalog;
use headwater_types::Digest;

/// A standing that jobs write and questions read.
pub(crate) type SharedStanding = Arc<RwLock<Standing>>;

/// Standings that were read, the one that was asked for last at the end.
#[derive(Default)]
pub(crate) struct Standings(Mutex<Vec<(Of, SharedStanding)>>);

/// A generation's digest, and a run over its dataset.
type Of = (Digest, RunId);

/// Most standings that are held: each takes some 16 bytes for each sample.
const MOST: usize = 8;

// === impl Standings ===

impl Standings {
    /// What stands of a run over this generation. It is read where it is not held, which blocks: others that ask
    /// meanwhile wait.
    pub(crate) fn get(&self, index: &LabelIndex, run: RunId, catalog: &Catalog) -> Result<SharedStanding, LabelError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (catalog.digest(), run);
        if let Some(place) = held.iter().position(|(held, _)| *held == of) {
            let found = held.remove(place);
            let standing = Arc::clone(&found.1);
            held.push(found);
            return Ok(standing);
        }
        let standing = Arc::new(RwLock::new(read(index, run, catalog)?));
        // One that a job writes is held by the job, and must stay the one that questions read.
        while held.len() >= MOST
            && let Some(place) = held.iter().position(|(_, standing)| Arc::strong_count(standing) == 1)
        {
            held.remove(place);
        }
        held.push((of, Arc::clone(&standing)));
        Ok(standing)
    }

    /// Forgets what stands of a run.
    pub(crate) fn forget(&self, run: RunId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|((_, of), _)| *of != run);
    }
}

fn read(index: &LabelIndex, run: RunId, catalog: &Catalog) -> Result<Standing, LabelError> {
    let find = |key: &str, version: [u8; 16]| {
        let Some(sample) = catalog.find(key) else { return Found::Gone };
        let now = catalog.get(sample).map(|entry| entry.version.to_bytes());
        if now == Some(version) { Found::Here(sample.0) } else { Found::OtherVersion(sample.0) }
    };
    Standing::read(index, run, catalog.len(), &find)
}
