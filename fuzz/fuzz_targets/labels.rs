//! A block of labels is read or refused; what is read is written back as the same rows.

#![no_main]

use headwater_labels::{frame_columns, reseal_block};
use libfuzzer_sys::fuzz_target;

fn check(block: &[u8]) {
    if let Ok(again) = reseal_block(block) {
        assert_eq!(reseal_block(&again), Ok(again.clone()));
    }
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // As columns under a checksum that fits, so that they are looked at too: two bytes say how many rows there are.
    if let Some((rows, columns)) = bytes.split_first_chunk() {
        check(&frame_columns(u16::from_le_bytes(*rows), columns));
    }
});
