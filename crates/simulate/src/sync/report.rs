//! What a simulation found.

use std::fmt;

use headwater_plan::sync::{Micros, Mode, RuleName, WorkerCost};
use serde::Serialize;

/// What a simulation found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SyncReport {
    /// How the workers train together.
    pub mode: Mode,
    /// Whose rule gives the local steps; null in `sync` and `async`, which have one each.
    pub sync_rule: Option<RuleName>,
    /// Whether the exchange of a round runs while the steps of the next are made.
    pub overlap: bool,
    /// How many rounds.
    pub rounds: u32,
    /// Samples of a local step.
    pub batch: u64,
    /// H: the local steps of the slowest worker that the plan is made for.
    pub local_steps_of_slowest: u32,
    /// K: the most local steps of a worker in a round; null where there is no such limit.
    pub max_steps: Option<u32>,
    /// The part of all workers' time that is spent in local steps.
    pub utilisation: f64,
    /// Samples of all workers together, in all the time.
    pub samples_per_second: f64,
    /// What all workers send: the model's bytes, once for each worker and round.
    pub bytes_per_second: f64,
    /// For each round the local steps of each worker; in `async` those that arrived in it.
    pub k_per_round: Vec<Vec<u32>>,
    /// Each round's end, in microseconds since the first began; in `async` a round is as many arrivals as there are
    /// workers.
    pub round_end_us: Vec<Micros>,
    /// For people.
    #[serde(skip)]
    pub(super) rows: Vec<WorkerRow>,
}

/// A worker of the plan.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WorkerRow {
    pub(super) cost: WorkerCost,
    pub(super) steps: u32,
}

/// Workers that a table shows: the first and the last ones.
const SHOWN: usize = 16;

// === impl SyncReport ===

impl fmt::Display for SyncReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>6} {:>14} {:>14} {:>12}", "worker", "a step, s", "exchange, s", "steps")?;
        let left_out = self.rows.len().saturating_sub(2 * SHOWN);
        for (rank, WorkerRow { cost, steps }) in self.rows.iter().enumerate() {
            if left_out > 0 && rank == SHOWN {
                writeln!(f, "({left_out} workers are left out: --json has them)")?;
            }
            if !(SHOWN..SHOWN + left_out).contains(&rank) {
                let (step, exchange) = (cost.compute().seconds(), cost.communication().seconds());
                writeln!(f, "{rank:>6} {step:>14.6} {exchange:>14.6} {steps:>12}")?;
            }
        }
        let Self { mode, rounds, local_steps_of_slowest, .. } = self;
        let rule = self.sync_rule.map_or_else(String::new, |rule| format!(" by the rule {rule}"));
        let overlap = if self.overlap { ", exchanges overlapped" } else { "" };
        let seconds = self.round_end_us.last().copied().unwrap_or_default().seconds();
        writeln!(f, "{mode}{rule}{overlap}: {rounds} rounds in {seconds:.3} s, H = {local_steps_of_slowest}")?;
        let utilised = self.utilisation * 100.0;
        write!(
            f,
            "{:.1} samples/s, {:.0} bytes/s sent, {utilised:.1} % of the time in local steps",
            self.samples_per_second, self.bytes_per_second
        )
    }
}
