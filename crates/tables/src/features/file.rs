//! A part as a Parquet file.
//!
//! | column | type | |
//! |---|---|---|
//! | `key` | utf8, not null | the sample's key |
//! | `label` | utf8 | its class's name |
//! | `feature` | fixed-size list of `feature_len` float32, not null | |
//!
//! Invariant: [`read`] gives back what [`write`] was given, or an error; never a row that was not written. The digest
//! in the footer is of the content and not of the file, which could not hold its own.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::panic::{UnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, FixedSizeListArray, Float32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use headwater_cli::OutputFile;
use headwater_types::ClassId;
use headwater_types::digest::Digester;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::error::PartError;
use super::footer::{self, Footer};
use super::part::{FeatureRow, Part};
use super::provenance::FeatureProvenance;

/// Rows that are read at once.
const BATCH_ROWS: usize = 1024;

/// Writes a part, whole or not at all.
pub(super) fn write(output: OutputFile, provenance: &FeatureProvenance, part: &Part) -> Result<(), PartError> {
    if !part.is_consistent(provenance.feature_len) {
        return Err(PartError::Content("rows and failures do not make up its range"));
    }
    let label = |row: &FeatureRow| row.label.and_then(|class| provenance.class_name(class)).map(str::to_owned);
    let footer = Footer {
        provenance: provenance.clone(),
        range: part.range.clone(),
        failed: part.failed.clone(),
        missing: part.missing.clone(),
    };
    let mut pairs = footer.to_key_values()?;
    let mut digester = Digester::default();
    footer::digest(&pairs, &mut digester);
    digest_content(part, &mut digester);
    pairs.push(footer::digest_entry(digester.finish()));
    let schema = Arc::new(schema(provenance.feature_len)?.with_metadata(footer::shared(&pairs)));
    let DataType::FixedSizeList(element, length) = schema.field(2).data_type().clone() else {
        return Err(PartError::Columns);
    };
    let features = Arc::new(Float32Array::from(part.features.clone()));
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(StringArray::from_iter_values(part.rows.iter().map(|row| row.key.as_str()))),
            Arc::new(part.rows.iter().map(label).collect::<StringArray>()),
            Arc::new(FixedSizeListArray::try_new(element, length, features, None)?),
        ],
    )?;
    let properties = properties().set_key_value_metadata(Some(pairs)).build();
    Ok(output.write(|sink| {
        let mut writer = ArrowWriter::try_new(sink, schema, Some(properties))?;
        writer.write(&batch)?;
        Ok::<_, ParquetError>(writer.into_inner()?.flush()?)
    })?)
}

/// Reads a part and checks every byte of it.
pub fn read(path: &Path) -> Result<(FeatureProvenance, Part), PartError> {
    guarded(|| read_pages(path))
}

/// Reads what a part answers for, and nothing else of it; its content is not checked.
pub(super) fn read_footer(path: &Path) -> Result<Footer, PartError> {
    guarded(|| {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&File::open(path)?)?;
        Ok(Footer::from_key_values(key_values(&metadata))?)
    })
}

/// Of some damaged files the Parquet reader is not an error but a panic (parquet 60: a page of a dictionary's values
/// without the dictionary). Nothing outlives `reading` that a panic could leave half done.
fn guarded<T>(reading: impl FnOnce() -> Result<T, PartError> + UnwindSafe) -> Result<T, PartError> {
    catch_unwind(reading).unwrap_or(Err(PartError::Content("its pages are damaged")))
}

fn read_pages(path: &Path) -> Result<(FeatureProvenance, Part), PartError> {
    // Whole, so that what the disk cannot give (stop) is told from what it gives and is no part (extract again).
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(fs::read(path)?))?;
    let pairs = key_values(builder.metadata());
    let Footer { provenance, range, failed, missing } = Footer::from_key_values(pairs)?;
    if builder.schema().fields != schema(provenance.feature_len)?.fields {
        return Err(PartError::Columns);
    }
    let classes: HashMap<&str, ClassId> =
        (0..).map(ClassId).zip(&provenance.classes).map(|(class, name)| (name.as_str(), class)).collect();
    let mut part = Part { range, rows: Vec::new(), features: Vec::new(), failed, missing };
    let mut digester = Digester::default();
    footer::digest(pairs, &mut digester);
    let expected = footer::said_digest(pairs)?;
    for batch in builder.with_batch_size(BATCH_ROWS).build()? {
        append(&mut part, &batch?, &classes)?;
    }
    if !part.is_consistent(provenance.feature_len) {
        return Err(PartError::Content("rows and failures do not make up its range"));
    }
    digest_content(&part, &mut digester);
    if digester.finish() != expected {
        return Err(PartError::Content("the digest differs"));
    }
    Ok((provenance, part))
}

fn key_values(metadata: &ParquetMetaData) -> &[KeyValue] {
    metadata.file_metadata().key_value_metadata().map(Vec::as_slice).unwrap_or_default()
}

