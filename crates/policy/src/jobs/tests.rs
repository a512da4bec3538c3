use std::ops::Range;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn order(seed: u64, epoch: u64, samples: u64) -> EpochOrder {
    let address = Address::new(seed, epoch);
    let settings = OrderSettings { address, shuffle: true, samples, part: 0..samples, choice: None, repeats: true };
    EpochOrder::new(settings)
}

fn who(job: &str, rank: u32) -> Announcer {
    Announcer { job: job.parse().unwrap(), rank, lease: SECOND * 10 }
}

fn begin(jobs: &mut Jobs, job: &str, rank: u32, order: &EpochOrder, now: Duration) {
    let begins = Statement::Begins(Box::new(order.clone()), 0);
    assert_eq!(jobs.announce(&who(job, rank), begins, now), Announced::Counts);
}

/// All samples, in the order in which they are needed next.
fn needed(jobs: &Jobs, samples: u64) -> Vec<u64> {
    let mut all: Vec<u64> = (0..samples).filter(|&sample| jobs.next_use(sample).is_some()).collect();
    all.sort_by_key(|&sample| jobs.next_use(sample));
    all
}

proptest! {
    /// Against the orders themselves, which are written out: what comes next, wherever the job is.
    #[test]
    fn the_next_use_is_that_of_the_order_written_out(samples in 1_u64..200, taken in 0_u64..200, seed: u64) {
        let taken = taken.min(samples);
        let (now, next) = (order(seed, 5, samples), order(seed, 6, samples));
        let mut jobs = Jobs::new(samples);
        begin(&mut jobs, "a", 0, &now, SECOND);
        let name = "a".parse().unwrap();
        prop_assert_eq!(jobs.looks_beyond(), false);
        let mut to_come: Vec<u64> = (0..samples).filter_map(|position| now.at(position)).collect();
        for sample in to_come.drain(..taken as usize) {
            jobs.took(&name, Address::new(seed, 5), sample);
        }
        prop_assert_eq!(needed(&jobs, samples), to_come.clone());
        // With another job, which has nothing to come, the epoch that follows counts too.
        let none = OrderSettings { choice: Some(Arc::new(Choice::new(&[]).unwrap())), ..now.settings().clone() };
        begin(&mut jobs, "b", 0, &EpochOrder::new(none), SECOND);
        to_come.extend((0..samples).filter_map(|position| next.at(position)));
        let mut seen = std::collections::BTreeSet::new();
        to_come.retain(|sample| seen.insert(*sample));
        prop_assert_eq!(needed(&jobs, samples), to_come);
    }
}

#[test]
fn the_earliest_use_over_jobs_counts_and_a_job_that_dies_takes_only_its_own() {
    let (first, second) = (order(1, 0, 1_000), order(2, 0, 1_000));
    let mut jobs = Jobs::new(1_000);
    begin(&mut jobs, "a", 0, &first, SECOND);
    let alone = needed(&jobs, 1_000);
    begin(&mut jobs, "b", 0, &second, SECOND);
    let both = needed(&jobs, 1_000);
    assert_ne!(alone, both);
    let firsts = [&first, &second].map(|order| order.at(0).unwrap());
    assert!(both[..2].iter().all(|sample| firsts.contains(sample)), "the first of each job comes first");
    let revision = jobs.revision();

    // b says nothing any more, and a goes on.
    let reached = Statement::Reached(Address::new(1, 0), 0);
    assert_eq!(jobs.announce(&who("a", 0), reached, SECOND * 6), Announced::Counts);
    assert_eq!(jobs.expire(SECOND * 12), ["b".parse().unwrap()]);
    assert!(jobs.revision() > revision);
    assert_eq!((needed(&jobs, 1_000), jobs.count()), (alone, (1, 1, 0)));
    assert_eq!(jobs.announce(&who("a", 0), Statement::Ends, SECOND * 13), Announced::Counts);
    assert_eq!((needed(&jobs, 1_000), jobs.count()), (vec![], (0, 0, 0)));
}

