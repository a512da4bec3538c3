//! Files of IDX and NumPy of any bytes: no panic.
#![no_main]

use headwater_store::are_photos;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = are_photos(bytes);
});
