//! When runs were extracted and trained on, to tell how much of the extraction ran while training did.

use std::time::{Duration, Instant};

/// From one moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    begin: Instant,
    end: Instant,
}

// === impl Span ===

impl Span {
    /// A span that begins now.
    pub fn begin() -> Self {
        let now = Instant::now();
        Self { begin: now, end: now }
    }

    /// Lets it end now.
    pub fn end(&mut self) {
        self.end = Instant::now();
    }

    /// How long it took, in seconds.
    pub fn seconds(&self) -> f64 {
        self.end.duration_since(self.begin).as_secs_f64()
    }

    /// How long both were under way, in seconds.
    pub fn overlap(&self, other: &Self) -> f64 {
        let shared = self.end.min(other.end).checked_duration_since(self.begin.max(other.begin));
        shared.unwrap_or(Duration::ZERO).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_overlap_where_both_are() {
        let zero = Instant::now();
        let span = |begin, end| {
            let at = |seconds| zero + Duration::from_secs(seconds);
            Span { begin: at(begin), end: at(end) }
        };
        for (a, b, shared) in
            [((0, 4), (3, 9), 1.0), ((0, 4), (4, 9), 0.0), ((0, 4), (5, 9), 0.0), ((0, 9), (2, 3), 1.0)]
        {
            let (a, b) = (span(a.0, a.1), span(b.0, b.1));
            assert_eq!((a.overlap(&b), b.overlap(&a)), (shared, shared));
        }
    }
}
