//! A catalog that a listing is compared with while it comes: what is the same costs one bit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::body::Body;
use super::columns::UNLABELLED;
use super::spot::Spot;

/// What an earlier listing found, and which of it was found again. Clones mark the same samples, each from a place of
/// its own.
#[derive(Clone, Debug)]
pub(super) struct Base {
    body: Arc<Body>,
    /// A bit for each sample.
    seen: Arc<[AtomicU64]>,
    /// Where the next key is likely to stand.
    next: usize,
}

/// What a sample of a listing is to the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is there, and the same.
    Same,
    /// It is there and the same, and was found before.
    Again,
    /// It is another than in the base, or not there.
    New,
}

// === impl Base ===

impl Base {
    pub(super) fn new(body: &Arc<Body>) -> Self {
        let seen = (0..body.columns.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { body: Arc::clone(body), seen, next: 0 }
    }

    pub(super) fn body(&self) -> &Arc<Body> {
        &self.body
    }

    /// Marks a sample that is the same as in the base. `label` is the name of a given one.
    pub(super) fn see(&mut self, key: &str, spot: Spot<'_>, label: Option<&str>, record: &[u8]) -> Seen {
        let found = self.body.columns.find_near(key, self.next);
        let at = match found {
            Ok(at) => at,
            Err(at) => {
                self.next = at;
                return Seen::New;
            }
        };
        self.next = at + 1;
        if !self.is_same(at, spot, label, record) {
            return Seen::New;
        }
        let bit = 1 << (at % 64);
        match self.seen[at / 64].fetch_or(bit, Ordering::Relaxed) & bit {
            0 => Seen::Same,
            _ => Seen::Again,
        }
    }

    /// The positions of the samples that were found again.
    pub(super) fn seen(&self) -> impl Iterator<Item = usize> {
        (0..self.body.columns.len()).filter(|at| self.seen[at / 64].load(Ordering::Relaxed) >> (at % 64) & 1 == 1)
    }

    /// Whether all samples were found again.
    pub(super) fn is_whole(&self) -> bool {
        let seen: u64 = self.seen.iter().map(|bits| u64::from(bits.load(Ordering::Relaxed).count_ones())).sum();
        seen == self.body.columns.len() as u64
    }

    fn is_same(&self, at: usize, spot: Spot<'_>, label: Option<&str>, record: &[u8]) -> bool {
        let Body { columns, classes, is_given, .. } = &*self.body;
        let class = classes.get(columns.label(at) as usize).map(String::as_str);
        let has_label = match label {
            // Its folder may be its class, which then is the same since the key is.
            None => !is_given || columns.label(at) == UNLABELLED,
            Some(name) => *is_given && class == Some(name),
        };
        has_label && columns.spot(at) == Some(spot) && columns.records.get(at) == record
    }
}
