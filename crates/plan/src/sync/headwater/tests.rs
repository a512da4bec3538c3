//! The rule on the paper's cluster, on clusters of every kind, and on those on which the paper's is plain sync.

use super::*;

/// ESync's own example: four fast workers, the slow ones third and sixth.
fn papers() -> Vec<WorkerCost> {
    cluster(&[60_000, 60_000, 3_400_000, 60_000, 60_000, 3_100_000], 4_800_000)
}

fn cluster(computes: &[u64], communication: u64) -> Vec<WorkerCost> {
    computes.iter().map(|c| WorkerCost::new(Micros(*c), Micros(communication))).collect()
}

fn at_most(steps: u32) -> Headwater {
    // More than can be had: so H is the most that is allowed, as long as more is faster.
    Headwater { utilisation: 0.999_999, most_of_slowest: NonZeroU32::new(steps), ..Headwater::default() }
}

#[test]
fn more_steps_of_the_slowest_are_faster_on_the_papers_cluster() {
    let rates = [1, 4, 8, 16].map(|steps| at_most(steps).plan(&papers()));
    for (plan, (steps, rate)) in rates.iter().zip([(1, 27.6), (4, 49.6), (8, 57.1), (16, 61.8)]) {
        assert_eq!(plan.local_steps_of_slowest, steps);
        assert!((plan.steps_per_second - rate).abs() < 0.05, "{plan:?}");
    }
    assert_eq!((rates[0].steps.as_slice(), rates[0].round), (&[56, 56, 1, 56, 56, 1][..], Micros(8_200_000)));
    assert!((rates[0].utilisation - 0.405).abs() < 0.001, "{:?}", rates[0]);
    assert!((0.9..0.92).contains(&rates[3].utilisation), "{:?}", rates[3]);
}

#[test]
fn by_itself_it_is_2_4_times_as_fast_as_the_papers_and_2_7_times_with_overlap() {
    let paper = Paper::default().plan(&papers());
    let plan = Headwater::default().plan(&papers());
    assert!(plan.utilisation >= 0.9 && plan.steps_per_second >= 2.4 * paper.steps_per_second, "{plan:?}");
    let fewer = at_most(plan.local_steps_of_slowest - 1).plan(&papers());
    assert!(fewer.utilisation < 0.9, "H is the smallest that suffices: {fewer:?}");
    let overlapped = Headwater { overlap: true, ..Headwater::default() }.plan(&papers());
    assert!(overlapped.utilisation >= 0.9, "{overlapped:?}");
    assert!(overlapped.steps_per_second >= 2.7 * paper.steps_per_second, "{overlapped:?}");
    let no_wait = 4.0 / 0.06 + 1.0 / 3.4 + 1.0 / 3.1;
    assert!(overlapped.steps_per_second <= no_wait, "nothing is faster than computing all the time");
}

#[test]
fn a_given_cap_holds_and_the_rest_is_the_fastest_below_it() {
    let capped = |most| Headwater { max_steps: NonZeroU32::new(most), ..Headwater::default() }.plan(&papers());
    for most in [1, 10, 56, 100, 500] {
        let plan = capped(most);
        assert!(plan.steps.iter().all(|steps| *steps <= most), "{plan:?}");
        let others = (1..=most).map(|slowest| {
            let planning = Planning { costs: &papers(), timing: Timing::Apart, most };
            planning.predict(planning.round(slowest)).steps_per_second
        });
        assert!(plan.steps_per_second >= others.fold(0.0, f64::max), "{plan:?}");
    }
    assert_eq!(capped(1).steps, [1; 6], "plain sync");
}

#[test]
fn one_that_is_a_hundred_times_slower_takes_the_others_to_the_cap_and_not_beyond() {
    let costs = cluster(&[10_000, 10_000, 10_000, 10_000, 10_000, 1_000_000], 50_000);
    let plan = Headwater::default().plan(&costs);
    assert!(plan.utilisation >= 0.9 && plan.steps.iter().all(|steps| *steps <= 1024), "{plan:?}");
    let capped = Headwater { max_steps: NonZeroU32::new(64), ..Headwater::default() }.plan(&costs);
    assert_eq!(capped.steps, [64, 64, 64, 64, 64, 1]);
    let far = cluster(&[1000, 10_000_000], 0);
    assert_eq!(Headwater::default().plan(&far).steps, [10_000, 1], "as many as fit, where none is given");
}

