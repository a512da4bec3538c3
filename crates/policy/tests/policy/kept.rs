//! What is kept over epochs: one job that reads every sample once an epoch, in an order of its own each time.

use headwater_policy::{Facts, PolicyName, TierSizes, Tiers};

use crate::random::Random;

/// Hits of each epoch. `planned` knows the order up to the end of the epoch, `belady` all of it.
fn hits(policy: PolicyName, sizes: TierSizes, samples: &[Facts], epochs: usize) -> Vec<Vec<u32>> {
    let mut random = Random(7);
    let orders: Vec<_> = (0..epochs).map(|_| random.order(samples.len())).collect();
    let (mut tiers, mut moved) = (Tiers::new(policy, sizes), Vec::new());
    let mut found = Vec::new();
    for (epoch, order) in orders.iter().enumerate() {
        let first = (epoch * samples.len()) as u64;
        let after = |key: u32| {
            let place = |order: &Vec<u32>| order.iter().position(|other| *other == key).unwrap() as u64;
            let next = orders.get(epoch + 1).filter(|_| policy == PolicyName::Belady)?;
            Some(first + samples.len() as u64 + place(next))
        };
        for (place, key) in order.iter().enumerate() {
            tiers.update(key, |facts| facts.next_use = Some(first + place as u64));
        }
        let mut of_epoch = Vec::new();
        for (place, &key) in order.iter().enumerate() {
            tiers.advance(first + place as u64);
            tiers.update(&key, |facts| facts.next_use = after(key));
            if tiers.access(&key, &mut moved).is_some() {
                of_epoch.push(key);
            } else {
                tiers.admit(key, Facts { next_use: after(key), ..samples[key as usize] }, &mut moved);
            }
        }
        found.push(of_epoch);
    }
    found
}

#[test]
fn one_job_and_one_size_planned_is_static_is_the_bound() {
    let samples = vec![Facts::of_bytes(1); 500];
    for sizes in [TierSizes { memory: 100, ssd: 0 }, TierSizes { memory: 30, ssd: 70 }, TierSizes { memory: 0, ssd: 1 }]
    {
        let resident = (sizes.memory + sizes.ssd) as usize;
        for policy in [PolicyName::Planned, PolicyName::Static, PolicyName::Belady] {
            let of_epochs: Vec<_> = hits(policy, sizes, &samples, 5).iter().map(Vec::len).collect();
            assert_eq!(of_epochs, [0, resident, resident, resident, resident], "{policy}");
        }
        let last = hits(PolicyName::Lru, sizes, &samples, 5)[4].len();
        assert!(last < resident, "{last}: every reuse crosses the end of the epoch");
    }
}

/// The most that samples of these bytes can be worth together, in a cache of this size.
fn knapsack(samples: &[Facts], size: u64) -> f64 {
    let mut best = vec![0.0_f64; size as usize + 1];
    for sample in samples {
        let bytes = sample.memory_bytes as usize;
        for used in (bytes..best.len()).rev() {
            best[used] = best[used].max(best[used - bytes] + f64::from(sample.cost));
        }
    }
    best[size as usize]
}

#[test]
fn where_sizes_and_costs_differ_planned_is_near_the_best_knapsack() {
    let mut random = Random(3);
    let mut worst: f64 = 1.0;
    for samples in [40, 100, 250, 1000] {
        for part in [0.1, 0.3, 0.6] {
            let facts: Vec<_> = (0..samples)
                .map(|_| {
                    let bytes = 20 + random.below(180);
                    Facts { cost: 1.0 + random.below(1000) as f32 / 250.0, ..Facts::of_bytes(bytes) }
                })
                .collect();
            let size = (facts.iter().map(|facts| facts.memory_bytes).sum::<u64>() as f64 * part) as u64;
            let last = hits(PolicyName::Planned, TierSizes { memory: size, ssd: 0 }, &facts, 8).pop().unwrap();
            let value: f64 = last.iter().map(|&key| f64::from(facts[key as usize].cost)).sum();
            let share = value / knapsack(&facts, size);
            println!("{samples} samples, {part} cached: {share:.4} of the best");
            worst = worst.min(share);
        }
    }
    assert!(worst >= 0.99, "{worst}");
}

/// What a server keeps of samples that have moved to another: see `pipeline::cached`.
#[test]
fn what_costs_less_than_nothing_makes_way_before_all_others_and_counts_again_once_it_costs_something() {
    for policy in [PolicyName::Planned, PolicyName::Importance] {
        let (mut tiers, mut moved) = (Tiers::new(policy, TierSizes { memory: 4, ssd: 0 }), Vec::new());
        let facts = |cost| Facts { cost, next_use: Some(90), ..Facts::of_bytes(1) };
        for key in 0..4_u32 {
            tiers.admit(key, facts(10.0), &mut moved);
        }
        // What comes is worth less than all that is there.
        tiers.admit(4, facts(1.0), &mut moved);
        assert!(tiers.find(&4).is_none(), "{policy}");
        [1, 2].iter().for_each(|key| tiers.update(key, |facts| facts.cost = facts.cost.copysign(-1.0)));
        tiers.update(&2, |facts| facts.cost = facts.cost.copysign(1.0));
        tiers.admit(5, facts(1.0), &mut moved);
        let kept: Vec<_> = (0..6).filter(|key| tiers.find(key).is_some()).collect();
        assert_eq!(kept, [0, 2, 3, 5], "{policy}");
    }
}
