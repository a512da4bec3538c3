//! A labels file in Parquet, of any bytes: no panic.
#![no_main]

use bytes::Bytes;
use headwater_store::count_label_rows;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = count_label_rows(&Bytes::copy_from_slice(bytes));
});
