//! The rows of a labels file, sorted by key: columns of bytes, and no text of its own for each row.

use headwater_types::field::Record;
use headwater_types::{Field, FieldKind, Fields};

use super::error::{LabelsError, RowFault};
use super::kinds::{Kinds, Writing, as_kind};

/// The rows of a labels file in the order of their keys, each key once.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) rows: Rows,
    /// The rows in the order of their keys.
    order: Vec<u32>,
    pub(super) fields: Fields,
}

/// The rows as they were read.
#[derive(Debug)]
pub(super) struct Rows {
    keys: Texts,
    /// For each row the place of its label in the labels, or [`NO_LABEL`].
    pub(super) labels: Vec<u32>,
    /// The records: of whatever kinds the cells were, until the rows are sorted. Without a row where there are no
    /// fields.
    records: Bytes,
    pub(super) kinds: Vec<Kinds>,
    pub(super) writing: Writing,
}

/// A row without a label.
pub(super) const NO_LABEL: u32 = u32::MAX;

/// Texts one after the other.
#[derive(Debug, Default)]
struct Texts {
    all: String,
    ends: Vec<u64>,
}

/// Runs of bytes one after the other.
#[derive(Debug, Default)]
struct Bytes {
    all: Vec<u8>,
    ends: Vec<u64>,
}

// === impl Rows ===

impl Rows {
    /// No rows yet, of so many fields.
    pub(super) fn new(fields: usize, writing: Writing) -> Self {
        let (keys, labels, records) = Default::default();
        Self { keys, labels, records, kinds: vec![Kinds::ANY; fields], writing }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn key(&self, row: u32) -> &str {
        let run = run(&self.keys.ends, row as usize);
        self.keys.all.get(run).unwrap_or_default()
    }

    /// Adds a row. The record has a value for each field.
    pub(super) fn push(&mut self, key: &str, label: u32, record: &Record) {
        self.keys.all.push_str(key);
        self.keys.ends.push(self.keys.all.len() as u64);
        self.labels.push(label);
        if !self.kinds.is_empty() {
            self.records.all.extend_from_slice(record.as_bytes());
            self.records.ends.push(self.records.all.len() as u64);
        }
    }

    fn record(&self, row: u32) -> &[u8] {
        self.records.all.get(run(&self.records.ends, row as usize)).unwrap_or_default()
    }

    /// The records with the values of each column in its kind.
    fn of_kinds(&self, kinds: &[FieldKind]) -> Result<Bytes, LabelsError> {
        let mut records = Bytes::default();
        records.ends.reserve_exact(self.len());
        for row in 0..self.len() as u32 {
            let of_kind = |(value, kind)| as_kind(&value, kind, self.writing).unwrap_or_default();
            let record = Record::values(self.record(row), kinds.len()).and_then(|values| {
                Record::of(&values.into_iter().zip(kinds.iter().copied()).map(of_kind).collect::<Vec<_>>())
            });
            let record = record
                .map_err(|error| LabelsError::Row { row: u64::from(row) + 1, reason: RowFault::Record(error) })?;
            records.all.extend_from_slice(record.as_bytes());
            records.ends.push(records.all.len() as u64);
        }
        Ok(records)
    }

    fn say_the_same(&self, one: u32, other: u32) -> bool {
        self.labels[one as usize] == self.labels[other as usize] && self.record(one) == self.record(other)
    }
}

/// Where the run of this number is.
fn run(ends: &[u64], at: usize) -> std::ops::Range<usize> {
    let end = |at: usize| ends.get(at).map_or(0, |end| *end as usize);
    at.checked_sub(1).map_or(0, end)..end(at)
}

// === impl Table ===

impl Table {
    /// Sorts the rows. Rows that are there twice and say the same are one.
    ///
    /// # Errors
    /// Rows of one key that say different things; columns whose values are of no common kind; names that are none of
    /// fields.
    pub(super) fn sorted(mut rows: Rows, names: &[&str]) -> Result<Self, LabelsError> {
        // Rows are counted as they are read, and are fewer than this.
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_by(|one, other| rows.key(*one).cmp(rows.key(*other)));
        let twice = order.windows(2).find(|two| {
            let [one, other] = [two[0], two[1]];
            rows.key(one) == rows.key(other) && !rows.say_the_same(one, other)
        });
        if let Some(two) = twice {
            let [first, second] = [two[0], two[1]].map(|row| u64::from(row) + 1);
            return Err(LabelsError::Twice { key: rows.key(two[0]).to_owned(), first, second });
        }
        order.dedup_by(|one, other| rows.key(*one) == rows.key(*other));
        let kind = |(name, kinds): (&&str, &Kinds)| kinds.kind().ok_or_else(|| LabelsError::Mixed((*name).to_owned()));
        let kinds = names.iter().zip(&rows.kinds).map(kind).collect::<Result<Vec<_>, _>>()?;
        let named = names.iter().zip(&kinds).map(|(name, kind)| Field { name: (*name).to_owned(), kind: *kind });
        let fields = Fields::new(named.collect())?;
        if !fields.is_empty() {
            rows.records = rows.of_kinds(&kinds)?;
        }
        Ok(Self { fields, order, rows })
    }

    /// The number of different keys.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Where a key is among the sorted ones.
    pub(super) fn find(&self, key: &str) -> Option<usize> {
        self.order.binary_search_by(|row| self.rows.key(*row).cmp(key)).ok()
    }

    /// The key at a place.
    pub(super) fn key(&self, at: usize) -> &str {
        self.rows.key(self.order[at])
    }

    /// The place of the label among the different labels, or [`NO_LABEL`].
    pub(super) fn label(&self, at: usize) -> u32 {
        self.rows.labels[self.order[at] as usize]
    }

    /// The record of the fields at a place; empty where the row says nothing.
    pub(super) fn record(&self, at: usize) -> &[u8] {
        self.rows.record(self.order[at])
    }
}
