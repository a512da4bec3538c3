//! Several jobs at equal pace, each with an order of its own, a fifth of the samples cached.

use std::fmt::Write as _;

use headwater_policy::PolicyName;
use headwater_simulate::{Report, Trace};

use crate::random::Random;
use crate::support::{hits, replay};

const SAMPLES: usize = 5000;
const EPOCHS: u32 = 6;

fn trace(jobs: usize, stops: Option<u32>) -> Trace {
    let mut random = Random(9);
    let mut text = "epoch\tjob\tsample\n".to_owned();
    for epoch in 0..EPOCHS {
        let orders: Vec<_> = (0..jobs).map(|_| random.order(SAMPLES)).collect();
        for place in 0..SAMPLES {
            for (job, order) in orders.iter().enumerate() {
                let is_there = job > 0 || stops.is_none_or(|stop| epoch < stop);
                if is_there {
                    writeln!(text, "{epoch}\t{job}\t{}", order[place]).unwrap();
                }
            }
        }
    }
    Trace::parse(text.as_bytes()).unwrap()
}

/// Hits of all epochs but the first, in which the cache fills, and the last, behind which nothing is known.
fn hit_rate(report: &Report) -> f64 {
    let counted = &report.epochs[1..report.epochs.len() - 1];
    let hits: u64 = counted.iter().map(|epoch| epoch.counts.memory_hits + epoch.counts.ssd_hits).sum();
    hits as f64 / counted.iter().map(|epoch| epoch.counts.accesses).sum::<u64>() as f64
}

#[test]
fn planned_is_within_a_hundredth_of_belady() {
    for (jobs, expected) in [(1, 0.200), (2, 0.450), (3, 0.492)] {
        let trace = trace(jobs, None);
        let of = |policy| replay(&trace, policy, SAMPLES as u64 / 5, 0);
        let [planned, belady, lru] = [PolicyName::Planned, PolicyName::Belady, PolicyName::Lru].map(of);
        let [rate, bound, recent] = [&planned, &belady, &lru].map(hit_rate);
        println!("{jobs} jobs: planned {rate:.4}, belady {bound:.4}, lru {recent:.4}");
        assert!((bound - expected).abs() < 0.01, "{jobs} jobs: {bound}");
        assert!(rate >= bound * 0.99, "{jobs} jobs: {rate} of {bound}");
        assert!(hits(&planned) as f64 >= hits(&belady) as f64 * 0.99);
        assert!(recent < 0.6 * bound, "{recent}");
    }
}

#[test]
fn a_job_that_ends_takes_nothing_else_with_it() {
    let (together, alone) = (trace(2, Some(2)), trace(2, None));
    let of = |trace: &Trace| replay(trace, PolicyName::Planned, SAMPLES as u64 / 5, 0);
    let (stopped, both) = (of(&together), of(&alone));
    let jobs: Vec<_> = stopped.jobs.iter().map(|job| (job.job.as_str(), job.counts.accesses)).collect();
    assert_eq!(jobs, [("0", 2 * SAMPLES as u64), ("1", u64::from(EPOCHS) * SAMPLES as u64)]);
    let last = stopped.epochs[4].counts;
    assert!(
        last.memory_hits >= SAMPLES as u64 / 5 * 99 / 100,
        "a job that is alone has what one job can have: {last:?}"
    );
    assert!(hit_rate(&both) > 0.44);
}
