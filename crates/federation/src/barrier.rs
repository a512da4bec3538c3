//! Rounds that end for all at once: `esync`, `sync`, and those of one worker alone.

use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_client::{Came, Order};
use headwater_learn::Parameters;
use headwater_plan::sync::log::{Outcome, Round, WorkerRound};
use headwater_plan::sync::{
    Average, Deadline, DriftLimit, Headwater, Micros, Mode, Paper, RuleName, StepPlan, StepRule,
};
use tokio::time::{Instant as Moment, sleep_until};

use crate::differing::Differing;
use crate::error::FederationError;
use crate::event::{Event, What};
use crate::run::Run;
use crate::weights::Brought;

/// The rounds under way.
struct Barrier {
    outstanding: Vec<Outstanding>,
    /// Ways that came between two rounds, or before their round.
    early: Vec<(Outstanding, Event)>,
    drift: Option<DriftLimit>,
    /// What is done where workers' data differ.
    differing: Option<Differing>,
}

/// Steps that a worker was told to take and that have not come.
#[derive(Clone, Debug)]
struct Outstanding {
    worker: usize,
    round: u64,
    steps: u32,
    /// The version of the weights that it was given.
    version: u64,
    /// What it adds to the gradient of each step.
    correction: Option<Parameters>,
}

/// What has come of a round so far.
struct Collected {
    begin: Instant,
    brought: Vec<Brought>,
    /// Of the workers that were told to take steps of this very round.
    arrivals: Vec<Micros>,
    /// The longest local step of those.
    step: Micros,
    parts: Vec<WorkerRound>,
}

/// Runs all rounds.
///
/// # Errors
/// [`FederationError`].
pub(crate) async fn rounds(run: &mut Run<'_>) -> Result<(), FederationError> {
    let drift = run.drift_limit.and_then(DriftLimit::new);
    // In the other modes nobody is late and a worker takes one step, or is alone: ways need not be kept.
    let is_differing = run.options.mode == Mode::Esync && run.average == Average::Normalized;
    let differing = is_differing.then(|| Differing::new(run.options));
    let mut barrier = Barrier { outstanding: Vec::new(), early: Vec::new(), drift, differing };
    while run.round < run.options.rounds {
        run.check_stop()?;
        run.check_lost()?;
        while let Some(event) = run.crew.waiting() {
            barrier.hear(run, &event, None);
        }
        let round = run.round + 1;
        let plan = barrier.order(run, round);
        if !barrier.is_under_way(round) {
            // Nobody is there: whoever comes back first is waited for.
            let event = run.next().await?;
            barrier.hear(run, &event, None);
            continue;
        }
        let collected = barrier.collect(run, round, &plan).await?;
        barrier.close(run, (round, &plan), collected).await?;
    }
    Ok(())
}

// === impl Barrier ===

impl Barrier {
    /// Tells every worker that is free what to do in this round and, where exchanges overlap, in the next.
    fn order(&mut self, run: &mut Run<'_>, round: u64) -> StepPlan {
        let ready = run.crew.ready();
        // Those that are late have no part in what is planned.
        let is_late = |worker: usize| self.outstanding.iter().any(|one| one.worker == worker && one.round < round);
        let takes_part: Vec<_> = ready.into_iter().filter(|worker| !is_late(*worker)).collect();
        let plan = self.plan(run, &takes_part);
        let last = if run.options.overlap { round + 1 } else { round };
        let weights = run.weights.bytes();
        let corrections = self.differing.as_ref().map_or_else(Vec::new, |known| known.corrections(&takes_part));
        for (place, (worker, steps)) in takes_part.iter().copied().zip(&plan.steps).enumerate() {
            for of in round..=last.min(run.options.rounds) {
                if !self.is_told(worker, of) {
                    let correction = corrections.get(place).cloned().flatten();
                    self.tell(run, (worker, *steps), (of, of > round), (weights.clone(), correction));
                }
            }
        }
        plan
    }

