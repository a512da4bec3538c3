//! Workers that do not wait for each other: `async`.
//!
//! Each way moves the weights as it comes, and its worker goes on at once from where they are then. Fast workers take
//! more steps between two exchanges than slow ones, so that all exchange about as often, and no way is much older than
//! another (Async Local-SGD, Liu et al. 2024).

use std::time::Instant;

use headwater_client::{Came, Order};
use headwater_learn::Parameters;
use headwater_plan::sync::log::{Outcome, Round};
use headwater_plan::sync::{BySpeed, StepRule};

use crate::barrier::{micros, part};
use crate::error::FederationError;
use crate::event::{Event, What};
use crate::run::Run;
use crate::weights::Brought;

/// Exchanges under way, by worker.
struct Alone {
    outstanding: Vec<Option<Outstanding>>,
    /// Exchanges that have come.
    updates: u64,
    /// Rounds' worth of exchanges since the last round was full.
    share: f64,
}

/// Steps that a worker takes.
#[derive(Clone, Debug)]
struct Outstanding {
    order: u64,
    steps: u32,
    begin: Instant,
    version: u64,
    /// The weights that it was given.
    base: Parameters,
}

/// Runs until as many exchanges have come as the rounds have.
///
/// # Errors
/// [`FederationError`].
pub(crate) async fn rounds(run: &mut Run<'_>) -> Result<(), FederationError> {
    let outstanding = vec![None; run.crew.members.len()];
    let mut alone = Alone { outstanding, updates: run.weights.version, share: 0.0 };
    while run.round < run.options.rounds {
        run.check_stop()?;
        run.check_lost()?;
        alone.order(run);
        let event = run.next().await?;
        alone.hear(run, &event).await?;
    }
    Ok(())
}

// === impl Alone ===

impl Alone {
    /// Has every worker that is free go on.
    fn order(&mut self, run: &mut Run<'_>) {
        let ready = run.crew.ready();
        let free: Vec<_> = ready.iter().copied().filter(|worker| self.outstanding[*worker].is_none()).collect();
        if free.is_empty() {
            return;
        }
        let rule = BySpeed { max_steps: run.options.max_steps, ..BySpeed::default() };
        let plan = run.estimates.plan(&StepRule::BySpeed(rule), &ready);
        let weights = run.weights.bytes();
        for worker in free {
            let steps = ready.iter().zip(&plan.steps).find(|(ready, _)| **ready == worker).map_or(1, |(_, of)| *of);
            let order = Order {
                correction: None,
                training: run.crew.training,
                round: self.updates,
                first: run.crew.members[worker].first(),
                steps,
                onward: false,
                weights: weights.clone(),
            };
            self.outstanding[worker] = Some(Outstanding {
                order: self.updates,
                steps,
                begin: Instant::now(),
                version: run.weights.version,
                base: run.weights.values.clone(),
            });
            run.crew.order(worker, order);
        }
    }

    async fn hear(&mut self, run: &mut Run<'_>, event: &Event) -> Result<(), FederationError> {
        let is_known = run.note(event);
        match &event.what {
            What::Came(came) if is_known => self.came(run, event.worker, came).await,
            What::Away(_) | What::Refused(_) if is_known => {
                self.outstanding[event.worker] = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn came(&mut self, run: &mut Run<'_>, worker: usize, came: &Came) -> Result<(), FederationError> {
        let Some(order) = self.outstanding[worker].take() else { return Ok(()) };
        let member = &mut run.crew.members[worker];
        member.ahead = member.ahead.saturating_sub(order.steps.into());
        let mut line = part(worker, came, run.weights.version - order.version);
        let length = order.begin.elapsed().as_secs_f64();
        line.waiting_seconds = (length - line.compute_seconds - line.communication_seconds).max(0.0);
        let way = match run.weights.check(came, order.order, order.steps) {
            Ok(way) => way,
            Err(why) => {
                run.crew.refuse(worker, &why, &mut run.journal);
                return Ok(());
            }
        };
        let trained = &came.trained;
        run.estimates.observe(worker, micros(trained.compute), trained.steps, micros(came.exchange));
        let live = run.crew.ready().len().max(1);
        let member = &mut run.crew.members[worker];
        member.done += u64::from(trained.steps);
        member.refused = 0;
        let (steps, samples, holds) = (trained.steps, trained.samples, member.holds());
        run.weights.apply(Brought { worker, way, steps, samples, holds }, &order.base, live, run.options);
        self.updates += 1;
        self.share += 1.0 / live as f64;
        // A hair less than 1 is the rounding of thirds.
        let is_full = self.share > 1.0 - 1e-9;
        if is_full {
            self.share = 0.0;
            run.round += 1;
        }
        line.outcome = Outcome::Counted;
        let line = Round {
            round: self.updates,
            version: run.weights.version,
            local_steps_of_slowest: steps,
            planned_utilisation: None,
            begin_seconds: run.journal.at(order.begin),
            end_seconds: run.journal.at(Instant::now()),
            workers: vec![line],
        };
        run.journal.round(line);
        run.moved(is_full).await
    }
}
