//! What each sample and each byte costs beside its payload and its pixels: envelopes, and the CPU of receiving.

use headwater_plan::Overheads;

use crate::measured::Pass;
use crate::statistics::non_negative_least_squares;

/// HTTP/2 puts 9 bytes before each frame of at most 16 KiB, as the servers' send them; counters do not see those.
const FRAME_PER_BYTE: f64 = 9.0 / 16_384.0;

/// Of passes at several ways, whose payloads differ by orders of magnitude: the part of each sample and of each byte.
pub(crate) fn overheads(passes: &[Pass]) -> Overheads {
    let split = |extra: &dyn Fn(&Pass) -> f64| {
        let rows: Vec<_> = passes.iter().map(|pass| vec![pass.samples as f64, pass.payload as f64]).collect();
        let targets: Vec<_> = passes.iter().map(extra).collect();
        // By the sample, not by the pass: one with huge payloads must not say what a small one costs.
        let weights: Vec<_> = passes.iter().map(|pass| 1.0 / (pass.payload as f64).max(1.0)).collect();
        match non_negative_least_squares(&rows, &targets, &weights)[..] {
            [of_sample, of_byte] => (of_sample, of_byte),
            _ => (0.0, 0.0),
        }
    };
    let (envelope_bytes, envelope) = split(&|pass| pass.received.saturating_sub(pass.payload) as f64);
    let (receive_seconds, receive_seconds_per_byte) = split(&|pass| pass.receiving);
    Overheads {
        envelope_bytes,
        envelope_per_byte: envelope + FRAME_PER_BYTE,
        receive_seconds,
        receive_seconds_per_byte,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_samples_is_told_from_what_belongs_to_bytes() {
        let pass = |samples: u64, payload: u64| Pass {
            samples,
            payload,
            received: payload + 60 * samples + payload / 1000,
            receiving: 2e-5 * samples as f64 + 1e-9 * payload as f64,
        };
        let found = overheads(&[pass(100, 2_000_000), pass(100, 15_000_000), pass(100, 60_000_000)]);
        assert!((found.envelope_bytes - 60.0).abs() < 1.0, "{found:?}");
        assert!((found.envelope_per_byte - 0.001 - FRAME_PER_BYTE).abs() < 1e-5, "{found:?}");
        assert!((found.receive_seconds - 2e-5).abs() < 1e-6 && (found.receive_seconds_per_byte - 1e-9).abs() < 1e-10);
        assert!(overheads(&[]).is_sound());
    }
}
