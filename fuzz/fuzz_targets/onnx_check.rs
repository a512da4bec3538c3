//! Bytes as an ONNX model: checked, cut down, cut in two and joined, without a panic.
#![no_main]

use headwater_onnx::{Head, Limits, check, join, prune, tail};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    if let Ok(facts) = check(bytes, &limits) {
        for output in &facts.outputs {
            // What is left after the cut is a model again.
            if let Ok(pruned) = prune(bytes, &[&output.name], &limits) {
                assert!(check(&pruned, &limits).is_ok());
                let _ = join(bytes, &output.name, bytes, &limits);
                for other in &facts.outputs {
                    let _ = tail(bytes, &other.name, &[&output.name], &limits);
                }
            }
        }
    }
    let _ = Head::read(bytes, &limits);
});
