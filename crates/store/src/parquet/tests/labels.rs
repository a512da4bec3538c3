//! Labels files in Parquet say what the same rows in JSON Lines say.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::super::labels::read;
use super::super::whole::Whole;
use crate::labels::{LabelsError, Lines, Read, Wanted};
use crate::location::Location;
use crate::open::open;
use crate::options::StoreOptions;

const SCHEMA: &str = "message schema {
    required binary key (UTF8);
    optional binary label (UTF8);
    optional double score;
    optional group tags (LIST) { repeated group list { optional int64 element; } }
    optional int64 count;
}";

/// What a row's parts are: its numbers say whether each is there.
struct Row(usize);

// === impl Row ===

impl Row {
    fn key(&self) -> String {
        format!("cat/{:03}.jpg", self.0)
    }

    fn label(&self) -> Option<&'static str> {
        (self.0 % 9 != 4).then(|| ["zebra", "ant"][self.0 % 2])
    }

    fn score(&self) -> Option<f64> {
        (self.0 % 5 != 3).then(|| self.0 as f64 / 4.0)
    }

    fn tags(&self) -> Option<Vec<i64>> {
        (self.0 % 7 != 5).then(|| (0..self.0 % 4).map(|tag| (tag * self.0) as i64).collect())
    }

    fn json(&self) -> String {
        let row = serde_json::json!({
            "key": self.key(), "label": self.label(), "score": self.score(), "tags": self.tags(), "count": self.0,
        });
        format!("{row}\n")
    }
}

fn json(count: usize) -> String {
    (0..count).map(|at| Row(at).json()).collect()
}

type Writer = SerializedFileWriter<Vec<u8>>;
type Chunks<'a> = parquet::file::writer::SerializedRowGroupWriter<'a, Vec<u8>>;

fn column<T: DataType>(chunks: &mut Chunks<'_>, values: &[T::T], levels: Option<(&[i16], Option<&[i16]>)>) {
    let mut column = chunks.next_column().unwrap().unwrap();
    let (definition, repetition) =
        levels.map_or((None, None), |(definition, repetition)| (Some(definition), repetition));
    column.typed::<T>().write_batch(values, definition, repetition).unwrap();
    column.close().unwrap();
}

fn present<T>(values: &[Option<T>]) -> Vec<i16> {
    values.iter().map(|value| i16::from(value.is_some())).collect()
}

/// Levels and values of lists.
fn lists(rows: &[Row]) -> (Vec<i64>, Vec<i16>, Vec<i16>) {
    let (mut values, mut definition, mut repetition) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let tags = row.tags();
        let elements = tags.as_ref().map_or(0, Vec::len);
        // 0: no list; 1: an empty one; 3: an element.
        let level = if tags.is_none() {
            0
        } else if elements == 0 {
            1
        } else {
            3
        };
        definition.extend(std::iter::repeat_n(level, elements.max(1)));
        repetition.extend((0..elements.max(1)).map(|at| i16::from(at > 0)));
        values.extend(tags.into_iter().flatten());
    }
    (values, definition, repetition)
}

fn write(rows: &[Row], group: usize, properties: WriterProperties) -> Bytes {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = Writer::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for rows in rows.chunks(group) {
        let mut chunks = writer.next_row_group().unwrap();
        let keys: Vec<_> = rows.iter().map(|row| ByteArray::from(row.key().into_bytes())).collect();
        column::<ByteArrayType>(&mut chunks, &keys, None);
        let labels: Vec<_> = rows.iter().map(|row| row.label().map(ByteArray::from)).collect();
        let there: Vec<_> = labels.iter().flatten().cloned().collect();
        column::<ByteArrayType>(&mut chunks, &there, Some((&present(&labels), None)));
        let scores: Vec<_> = rows.iter().map(Row::score).collect();
        let there: Vec<_> = scores.iter().flatten().copied().collect();
        column::<DoubleType>(&mut chunks, &there, Some((&present(&scores), None)));
        let (values, definition, repetition) = lists(rows);
        column::<Int64Type>(&mut chunks, &values, Some((&definition, Some(&repetition))));
        let counts: Vec<_> = rows.iter().map(|row| row.0 as i64).collect();
        column::<Int64Type>(&mut chunks, &counts, Some((&vec![1; rows.len()], None)));
        chunks.close().unwrap();
    }
    writer.into_inner().unwrap().into()
}

