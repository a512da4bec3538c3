//! Importance sampling, with losses that evolve.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use headwater_policy::PolicyName;
use headwater_simulate::Trace;

use crate::random::Random;
use crate::support::{hits, replay};

const SAMPLES: usize = 1000;
const EPOCHS: usize = 20;

struct Losses {
    /// How much a report differs from what it reports.
    noise: f64,
    /// How much a sample's difficulty changes from epoch to epoch.
    drift: f64,
    /// The part of the samples that an epoch reads.
    part: f64,
}

/// Each sample's loss drifts and falls over epochs. The first epoch reads all; each further one a part, picked without
/// replacement by the loss that was reported last.
fn accesses(losses: &Losses, seed: u64) -> Vec<(usize, usize, f32)> {
    let mut random = Random(seed);
    let mut difficulty: Vec<f64> = (0..SAMPLES).map(|_| random.normal()).collect();
    let mut reported = vec![1.0_f64; SAMPLES];
    let mut accesses = Vec::new();
    for epoch in 0..EPOCHS {
        difficulty.iter_mut().for_each(|difficulty| *difficulty += losses.drift * random.normal());
        // The smallest of exponential numbers, each with its weight as its rate (Efraimidis and Spirakis 2006).
        let mut picks: Vec<_> =
            (0..SAMPLES).map(|sample| (-(1.0 - random.part()).ln() / reported[sample], sample)).collect();
        if epoch > 0 {
            picks.sort_by(|a, b| a.0.total_cmp(&b.0));
            picks.truncate((SAMPLES as f64 * losses.part) as usize);
        }
        let falls = 0.3 + 0.7 * (-(epoch as f64) / 6.0).exp();
        for place in random.order(picks.len()) {
            let sample = picks[place as usize].1;
            reported[sample] = (difficulty[sample] + losses.noise * random.normal()).exp() * falls;
            accesses.push((epoch, sample, reported[sample] as f32));
        }
    }
    accesses
}

/// iCache's H-cache (HPCA'23), re-created: a heap by importance; what comes replaces the smallest where it is larger.
fn h_cache(accesses: &[(usize, usize, f32)], size: usize) -> u64 {
    let (mut held, mut heap, mut hits) = (HashMap::new(), BTreeSet::new(), 0);
    for &(_, sample, loss) in accesses {
        let loss = loss.to_bits();
        if let Some(before) = held.get(&sample).copied() {
            heap.remove(&(before, Reverse(sample)));
            hits += 1;
        } else if held.len() == size {
            let smallest: (u32, Reverse<usize>) = *heap.first().unwrap();
            if smallest.0 >= loss {
                continue;
            }
            heap.remove(&smallest);
            held.remove(&smallest.1.0);
        }
        held.insert(sample, loss);
        heap.insert((loss, Reverse(sample)));
    }
    hits
}

#[test]
fn importance_hits_at_least_as_often_as_icaches_heap_and_more_often_than_static() {
    for (noise, drift, part) in [(0.3, 0.15, 0.7), (0.6, 0.15, 0.7), (0.3, 0.4, 0.3), (0.8, 0.05, 0.5)] {
        for seed in [1, 2] {
            let accesses = accesses(&Losses { noise, drift, part }, seed);
            let mut text = "epoch\tsample\tloss\n".to_owned();
            accesses.iter().for_each(|(epoch, sample, loss)| writeln!(text, "{epoch}\t{sample}\t{loss}").unwrap());
            let trace = Trace::parse(text.as_bytes()).unwrap();
            let size = SAMPLES as u64 / 5;
            let of = |policy, memory, ssd| hits(&replay(&trace, policy, memory, ssd));
            let (importance, fill) = (of(PolicyName::Importance, size, 0), of(PolicyName::Static, size, 0));
            let heap = h_cache(&accesses, size as usize);
            println!(
                "noise {noise}, drift {drift}, {part} read: importance {importance}, H-cache {heap}, static {fill}"
            );
            assert!(importance >= heap && importance > fill);
            let tiers = of(PolicyName::Importance, size / 4, size - size / 4);
            assert!(tiers >= heap, "two tiers of the same size together: {tiers}");
        }
    }
}

#[test]
fn what_was_not_picked_for_its_importance_counts_a_quarter() {
    let text = "sample\tloss\tflag\tfull_access\na\t2\t0\t0\nb\t1\t1\t0\nc\t1.5\t0\t1\nd\t1.4\t0\t0\n";
    let report = replay(&Trace::parse(text.as_bytes()).unwrap(), PolicyName::Importance, 2, 0);
    assert_eq!(report.memory.keys.unwrap(), ["b", "c"]);
    assert_eq!((report.rejected, report.evicted), (1, 1));
}
