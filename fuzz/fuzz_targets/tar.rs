//! Tar files, and indexes of them, of any bytes: no panic, and the same index whatever pieces are read.
#![no_main]

use headwater_store::count_members;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = count_members(bytes) {
        assert!(!why.contains("a fault of the reader"), "{why}");
    }
});
