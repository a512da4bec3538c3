//! Fronts of cut networks, open for clients that run what lies behind the cut.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_features::Extractor;
use headwater_types::Digest;
use headwater_types::caps::MAX_OPEN_FRONTS;

/// The fronts that are open, or being opened. Each holds weights and sessions of its own, so that there are few.
pub(super) struct Fronts<F = Extractor>(Mutex<Vec<Front<F>>>);

/// Where a front comes to be, once it is open.
type Place<F> = Arc<Mutex<Option<Arc<F>>>>;

struct Front<F> {
    digest: Digest,
    /// Held while it is opened: whoever else wants it waits.
    opened: Place<F>,
    used: Instant,
}

// === impl Fronts ===

impl<F> Fronts<F> {
    /// The front of this digest; `open` opens it where it is not open. Past the limit, the one that was not used for
    /// longest is let go: calls that have it go on with it. Blocks while it is opened.
    ///
    /// # Errors
    /// Those of `open`, after which nothing is held.
    pub(super) fn get<E>(&self, digest: Digest, open: impl FnOnce() -> Result<F, E>) -> Result<Arc<F>, E> {
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
    pub(super) fn find(&self, digest: Digest) -> Option<Arc<F>> {
        let mut fronts = self.lock();
        let front = fronts.iter_mut().find(|front| front.digest == digest)?;
        // One that is being opened is locked.
        let opened = front.opened.try_lock().ok()?.clone()?;
        front.used = Instant::now();
        Some(opened)
    }

    /// Every front that is open.
    pub(super) fn open(&self) -> Vec<Arc<F>> {
        self.lock().iter().filter_map(|front| front.opened.try_lock().ok()?.clone()).collect()
    }

    /// Lets go of those that nobody has asked for in so long.
    pub(super) fn let_go(&self, keep: Duration) {
        let gone: Vec<_> = self.lock().extract_if(.., |front| front.used.elapsed() >= keep).collect();
        for front in gone {
            tracing::info!(digest = %front.digest.short(), "the front of a cut network is let go");
        }
    }

    /// The place of a front, which is made where there is none, and those that have to go for it.
    fn place(&self, digest: Digest) -> (Place<F>, Vec<Front<F>>) {
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

    fn lock(&self) -> MutexGuard<'_, Vec<Front<F>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Default for Fronts<F> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    fn opened(fronts: &Fronts<usize>, number: usize) -> usize {
        *fronts.get(digest(number), || Ok::<_, ()>(number)).unwrap()
    }

    #[test]
    fn few_are_open_and_the_one_that_was_not_used_for_longest_goes() {
        let fronts = Fronts::default();
        (0..MAX_OPEN_FRONTS).for_each(|number| assert_eq!(opened(&fronts, number), number));
        assert_eq!(fronts.find(digest(0)).as_deref(), Some(&0));
        opened(&fronts, MAX_OPEN_FRONTS);
        assert_eq!((fronts.open().len(), fronts.find(digest(1))), (MAX_OPEN_FRONTS, None));
        assert!(fronts.find(digest(0)).is_some());
        fronts.let_go(Duration::ZERO);
        assert!(fronts.open().is_empty());
    }

    #[test]
    fn one_opens_a_front_while_the_others_wait_and_one_that_fails_leaves_nothing() {
        let fronts = Fronts::default();
        assert_eq!(fronts.get(digest(1), || Err("no")), Err("no"));
        assert!(fronts.find(digest(1)).is_none() && fronts.lock().is_empty());
        let times = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let open = || Ok::<_, ()>(times.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
                    assert_eq!(fronts.get(digest(1), open).as_deref(), Ok(&0));
                });
            }
        });
        assert_eq!(times.into_inner(), 1);
    }
}
