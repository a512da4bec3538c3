//! Labels that models gave to photos, as a Parquet file: a row for each photo.
//!
//! | column | type | what |
//! |---|---|---|
//! | `server` | text | the server that has the photo |
//! | `key` | text | the photo's key |
//! | `version` | 16 bytes | the photo's version, of which the labels are |
//! | `label`, `score` | text, float32 | the best class by its name, or its number where it has none; its score |
//! | `labels`, `scores` | lists of text and of float32 | the best classes, the best first |
//! | `before` | text, or null | the best class by the labeller that this one was compared with |
//! | `model`, `digest`, `model_digest` | text | the labeller, its digest, and that of its file |

use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Float32Builder, ListBuilder, StringBuilder, StringDictionaryBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use headwater_cli::OutputFile;
use headwater_cli::outputs::OutputError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

/// A photo, and what a labeller says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelRow<'a> {
    /// The server that has the photo.
    pub server: &'a str,
    /// The photo's key.
    pub key: &'a str,
    /// The photo's version.
    pub version: [u8; 16],
    /// The best classes and their scores, the best first: at least one.
    pub best: Vec<(&'a str, f32)>,
    /// The best class by the labeller that this one was compared with.
    pub before: Option<&'a str>,
    /// The labeller.
    pub labeller: &'a LabellerNames,
}

/// What a labeller is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabellerNames {
    /// The model or head.
    pub model: String,
    /// The labeller's digest, in hexadecimal.
    pub digest: String,
    /// The digest of the file that decides of the classes.
    pub model_digest: String,
}

/// Rows that are turned into columns at once.
const BATCH_ROWS: usize = 8192;

/// Writes labels, whole or not at all.
///
/// # Errors
/// Those of the file system and of the writer.
pub fn write<'a>(output: OutputFile, rows: impl Iterator<Item = LabelRow<'a>>) -> Result<(), OutputError> {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("headwater ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        .build();
    output.write(|sink| {
        let mut columns = Columns::default();
        let mut writer = ArrowWriter::try_new(sink, columns.take()?.schema(), Some(properties))?;
        for row in rows {
            columns.add(&row)?;
            if columns.rows == BATCH_ROWS {
                writer.write(&columns.take()?)?;
            }
        }
        writer.write(&columns.take()?)?;
        writer.close()?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })
}

/// Rows on their way into a file.
struct Columns {
    rows: usize,
    server: StringDictionaryBuilder<Int32Type>,
    key: StringBuilder,
    version: FixedSizeBinaryBuilder,
    label: StringDictionaryBuilder<Int32Type>,
    score: Float32Builder,
    labels: ListBuilder<StringBuilder>,
    scores: ListBuilder<Float32Builder>,
    before: StringDictionaryBuilder<Int32Type>,
    model: StringDictionaryBuilder<Int32Type>,
    digest: StringDictionaryBuilder<Int32Type>,
    model_digest: StringDictionaryBuilder<Int32Type>,
}

// === impl Columns ===

impl Default for Columns {
    fn default() -> Self {
        Self {
            rows: 0,
            server: StringDictionaryBuilder::new(),
            key: StringBuilder::new(),
            version: FixedSizeBinaryBuilder::new(16),
            label: StringDictionaryBuilder::new(),
            score: Float32Builder::new(),
            labels: ListBuilder::new(StringBuilder::new()),
            scores: ListBuilder::new(Float32Builder::new()),
            before: StringDictionaryBuilder::new(),
            model: StringDictionaryBuilder::new(),
            digest: StringDictionaryBuilder::new(),
            model_digest: StringDictionaryBuilder::new(),
        }
    }
}

impl Columns {
    fn add(&mut self, row: &LabelRow<'_>) -> Result<(), arrow_schema::ArrowError> {
        self.rows += 1;
        self.server.append(row.server)?;
        self.key.append_value(row.key);
        self.version.append_value(row.version)?;
        let (label, score) = row.best.first().copied().unwrap_or_default();
        self.label.append(label)?;
        self.score.append_value(score);
        row.best.iter().for_each(|(label, _)| self.labels.values().append_value(label));
        self.labels.append(true);
        row.best.iter().for_each(|(_, score)| self.scores.values().append_value(*score));
        self.scores.append(true);
        self.before.append_option(row.before);
        self.model.append(&row.labeller.model)?;
        self.digest.append(&row.labeller.digest)?;
        self.model_digest.append(&row.labeller.model_digest)?;
        Ok(())
    }

    /// The rows so far, which are taken out.
    fn take(&mut self) -> Result<RecordBatch, arrow_schema::ArrowError> {
        let mut full = std::mem::take(self);
        let array = |array: ArrayRef| array;
        RecordBatch::try_from_iter_with_nullable([
            ("server", array(Arc::new(full.server.finish())), false),
            ("key", array(Arc::new(full.key.finish())), false),
            ("version", array(Arc::new(full.version.finish())), false),
            ("label", array(Arc::new(full.label.finish())), false),
            ("score", array(Arc::new(full.score.finish())), false),
            ("labels", array(Arc::new(full.labels.finish())), false),
            ("scores", array(Arc::new(full.scores.finish())), false),
            ("before", array(Arc::new(full.before.finish())), true),
            ("model", array(Arc::new(full.model.finish())), false),
            ("digest", array(Arc::new(full.digest.finish())), false),
            ("model_digest", array(Arc::new(full.model_digest.finish())), false),
        ])
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use headwater_cli::Outputs;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    #[test]
    fn labels_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.parquet");
        let text = |text: &str| text.to_owned();
        let labeller = LabellerNames { model: text("m"), digest: text("aa"), model_digest: text("bb") };
        let rows = (0..BATCH_ROWS + 3).map(|row| LabelRow {
            server: "node1:7440",
            key: if row == 0 { "cat/ü.jpg" } else { "dog/1.jpg" },
            version: [row as u8; 16],
            best: vec![("cat", 0.75), ("dog", row as f32)],
            before: (row == 0).then_some("dog"),
            labeller: &labeller,
        });
        write(Outputs::new().file("--export", &path).unwrap(), rows).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let batches: Vec<_> = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().collect();
        let rows: usize = batches.iter().map(|batch| batch.as_ref().unwrap().num_rows()).sum();
        assert_eq!(rows, BATCH_ROWS + 3);
        let first = batches[0].as_ref().unwrap();
        let strings = |name: &str, row: usize| -> Option<String> {
            let column = first.column_by_name(name).unwrap();
            let plain = column.as_any_dictionary_opt().map_or_else(
                || Arc::clone(column),
                |dictionary| {
                    let at = dictionary.normalized_keys()[row];
                    dictionary.values().slice(at, 1)
                },
            );
            let row = if column.as_any_dictionary_opt().is_some() { 0 } else { row };
            (!column.is_null(0) || name != "before").then(|| plain.as_string::<i32>().value(row).to_owned())
        };
        assert_eq!(strings("key", 0).unwrap(), "cat/ü.jpg");
        assert_eq!((strings("label", 0).unwrap(), strings("before", 0).unwrap()), (text("cat"), text("dog")));
        assert!(first.column_by_name("before").unwrap().is_null(1));
        let scores = first.column_by_name("scores").unwrap().as_list::<i32>().value(2);
        assert_eq!(scores.as_primitive::<arrow_array::types::Float32Type>().values(), &[0.75, 2.0]);
        let version = first.column_by_name("version").unwrap();
        assert_eq!(version.as_fixed_size_binary().value(7), [7; 16]);
    }
}
