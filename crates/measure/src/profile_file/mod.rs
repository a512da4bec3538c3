//! A profile as a Parquet file: a row for each sample, in order.
//!
//! | column | type | |
//! |---|---|---|
//! | `server` | uint32, not null | its server's place in `headwater.servers` |
//! | `key` | utf8 | |
//! | `width`, `height` | uint32 | of the decoded photo |
//! | `measured` | boolean, not null | else predicted |
//! | `WAY_bytes` | uint32, not null | payload bytes at each way: `encoded_bytes`, `jpeg_crop_bytes`, `flipped_lossless_bytes` ... |
//! | `WAY_storage_seconds`, `WAY_trainer_seconds` | float64, not null | CPU seconds of both sides |
//!
//! What the profile is of stands in the file's key-value metadata: see [`metadata`].
//!
//! Invariant: [`read`] gives back what [`write`] was given, or an error. Numbers are checked by a digest, and each by itself before it
//! is believed.

mod error;
mod metadata;
mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

use arrow_schema::{DataType, Field, Schema};
use headwater_types::Way;

/// What a way's columns hold.
#[derive(Clone, Copy)]
enum Quantity {
    Bytes,
    StorageSeconds,
    TrainerSeconds,
}

/// In the order of the columns.
const QUANTITIES: [Quantity; 3] = [Quantity::Bytes, Quantity::StorageSeconds, Quantity::TrainerSeconds];
/// Columns before those of the ways.
const FACTS: usize = 5;
/// Rows that are in memory beside the profile.
const BATCH_ROWS: usize = 8192;

// === impl Quantity ===

impl Quantity {
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

fn schema(ways: &[Way]) -> Schema {
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

#[cfg(test)]
mod tests;
