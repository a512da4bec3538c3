//! Bytes as an ONNX model: checked, cut down, cut in two, at each of its cuts too, joined, and brought to another
//! input, without a panic.
#![no_main]

use headwater_onnx::{ElementType, Head, InputSettings, Layout, Limits, Network, Step};
use headwater_onnx::{adapt, check, join, prune, split, stated, tail};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    if let Ok(facts) = check(bytes, &limits) {
        let steps = [Step::Cast(ElementType::FLOAT16), Step::Order(Layout::ChannelsLast)];
        if let Ok(adapted) = adapt(bytes, &steps, &limits) {
            assert!(check(&adapted, &limits).is_ok());
        }
        if let Ok(settings) = InputSettings::of(&facts) {
            let written = settings.written_into(bytes.to_vec());
            assert!(written.is_ok_and(|written| check(&written, &limits).is_ok()));
        }
        for output in &facts.outputs {
            // What is left after the cut is a model again.
            if let Ok(pruned) = prune(bytes, &[&output.name], &limits) {
                assert!(check(&pruned, &limits).is_ok());
                let _ = join(bytes, &output.name, bytes, &limits);
                if let Ok(network) = Network::read(bytes, &[&output.name], &limits) {
                    let stated = stated(bytes, &limits).unwrap_or_default();
                    for cut in network.cuts(|_| Some(1)).cuts {
                        let at: Vec<_> = stated.iter().filter(|of| cut.values.contains(&of.name)).cloned().collect();
                        if let Ok(halves) = split(bytes, &[&output.name], &at, &limits) {
                            assert!(check(&halves.front, &limits).is_ok() && check(&halves.back, &limits).is_ok());
                        }
                    }
                }
                for other in &facts.outputs {
                    let _ = tail(bytes, &other.name, &[&output.name], &limits);
                }
            }
        }
    }
    let _ = Head::read(bytes, &limits);
});
