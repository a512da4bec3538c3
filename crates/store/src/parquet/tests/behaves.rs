//! Parquet files keep the promises of every store, in a folder; and what a file says of its rows is what is listed.

use std::fs;
use std::sync::Arc;

use headwater_types::{ByteCount, FailureKind, SampleIndex};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

use super::written::{Row, write};
use crate::catalog::Catalog;
use crate::conformance::{Photos, Source, rows_behave};
use crate::error::StoreError;
use crate::fetched::Fetched;
use crate::files::Files;
use crate::open::open;
use crate::options::StoreOptions;
use crate::parquet::PageMemory;
use crate::store::Store;

struct ParquetFolder(TempDir);

// === impl ParquetFolder ===

impl Source for ParquetFolder {
    const IS_FILE_BY_FILE: bool = false;
    const IS_BY_NAME: bool = false;

    async fn hold(&mut self, photos: &Photos) {
        let photos = photos.iter().filter(|(key, _)| Files::Photos.takes(key));
        let photos: Vec<_> = photos.map(|(key, content)| (*key, *content)).collect();
        fs::write(self.0.path().join("photos.parquet"), keyed(&photos)).unwrap();
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        opened(&self.0, "", options).await.unwrap()
    }
}

/// A file of photos with the paths that they came from, two in each row group.
fn keyed(photos: &[(&str, &[u8])]) -> Vec<u8> {
    let schema = "message schema { required group image { required binary bytes; required binary path (UTF8); } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    for rows in photos.chunks(2) {
        let mut chunks = writer.next_row_group().unwrap();
        let bytes: Vec<_> = rows.iter().map(|(_, bytes)| ByteArray::from(bytes.to_vec())).collect();
        let paths: Vec<_> = rows.iter().map(|(path, _)| ByteArray::from(*path)).collect();
        for values in [bytes, paths] {
            let mut column = chunks.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
            column.close().unwrap();
        }
        chunks.close().unwrap();
    }
    writer.into_inner().unwrap()
}

async fn opened(folder: &TempDir, options: &str, store: StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    let source: crate::spec::DatasetSource = format!("parquet:{}{options}", folder.path().display()).parse().unwrap();
    let store = StoreOptions { dataset: source.options.clone(), ..store };
    open(&source.location, &store).await
}

async fn listed(file: &[u8], options: &str) -> Result<(TempDir, Arc<dyn Store>, Catalog), StoreError> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("train.parquet"), file).unwrap();
    let store = opened(&folder, options, StoreOptions::default()).await?;
    let catalog = store.list(None).await?;
    Ok((folder, store, catalog))
}

fn rows(count: usize) -> Vec<Row> {
    (0..count).map(|at| (Some(vec![at as u8; 30 + at]), Some([1, 0, -1][at % 3]))).collect()
}