#[test]
fn a_job_is_as_far_as_its_slowest_rank_that_lives() {
    let order = order(1, 0, 100);
    let mut jobs = Jobs::new(100);
    for rank in 0..2 {
        begin(&mut jobs, "a", rank, &order, SECOND);
    }
    let reach = |jobs: &mut Jobs, rank, position, at| {
        jobs.announce(&who("a", rank), Statement::Reached(Address::new(1, 0), position), SECOND * at)
    };
    reach(&mut jobs, 0, 90, 2);
    assert_eq!(needed(&jobs, 100)[0], order.at(0).unwrap());
    reach(&mut jobs, 1, 40, 2);
    assert_eq!(needed(&jobs, 100)[0], order.at(40).unwrap());
    assert_eq!(reach(&mut jobs, 0, 91, 9), Announced::Counts);
    assert_eq!(reach(&mut jobs, 0, 92, 15), Announced::Counts, "rank 1 has lost its lease");
    assert_eq!(needed(&jobs, 100)[0], order.at(92).unwrap());
    assert_eq!(reach(&mut jobs, 1, 50, 15), Announced::Unheard);
}

#[test]
fn a_pass_of_another_epoch_replaces_the_one_before_and_late_ranks_do_not_bring_it_back() {
    let (one, two) = (order(1, 0, 100), order(1, 1, 100));
    let mut jobs = Jobs::new(100);
    begin(&mut jobs, "a", 0, &one, SECOND);
    begin(&mut jobs, "a", 1, &one, SECOND);
    begin(&mut jobs, "a", 0, &two, SECOND * 2);
    let late = Statement::Reached(Address::new(1, 0), 99);
    assert_eq!(jobs.announce(&who("a", 1), late, SECOND * 3), Announced::Counts);
    jobs.took(&"a".parse().unwrap(), Address::new(1, 0), two.at(0).unwrap());
    assert_eq!(needed(&jobs, 100)[0], two.at(0).unwrap());
    // The trainer has begun anew, from a state of before.
    begin(&mut jobs, "a", 0, &one, SECOND * 4);
    assert_eq!(needed(&jobs, 100)[0], one.at(0).unwrap());
}

#[test]
fn an_order_that_nobody_can_compute_says_nothing_and_is_counted() {
    let mut jobs = Jobs::new(10);
    assert_eq!(jobs.announce(&who("a", 0), Statement::Unknown, SECOND), Announced::Counts);
    let revision = jobs.revision();
    assert_eq!(jobs.announce(&who("a", 0), Statement::Unknown, SECOND * 2), Announced::Counts);
    assert_eq!((jobs.next_use(3), jobs.count(), jobs.revision()), (None, (1, 0, 1), revision));
}

#[test]
fn what_comes_is_looked_at_once_within_bounds_and_into_the_next_epoch() {
    let (one, two) = (order(1, 0, 10), order(1, 1, 10));
    let (mut jobs, name) = (Jobs::new(10), "a".parse().unwrap());
    begin(&mut jobs, "a", 0, &one, SECOND);
    begin(&mut jobs, "b", 0, &two, SECOND);
    let mut looked = Looked::default();
    let at = |order: &EpochOrder, range: Range<u64>| range.filter_map(|at| order.at(at)).collect::<Vec<_>>();
    assert_eq!(jobs.coming(&name, &mut looked, 4, 6), at(&one, 0..4));
    assert_eq!(jobs.coming(&name, &mut looked, 4, 6), at(&one, 4..6));
    assert_eq!(jobs.coming(&name, &mut looked, 4, 6), [0; 0]);
    jobs.took(&name, Address::new(1, 0), one.at(8).unwrap());
    jobs.announce(&who("a", 0), Statement::Reached(Address::new(1, 0), 7), SECOND);
    assert_eq!(jobs.coming(&name, &mut looked, 100, 6), [at(&one, 7..8), at(&one, 9..10), at(&two, 0..3)].concat());
    assert_eq!(jobs.coming(&"c".parse().unwrap(), &mut looked, 100, 6), [0; 0]);
    jobs.announce(&who("b", 0), Statement::Ends, SECOND);
    let mut looked = Looked::default();
    assert_eq!(jobs.coming(&name, &mut looked, 100, 6).len(), 2, "alone, to the epoch's end");
}

#[test]
fn the_largest_importance_over_jobs_counts_and_losses_go_with_their_job() {
    let mut jobs = Jobs::new(4);
    let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
    assert_eq!(jobs.importance(0), 1.0);
    assert_eq!(jobs.report(Some(&a), SECOND * 10, SECOND, &[(0, 1.0), (1, 3.0), (9, 1.0)]), 2);
    assert_eq!(jobs.report(Some(&b), SECOND * 90, SECOND, &[(0, 30.0), (1, 10.0)]), 2);
    assert_eq!([0, 1, 2].map(|sample| jobs.importance(sample)), [1.5, 1.5, 1.0]);
    assert_eq!(jobs.losses(), (2, 11.0));
    assert_eq!(jobs.expire(SECOND * 12), [a]);
    assert_eq!([0, 1, 2].map(|sample| jobs.importance(sample)), [1.5, 0.5, 1.0]);
    assert_eq!(jobs.report(None, SECOND, SECOND * 12, &[(1, 2.0)]), 1);
    assert_eq!(jobs.expire(SECOND * 1_000), [b]);
    assert_eq!((jobs.importance(1), jobs.losses()), (1.0, (1, 2.0)));
}

