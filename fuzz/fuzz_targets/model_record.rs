//! A record of versions is read or refused; what is read is written back as the same.

#![no_main]

use headwater_types::Digest;
use headwater_versions::Record;
use libfuzzer_sys::fuzz_target;

fn check(record: &[u8]) {
    if let Ok(read) = Record::parse(record) {
        let again = read.to_bytes().unwrap_or_default();
        assert_eq!(Record::parse(&again), Ok(read));
    }
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // Under a checksum that fits, so that what stands behind it is looked at too.
    check(&[format!("headwater-models 1 {}\n", Digest::of(bytes)).as_bytes(), bytes].concat());
});