fn append(part: &mut Part, batch: &RecordBatch, classes: &HashMap<&str, ClassId>) -> Result<(), PartError> {
    let keys = batch.column(0).as_string_opt::<i32>().ok_or(PartError::Columns)?;
    let labels = batch.column(1).as_string_opt::<i32>().ok_or(PartError::Columns)?;
    let features = batch.column(2).as_fixed_size_list_opt().ok_or(PartError::Columns)?;
    for (key, label) in keys.iter().zip(labels) {
        let key = key.and_then(|key| key.parse().ok()).ok_or(PartError::Content("a key is no key"))?;
        let class = |name| classes.get(name).copied().ok_or(PartError::Content("a label is no class"));
        part.rows.push(FeatureRow { key, label: label.map(class).transpose()? });
    }
    // `values` knows nothing of a slice of the list, so an offset would shift every feature by some rows.
    let values = features.values().as_primitive_opt::<Float32Type>().ok_or(PartError::Columns)?;
    if features.null_count() + values.null_count() + features.offset() > 0 {
        return Err(PartError::Content("a feature is null"));
    }
    part.features.extend_from_slice(values.values());
    Ok(())
}

fn schema(feature_len: usize) -> Result<Schema, PartError> {
    let length = i32::try_from(feature_len).map_err(|_| PartError::Columns)?;
    let element = Arc::new(Field::new("item", DataType::Float32, false));
    Ok(Schema::new(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("label", DataType::Utf8, true),
        Field::new("feature", DataType::FixedSizeList(element, length), false),
    ]))
}

/// Floats hardly repeat: a dictionary of them would be built and thrown away, and their minimum and maximum help
/// nobody. Snappy stays on, since ReLU networks give many zeros.
fn properties() -> WriterPropertiesBuilder {
    let feature = || ColumnPath::from(vec!["feature".to_owned(), "list".to_owned(), "item".to_owned()]);
    WriterProperties::builder()
        .set_created_by(concat!("headwater ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        // Floats of a network hardly shrink, and take longer to compress than to write.
        .set_column_compression(feature(), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(feature(), false)
        .set_column_statistics_enabled(feature(), EnabledStatistics::None)
}

fn digest_content(part: &Part, digester: &mut Digester) {
    for row in &part.rows {
        digester.field(row.key.as_str().as_bytes());
        digester.update(&row.label.map_or(u32::MAX, |class| class.0).to_le_bytes());
    }
    let mut bytes = Vec::new();
    for features in part.features.chunks(16 * 1024) {
        bytes.clear();
        bytes.extend(features.iter().flat_map(|value| value.to_le_bytes()));
        digester.update(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{FailureKind, SampleFailure, SampleIndex};
    use proptest::prelude::*;

    use super::*;
    use crate::features::part::FailedSample;
    use crate::features::provenance::tests::provenance;

    fn part() -> Part {
        let row = |key: &str, label: Option<u32>| FeatureRow { key: key.parse().unwrap(), label: label.map(ClassId) };
        let failure = SampleFailure::new(FailureKind::Malformed, "no end of image");
        Part {
            range: 3..6,
            missing: vec![],
            rows: vec![row("cat/ä.jpg", Some(0)), row("x.jpg", None)],
            features: vec![1.5, f32::MIN_POSITIVE, 0.0, -0.0, f32::INFINITY, 3.25],
            failed: vec![FailedSample::new(SampleIndex(4), None, &failure)],
        }
    }

    fn written(part: &Part) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.parquet");
        write(OutputFile::open("--out", &path).unwrap(), &provenance(10, 3), part).unwrap();
        (folder, path)
    }

    #[test]
    fn a_part_survives_its_file() {
        let nothing_worked = Part { range: 4..5, rows: vec![], features: vec![], ..part() };
        let stopped = Part { range: 2..8, missing: [2, 6, 7].map(SampleIndex).to_vec(), ..part() };
        for part in [part(), nothing_worked, stopped] {
            let (_folder, path) = written(&part);
            assert_eq!(read(&path).unwrap(), (provenance(10, 3), part.clone()));
        }
    }

    #[test]
    fn more_rows_than_are_read_at_once_come_back_in_order() {
        let rows = 2 * BATCH_ROWS + 7;
        let part = Part {
            range: 0..rows as u64,
            rows: (0..rows).map(|i| FeatureRow { key: format!("{i}").parse().unwrap(), label: None }).collect(),
            features: (0..rows * 3).map(|i| i as f32).collect(),
            failed: vec![],
            missing: vec![],
        };
        let (_folder, path) = written(&part);
        assert_eq!(read(&path).unwrap().1, part);
    }

    #[test]
    fn a_part_that_does_not_make_up_its_range_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut short = part();
        short.failed.clear();
        let output = OutputFile::open("--out", &folder.path().join("part.parquet")).unwrap();
        assert!(write(output, &provenance(10, 3), &short).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_flip_of_any_byte_is_an_error_or_changes_nothing() {
        let (_folder, path) = written(&part());
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            for bit in [0, 3, 7] {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                std::fs::write(&path, bytes).unwrap();
                if let Ok(read) = read(&path) {
                    assert_eq!(read, (provenance(10, 3), part()), "byte {at}, bit {bit}");
                }
                drop(read_footer(&path));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn a_torn_or_flipped_file_is_an_error_and_never_another_part(
            at: prop::sample::Index,
            bit in 0_u8..8,
            tear: bool,
        ) {
            let (_folder, path) = written(&part());
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            if tear {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1 << bit;
            }
            std::fs::write(&path, bytes).unwrap();
            // A bit that nobody reads (the program's name, a statistic) may flip unseen.
            if let Ok(read) = read(&path) {
                prop_assert!(!tear);
                prop_assert_eq!(read, (provenance(10, 3), part()));
            }
        }
    }
}
