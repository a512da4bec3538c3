//! Answers of an S3 store to a listing, of any bytes: no panic.
#![no_main]

use headwater_store::count_listed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = count_listed(bytes, "a/");
});
