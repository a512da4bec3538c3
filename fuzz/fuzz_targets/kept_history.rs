//! What is kept of a dataset's generations, of any bytes: no panic.
#![no_main]

use headwater_store::count_steps;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = count_steps(bytes);
});
