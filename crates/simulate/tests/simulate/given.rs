//! Traces of the folder of test data, whose results are known; the same rules on made ones, held against lists.

use std::collections::VecDeque;
use std::fmt::Write as _;

use headwater_policy::PolicyName;
use headwater_simulate::{Report, Trace};

use crate::random::Random;
use crate::support::{given, hits, replay};

/// LRU over two tiers, with lists that are looked through: memory hits, SSD hits, and the keys that are left.
fn lru_of_lists(text: &str, memory: u64, ssd: u64) -> (u64, u64, [Vec<String>; 2]) {
    let mut tiers: [VecDeque<(&str, u64)>; 2] = Default::default();
    let mut hits = [0, 0];
    for line in text.lines().skip(1) {
        let (key, bytes) = line.split_once('\t').unwrap();
        let entry = (key, bytes.parse().unwrap());
        for (tier, hits) in tiers.iter_mut().zip(&mut hits) {
            if let Some(place) = tier.iter().position(|(held, _)| *held == key) {
                tier.remove(place);
                *hits += 1;
            }
        }
        let mut down = vec![entry];
        for (tier, size) in tiers.iter_mut().zip([memory, ssd]) {
            let mut further = Vec::new();
            for entry in down {
                if entry.1 > size {
                    further.push(entry);
                    continue;
                }
                tier.push_back(entry);
                while tier.iter().map(|(_, bytes)| bytes).sum::<u64>() > size {
                    further.extend(tier.pop_front());
                }
            }
            down = further;
        }
    }
    let keys = tiers.map(|tier| {
        let mut keys: Vec<_> = tier.into_iter().map(|(key, _)| key.to_owned()).collect();
        keys.sort_unstable();
        keys
    });
    (hits[0], hits[1], keys)
}

/// Few keys often, many rarely, each of a size of its own.
fn skewed() -> String {
    let mut random = Random(2);
    let mut text = "# key size\n".to_owned();
    for _ in 0..4000 {
        let key = (random.part().powi(3) * 300.0) as u64;
        writeln!(text, "{key}\t{}", 2000 + key * 7919 % 8000).unwrap();
    }
    text
}

fn keys(report: &Report) -> [Vec<String>; 2] {
    [&report.memory, &report.ssd].map(|tier| {
        let mut keys = tier.keys.clone().unwrap();
        keys.sort_unstable();
        keys
    })
}

#[test]
fn lru_over_two_tiers_agrees_to_the_access() {
    let made = skewed();
    for (memory, ssd) in [(100_000, 300_000), (530_088, 1_060_176), (9_000, 50_000)] {
        let report = replay(&Trace::parse(made.as_bytes()).unwrap(), PolicyName::Lru, memory, ssd);
        let (in_memory, on_ssd, left) = lru_of_lists(&made, memory, ssd);
        assert_eq!((report.counts.memory_hits, report.counts.ssd_hits), (in_memory, on_ssd));
        assert_eq!(keys(&report), left);
        assert_eq!(report.counts.origin, report.counts.accesses - in_memory - on_ssd);
    }
    let Some(text) = given("zipf_var.tsv") else { return };
    let report = replay(&Trace::parse(text.as_bytes()).unwrap(), PolicyName::Lru, 530_088, 1_060_176);
    let part = |count: u64| count as f64 / report.counts.accesses as f64;
    let parts = [report.counts.memory_hits, report.counts.ssd_hits, report.counts.origin].map(part);
    assert_eq!(parts, [0.32345, 0.23175, 0.4448]);
    assert_eq!(
        [(report.memory.entries, report.memory.bytes), (report.ssd.entries, report.ssd.bytes)],
        [(97, 522_151), (202, 1_058_767)]
    );
    assert_eq!(keys(&report), lru_of_lists(&text, 530_088, 1_060_176).2);
}

/// Epochs of the same samples, each in an order of its own.
fn epochs() -> String {
    let mut random = Random(4);
    let mut text = "# epoch sample\n".to_owned();
    for epoch in 0..6 {
        random.order(3000).iter().for_each(|sample| writeln!(text, "{epoch}\t{sample}").unwrap());
    }
    text
}

#[test]
fn static_hits_what_it_holds_and_planned_and_belady_no_more() {
    let text = given("uniform.tsv");
    let (entries, is_given) = (2000, text.is_some());
    let trace = Trace::parse(text.unwrap_or_else(epochs).as_bytes()).unwrap();
    for policy in [PolicyName::Static, PolicyName::Planned, PolicyName::Belady] {
        for (memory, ssd) in [(entries, 0), (500, entries - 500)] {
            let report = replay(&trace, policy, memory, ssd);
            for epoch in &report.epochs {
                let hits = epoch.counts.memory_hits + epoch.counts.ssd_hits;
                assert_eq!(hits, if epoch.epoch == 0 { 0 } else { entries }, "{policy}, epoch {}", epoch.epoch);
            }
        }
    }
    let lru = replay(&trace, PolicyName::Lru, entries, 0);
    let last = lru.epochs.last().unwrap().counts.memory_hits;
    assert!(hits(&lru) < entries * lru.epochs.len() as u64 && (!is_given || last == 231), "{last}");
}

#[test]
fn a_sample_of_another_size_is_a_changed_one_and_its_old_value_is_not_served() {
    let trace = Trace::parse(b"key size\na\t5\na\t5\na\t6\na\t6\n").unwrap();
    let report = replay(&trace, PolicyName::Lru, 100, 0);
    assert_eq!((hits(&report), report.counts.origin, report.changed, report.memory.bytes), (2, 2, 1, 6));
    assert_eq!((report.counts.bytes, report.counts.origin_bytes), (22, 11));
}
