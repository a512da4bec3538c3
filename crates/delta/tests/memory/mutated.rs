//! Promise: damaged deltas, sealed again so that their checksum is right, are refused, or make the model that they
//! promise; in memory that their claims allow, and quickly.
//!
//! The damage is drawn from a seed, so that it is the same in every run. `HEADWATER_MUTATIONS` is how many deltas are
//! tried; a million take minutes.

use std::time::{Duration, Instant};

use headwater_delta::header::seal;
use headwater_delta::{HEADER_BYTES, Limits, apply, encode, facts};
use headwater_types::{ByteCount, Digest};

use crate::heap::{alone, peak_of};
use crate::support::{Dice, model, trained_file, weights};

/// Mutations where nothing else is said.
const FEW: u64 = 5000;
/// Longest that a delta of some kilobytes may take, unoptimised and on a machine that is busy.
const LONGEST: Duration = Duration::from_secs(5);
/// Tables, parts and pieces, beside the model.
const BESIDE: u64 = 2 << 20;

/// Deltas of every kind of part and block, each with its base.
fn seeds() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut dice = Dice(7);
    let (a, b) = (weights(1500, &mut dice), weights(400, &mut dice));
    let base = model(&[("a", &a), ("b", &b)]);
    let sparse: Vec<f32> = a.iter().enumerate().map(|(at, w)| if at % 9 == 0 { w * 1.001 } else { *w }).collect();
    let targets = [
        trained_file(&base, 1, &mut dice),
        model(&[("a", &sparse), ("c", &b)]),
        model(&[("new", &weights(300, &mut dice)), ("b", &b)]),
        b"text ".repeat(100),
    ];
    targets.iter().map(|target| (base.clone(), encode(&base, target))).collect()
}

/// A delta with some of its bytes changed, left out, doubled or cut off, under a header that fits.
fn damaged(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        let end = if dice.below(2) > 0 { bytes.len().min(HEADER_BYTES + 200) } else { bytes.len() };
        let at = if dice.below(16) == 0 { dice.below(end) } else { HEADER_BYTES + dice.below(end - HEADER_BYTES) };
        match dice.below(8) {
            0 => bytes.truncate(at.max(HEADER_BYTES + 1)),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, dice.below(256) as u8),
            3 => bytes[at] ^= 1 << dice.below(8),
            4 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.below(5)],
            5 => {
                let (from, length) = (dice.below(bytes.len()), dice.below(40));
                let part: Vec<u8> = bytes[from..].iter().copied().take(length).collect();
                bytes.splice(at..at, part);
            }
            _ => bytes[at] = dice.below(256) as u8,
        }
        while bytes.len() <= HEADER_BYTES {
            bytes.push(0);
        }
    }
    let length = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&length.to_le_bytes());
    seal(&mut bytes);
    bytes
}

fn try_all(tries: u64) {
    let _alone = alone();
    let (seeds, mut dice) = (seeds(), Dice(15));
    let limits = Limits { max_target: ByteCount::mebibytes(1), ..Limits::default() };
    let (mut good, mut refused, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    for number in 0..tries {
        let (base, seed) = &seeds[dice.below(seeds.len())];
        let delta = damaged(seed, &mut dice);
        let started = Instant::now();
        let (made, peak) = peak_of(|| apply(base, &delta, &limits));
        slowest = slowest.max(started.elapsed());
        let claimed = facts(&delta).map_or(0, |facts| facts.target_bytes.get()).min(limits.max_target.get());
        assert!(peak <= claimed + BESIDE, "number {number} takes {peak} bytes for {claimed}");
        match made {
            Ok(made) => {
                assert_eq!(Digest::of(&made), facts(&delta).unwrap().target, "number {number}");
                good += 1;
            }
            Err(_) => refused += 1,
        }
    }
    println!("{good} make their model, {refused} are refused; the slowest took {slowest:?}");
    assert!(slowest < LONGEST && refused > 9 * good);
}

#[test]
fn damaged_deltas_make_their_model_or_are_refused() {
    try_all(std::env::var("HEADWATER_MUTATIONS").map_or(FEW, |tries| tries.parse().unwrap()));
}

#[test]
#[ignore = "takes minutes"]
fn a_million_damaged_deltas_make_their_model_or_are_refused() {
    try_all(1_000_000);
}
