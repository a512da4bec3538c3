//! Bytes as an ONNX model whose data lie beside it: placed and taken in, or refused, without a panic, and a model
//! that has its data needs none.
#![no_main]

use headwater_fuzz::small_model;
use headwater_onnx::external::{outside, take_in};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = small_model();
    let Ok(found) = outside(bytes, &limits) else { return };
    assert!(found.iter().all(|outside| !outside.location.contains('/') && outside.location != ".."));
    let data = found.iter().map(|outside| vec![7; outside.length as usize]).collect();
    if let Ok(whole) = take_in(bytes, data, &limits) {
        assert!(outside(&whole, &limits).is_ok_and(|found| found.is_empty()));
    }
});
