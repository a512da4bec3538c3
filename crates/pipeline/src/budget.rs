//! Memory as a resource that is asked for: promise 3.
//!
//! There are two budgets, for encoded bytes and for what is made of them. A sample holds encoded bytes while it waits
//! for the second, and never the other way round, so that samples cannot wait for each other in a circle.

use std::sync::Arc;

use headwater_types::{ByteCount, FailureKind, SampleFailure};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes per permit of the semaphore: it counts in 32 bits at a time, and a byte each would end at 4 GiB.
const GRAIN: u64 = 1024;

/// A number of bytes that samples in flight may take together.
#[derive(Clone)]
pub struct MemoryBudget {
    semaphore: Arc<Semaphore>,
    total: u32,
}

/// Granted memory; given back when dropped. Travels inside the value that it protects.
#[must_use = "dropping a permit gives the memory back"]
pub struct Permit {
    /// `None` holds nothing.
    inner: Option<OwnedSemaphorePermit>,
}

// === impl MemoryBudget ===

impl MemoryBudget {
    /// A budget of so many bytes (at least 1 KiB, at most 4 TiB).
    pub fn new(total: ByteCount) -> Self {
        let total = grains(total).max(1);
        Self { semaphore: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits, first come first served, until so many bytes are free.
    ///
    /// # Errors
    /// `LimitExceeded` for more than the whole budget, which would wait for ever.
    pub async fn acquire(&self, bytes: ByteCount) -> Result<Permit, SampleFailure> {
        let wanted = grains(bytes);
        if wanted > self.total {
            let message = format!(
                "needs {bytes} of memory, more than the {} that samples may take together: raise --memory",
                self.total()
            );
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        let stopping = |_| SampleFailure::new(FailureKind::Unavailable, "the server is stopping");
        Ok(Permit { inner: Some(Arc::clone(&self.semaphore).acquire_many_owned(wanted).await.map_err(stopping)?) })
    }

    /// Bytes granted and not yet given back.
    pub fn in_use(&self) -> ByteCount {
        ByteCount::new((u64::from(self.total)).saturating_sub(self.semaphore.available_permits() as u64) * GRAIN)
    }

    /// The whole budget.
    pub fn total(&self) -> ByteCount {
        ByteCount::new(u64::from(self.total) * GRAIN)
    }
}

// === impl Permit ===

impl Permit {
    /// Gives back what is more than so many bytes.
    pub fn shrink_to(&mut self, bytes: ByteCount) {
        if let Some(inner) = &mut self.inner {
            let excess = inner.num_permits().saturating_sub(grains(bytes) as usize);
            drop(inner.split(excess));
        }
    }

    /// Takes a part of it, of so many bytes or of what is left.
    pub fn split(&mut self, bytes: ByteCount) -> Self {
        let part = |inner: &mut OwnedSemaphorePermit| inner.split(inner.num_permits().min(grains(bytes) as usize));
        Self { inner: self.inner.as_mut().and_then(part) }
    }
}

fn grains(bytes: ByteCount) -> u32 {
    u32::try_from(bytes.get().div_ceil(GRAIN)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_is_granted_once_and_given_back() {
        let budget = MemoryBudget::new(ByteCount::mebibytes(4));
        let mut first = budget.acquire(ByteCount::mebibytes(3)).await.unwrap();
        let second = tokio::spawn({
            let budget = budget.clone();
            async move { budget.acquire(ByteCount::mebibytes(2)).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        first.shrink_to(ByteCount::mebibytes(1));
        second.await.unwrap().unwrap();
        assert_eq!(budget.in_use(), ByteCount::mebibytes(1));
        drop(first);
        assert_eq!(budget.in_use(), ByteCount::new(0));
    }

    #[tokio::test]
    async fn a_part_outlives_the_rest() {
        let budget = MemoryBudget::new(ByteCount::mebibytes(4));
        let mut run = budget.acquire(ByteCount::mebibytes(3)).await.unwrap();
        let parts = [run.split(ByteCount::mebibytes(1)), run.split(ByteCount::mebibytes(7))];
        drop(run);
        assert_eq!(budget.in_use(), ByteCount::mebibytes(3));
        drop(parts);
        assert_eq!(budget.in_use(), ByteCount::new(0));
    }

    #[tokio::test]
    async fn more_than_everything_is_refused_and_does_not_wait() {
        let budget = MemoryBudget::new(ByteCount::mebibytes(1));
        let failure = budget.acquire(ByteCount::mebibytes(2)).await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::LimitExceeded);
        assert!(failure.message.contains("--memory"), "{failure}");
    }
}
