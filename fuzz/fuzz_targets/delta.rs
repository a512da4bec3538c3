//! Any bytes as a delta, sealed so that its checksum is right, make the model that they promise, or an error: no panic,
//! no large allocation. And any two halves of the bytes have a delta, which gives the second back.
#![no_main]

use headwater_delta::header::seal;
use headwater_delta::{Limits, apply, encode, facts};
use headwater_fuzz::delta_base;
use headwater_types::{ByteCount, Digest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let base = delta_base();
    let limits = Limits { max_target: ByteCount::mebibytes(4), ..Limits::default() };
    let mut delta = bytes.to_vec();
    if let Some(length) = delta.get_mut(16..24) {
        length.copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    }
    seal(&mut delta);
    if let Ok(made) = apply(&base, &delta, &limits) {
        assert!(facts(&delta).is_ok_and(|facts| facts.target == Digest::of(&made)));
    }
    let (old, new) = bytes.split_at(bytes.len() / 2);
    assert!(apply(old, &encode(old, new), &limits).is_ok_and(|made| made == new));
});
