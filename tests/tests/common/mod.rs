//! What `tuner extract` has written, for the tests that look into it: the library they share knows no Parquet.

use std::fs::{File, read_dir};
use std::path::Path;

use anyhow::{Context, Result};
use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The rows of all parts of a folder, in no order of parts.
///
/// # Errors
/// A folder that cannot be read, and a part that is no Parquet file.
pub(crate) fn read_parts(folder: &Path) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    for entry in read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "parquet") {
            continue;
        }
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path)?)?.build()?;
        let of_part = reader.collect::<Result<Vec<_>, _>>();
        batches.extend(of_part.with_context(|| path.display().to_string())?);
    }
    Ok(batches)
}
