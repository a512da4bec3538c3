//! Catalogs that are kept for the next start, of any bytes: no panic, and no memory for what the bytes cannot hold.
#![no_main]

use headwater_store::count_kept;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = count_kept(bytes);
});
