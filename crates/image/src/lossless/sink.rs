//! Where coded pixels go: into less room than the pixels take, or nowhere.

use std::io::{self, Write};

/// Keeps fewer than so many bytes, and drops what is past that: the picture travels raw then. Writing to it never
/// fails, because the compressor would panic.
pub(super) struct Sink {
    kept: Vec<u8>,
    most: usize,
    dropped: bool,
}

// === impl Sink ===

impl Sink {
    /// Room for fewer than so many bytes.
    pub(super) fn below(bytes: usize) -> Self {
        let most = bytes.saturating_sub(1);
        Self { kept: Vec::with_capacity(most), most, dropped: false }
    }

    /// What was kept; `None` where something was dropped.
    pub(super) fn into_kept(mut self) -> Option<Vec<u8>> {
        self.kept.shrink_to_fit();
        (!self.dropped).then_some(self.kept)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.kept.len() + bytes.len() <= self.most {
            self.kept.extend_from_slice(bytes);
        } else {
            self.dropped = true;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
