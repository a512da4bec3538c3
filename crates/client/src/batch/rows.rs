//! A batch and its rows.

use bytes::BytesMut;
use headwater_types::{ClassId, FieldValue, SampleFailure, SampleIndex, SampleKey};

/// Finished samples in one buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The rows one after the other, each [`RowLayout::bytes`](crate::RowLayout::bytes) long.
    pub values: Vec<u8>,
    /// What is known of each row, in the same order.
    pub rows: Vec<BatchRow>,
}

/// What is known of a sample of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRow {
    /// The sample's index in the dataset.
    pub index: SampleIndex,
    /// The sample's key.
    pub key: Option<SampleKey>,
    /// The sample's class.
    pub label: Option<ClassId>,
    /// The values of the fields that the request names, in that order; nothing for a sample that no server gave.
    pub fields: Vec<FieldValue>,
    /// Why the row holds nothing.
    pub failure: Option<SampleFailure>,
}

/// A row and its piece of the batch's buffer.
pub(crate) type WrittenRow = (BytesMut, BatchRow);

// === impl Batch ===

impl Batch {
    /// Joins pieces of one buffer, in order.
    pub(crate) fn join(written: Vec<WrittenRow>) -> Self {
        let mut values = BytesMut::new();
        let mut rows = Vec::with_capacity(written.len());
        for (piece, row) in written {
            // The pieces lie beside each other: no copy. A row that was lost with its thread is another buffer, and
            // copied.
            if values.is_empty() {
                values = piece;
            } else {
                values.unsplit(piece);
            }
            rows.push(row);
        }
        Self { values: values.into(), rows }
    }
}
