//! What a catalog holds of its samples beside their labels: a few bytes each, which only the fields' reader
//! understands.

/// The records of samples, in step with their keys: nothing at all where no sample has one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    /// All records, one after the other.
    pub(super) bytes: Vec<u8>,
    /// The place in `bytes` where each record ends. Shorter than the keys where the last samples have none.
    pub(super) ends: Vec<u64>,
}

// === impl Records ===

impl Records {
    /// Sets the record of the sample at this position, which comes after all that have one.
    pub(super) fn push(&mut self, at: usize, record: &[u8]) {
        if !record.is_empty() {
            self.ends.resize(at, self.bytes.len() as u64);
            self.bytes.extend_from_slice(record);
            self.ends.push(self.bytes.len() as u64);
        }
    }

    /// The record of the sample at this position; empty where it has none.
    pub(super) fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        self.ends.get(at).and_then(|end| self.bytes.get(start..*end as usize)).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The memory that the records take.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.bytes) + size_of_val(&*self.ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_without_a_record_cost_nothing_behind_the_last_that_has_one() {
        let mut records = Records::default();
        for (at, record) in [b"".as_slice(), b"ab", b"", b"", b"c", b"", b""].into_iter().enumerate() {
            records.push(at, record);
        }
        let all: Vec<_> = (0..8).map(|at| records.get(at)).collect();
        assert_eq!(all, [b"".as_slice(), b"ab", b"", b"", b"c", b"", b"", b""]);
        assert_eq!((records.ends.len(), records.memory()), (5, 5 * 8 + 3));
        assert!(Records::default().is_empty() && Records::default().memory() == 0);
    }
}
