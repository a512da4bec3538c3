//! Parquet files of any bytes, listed and read row by row: no panic.
#![no_main]

use bytes::Bytes;
use headwater_store::count_photos;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = count_photos(&Bytes::copy_from_slice(bytes));
});