#[test]
fn nobody_and_the_longest_times_are_planned_too() {
    let none = Headwater::default().plan(&[]);
    assert_eq!((none.steps.len(), none.steps_per_second, none.utilisation), (0, 0.0, 0.0));
    let longest = cluster(&[u64::MAX, 1], u64::MAX);
    let plan = Headwater::default().plan(&longest);
    assert!(plan.steps.iter().all(|steps| *steps >= 1) && plan.steps_per_second.is_finite(), "{plan:?}");
}

/// Numbers that are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly over the orders of magnitude.
    fn between(&mut self, low: f64, high: f64) -> u64 {
        (low * (high / low).powf(self.part())) as u64
    }

    /// Costs of 1 to 32 workers: a millisecond to ten seconds a step, nothing to twenty seconds an exchange; equal ones
    /// among them, and such as have one a hundred times slower.
    fn cluster(&mut self) -> Vec<WorkerCost> {
        let workers = 1 + (self.next() % 32) as usize;
        let kind = self.next() % 8;
        let exchange = |numbers: &mut Self| if kind < 2 { 0 } else { numbers.between(1e3, 2e7) };
        let (compute, communication) = (self.between(1e3, 1e7), exchange(self));
        let equal = WorkerCost::new(Micros(compute), Micros(communication));
        let mut costs: Vec<_> = (0..workers)
            .map(|_| match kind {
                4 | 5 => equal,
                6 => WorkerCost::new(Micros(self.between(1e3, 1e7)), Micros(communication)),
                _ => WorkerCost::new(Micros(self.between(1e3, 1e7)), Micros(exchange(self))),
            })
            .collect();
        if kind == 5 {
            let place = self.next() as usize % workers;
            costs[place] = WorkerCost::new(Micros(compute * 100), Micros(communication));
        }
        costs
    }
}

#[test]
fn no_cluster_is_slower_than_in_sync_or_by_the_papers_rule() {
    let mut numbers = Numbers(18);
    let mut enough = 0;
    for place in 0..1000 {
        let costs = numbers.cluster();
        let (paper, plain) = (Paper::default().plan(&costs), StepPlan::one_step_each(&costs, false));
        for overlap in [false, true] {
            let plan = Headwater { overlap, ..Headwater::default() }.plan(&costs);
            assert!(plan.steps_per_second >= plain.steps_per_second, "{place}: {costs:?} {plan:?} {plain:?}");
            assert!(plan.steps_per_second >= paper.steps_per_second, "{place}: {costs:?} {plan:?} {paper:?}");
            let most = most_steps(None, &costs);
            assert!(plan.steps.iter().all(|steps| (1..=most).contains(steps)) && plan.utilisation <= 1.0 + 1e-9);
            enough += usize::from(plan.utilisation >= 0.9);
        }
    }
    assert!(enough > 1000, "most reach the utilisation that is wanted: {enough} of 2000");
}

#[test]
fn where_the_papers_rule_is_plain_sync_ours_is_1_4_times_as_fast() {
    let mut numbers = Numbers(19);
    for place in 0..300 {
        // Steps below half a second, and exchanges that take at least as long as the longest of them.
        let workers = 2 + (numbers.next() % 31) as usize;
        let computes: Vec<_> = (0..workers).map(|_| numbers.between(1e3, 5e5)).collect();
        let longest = computes.iter().max().copied().unwrap_or_default();
        let costs = cluster(&computes, longest.max(numbers.between(1e3, 2e7)));
        let paper = Paper::default().plan(&costs);
        assert_eq!(paper.steps, vec![1; workers], "plain sync");
        let plan = Headwater::default().plan(&costs);
        let times = plan.steps_per_second / paper.steps_per_second;
        assert!(times >= 1.4, "{place}: {times} {costs:?} {plan:?}");
    }
}
