//! How many bytes of each fetch stream HTTP/2 may have. They cannot be taken back, so where there are many streams each
//! has less.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that HTTP/2 may have of all streams together.
const ALL: usize = 64 << 20;
/// Most bytes of one stream. With its last message they are two batches or three, so that the socket never waits for
/// the next.
const MOST: usize = 256 << 10;
/// Least bytes of one stream, and bytes of one piece of a large sample.
pub(crate) const PIECE: usize = 64 << 10;

/// The number of open streams, which decides what each may have. Clones are the same number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowance(Arc<AtomicUsize>);

/// One of the streams, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share(Allowance);

// === impl Allowance ===

impl Allowance {
    /// Counts one stream more.
    pub(crate) fn share(&self) -> Share {
        self.0.fetch_add(1, Ordering::Relaxed);
        Share(self.clone())
    }
}

// === impl Share ===

impl Share {
    /// Bytes that HTTP/2 may have of this stream now.
    pub(crate) fn bytes(&self) -> usize {
        (ALL / self.0.0.load(Ordering::Relaxed).max(1)).clamp(PIECE, MOST)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_streams_have_less_each_and_none_less_than_a_piece() {
        let allowance = Allowance::default();
        let mut shares = vec![allowance.share()];
        assert_eq!(shares[0].bytes(), MOST);
        shares.extend((1..512).map(|_| allowance.share()));
        assert_eq!(shares[0].bytes(), ALL / 512);
        shares.extend((512..4096).map(|_| allowance.share()));
        assert_eq!(shares[0].bytes(), PIECE);
        shares.truncate(1);
        assert_eq!(shares[0].bytes(), MOST);
    }
}
