//! Photos that arrive: taken into a dataset, labelled, and served with its next generation.
//!
//! ```text
//!           ┌─▶ known? ─▶ the key under which its bytes are
//! photo ────┤                                                ┌─▶ answer
//!           └─▶ staged ──────────────────────┬─▶ published ──┤
//!               examined: decoded, labelled ─┘               └─▶ follow: list anew, label what is new
//! ```
//!
//! Invariants: what is answered with a key is in the dataset, whole and durable; the same bytes are there once, however
//! often they come; what is no photo is nowhere. What a killed server had answered and not labelled is labelled after
//! its next start.

mod arrivals;
mod busy;
mod examined;
mod keys;
mod known;
mod labellers;

mod intake;

mod follow;

use std::sync::Arc;

use headwater_types::DatasetName;
use headwater_types::caps::INGEST_BYTES;
use headwater_wire::status::Refusal;
use tokio::sync::Semaphore;

use crate::args::IngestSpec;
use crate::open::Opener;
use crate::served::Served;

pub(crate) use follow::follow;
pub(crate) use intake::{Arrived, Intake};

/// The datasets of a server that take photos.
pub(crate) struct Intakes(Vec<Arc<Intake>>);

// === impl Intakes ===

impl Intakes {
    /// The intakes that the settings name, which were checked.
    pub(crate) fn new(specs: &[IngestSpec], datasets: &[(Arc<Served>, Arc<Opener>)]) -> Self {
        let bodies = Arc::new(Semaphore::new(INGEST_BYTES.as_usize() >> 10));
        let intake = |spec: &IngestSpec| {
            let (served, opener) = datasets.iter().find(|(served, _)| served.name == spec.dataset)?;
            Some(Arc::new(Intake::new(spec.clone(), (served, opener), &bodies)))
        };
        Self(specs.iter().filter_map(intake).collect())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Intake>> {
        self.0.iter()
    }

    /// The intake of a dataset that is served.
    ///
    /// # Errors
    /// One that takes no photos.
    pub(crate) fn find(&self, dataset: &DatasetName) -> Result<&Arc<Intake>, Refusal> {
        let read_only = || Refusal::ReadOnly {
            dataset: dataset.to_string(),
            reason: format!("start the server with --ingest {dataset}"),
        };
        self.0.iter().find(|intake| intake.spec.dataset == *dataset).ok_or_else(read_only)
    }
}