    /// Whether a worker was told to take steps of a round.
    fn is_told(&self, worker: usize, round: u64) -> bool {
        let of = |one: &Outstanding| one.worker == worker && one.round == round;
        self.outstanding.iter().any(of) || self.early.iter().any(|(one, _)| of(one))
    }

    /// Whether anybody takes steps of a round, or has taken them.
    fn is_under_way(&self, round: u64) -> bool {
        let early = self.early.iter().map(|(one, _)| one);
        self.outstanding.iter().chain(early).any(|one| one.round == round)
    }

    fn tell(
        &mut self,
        run: &mut Run<'_>,
        (worker, steps): (usize, u32),
        (round, onward): (u64, bool),
        (weights, correction): (Bytes, Option<Parameters>),
    ) {
        let order = Order {
            training: run.crew.training,
            round,
            first: run.crew.members[worker].first(),
            steps,
            onward,
            weights,
            correction: correction.as_ref().map(|correction| correction.to_bytes().into()),
        };
        run.crew.order(worker, order);
        self.outstanding.push(Outstanding { worker, round, steps, version: run.weights.version, correction });
    }

    /// The steps of these workers.
    fn plan(&self, run: &Run<'_>, workers: &[usize]) -> StepPlan {
        let options = run.options;
        let rule = match (options.mode, options.rule) {
            (Mode::Esync, RuleName::Headwater) => StepRule::Headwater(Headwater {
                max_steps: options.max_steps,
                overlap: options.overlap,
                most_of_slowest: self.drift.as_ref().and_then(DriftLimit::most_of_slowest),
                ..Headwater::default()
            }),
            (Mode::Esync, RuleName::Paper) => StepRule::Paper(Paper { epsilon: micros(options.epsilon) }),
            (Mode::Sync | Mode::Async, _) => StepRule::OneStep { overlap: options.overlap },
            (Mode::Local | Mode::Central, _) => return alone(run, workers),
        };
        run.estimates.plan(&rule, workers)
    }

    /// Waits for the ways of a round, until all have come or it is over.
    async fn collect(&mut self, run: &mut Run<'_>, round: u64, plan: &StepPlan) -> Result<Collected, FederationError> {
        let mut collected = Collected {
            begin: Instant::now(),
            brought: Vec::new(),
            arrivals: Vec::new(),
            step: Micros(0),
            parts: Vec::new(),
        };
        let early: Vec<_> = self.early.extract_if(.., |(one, _)| one.round <= round).collect();
        for (order, event) in early {
            if let What::Came(came) = &event.what {
                self.take_in(run, (&event, came), &order, (round, &mut collected));
            }
        }
        // What is not measured yet cannot be late; and where the weights are to be the same each time, nobody is.
        let has_deadline = run.options.mode == Mode::Esync && plan.round > Micros(0);
        loop {
            let missing = self.outstanding.iter().filter(|one| one.round == round).count();
            if missing == 0 {
                return Ok(collected);
            }
            let workers = missing + collected.arrivals.len();
            let deadline = Deadline { workers, planned: plan.round, step: collected.step };
            let closes = deadline.closes(&collected.arrivals).filter(|_| has_deadline);
            let closes = closes.map(|at| Moment::from_std(collected.begin + Duration::from_micros(at.get())));
            let event = tokio::select! {
                event = run.next() => event?,
                () = sleep_until(closes.unwrap_or_else(Moment::now)), if closes.is_some() => return Ok(collected),
            };
            self.hear(run, &event, Some((round, &mut collected)));
        }
    }

