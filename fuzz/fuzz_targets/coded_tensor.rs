//! Bytes as a tensor that was coded: decoded to as many bytes as were promised, or refused. And bytes that are coded
//! come back.

#![no_main]

use headwater_delta::{Pack, Unpack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [width, length, coded @ ..] = bytes else { return };
    let (width, length) = (usize::from(width % 9), usize::from(*length) * 64);
    if let Ok(decoded) = Unpack::default().decode(coded, width, length) {
        assert_eq!(decoded.len(), length);
    }
    if let Some(packed) = Pack::default().encode(coded, width) {
        assert!(Unpack::default().decode(&packed, width, coded.len()).is_ok_and(|decoded| decoded == coded));
    }
});
