//! What `profiler compare` reads: an epoch's report, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = headwater_measure::is_epoch_report(bytes);
});