fn named(names: &[&str]) -> WriterProperties {
    let names = serde_json::json!(names);
    let features = serde_json::json!({"info": {"features": {
        "image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}}});
    let pair = KeyValue::new("huggingface".to_owned(), features.to_string());
    WriterProperties::builder().set_key_value_metadata(Some(vec![pair])).build()
}

#[tokio::test]
async fn rows_of_a_parquet_file_behave_as_files_do() {
    rows_behave(ParquetFolder(TempDir::new().unwrap())).await;
}

#[tokio::test]
async fn labels_are_the_files_own_classes_in_their_order_and_keys_without_paths_are_row_numbers() {
    let rows = rows(12);
    let file = write(&rows, 5, named(&["zebra", "ant", "bee"]));
    let (_folder, store, catalog) = listed(&file, "").await.unwrap();
    assert_eq!(catalog.classes(), ["zebra", "ant", "bee"]);
    assert_eq!((catalog.len(), catalog.get(SampleIndex(7)).unwrap().key), (12, "train-07"));
    for ((at, entry), (photo, label)) in catalog.iter().zip(&rows) {
        let label = label.filter(|label| *label >= 0).map(|label| label as u32);
        assert_eq!(entry.label.map(|label| label.0), label, "{}", entry.key);
        let photo = photo.as_ref().unwrap();
        let extent = catalog.extent(at).unwrap();
        assert_eq!(store.length(&extent).await.unwrap(), ByteCount::from(photo.len()));
        assert_eq!(store.read(&extent).await.unwrap(), photo);
    }
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_by_name() {
    let file = write(&rows(6), 6, named(&["one"]));
    for (options, said) in [
        ("", "which has no name in the file's own list of classes"),
        (
            ",image=photo",
            "image=photo is no column of binary values: its columns are image.bytes, image.path and label",
        ),
        (",label=image", "label=image is no column of whole numbers or text"),
        (",key=image.path,label=label", "which has no name"),
        (",fields=colour", "fields=colour is no column"),
    ] {
        let error = listed(&file, options).await.err().unwrap().to_string();
        assert!(error.contains(said) && error.contains("train.parquet"), "{options}: {error}");
    }
    let file = write(&rows(6), 6, named(&["one", "two"]));
    let error = listed(&file, ",key=image.path").await.err().unwrap().to_string();
    assert!(error.contains("key=image.path does not tell rows apart: row 0 has none"), "{error}");
    let error = listed(&file[..file.len() - 3], "").await.err().unwrap().to_string();
    assert!(error.contains("it may not have been written to its end"), "{error}");
    let paths: Vec<Row> = (0..4).map(|_| (None, None)).collect();
    let error = listed(&write(&paths, 4, WriterProperties::default()), "").await.err().unwrap().to_string();
    assert!(error.contains("none of 4 rows has the bytes of a photo in the column image.bytes"), "{error}");
}

#[tokio::test]
async fn pages_in_memory_are_bounded_and_of_no_use_once_the_file_is_another() {
    let folder = TempDir::new().unwrap();
    let rows: Vec<Row> = (0..40).map(|at| (Some(vec![at as u8; 1000]), None)).collect();
    let file = write(&rows, 4, WriterProperties::builder().set_dictionary_enabled(false).build());
    fs::write(folder.path().join("train.parquet"), &file).unwrap();
    let page_memory = PageMemory::new(ByteCount::new(12_000));
    let options = StoreOptions { page_memory: page_memory.clone(), ..StoreOptions::default() };
    let store = opened(&folder, "", options).await.unwrap();
    let catalog = store.list(None).await.unwrap();
    let extents: Vec<_> = catalog.iter().map(|(at, _)| catalog.extent(at).unwrap()).collect();
    let reads = extents.iter().rev().map(|extent| store.read(extent));
    for (read, (photo, _)) in futures::future::join_all(reads).await.into_iter().zip(rows.iter().rev()) {
        assert_eq!(read.unwrap(), photo.as_ref().unwrap());
        assert!(page_memory.used() <= page_memory.limit());
    }
    assert!(page_memory.used().get() > 0, "pages are kept");
    store.read(&extents[0]).await.unwrap();
    fs::write(folder.path().join("train.parquet"), &file).unwrap();
    assert_eq!(store.read(&extents[0]).await.unwrap_err().kind, FailureKind::Changed);
    assert_eq!(store.length(&extents[1]).await.unwrap_err().kind, FailureKind::Changed);
}

#[tokio::test]
async fn a_page_is_fetched_once_for_its_rows_and_again_where_memory_is_too_small() {
    let folder = TempDir::new().unwrap();
    let rows: Vec<Row> = (0..40).map(|at| (Some(vec![at as u8; 4000]), None)).collect();
    let file = write(&rows, 4, WriterProperties::builder().set_dictionary_enabled(false).build());
    fs::write(folder.path().join("train.parquet"), &file).unwrap();
    for (memory, is_enough) in [(400_000, true), (48_000, false)] {
        let (page_memory, fetched) = (PageMemory::new(ByteCount::new(memory)), Fetched::default());
        let options = StoreOptions { page_memory, fetched: fetched.clone(), ..StoreOptions::default() };
        let store = opened(&folder, "", options).await.unwrap();
        let catalog = store.list(None).await.unwrap();
        let listed = fetched.bytes().get();
        assert!((1..file.len() as u64).contains(&listed), "a listing reads the footer: {listed}");
        let (mut before, mut epochs) = (listed, Vec::new());
        for _ in 0..2 {
            // Far from one another, as in a shuffled epoch.
            for at in (0..40).map(|at| SampleIndex(at * 27 % 40)) {
                store.read(&catalog.extent(at).unwrap()).await.unwrap();
            }
            epochs.push(fetched.bytes().get() - before);
            before = fetched.bytes().get();
        }
        match is_enough {
            true => assert!((160_000..176_000).contains(&epochs[0]) && epochs[1] == 0, "{epochs:?}"),
            false => assert!(epochs.iter().all(|&epoch| epoch > 480_000), "{epochs:?}"),
        }
    }
}

#[tokio::test]
async fn a_page_that_memory_cannot_hold_is_refused_with_the_setting() {
    let folder = TempDir::new().unwrap();
    let file = write(&[(Some(vec![1; 5000]), None)], 1, WriterProperties::default());
    fs::write(folder.path().join("train.parquet"), &file).unwrap();
    let options = StoreOptions { page_memory: PageMemory::new(ByteCount::new(4096)), ..StoreOptions::default() };
    let store = opened(&folder, "", options).await.unwrap();
    let catalog = store.list(None).await.unwrap();
    let failure = store.read(&catalog.extent(headwater_types::SampleIndex(0)).unwrap()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::LimitExceeded);
    assert!(failure.message.contains("--page-memory is 4KiB"), "{failure}");
}
