//! Promise: a delta that is older, cut off, changed or too large is refused by name, before anything is made of it.

use headwater_delta::header::seal;
use headwater_delta::{DeltaError, HEADER_BYTES, Limits, apply, encode, facts};
use headwater_types::{ByteCount, Digest};

use crate::support::{Dice, model, trained_file, weights};

fn pair() -> (Vec<u8>, Vec<u8>) {
    let mut dice = Dice(2);
    let base = model(&[("a", &weights(1500, &mut dice)), ("b", &weights(300, &mut dice))]);
    let target = trained_file(&base, 1, &mut dice);
    (base, target)
}

fn refusal(base: &[u8], delta: &[u8]) -> DeltaError {
    apply(base, delta, &Limits::default()).unwrap_err()
}

#[test]
fn a_delta_of_another_model_is_refused() {
    let (base, target) = pair();
    let delta = encode(&base, &target);
    // Replayed: the model is the newer one already.
    let (expected, actual) = (Digest::of(&base), Digest::of(&target));
    assert_eq!(refusal(&target, &delta), DeltaError::WrongBase { expected, actual });
    assert!(matches!(refusal(&[], &delta), DeltaError::WrongBase { .. }));
    // Also one that takes nothing from its base.
    let whole = encode(b"", &target);
    assert!(matches!(refusal(&base, &whole), DeltaError::WrongBase { .. }));
}

#[test]
fn a_delta_that_is_cut_off_anywhere_is_truncated() {
    let (base, target) = pair();
    let delta = encode(&base, &target);
    for end in 0..delta.len() {
        assert!(matches!(refusal(&base, &delta[..end]), DeltaError::Truncated { .. }), "{end}");
        assert_eq!(facts(&delta[..end]).is_ok(), end >= HEADER_BYTES);
    }
    let longer = [&delta[..], &[0]].concat();
    assert!(matches!(refusal(&base, &longer), DeltaError::Overlong { .. }));
}

#[test]
fn a_bit_that_flipped_is_found_wherever_it_is() {
    let (base, target) = pair();
    let delta = encode(&base, &target);
    for at in 0..delta.len() {
        let mut flipped = delta.clone();
        flipped[at] ^= 1 << (at % 8);
        let refusal = refusal(&base, &flipped);
        let named = match at {
            0..8 => refusal == DeltaError::NotADelta,
            8..12 => matches!(refusal, DeltaError::Version { known: 1, .. }),
            16..24 => matches!(refusal, DeltaError::Truncated { .. } | DeltaError::Overlong { .. }),
            32..40 => matches!(refusal, DeltaError::Tampered | DeltaError::TooLarge { what: "model", .. }),
            _ => refusal == DeltaError::Tampered,
        };
        assert!(named, "{at}: {refusal}");
    }
}

#[test]
fn what_was_changed_and_sealed_again_makes_no_other_model() {
    let (base, target) = pair();
    let delta = encode(&base, &target);
    for at in HEADER_BYTES..delta.len() {
        for change in [1, 0x80, 0xff] {
            let mut changed = delta.clone();
            changed[at] ^= change;
            seal(&mut changed);
            if let Ok(made) = apply(&base, &changed, &Limits::default()) {
                assert!(made == target, "{at}");
            }
        }
    }
    let mut promised = delta.clone();
    promised[72] ^= 1;
    seal(&mut promised);
    assert!(matches!(refusal(&base, &promised), DeltaError::WrongResult { .. }));
}

#[test]
fn claims_are_held_against_limits_before_memory_is_taken() {
    let (base, target) = pair();
    let mut delta = encode(&base, &target);
    let limits = |max_delta, max_target, max_parts| Limits {
        max_delta: ByteCount::new(max_delta),
        max_target: ByteCount::new(max_target),
        max_parts,
    };
    let (size, whole) = (delta.len() as u64, target.len() as u64);
    assert!(apply(&base, &delta, &limits(size, whole, 1000)).is_ok());
    let refused = |limits| apply(&base, &delta, &limits).unwrap_err();
    assert!(matches!(refused(limits(size - 1, whole, 1000)), DeltaError::TooLarge { what: "file", .. }));
    assert!(matches!(refused(limits(size, whole - 1, 1000)), DeltaError::TooLarge { what: "model", .. }));
    assert!(matches!(refused(limits(size, whole, 1)), DeltaError::TooManyParts { limit: 1, .. }));
    delta[32..40].copy_from_slice(&(1_u64 << 30).to_le_bytes());
    seal(&mut delta);
    assert!(matches!(refusal(&base, &delta), DeltaError::Malformed(_)), "a GiB of which there are no parts");
}
