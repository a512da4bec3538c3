//! Fronts of cut networks, open for clients that run what lies behind the cut.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_features::Extractor;
use headwater_types::Digest;
use headwater_types::caps::MAX_OPEN_FRONTS;

/// The fronts that are open, or being opened. Each holds weights and sessions of its own, so that there are few.
#[derive(Default)]
pub(super) struct Fronts(Mutex<Vec<Front>>);

/// Where a front comes to be, once it is open.
type Place = Arc<Mutex<Option<Arc<Extractor>>>>;

struct Front {
    digest: Digest,
    /// Held while it is opened: whoever else wants it waits.
    opened: Place,
    used: Instant,
}

// === impl Fronts ===

impl Fronts {
    /// The front of this digest; `open` opens it where it is not open. Past the limit, the one that was not used for
    /// longest is let go: calls that have it go on with it. Blocks while it is opened.
    ///
    /// # Errors
    /// Those of `open`, after which nothing is held.
    pub(super) fn get<E>(
        &self,
        digest: Digest,
        open: impl FnOnce() -> Result<Extractor, E>,
    ) -> Result<Arc<Extractor>, E> {
        let (place, gone) = self.place(digest);
        // Dropped behind the lock: their workers end with the run that each is in.
        drop(gone);
        let mut opened = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(front) = &*opened {
            return Ok(Arc::clone(front));
        }
        match open() {
            Ok(front) => Ok(Arc::clone(opened.insert(Arc::new(front)))),
            Err(error) => {
                self.lock().retain(|front| front.digest != digest);
                Err(error)
            }
        }
    }

    /// The front of this digest, where it is open.
    pub(super) fn find(&self, digest: Digest) -> Option<Arc<Extractor>> {
        let mut fronts = self.lock();
        let front = fronts.iter_mut().find(|front| front.digest == digest)?;
        // One that is being opened is locked.
        let opened = front.opened.try_lock().ok()?.clone()?;
        front.used = Instant::now();
        Some(opened)
    }

    /// Lets go of those that nobody has asked for in so long.
    pub(super) fn let_go(&self, keep: Duration) {
        let gone: Vec<_> = self.lock().extract_if(.., |front| front.used.elapsed() >= keep).collect();
        for front in gone {
            tracing::info!(digest = %front.digest.short(), "the front of a cut network is let go");
        }
    }

    /// The place of a front, which is made where there is none, and those that have to go for it.
    fn place(&self, digest: Digest) -> (Place, Vec<Front>) {
        let mut fronts = self.lock();
        let used = Instant::now();
        if let Some(front) = fronts.iter_mut().find(|front| front.digest == digest) {
            front.used = used;
            return (Arc::clone(&front.opened), Vec::new());
        }
        fronts.sort_by_key(|front| front.used);
        let too_many = (fronts.len() + 1).saturating_sub(MAX_OPEN_FRONTS);
        let gone = fronts.drain(..too_many).collect();
        let opened = Place::default();
        fronts.push(Front { digest, opened: Arc::clone(&opened), used });
        (opened, gone)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Front>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
