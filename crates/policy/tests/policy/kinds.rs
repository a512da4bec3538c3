//! Kinds that are worth their bytes.

use headwater_policy::kinds::{Choice, Cost, Market, Sample, split};
use proptest::prelude::*;

use crate::random::Random;

/// The most that kinds are worth together within a capacity: every way, by dynamic programming.
fn best(samples: &[Vec<Choice>], capacity: u64) -> f64 {
    let mut best = vec![0.0_f64; capacity as usize + 1];
    for kinds in samples {
        let before = best.clone();
        for kind in kinds.iter().filter(|kind| kind.bytes <= capacity) {
            for used in kind.bytes as usize..best.len() {
                best[used] = best[used].max(before[used - kind.bytes as usize] + kind.value);
            }
        }
    }
    best[capacity as usize]
}

fn samples() -> impl Strategy<Value = Vec<Vec<Choice>>> {
    let choice = (1..40_u64, 0..50_u32).prop_map(|(bytes, value)| Choice { bytes, value: value.into() });
    prop::collection::vec(prop::collection::vec(choice, 0..4), 0..30)
}

fn value(market: &Market<usize>, samples: &[Vec<Choice>]) -> (u64, f64) {
    let kept = samples.iter().enumerate().filter_map(|(number, kinds)| Some(kinds[market.kind(&number)?]));
    kept.fold((0, 0.0), |(bytes, value), kind| (bytes + kind.bytes, value + kind.value))
}

proptest! {
    /// The greedy solution lacks at most the step that does not fit: no more than the most valuable kind.
    #[test]
    fn a_market_is_within_one_kind_of_the_best(samples in samples(), capacity in 0..300_u64, changes in 0..20_usize) {
        let mut market = Market::new(1000);
        for (number, kinds) in samples.iter().enumerate() {
            market.set(number, &[]);
            market.set(number, kinds);
        }
        market.resize(capacity);
        for (number, kinds) in samples.iter().enumerate().take(changes) {
            market.remove(&number);
            market.set(number, kinds);
        }
        let (bytes, value) = value(&market, &samples);
        prop_assert_eq!(bytes, market.bytes());
        prop_assert!(bytes <= capacity);
        let most = samples.iter().flatten().map(|kind| kind.value).fold(0.0, f64::max);
        prop_assert!(value + most >= best(&samples, capacity), "{} of {}", value, best(&samples, capacity));
    }
}

/// Photos whose sizes differ: encoded, decoded (pixels as they were), augmented (cropped and resized).
fn photos(random: &mut Random, bandwidth: f64, cores: f64) -> Vec<Sample> {
    let photo = |_| {
        let encoded = 40_000 + random.below(160_000);
        let pixels = (encoded as f64 * (5.0 + random.below(100) as f64 / 20.0)) as u64;
        let (decode, augment) = (encoded as f64 * 3e-8 + 0.001, 0.0008);
        let network = encoded as f64 / bandwidth;
        let cost = |network, cpu: f64| Cost { network, cpu: cpu / cores };
        let kinds = vec![
            (encoded, cost(0.0, decode + augment)),
            (pixels, cost(0.0, augment)),
            (224 * 224 * 3, cost(0.0, 0.0001)),
        ];
        Sample { origin: cost(network, decode + augment), kinds }
    };
    (0..600).map(photo).collect()
}

/// Seneca's: one division of the cache for all samples, in steps of 5 %; each part is filled in order.
fn best_division(samples: &[Sample], capacity: u64) -> f64 {
    let mut best = f64::INFINITY;
    for encoded in 0..=20_u64 {
        for decoded in 0..=20 - encoded {
            let parts = [encoded, decoded, 20 - encoded - decoded].map(|part| capacity * part / 20);
            let (mut kind, mut left, mut epoch) = (0, parts[0], Cost::default());
            for sample in samples {
                while kind < 3 && sample.kinds[kind].0 > left {
                    kind += 1;
                    left = parts.get(kind).copied().unwrap_or_default();
                }
                let cost = sample.kinds.get(kind).map_or(sample.origin, |&(bytes, cost)| {
                    left -= bytes;
                    cost
                });
                (epoch.network, epoch.cpu) = (epoch.network + cost.network, epoch.cpu + cost.cpu);
            }
            best = best.min(epoch.network.max(epoch.cpu));
        }
    }
    best
}

#[test]
fn a_kind_for_each_sample_is_never_slower_than_the_best_division_for_all() {
    let mut random = Random(11);
    let mut gains = Vec::new();
    for bandwidth in [5e6, 20e6, 100e6] {
        for cores in [1.0, 4.0, 16.0] {
            let samples = photos(&mut random, bandwidth, cores);
            for part in [0.05, 0.3, 1.0, 3.0] {
                let stored: u64 = samples.iter().map(|sample| sample.kinds[0].0).sum();
                let capacity = (stored as f64 * part) as u64;
                let chosen = split(&samples, capacity);
                assert!(chosen.bytes <= capacity);
                let division = best_division(&samples, capacity);
                assert!(chosen.seconds() <= division * (1.0 + 1e-9), "{} of {division}", chosen.seconds());
                gains.push(division / chosen.seconds());
            }
        }
    }
    gains.sort_by(f64::total_cmp);
    println!("the best division takes {:.3} to {:.3} times as long", gains[0], gains[gains.len() - 1]);
}

#[test]
fn what_would_not_be_read_from_the_network_is_worth_only_its_cores() {
    let free = Cost { network: 0.0, cpu: 0.002 };
    let sample = Sample { origin: free, kinds: vec![(100, free), (150, Cost { network: 0.0, cpu: 0.0 })] };
    let chosen = split(&[sample.clone(), sample], 400);
    assert_eq!(chosen.kinds, [Some(1), Some(1)], "the encoded photo of a local folder saves nothing");
}
