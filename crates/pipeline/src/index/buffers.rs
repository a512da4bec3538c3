//! Buffers of threads that glimpse, which take them one after the other.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use headwater_cache::GlimpseBuffer;
use headwater_types::ByteCount;

/// Largest buffer that is kept for the next glimpse. There is one for each thread that glimpses.
const KEEP_BUFFER: ByteCount = ByteCount::mebibytes(4);

/// Buffers that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Vec<GlimpseBuffer>>);

/// A buffer in use. Dropped, it is kept, unless it grew to be worth more than the time that it saves.
pub(crate) struct Lent<'a> {
    home: &'a Buffers,
    buffer: GlimpseBuffer,
}

// === impl Buffers ===

impl Buffers {
    pub(super) fn lend(&self) -> Lent<'_> {
        let buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        Lent { home: self, buffer }
    }
}

// === impl Lent ===

impl Deref for Lent<'_> {
    type Target = GlimpseBuffer;

    fn deref(&self) -> &GlimpseBuffer {
        &self.buffer
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut GlimpseBuffer {
        &mut self.buffer
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.capacity() <= KEEP_BUFFER {
            self.home.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
        }
    }
}
