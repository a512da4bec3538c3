//! Names of traces and spans: bytes that nobody else has.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// The name of a trace. Never all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub [u8; 16]);

/// The name of a span. Never all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub [u8; 8]);

/// Gives names. The keys of the standard library's hash tables come from the system, once for each thread and its
/// copies in forked processes: the process and the time of the start keep those apart.
#[derive(Debug)]
pub(crate) struct Ids {
    keys: RandomState,
    process: (u32, Option<SystemTime>),
    given: AtomicU64,
}

// === impl Ids ===

impl Ids {
    pub(crate) fn new() -> Self {
        let process = (std::process::id(), Some(SystemTime::now()));
        Self { keys: RandomState::new(), process, given: AtomicU64::new(0) }
    }

    pub(crate) fn trace(&self) -> TraceId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        TraceId(bytes)
    }

    pub(crate) fn span(&self) -> SpanId {
        SpanId(self.next().to_be_bytes())
    }

    fn next(&self) -> u64 {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        self.keys.hash_one((self.process, number)).max(1)
    }
}

// === impl TraceId ===

impl TraceId {
    /// The half of it by which a share of all traces is drawn, as every implementation does.
    pub(crate) fn lot(self) -> u64 {
        let [.., a, b, c, d, e, f, g, h] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl SpanId ===

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_are_alike_and_their_bits_are_even() {
        let ids = Ids::new();
        let spans: BTreeSet<_> = (0..10_000).map(|_| ids.span()).collect();
        assert_eq!(spans.len(), 10_000);
        let low = (0..10_000).filter(|_| ids.trace().lot() < u64::MAX / 4).count();
        assert!((2_200..2_800).contains(&low), "{low} of 10,000 in the lowest quarter");
    }

    #[test]
    fn a_copy_of_the_keys_in_another_process_gives_others() {
        let (keys, given) = (RandomState::new(), || AtomicU64::new(0));
        let of = |process| Ids { keys: keys.clone(), process: (process, None), given: given() };
        assert_ne!(of(1).trace(), of(2).trace());
    }
}
