//! Jobs that take what is cached first share their reads.

use headwater_policy::opportunistic::Opportunistic;
use headwater_policy::{Facts, PolicyName, TierSizes, Tiers};
use proptest::prelude::*;

use crate::random::Random;

const SAMPLES: usize = 1000;

/// Several jobs at equal pace, a fifth of the samples cached: origin reads of each epoch, as a multiple of what is not
/// cached.
fn origin_reads(jobs: usize, window: usize, epochs: usize) -> Vec<f64> {
    let mut random = Random(5);
    let orders: Vec<Vec<_>> = (0..=epochs).map(|_| (0..jobs).map(|_| random.order(SAMPLES)).collect()).collect();
    let places = |order: &Vec<u32>| {
        let mut places = vec![0_u64; SAMPLES];
        order.iter().enumerate().for_each(|(place, &sample)| places[sample as usize] = place as u64);
        places
    };
    let places: Vec<Vec<_>> = orders.iter().map(|jobs| jobs.iter().map(places).collect()).collect();
    let cached = SAMPLES / 5;
    let (mut tiers, mut moved) =
        (Tiers::new(PolicyName::Planned, TierSizes { memory: cached as u64, ssd: 0 }), Vec::new());
    let mut reads = Vec::new();
    for (epoch, orders) in orders.iter().enumerate().take(epochs) {
        let mut taken = vec![[false; SAMPLES]; jobs];
        let mut left: Vec<_> =
            orders.iter().map(|order| Opportunistic::new(order.clone(), window, |_| false)).collect();
        let mut origin = 0;
        for _ in 0..SAMPLES {
            for job in 0..jobs {
                let sample = left[job].take(1, |sample| tiers.find(&sample).is_some())[0];
                assert!(!std::mem::replace(&mut taken[job][sample as usize], true), "{sample} twice");
                let next = |of: usize| {
                    let epoch = epoch + usize::from(taken[of][sample as usize]);
                    ((epoch * SAMPLES) as u64 + places[epoch][of][sample as usize]) * jobs as u64 + of as u64
                };
                let next_use = (0..jobs).map(next).min();
                tiers.update(&sample, |facts| facts.next_use = next_use);
                if tiers.access(&sample, &mut moved).is_none() {
                    origin += 1;
                    tiers.admit(sample, Facts { next_use, ..Facts::of_bytes(1) }, &mut moved);
                }
            }
        }
        assert!(left.iter().all(|job| job.left() == 0));
        reads.push(origin as f64 / (SAMPLES - cached) as f64);
    }
    reads
}

#[test]
fn jobs_share_their_reads() {
    for (jobs, window, most) in [(2, SAMPLES / 4, 1.30), (2, SAMPLES / 2, 1.05), (3, SAMPLES / 2, 1.05)] {
        let reads = origin_reads(jobs, window, 4);
        println!("{jobs} jobs, a window of {window}: {reads:.3?} times what is not cached");
        // The cache is empty before the first epoch.
        assert!(reads[1..].iter().all(|reads| *reads <= most), "{jobs} jobs, {window}: {reads:?}");
        assert!(reads[0] <= most + 0.25, "{reads:?}");
    }
    let alone = origin_reads(2, 1, 4);
    assert!(alone[3] > 1.3, "each in its own order: {alone:?}");
}

proptest! {
    #[test]
    fn every_sample_is_taken_once_and_none_far_too_early(
        seed in any::<u64>(), window in 0..20_usize, count in 1..9_usize, cached in any::<u64>(), stop in 0..60_usize,
    ) {
        let order = Random(seed).order(60);
        let is_cached = |sample: u32| cached >> (sample % 64) & 1 == 1;
        let (mut epoch, mut taken) = (Opportunistic::new(order.clone(), window, |_| false), Vec::new());
        while epoch.left() > 0 {
            let next = epoch.take(count, is_cached);
            prop_assert!(next.len() == count || epoch.left() == 0);
            for sample in next {
                let place = order.iter().position(|other| *other == sample).unwrap();
                let before = order[..place].iter().filter(|other| !taken.contains(*other)).count();
                prop_assert!(before < window.max(1) , "{} before {}", before, sample);
                taken.push(sample);
            }
        }
        let mut sorted = taken.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..60).collect::<Vec<_>>());
        if count == 1 {
            let before = &taken[..stop];
            let mut resumed = Opportunistic::new(order, window, |sample| before.contains(&sample));
            prop_assert_eq!(resumed.left(), 60 - stop);
            let rest: Vec<_> = std::iter::from_fn(|| resumed.take(1, is_cached).pop()).collect();
            prop_assert_eq!(&rest, &taken[stop..]);
        }
    }
}