    /// Takes in what has happened, as part of a round where one is under way.
    fn hear(&mut self, run: &mut Run<'_>, event: &Event, round: Option<(u64, &mut Collected)>) {
        let is_known = run.note(event);
        match &event.what {
            What::Came(came) if is_known => {
                let place = self.outstanding.iter().position(|one| one.worker == event.worker);
                let Some(order) = place.map(|place| self.outstanding.remove(place)) else { return };
                match round {
                    Some((round, collected)) if order.round <= round => {
                        self.take_in(run, (event, came), &order, (round, collected));
                    }
                    _ => self.early.push((order, event.clone())),
                }
            }
            What::Away(_) | What::Refused(_) if is_known => {
                let lost: Vec<_> = self.outstanding.extract_if(.., |one| one.worker == event.worker).collect();
                self.differing.iter_mut().for_each(|known| known.forget(event.worker));
                let Some((round, collected)) = round else { return };
                let of_round = lost.into_iter().filter(|one| one.round == round);
                collected.parts.extend(of_round.map(|one| nothing(one.worker, Outcome::Lost)));
            }
            _ => {}
        }
    }

    /// Takes in the way that an order has led.
    fn take_in(
        &mut self,
        run: &mut Run<'_>,
        (event, came): (&Event, &Came),
        order: &Outstanding,
        (round, collected): (u64, &mut Collected),
    ) {
        let member = &mut run.crew.members[event.worker];
        member.ahead = member.ahead.saturating_sub(order.steps.into());
        let checked = run.weights.check(came, order.round, order.steps);
        let mut part = part(event.worker, came, run.weights.version - order.version);
        part.bytes_received += order.correction.as_ref().map_or(0, |correction| 4 * correction.len() as u64);
        match checked {
            Ok(way) => {
                let trained = &came.trained;
                let (compute, exchange) = (micros(trained.compute), micros(came.exchange));
                run.estimates.observe(event.worker, compute, trained.steps, exchange);
                let member = &mut run.crew.members[event.worker];
                member.done += u64::from(trained.steps);
                member.refused = 0;
                let (steps, samples) = (trained.steps, trained.samples);
                let brought = Brought { worker: event.worker, way, steps, samples, holds: member.holds() };
                self.differing.iter_mut().for_each(|known| known.take_in(&brought, order.correction.as_ref()));
                collected.brought.push(brought);
                if order.round == round {
                    let at = event.at.saturating_duration_since(collected.begin);
                    collected.arrivals.push(micros(at));
                    collected.step = collected.step.max(Micros(compute.get() / u64::from(steps.max(1))));
                }
            }
            Err(why) => {
                run.crew.refuse(event.worker, &why, &mut run.journal);
                part.outcome = Outcome::Refused;
            }
        }
        collected.parts.push(part);
    }

    /// Workers that are at work for this round or an earlier one, and have brought nothing in this one.
    fn late(&self, round: u64, brought: &[Brought]) -> Vec<usize> {
        let has_brought = |worker: usize| brought.iter().any(|one| one.worker == worker);
        let late = self.outstanding.iter().filter(|one| one.round <= round && !has_brought(one.worker));
        let mut late: Vec<_> = late.map(|one| one.worker).collect();
        late.dedup();
        late
    }

    /// Moves the weights by what has come.
    async fn close(
        &mut self,
        run: &mut Run<'_>,
        (round, plan): (u64, &StepPlan),
        mut collected: Collected,
    ) -> Result<(), FederationError> {
        if collected.brought.is_empty() {
            // All were lost: the round is run again, with whoever comes back.
            return Ok(());
        }
        for worker in self.late(round, &collected.brought) {
            let stands_in = self.differing.as_mut().and_then(|known| known.stand_in(worker));
            let outcome = if stands_in.is_some() { Outcome::StoodIn } else { Outcome::Late };
            collected.parts.push(nothing(worker, outcome));
            collected.brought.extend(stands_in);
        }
        collected.brought.sort_by_key(|one| one.worker);
        let moved = run.weights.drift(&collected.brought);
        if let Some(drift) = &mut self.drift {
            drift.observe(plan.local_steps_of_slowest, moved);
        }
        run.weights.average(&collected.brought, run.average, run.options);
        run.round = round;
        let (begin, end) = (collected.begin, Instant::now());
        let length = end.duration_since(begin).as_secs_f64();
        collected.parts = by_worker(collected.parts);
        for part in &mut collected.parts {
            let busy = part.compute_seconds + part.communication_seconds;
            part.waiting_seconds = (length - busy).max(0.0);
        }
        let line = Round {
            round,
            version: run.weights.version,
            local_steps_of_slowest: plan.local_steps_of_slowest,
            planned_utilisation: (plan.round > Micros(0)).then_some(plan.utilisation),
            begin_seconds: run.journal.at(begin),
            end_seconds: run.journal.at(end),
            workers: collected.parts,
        };
        run.journal.round(line);
        run.moved(true).await
    }
}

