//! A profile into its file.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt32Array};
use headwater_cli::OutputFile;
use headwater_cli::outputs::Written;
use headwater_plan::{Profile, SampleFacts};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::columns::{BATCH_ROWS, QUANTITIES, Quantity, schema};
use super::error::ProfileFileError;
use super::metadata::Metadata;

/// Rows of a group, which the writer holds in memory until it is full: at ten ways 13 MB.
const GROUP_ROWS: usize = 8 * BATCH_ROWS;

/// Writes a profile, whole or not at all: into its place or, where that cannot take it, into another, for it took
/// minutes to measure.
///
/// # Errors
/// Those of the file system and of the writer.
pub fn write(output: OutputFile, profile: &Profile) -> Result<Written, ProfileFileError> {
    // Numbers hardly repeat: dictionaries would be built and thrown away, and their minimum and maximum help nobody.
    let properties = WriterProperties::builder()
        .set_created_by(concat!("headwater ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_key_value_metadata(Some(Metadata::to_key_values(profile)?))
        .build();
    let schema = Arc::new(schema(profile.ways()));
    Ok(output.write_somewhere(|sink| {
        let mut writer = ArrowWriter::try_new(sink, Arc::clone(&schema), Some(properties.clone()))?;
        for first in (0..profile.len()).step_by(BATCH_ROWS) {
            let rows = first..profile.len().min(first + BATCH_ROWS);
            writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns(profile, rows))?)?;
        }
        writer.close()?;
        Ok::<_, ProfileFileError>(())
    })?)
}

fn columns(profile: &Profile, rows: std::ops::Range<usize>) -> Vec<ArrayRef> {
    let facts = |index| profile.facts(index).unwrap_or_default();
    let fact = |get: fn(&SampleFacts<'_>) -> Option<u32>| -> ArrayRef {
        Arc::new(rows.clone().map(|index| get(&facts(index))).collect::<UInt32Array>())
    };
    let server = |index| profile.server_of(index).unwrap_or_default() as u32;
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(rows.clone().map(server).collect::<UInt32Array>()),
        Arc::new(rows.clone().map(|index| facts(index).key).collect::<StringArray>()),
        fact(|facts| facts.width),
        fact(|facts| facts.height),
        Arc::new(rows.clone().map(|index| Some(facts(index).measured)).collect::<BooleanArray>()),
    ];
    for way in 0..profile.ways().len() {
        let cost = |index| profile.cost(index, way).unwrap_or_default();
        columns.extend(QUANTITIES.map(|quantity| -> ArrayRef {
            match quantity {
                // A profile's payloads are below 4 GiB.
                Quantity::Bytes => {
                    Arc::new(rows.clone().map(|index| cost(index).bytes as u32).collect::<UInt32Array>())
                }
                Quantity::StorageSeconds => {
                    Arc::new(rows.clone().map(|index| cost(index).storage_seconds).collect::<Float64Array>())
                }
                Quantity::TrainerSeconds => {
                    Arc::new(rows.clone().map(|index| cost(index).trainer_seconds).collect::<Float64Array>())
                }
            }
        }));
    }
    columns
}
