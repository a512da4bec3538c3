//! Memory for the features of trainings, apart from that for samples in flight: it is held for as long as a training
//! lasts, and must keep no sample waiting.

use std::sync::Arc;

use headwater_types::ByteCount;
use headwater_wire::status::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The memory for the features of all trainings.
#[derive(Debug)]
pub(super) struct TrainingMemory {
    /// In KiB.
    free: Arc<Semaphore>,
    total: ByteCount,
}

/// A training's part. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit);

// === impl TrainingMemory ===

impl TrainingMemory {
    pub(super) fn new(total: ByteCount) -> Self {
        let places = total.as_usize() / 1024;
        Self { free: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))), total }
    }

    /// A part of this size.
    ///
    /// # Errors
    /// [`Refusal::NotTrained`] where so much is not free.
    pub(super) fn take(&self, bytes: u64) -> Result<Held, Refusal> {
        let places = u32::try_from(bytes.div_ceil(1024)).ok();
        let held = places.and_then(|places| Arc::clone(&self.free).try_acquire_many_owned(places).ok());
        held.map(Held).ok_or_else(|| {
            let (needed, total) = (ByteCount::new(bytes), self.total);
            let free = ByteCount::new(self.free.available_permits() as u64 * 1024);
            let message = format!(
                "the features of this training take {needed}, and of the {total} that the server has for trainings \
                 {free} are free: start it with a larger --training-memory, or train on fewer samples"
            );
            Refusal::NotTrained { message }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_once_and_given_back() {
        let memory = TrainingMemory::new(ByteCount::new(10 << 10));
        let first = memory.take(6 << 10).unwrap();
        let refused = memory.take(5 << 10).unwrap_err().to_string();
        assert!(refused.contains("--training-memory") && refused.contains("4KiB are free"), "{refused}");
        drop(first);
        assert!(memory.take(10 << 10).is_ok());
        assert!(memory.take(u64::MAX).is_err());
    }
}