/// One pass of each worker over its features, or as many steps as are allowed: the same in every round and every run.
fn alone(run: &Run<'_>, workers: &[usize]) -> StepPlan {
    let batch = u64::from(run.options.local.batch_size);
    let pass = |worker: &usize| run.crew.members[*worker].holds().div_ceil(batch.max(1));
    let steps = |worker: &usize| match run.options.max_steps {
        Some(steps) => steps.get(),
        None => u32::try_from(pass(worker)).unwrap_or(u32::MAX).max(1),
    };
    StepPlan { steps: workers.iter().map(steps).collect(), ..StepPlan::one_step_each(&[], false) }
}

/// One part for each worker, in their order: who was late in the round before may have come with that, and in time with
/// this one's.
fn by_worker(mut parts: Vec<WorkerRound>) -> Vec<WorkerRound> {
    parts.sort_by_key(|part| (part.worker, part.outcome));
    parts.dedup_by(|later, first| {
        let is_same = later.worker == first.worker;
        if is_same {
            first.steps += later.steps;
            first.samples += later.samples;
            first.staleness = first.staleness.max(later.staleness);
            first.compute_seconds += later.compute_seconds;
            first.communication_seconds += later.communication_seconds;
            first.bytes_sent += later.bytes_sent;
            first.bytes_received += later.bytes_received;
        }
        is_same
    });
    parts
}

/// What a worker has done for a round.
pub(crate) fn part(worker: usize, came: &Came, staleness: u64) -> WorkerRound {
    let trained = &came.trained;
    WorkerRound {
        worker,
        outcome: Outcome::Counted,
        steps: trained.steps,
        samples: trained.samples,
        staleness,
        compute_seconds: trained.compute.as_secs_f64(),
        communication_seconds: came.exchange.as_secs_f64(),
        waiting_seconds: 0.0,
        bytes_sent: came.way.len() as u64,
        bytes_received: came.way.len() as u64,
    }
}

/// The part of a worker that has done nothing for a round.
fn nothing(worker: usize, outcome: Outcome) -> WorkerRound {
    WorkerRound {
        worker,
        outcome,
        steps: 0,
        samples: 0,
        staleness: 0,
        compute_seconds: 0.0,
        communication_seconds: 0.0,
        waiting_seconds: 0.0,
        bytes_sent: 0,
        bytes_received: 0,
    }
}

pub(crate) fn micros(time: Duration) -> Micros {
    Micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_comes_twice_in_a_round_is_one_part_of_it() {
        let came =
            |worker, steps| WorkerRound { steps, staleness: u64::from(steps), ..nothing(worker, Outcome::Counted) };
        let parts = by_worker(vec![came(1, 2), nothing(2, Outcome::Late), came(0, 5), came(1, 3), came(2, 4)]);
        let told: Vec<_> = parts.iter().map(|part| (part.worker, part.outcome, part.steps, part.staleness)).collect();
        let counted = Outcome::Counted;
        assert_eq!(told, [(0, counted, 5, 5), (1, counted, 5, 3), (2, counted, 4, 4)]);
    }
}
