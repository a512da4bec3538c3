//! What `profiler compare` reads: an epoch's report, which can then be shown, or an error.

#![no_main]

use headwater_epoch::EpochFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(epoch) = EpochFile::parse(bytes) {
        assert!(!epoch.compared.to_string().is_empty());
    }
});
