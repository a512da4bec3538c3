//! The samples of a catalog, column by column: 24 bytes a sample beside its key and its record, whether samples are
//! objects of their own, ranges of objects or rows of them.
//!
//! A listing gathers its columns in the order in which it finds samples, and sorts them at its end: see `merge`. The
//! columns of a catalog are sorted by key in byte order, and have each key once.

use headwater_types::ByteCount;

use super::ends::Ends;
use super::places::Places;
use super::records::Records;
use super::spot::Spot;

/// The label of a sample that has none. No class has this number, since there are at most `MAX_CLASSES`.
pub(super) const UNLABELLED: u32 = u32::MAX;

/// Keys, places, labels and records of samples, in step.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// All keys, one after the other.
    pub(super) keys: String,
    /// The place in `keys` where each key ends. A key begins where the key before it ends.
    pub(super) ends: Ends,
    pub(super) places: Places,
    /// Of columns that are gathered: which of the given labels each sample has, and shorter than the keys where the
    /// last samples have none. Of a catalog: the number of each sample's class.
    pub(super) labels: Vec<u32>,
    pub(super) records: Records,
}

// === impl Columns ===

impl Columns {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn key(&self, at: usize) -> Option<&str> {
        let start = if at == 0 { 0 } else { self.ends.get(at - 1)? };
        self.keys.get(start..self.ends.get(at)?)
    }

    pub(super) fn spot(&self, at: usize) -> Option<Spot<'_>> {
        self.places.spot(at, self.key(at)?)
    }

    pub(super) fn label(&self, at: usize) -> u32 {
        self.labels.get(at).copied().unwrap_or(UNLABELLED)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|at| self.key(at))
    }

    /// The position of the sample with this key, among sorted keys.
    pub(super) fn find(&self, key: &str) -> Result<usize, usize> {
        self.find_within(key, 0, self.len())
    }

    /// The same, of a key that is likely to stand at `near` or not far from it, as the next key of a listing is.
    pub(super) fn find_near(&self, key: &str, near: usize) -> Result<usize, usize> {
        let is_below = |at: usize| self.key(at).is_some_and(|found| found < key);
        let (mut low, mut high, mut step) = (near.min(self.len()), near.min(self.len()), 1);
        if is_below(low) {
            while is_below(high) {
                low = high;
                high = (high + step).min(self.len());
                step *= 2;
            }
            // What stands at `high` is not below the key.
            high = (high + 1).min(self.len());
        } else {
            while low > 0 && !is_below(low) {
                high = (low + 1).min(self.len());
                low = low.saturating_sub(step);
                step *= 2;
            }
            high = if low == near { (high + 1).min(self.len()) } else { high };
        }
        self.find_within(key, low, high)
    }

    /// Adds a sample; `false` where it cannot be held. `label` is a given one.
    pub(super) fn push(&mut self, key: &str, spot: Spot<'_>, label: u32, record: &[u8]) -> bool {
        if !spot.is_own(key) {
            self.hold_parts();
        }
        let added = self.places.push(key, spot);
        if added {
            let at = self.len();
            if label != UNLABELLED {
                self.labels.resize(at, UNLABELLED);
                self.labels.push(label);
            }
            self.records.push(at, record);
            self.keys.push_str(key);
            self.ends.push(self.keys.len());
        }
        added
    }

    /// Adds what was gathered elsewhere; `label` says what each of its labels is here.
    pub(super) fn absorb(&mut self, other: Self, label: impl Fn(u32) -> u32) {
        if self.is_empty() && other.labels.is_empty() {
            *self = other;
            return;
        }
        for (at, key) in other.keys().enumerate() {
            if let Some(spot) = other.places.spot(at, key) {
                let given = other.label(at);
                let given = if given == UNLABELLED { given } else { label(given) };
                self.push(key, spot, given, other.records.get(at));
            }
        }
    }

    /// Makes room for samples that are parts of objects.
    fn hold_parts(&mut self) {
        if matches!(self.places, Places::Whole(_)) {
            let mut parts = Places::parts(self.len());
            for (at, key) in self.keys().enumerate() {
                if let Some(spot) = self.places.spot(at, key) {
                    // An object that is whole fits among parts.
                    parts.push(key, spot);
                }
            }
            self.places = parts;
        }
    }

    fn find_within(&self, key: &str, mut low: usize, mut high: usize) -> Result<usize, usize> {
        while low < high {
            let middle = low.midpoint(high);
            match self.key(middle).unwrap_or_default().cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// The samples' encoded sizes, all together, as far as they are known.
    pub(super) fn bytes_total(&self) -> ByteCount {
        let sizes = (0..self.len()).filter_map(|at| self.places.spot(at, "")).map(|spot| spot.size().get());
        ByteCount::new(sizes.fold(0, u64::saturating_add))
    }

    /// The memory that the columns take.
    pub(super) fn memory(&self) -> usize {
        let ends_and_labels = self.ends.memory() + size_of_val(&*self.labels);
        self.keys.len() + ends_and_labels + self.places.memory() + self.records.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn a_key_is_found_from_wherever_the_search_begins() {
        let mut columns = Columns::default();
        let keys: Vec<_> = (0..50).map(|n| format!("k{:02}", 2 * n)).collect();
        keys.iter()
            .for_each(|key| assert!(columns.push(key, Spot::whole(key, Version::of_file(1, 2, 3)), UNLABELLED, b"")));
        for near in [0, 1, 7, 25, 48, 49, 50, 99] {
            for n in 0..101 {
                let key = format!("k{n:02}");
                let sorted = keys.binary_search(&key);
                assert_eq!(columns.find_near(&key, near), sorted, "{key} from {near}");
                assert_eq!(columns.find(&key), sorted);
            }
        }
    }
}
