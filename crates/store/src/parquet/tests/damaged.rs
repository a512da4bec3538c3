//! Bytes that are no Parquet, or were one.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::super::probe::count_photos;
use super::written::{photos_column, rows, write};

/// How many damaged files are read: `HEADWATER_PARQUET_MUTATIONS` says it, and 2,000 without it.
fn mutations() -> u64 {
    std::env::var("HEADWATER_PARQUET_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(2_000)
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }
}

fn seeds() -> Vec<Bytes> {
    let rows = rows(60);
    let properties = || WriterProperties::builder().set_data_page_size_limit(600).set_write_batch_size(4);
    let plain = properties().set_dictionary_enabled(false);
    vec![
        write(&rows, 25, properties().build()),
        write(&rows, 60, properties().set_compression(Compression::SNAPPY).build()),
        write(&rows, 60, plain.clone().set_column_encoding(photos_column(), Encoding::DELTA_BYTE_ARRAY).build()),
        write(
            &rows,
            60,
            plain
                .clone()
                .set_column_encoding(photos_column(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
                .set_offset_index_disabled(true)
                .build(),
        ),
        write(
            &rows,
            60,
            plain.set_writer_version(WriterVersion::PARQUET_2_0).set_compression(Compression::LZ4_RAW).build(),
        ),
    ]
}

#[test]
fn damaged_files_give_an_error_or_photos_and_nothing_else() {
    let seeds = seeds();
    let mut dice = Dice(15);
    let (mut read, mut refused) = (0u64, 0u64);
    for at in 0..mutations() {
        let mut file = seeds[at as usize % seeds.len()].to_vec();
        for _ in 0..=dice.next(3) {
            // Half of the damage is done to footers, which are a tenth of the files.
            let length = file.len();
            let place = if dice.next(2) == 0 { length - 1 - dice.next(length.min(700)) } else { dice.next(length) };
            match dice.next(5) {
                0 => file[place] = 0xff,
                1 => file[place] ^= 1 << dice.next(8),
                2 => file[place] = dice.next(256) as u8,
                3 => drop(file.remove(place)),
                _ => file.insert(place, dice.next(256) as u8),
            }
        }
        match count_photos(&file.into()) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
    }
    println!("parquet: {read} damaged files were read, {refused} refused");
    assert!(read > 0 && refused > 0, "{read} files were read and {refused} refused: neither may be none");
}

#[test]
fn every_beginning_of_a_file_is_refused() {
    let whole = seeds().remove(0);
    for length in 0..whole.len() {
        assert!(count_photos(&whole.slice(..length)).is_err(), "{length} of {} bytes", whole.len());
    }
}

#[test]
fn a_page_with_another_checksum_is_refused_where_it_has_one() {
    let properties = WriterProperties::builder().set_dictionary_enabled(false);
    let mut file = write(&rows(6), 6, properties.build()).to_vec();
    assert_eq!(count_photos(&file.clone().into()), Ok(6));
    // The last byte of the first page's values.
    let place = file.windows(3).position(|bytes| bytes == [5 - 1; 3]).unwrap();
    file[place] ^= 1;
    let read = count_photos(&file.into());
    assert!(read == Ok(6) || read == Ok(0), "{read:?}");
}
