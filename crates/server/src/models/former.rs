//! Models that were replaced, held for clients that began with them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_features::Extractor;
use headwater_types::ModelName;

/// The last model of each name that was replaced: each takes as much memory as the one that serves.
#[derive(Default)]
pub(super) struct Formers(Mutex<BTreeMap<ModelName, Former>>);

struct Former {
    model: Arc<Extractor>,
    used: Instant,
}

// === impl Formers ===

impl Formers {
    /// Holds a model that was replaced just now.
    pub(super) fn hold(&self, model: Arc<Extractor>) {
        let (name, used) = (model.name().clone(), Instant::now());
        self.lock().insert(name, Former { model, used });
    }

    /// The model of this name, if it is held and the one that is wanted.
    pub(super) fn find(&self, name: &ModelName, wanted: impl Fn(&Extractor) -> bool) -> Option<Arc<Extractor>> {
        let mut held = self.lock();
        let former = held.get_mut(name).filter(|former| wanted(&former.model))?;
        former.used = Instant::now();
        Some(Arc::clone(&former.model))
    }

    /// Lets go of those that nobody has asked for in so long.
    pub(super) fn let_go(&self, keep: Duration) {
        // Dropped behind the lock: their workers end with the run that each is in.
        let gone: Vec<_> = self.lock().extract_if(.., |_, former| former.used.elapsed() >= keep).collect();
        for (model, former) in gone {
            let digest = former.model.digest().short();
            tracing::info!(%model, digest, "a model that was replaced is let go");
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ModelName, Former>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