#[test]
fn jobs_are_bounded_in_number() {
    let mut jobs = Jobs::new(1);
    let all: Vec<String> = (0..=MAX_JOBS).map(|number| format!("job{number}")).collect();
    for name in &all[..MAX_JOBS] {
        assert_eq!(jobs.announce(&who(name, 0), Statement::Unknown, SECOND), Announced::Counts);
    }
    assert_eq!(jobs.announce(&who(&all[MAX_JOBS], 0), Statement::Unknown, SECOND), Announced::Full);
    assert_eq!(jobs.report(Some(&all[MAX_JOBS].parse().unwrap()), SECOND, SECOND, &[(0, 1.0)]), 0);
    assert_eq!(jobs.announce(&who(&all[MAX_JOBS], 0), Statement::Unknown, SECOND * 60), Announced::Counts);
    let choice = Some(Arc::new(Choice::new(&[0]).unwrap()));
    let settings = OrderSettings { choice, ..order(1, 0, 1).settings().clone() };
    begin(&mut jobs, "chosen", 0, &EpochOrder::new(settings), SECOND * 60);
    assert_eq!(jobs.count(), (2, 1, 1));
}

#[test]
fn the_lowest_losses_of_a_job_are_not_read_ahead_and_are_forgotten_with_it() {
    let mut jobs = Jobs::new(100);
    let (name, other): (JobName, JobName) = ("a".parse().unwrap(), "b".parse().unwrap());
    assert!(jobs.reported(&name).is_none());
    begin(&mut jobs, "a", 0, &order(1, 0, 100), SECOND);
    let losses: Vec<_> = (0..50).map(|sample| (sample, sample as f32)).collect();
    assert_eq!(jobs.report(Some(&name), SECOND, SECOND, &losses), 50);
    assert_eq!(jobs.coming(&name, &mut Looked::default(), 1_000, 1_000).len(), 100);

    let losses = jobs.reported(&name).unwrap();
    assert_eq!(losses.known(), 50);
    jobs.classify(&name, Low::of(&losses, 0.3));
    jobs.classify(&other, Low::of(&losses, 0.3));
    let low: Vec<_> = (0..100).filter(|&sample| jobs.is_low(&name, sample)).collect();
    assert_eq!(low, (0..15).collect::<Vec<_>>());
    let coming = jobs.coming(&name, &mut Looked::default(), 1_000, 1_000);
    assert!(coming.len() == 85 && coming.iter().all(|sample| *sample >= 15));
    assert!(!jobs.is_low(&other, 3));

    assert_eq!(jobs.announce(&who("a", 0), Statement::Ends, SECOND * 2), Announced::Counts);
    assert!(!jobs.is_low(&name, 3));
}

#[test]
fn progress_is_where_the_slowest_rank_is() {
    let mut jobs = Jobs::new(100);
    let now = order(7, 3, 100);
    begin(&mut jobs, "a", 0, &now, SECOND);
    begin(&mut jobs, "a", 1, &now, SECOND);
    assert_eq!(jobs.announce(&who("b", 0), Statement::Unknown, SECOND), Announced::Counts);
    let address = Address::new(7, 3);
    for (rank, position) in [(0, 60), (1, 40)] {
        assert_eq!(jobs.announce(&who("a", rank), Statement::Reached(address, position), SECOND), Announced::Counts);
    }
    assert_eq!(jobs.report(Some(&"a".parse().unwrap()), SECOND, SECOND, &[(5, 1.0)]), 1);
    let all: Vec<_> = jobs.progress().collect();
    let at = Some(Reached { address, done: 40, of: 100 });
    let a = Progress { job: "a".parse().unwrap(), ranks: 2, at, is_unknown: false, losses: 1 };
    let b = Progress { job: "b".parse().unwrap(), ranks: 1, at: None, is_unknown: true, losses: 0 };
    assert_eq!(all, [a, b]);
}
