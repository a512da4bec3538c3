//! A value of a node's cache as it lies on an SSD: read whole, or refused.

#![no_main]

use headwater_cache::node::{SampleId, SampleLayout, seal};
use libfuzzer_sys::fuzz_target;

const ID: SampleId = SampleId { index: 3, identity: 9 };

fuzz_target!(|bytes: &[u8]| {
    let _ = SampleLayout::verify(bytes, ID);
    // What lies behind the checksum.
    let mut sealed = bytes.to_vec();
    seal(&mut sealed);
    if let Ok(layout) = SampleLayout::verify(&sealed, ID) {
        let mut end = layout.pickle.start;
        for range in std::iter::once(&layout.pickle).chain(&layout.buffers) {
            assert!(end <= range.start && range.end <= sealed.len());
            end = range.end;
        }
    }
});
