//! The columns of a profile, and how many of its rows are held at once.

use arrow_schema::{DataType, Field, Schema};
use headwater_types::Way;

/// What one column of a way holds.
#[derive(Clone, Copy)]
pub(super) enum Quantity {
    Bytes,
    StorageSeconds,
    TrainerSeconds,
}

/// The quantities of a way, in the order of its columns.
pub(super) const QUANTITIES: [Quantity; 3] = [Quantity::Bytes, Quantity::StorageSeconds, Quantity::TrainerSeconds];
/// The number of columns before the columns of the ways.
pub(super) const FACTS: usize = 5;
/// Rows that are read or written at once.
pub(super) const BATCH_ROWS: usize = 8192;

// === impl Quantity ===

impl Quantity {
    /// The name of the column.
    fn column(self, way: Way) -> String {
        let way = way.to_string().replace(['-', '+'], "_");
        match self {
            Self::Bytes => format!("{way}_bytes"),
            Self::StorageSeconds => format!("{way}_storage_seconds"),
            Self::TrainerSeconds => format!("{way}_trainer_seconds"),
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Bytes => DataType::UInt32,
            Self::StorageSeconds | Self::TrainerSeconds => DataType::Float64,
        }
    }
}

/// All columns of a profile of these ways.
pub(super) fn schema(ways: &[Way]) -> Schema {
    let mut fields = vec![
        Field::new("server", DataType::UInt32, false),
        Field::new("key", DataType::Utf8, true),
        Field::new("width", DataType::UInt32, true),
        Field::new("height", DataType::UInt32, true),
        Field::new("measured", DataType::Boolean, false),
    ];
    for &way in ways {
        fields.extend(QUANTITIES.map(|quantity| Field::new(quantity.column(way), quantity.data_type(), false)));
    }
    Schema::new(fields)
}
