//! Files as people's programs write them.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::super::probe::photos;
use crate::spec::DatasetOptions;

/// A row's photo and label, or nulls.
pub(super) type Row = (Option<Vec<u8>>, Option<i64>);

const SCHEMA: &str = "message schema {
    optional group image { optional binary bytes; optional binary path (UTF8); }
    optional int64 label;
}";

/// Rows of different sizes, of which some are the same and one in eleven is null.
pub(super) fn rows(count: usize) -> Vec<Row> {
    let photo = |at: usize| (at % 11 != 7).then(|| vec![(at % 5) as u8; 20 + (at * at) % 300]);
    (0..count).map(|at| (photo(at), Some((at % 3) as i64))).collect()
}

/// A file as Hugging Face's, with row groups of so many rows.
pub(super) fn write(rows: &[Row], group: usize, properties: WriterProperties) -> Bytes {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for rows in rows.chunks(group) {
        let mut chunks = writer.next_row_group().unwrap();
        let photos: Vec<_> = rows.iter().filter_map(|(photo, _)| photo.clone().map(ByteArray::from)).collect();
        let levels: Vec<_> = rows.iter().map(|(photo, _)| if photo.is_some() { 2 } else { 1 }).collect();
        let mut column = chunks.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&photos, Some(&levels), None).unwrap();
        column.close().unwrap();
        let mut column = chunks.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[], Some(&vec![1; rows.len()]), None).unwrap();
        column.close().unwrap();
        let labels: Vec<_> = rows.iter().filter_map(|(_, label)| *label).collect();
        let levels: Vec<_> = rows.iter().map(|(_, label)| i16::from(label.is_some())).collect();
        let mut column = chunks.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&labels, Some(&levels), None).unwrap();
        column.close().unwrap();
        chunks.close().unwrap();
    }
    writer.into_inner().unwrap().into()
}

/// The column of photos, as the writer names it.
pub(super) fn photos_column() -> ColumnPath {
    ColumnPath::new(vec!["image".to_owned(), "bytes".to_owned()])
}

fn small_pages() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_data_page_size_limit(1000).set_write_batch_size(4)
}

async fn reads_back(rows: &[Row], file: &Bytes, what: &str) {
    let read = photos(file, &DatasetOptions::default()).await.unwrap();
    assert_eq!(read.len(), rows.len(), "{what}");
    for (at, (read, (written, _))) in read.iter().zip(rows).enumerate() {
        match written {
            Some(written) => assert_eq!(read.as_ref().unwrap(), written, "{what}: row {at}"),
            None => assert!(read.is_err(), "{what}: row {at} is null"),
        }
    }
}

#[tokio::test]
async fn every_codec_and_page_version_is_read() {
    let rows = rows(200);
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
    ];
    for codec in codecs {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for has_dictionary in [true, false] {
                let properties = small_pages().set_compression(codec).set_writer_version(version);
                let file = write(&rows, 90, properties.set_dictionary_enabled(has_dictionary).build());
                reads_back(&rows, &file, &format!("{codec} {version:?} {has_dictionary}")).await;
            }
        }
    }
}

#[tokio::test]
async fn every_encoding_of_bytes_is_read() {
    let rows = rows(300);
    for encoding in [Encoding::PLAIN, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
        let properties = small_pages().set_dictionary_enabled(false).set_column_encoding(photos_column(), encoding);
        reads_back(&rows, &write(&rows, 300, properties.build()), &format!("{encoding}")).await;
    }
}

#[tokio::test]
async fn pages_are_found_with_an_index_and_without() {
    let rows = rows(500);
    for is_disabled in [true, false] {
        let properties = small_pages().set_offset_index_disabled(is_disabled);
        reads_back(&rows, &write(&rows, 170, properties.build()), &format!("without an index: {is_disabled}")).await;
    }
}
