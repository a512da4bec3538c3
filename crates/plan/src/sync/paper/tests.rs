//! The state server, event by event, and the plan beside it.

use proptest::prelude::*;

use super::*;

/// The server's record of a worker, and the worker itself.
#[derive(Clone, Debug, Default)]
struct Record {
    k: u32,
    c: u64,
    te: u64,
    done: bool,
    t: u32,
}

/// ESync's server in its own words, on whole microseconds.
struct StateServer {
    epsilon: u64,
    t: u32,
    records: Vec<Record>,
}

impl StateServer {
    fn new(workers: usize, epsilon: u64) -> Self {
        Self { epsilon, t: 1, records: vec![Record { t: 1, ..Record::default() }; workers] }
    }

    fn slowest(&self) -> Option<usize> {
        let (mut slowest, mut longest) = (None, 0);
        for (rank, record) in self.records.iter().enumerate() {
            if record.c > longest {
                (slowest, longest) = (Some(rank), record.c);
            }
        }
        slowest
    }

    /// `apply_for_aggregation`: whether the worker exchanges weights now.
    fn apply(&mut self, rank: usize, k: u32, c: u64, te: u64, now: u64) -> bool {
        let record = &mut self.records[rank];
        (record.k, record.c, record.te) = (k, c, te);
        if k == 0 {
            return false;
        }
        let slowest = self.slowest().unwrap();
        if self.records[slowest].t != self.t {
            return false;
        }
        let of_slowest = &self.records[slowest];
        let rest = i128::from(of_slowest.c) - i128::from(now) + i128::from(of_slowest.te);
        let own = i128::from(self.records[rank].c) + i128::from(self.epsilon);
        let ready = rank == slowest || of_slowest.done || own > rest;
        self.records[rank].done |= ready;
        ready
    }

    /// `reset_state_server`: a worker begins round `t`.
    fn reset(&mut self, rank: usize, t: u32, te: u64) {
        if self.t != t {
            self.t = t;
            self.records.iter_mut().for_each(|record| (record.k, record.done) = (0, false));
        }
        (self.records[rank].t, self.records[rank].te) = (t, te);
    }
}

/// Rounds of workers around the server: the steps of each, and each round's end.
fn rounds(costs: &[WorkerCost], epsilon: u64, number: u32) -> Vec<(Vec<u32>, u64)> {
    let mut server = StateServer::new(costs.len(), epsilon);
    let (mut begin, mut all) = (0, Vec::new());
    for round in 1..=number {
        if round > 1 {
            (0..costs.len()).for_each(|rank| server.reset(rank, round, begin));
        }
        // Who asks next: the earliest, of several the first in rank. Everybody asks at the round's begin.
        let mut asks: Vec<_> = costs.iter().map(|_| Some((begin, 0_u32))).collect();
        let mut ready = vec![0; costs.len()];
        while let Some((now, rank)) = (0..costs.len()).filter_map(|rank| Some((asks[rank]?.0, rank))).min() {
            let (_, k) = asks[rank].unwrap();
            let c = costs[rank].compute().get();
            if server.apply(rank, k, c, now, now) {
                (ready[rank], asks[rank]) = (now, None);
                server.records[rank].k = k;
            } else {
                asks[rank] = Some((now + c, k + 1));
            }
        }
        let ends = ready.iter().zip(costs).map(|(ready, cost)| ready + cost.communication().get());
        begin = ends.max().unwrap();
        all.push((server.records.iter().map(|record| record.k).collect(), begin));
    }
    all
}

fn costs(computes: &[u64], communication: u64) -> Vec<WorkerCost> {
    computes.iter().map(|c| WorkerCost::new(Micros(*c), Micros(communication))).collect()
}

#[test]
fn the_papers_cluster_has_the_papers_steps_and_round() {
    let costs = costs(&[60_000, 60_000, 3_400_000, 60_000, 60_000, 3_100_000], 4_800_000);
    let plan = Paper::default().plan(&costs);
    assert_eq!(plan.steps, [48, 48, 1, 48, 48, 1]);
    assert_eq!((plan.round, plan.local_steps_of_slowest), (Micros(8_200_000), 1));
    assert!((plan.steps_per_second - 194.0 / 8.2).abs() < 1e-9, "{plan:?}");
    for (number, (steps, end)) in rounds(&costs, 500_000, 4).into_iter().enumerate() {
        assert_eq!((steps, end), (plan.steps.clone(), 8_200_000 * (number as u64 + 1)));
    }
}

#[test]
fn ties_are_as_the_server_has_them() {
    let steps = |computes: &[u64], epsilon: u64| {
        let costs = costs(computes, 7);
        let plan = Paper { epsilon: Micros(epsilon) }.plan(&costs);
        assert_eq!(rounds(&costs, epsilon, 2)[1].0, plan.steps, "{computes:?} {epsilon}");
        plan.steps
    };
    assert_eq!(steps(&[100, 100, 100], 0), [1, 1, 1], "of equal ones the first is the slowest, and all are ready");
    // At 60 the step would end at 80 with 20 to spare: not more than epsilon, so that it is made.
    assert_eq!(steps(&[20, 100], 20), [4, 1]);
    assert_eq!(steps(&[20, 100], 21), [3, 1]);
    assert_eq!(steps(&[20, 100], 0), [5, 1], "the fifth ends with the slowest's, and is made");
    assert_eq!(steps(&[100, 20], 0), [1, 5]);
    assert_eq!(steps(&[50, 100], 0), [2, 1]);
    assert_eq!(steps(&[30, 100], 500_000), [1, 1], "below epsilon all is plain sync");
    assert_eq!(steps(&[1], 0), [1]);
}

proptest! {
    #[test]
    fn the_plan_is_what_the_server_does(
        workers in prop::collection::vec((1_u64..60, 0_u64..200), 1..7),
        scale in prop::sample::select(vec![1_u64, 1000]),
        epsilon in 0_u64..50,
    ) {
        let costs: Vec<_> =
            workers.iter().map(|(c, m)| WorkerCost::new(Micros(c * scale), Micros(m * scale))).collect();
        let plan = Paper { epsilon: Micros(epsilon * scale) }.plan(&costs);
        let mut before = 0;
        for (steps, end) in rounds(&costs, epsilon * scale, 3) {
            prop_assert_eq!(&steps, &plan.steps);
            prop_assert_eq!(end - before, plan.round.get());
            before = end;
        }
    }
}
