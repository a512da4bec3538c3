//! A profile out of its file.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom};
use std::panic::catch_unwind;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Array, RecordBatch};
use headwater_plan::{Cost, Profile, ProfileBuilder, SampleFacts};
use headwater_types::caps::MAX_PROFILE_SAMPLES;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::columns::{BATCH_ROWS, FACTS, schema};
use super::error::ProfileFileError;
use super::metadata::{Metadata, digest, said_digest};

/// Bytes at a file's beginning that say what it is, if it is no profile.
const SNIFFED: u64 = 64;

/// Reads a profile and checks every number of it.
///
/// # Errors
/// [`ProfileFileError`]: it is no Parquet, no profile, or not what was written.
pub fn read(path: &Path) -> Result<Profile, ProfileFileError> {
    // Of some damaged files the Parquet reader is not an error but a panic (parquet 60: a page of a dictionary's values
    // without the dictionary). Nothing outlives the call that a panic could leave half done.
    catch_unwind(|| {
        check_ends(path)?;
        read_pages(path)
    })
    .unwrap_or(Err(ProfileFileError::Page))
}

/// Tells a file that was never finished from one that is something else: the Parquet reader only says that it is
/// corrupt.
fn check_ends(path: &Path) -> Result<(), ProfileFileError> {
    const MAGIC: &[u8] = b"PAR1";
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if length == 0 {
        return Err(ProfileFileError::Empty);
    }
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(SNIFFED).read_to_end(&mut start)?;
    if !start.starts_with(MAGIC) {
        return Err(ProfileFileError::NotParquet { looks_like: looks_like(&start) });
    }
    let mut end = Vec::new();
    file.seek(SeekFrom::End(-(MAGIC.len() as i64).min(length as i64)))?;
    file.read_to_end(&mut end)?;
    // A footer is its length and the magic, after the first magic.
    match end == MAGIC && length >= 12 {
        true => Ok(()),
        false => Err(ProfileFileError::Torn { length }),
    }
}

/// The files that are mistaken for profiles.
fn looks_like(start: &[u8]) -> Option<&'static str> {
    const PLAN: &[u8] = b"headwater-plan";
    if start.windows(PLAN.len()).any(|window| window == PLAN) {
        Some("it looks like a plan: give it as --plan")
    } else if start.starts_with(b"{") {
        Some("it looks like JSON")
    } else if std::str::from_utf8(start).is_ok_and(|text| text.contains(',')) {
        Some("it looks like CSV: `profiler import` makes a profile of SOPHON's")
    } else {
        None
    }
}

fn read_pages(path: &Path) -> Result<Profile, ProfileFileError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let pairs = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let metadata = Metadata::from_key_values(&pairs)?;
    let expected = schema(&metadata.ways);
    if builder.schema().fields != expected.fields {
        return Err(ProfileFileError::Columns(difference(builder.schema(), &expected)));
    }
    let rows = builder.metadata().file_metadata().num_rows();
    if !u64::try_from(rows).is_ok_and(|rows| rows <= MAX_PROFILE_SAMPLES) {
        return Err(ProfileFileError::Content("it has more rows than a profile may have"));
    }
    let mut profile = ProfileBuilder::new(metadata.provenance, metadata.servers, metadata.ways)?;
    for batch in builder.with_batch_size(BATCH_ROWS).build()? {
        append(&mut profile, &batch?)?;
    }
    let profile = profile.finish()?;
    if digest(&pairs, &profile)? != said_digest(&pairs)? {
        return Err(ProfileFileError::Content("the digest differs"));
    }
    Ok(profile)
}

fn difference(given: &arrow_schema::Schema, expected: &arrow_schema::Schema) -> String {
    let missing = expected.fields.iter().find(|field| !given.fields.iter().any(|known| known == *field));
    match missing {
        Some(field) => format!("{} ({}) is not where it should be", field.name(), field.data_type()),
        None => "there are more, or in another order".to_owned(),
    }
}

fn append(profile: &mut ProfileBuilder, batch: &RecordBatch) -> Result<(), ProfileFileError> {
    const OTHER: ProfileFileError = ProfileFileError::Content("a column has another type");
    let nulls = batch.columns().iter().enumerate().filter(|(place, _)| !(1..4).contains(place));
    if nulls.map(|(_, column)| column.null_count()).sum::<usize>() > 0 {
        return Err(ProfileFileError::Content("a number is null"));
    }
    let keys = batch.column(1).as_string_opt::<i32>().ok_or(OTHER)?;
    let widths = batch.column(2).as_primitive_opt::<UInt32Type>().ok_or(OTHER)?;
    let heights = batch.column(3).as_primitive_opt::<UInt32Type>().ok_or(OTHER)?;
    let measured = batch.column(4).as_boolean_opt().ok_or(OTHER)?;
    let mut ways = Vec::new();
    for of_way in batch.columns()[FACTS..].chunks(3) {
        let [bytes, storage, trainer] = of_way else { return Err(OTHER) };
        ways.push((
            bytes.as_primitive_opt::<UInt32Type>().ok_or(OTHER)?.values(),
            storage.as_primitive_opt::<Float64Type>().ok_or(OTHER)?.values(),
            trainer.as_primitive_opt::<Float64Type>().ok_or(OTHER)?.values(),
        ));
    }
    let mut costs = vec![Cost::default(); ways.len()];
    for row in 0..batch.num_rows() {
        for (cost, (bytes, storage, trainer)) in costs.iter_mut().zip(&ways) {
            *cost = Cost { bytes: bytes[row].into(), storage_seconds: storage[row], trainer_seconds: trainer[row] };
        }
        let facts = SampleFacts {
            key: keys.is_valid(row).then(|| keys.value(row)),
            width: widths.is_valid(row).then(|| widths.value(row)),
            height: heights.is_valid(row).then(|| heights.value(row)),
            measured: measured.value(row),
        };
        profile.push(&facts, &costs)?;
    }
    Ok(())
}