fn rows(count: usize) -> Vec<Row> {
    (0..count).map(Row).collect()
}

fn wanted(key: Option<&str>, fields: &[&str]) -> Wanted {
    let fields = fields.iter().map(|&name| name.to_owned()).collect();
    Wanted { key: key.map(str::to_owned), fields, ..Wanted::default() }
}

async fn of(file: &Bytes, wanted: &Wanted) -> Result<Read, LabelsError> {
    read(Whole::Held(file.clone()), wanted).await
}

#[tokio::test]
async fn a_table_says_what_the_same_rows_say_in_json_lines() {
    let expected = Lines::Json.read(json(400).as_bytes(), &wanted(None, &["*"])).unwrap();
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for codec in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
            for group in [400, 130] {
                let properties = WriterProperties::builder().set_writer_version(version).set_compression(codec);
                let properties = properties.set_data_page_size_limit(500).set_write_batch_size(16);
                let file = write(&rows(400), group, properties.build());
                let fields = wanted(None, &["tags", "score", "count"]);
                let read = of(&file, &fields).await.unwrap();
                let in_order = Lines::Json.read(json(400).as_bytes(), &fields).unwrap();
                assert_eq!(read.said(), in_order.said(), "{version:?} {codec} {group}");
                assert!(read.unused.is_empty());
            }
        }
    }
    let all = of(&write(&rows(400), 400, WriterProperties::default()), &wanted(None, &["*"])).await.unwrap();
    assert_eq!((all.len(), all.said()[0].2.len()), (expected.len(), expected.said()[0].2.len()));
}

#[tokio::test]
async fn numbers_are_keys_and_labels_and_what_cannot_be_is_refused_by_its_column() {
    let file = write(&rows(40), 40, WriterProperties::default());
    let by_number = of(&file, &wanted(Some("count"), &[])).await.unwrap();
    let keys: Vec<_> = by_number.said().into_iter().take(3).map(|(key, ..)| key).collect();
    assert_eq!(keys, ["0", "1", "10"]);
    for (key, words) in [("tags", "column \"tags\" has lists"), ("none", "there is no column \"none\"")] {
        let error = of(&file, &wanted(Some(key), &[])).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let error = of(&file.slice(..file.len() - 1), &wanted(None, &[])).await.unwrap_err().to_string();
    assert!(error.starts_with("its Parquet file cannot be read here"), "{error}");
}

#[tokio::test]
async fn a_folder_has_the_same_catalog_by_a_table_as_by_json_lines() {
    let folder = tempfile::TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("photos/cat")).unwrap();
    for row in rows(20) {
        std::fs::write(at("photos").join(row.key()), row.key()).unwrap();
    }
    std::fs::write(at("labels.parquet"), write(&rows(20), 7, WriterProperties::default())).unwrap();
    std::fs::write(at("labels.jsonl"), json(20)).unwrap();
    let mut catalogs = Vec::new();
    for name in ["labels.parquet", "labels.jsonl"] {
        let mut options = StoreOptions::default();
        options.dataset.labels = Some(at(name).display().to_string().parse().unwrap());
        options.dataset.fields = vec!["score".to_owned(), "tags".to_owned()];
        let store = open(&Location::folder(at("photos")), &options).await.unwrap();
        catalogs.push(store.list(None).await.unwrap());
    }
    assert_eq!(
        (catalogs[0].digest(), catalogs[0].classes()),
        (catalogs[1].digest(), &["ant", "zebra"].map(str::to_owned)[..])
    );
    assert_eq!(catalogs[0].fields(), catalogs[1].fields());
}

#[test]
fn damaged_tables_of_labels_are_read_or_refused() {
    let properties = WriterProperties::builder().set_data_page_size_limit(300).set_write_batch_size(8);
    let whole = write(&rows(60), 25, properties.build());
    let (mut read, mut refused) = (0, 0);
    for at in 0..whole.len() {
        let mut file = whole.to_vec();
        file[at] ^= 1 << (at % 8);
        match super::super::probe::count_label_rows(&file.into()) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}
