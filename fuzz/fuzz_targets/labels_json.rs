//! A labels file in JSON Lines, of any bytes: no panic.
#![no_main]

use headwater_store::count_rows;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = count_rows("jsonl", bytes);
});
