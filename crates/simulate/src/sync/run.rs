//! Rounds by plan, on a virtual clock.

use std::num::NonZeroU32;

use headwater_plan::sync::{BySpeed, Headwater, Micros, Mode, Paper, RuleName, StepPlan, StepRule};

use super::apart::Apart;
use super::cluster::Cluster;
use super::joining::Joining;
use super::report::{SyncReport, WorkerRow};
use super::rounds::Rounds;

/// Most numbers of steps in a report, rounds times workers: 16 million are some 100 MB of JSON.
const MOST_STEP_COUNTS: u64 = 1 << 24;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct SyncRun<'a> {
    /// Whose workers.
    pub cluster: &'a Cluster,
    /// How they train together: `esync`, `sync` or `async`.
    pub mode: Mode,
    /// Whose rule gives the local steps, in `esync`.
    pub rule: RuleName,
    /// The paper's epsilon.
    pub epsilon: Micros,
    /// K, the most local steps of a worker in a round, if one is given.
    pub max_steps: Option<NonZeroU32>,
    /// Whether the exchange of a round runs while the steps of the next are made.
    pub overlap: bool,
    /// How many rounds.
    pub rounds: NonZeroU32,
}

/// Why nothing is simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// Nothing of the mode depends on more than one worker.
    #[error("the mode {0} has nothing to simulate: it is esync, sync or async")]
    Mode(Mode),
    /// Nothing is known of overlapped exchanges where there are no rounds, or in the paper's rule.
    #[error("{0} does not overlap its exchanges: it is for the modes esync and sync, and not for the paper's rule")]
    Overlap(String),
    /// Workers that do not wait for each other join no round.
    #[error("worker {0} has a from_round: workers join a round in esync and sync, and async has none")]
    Joins(usize),
    /// The report would be too long.
    #[error("{rounds} rounds of {workers} workers are more than {most} numbers of steps: simulate fewer rounds")]
    TooMany {
        /// The rounds.
        rounds: u32,
        /// The workers.
        workers: usize,
        /// The most rounds times workers.
        most: u64,
    },
}

/// What a mode makes of the cluster: its rule, and K where there is one.
struct Planned {
    rule: StepRule,
    max_steps: Option<u32>,
    name: Option<RuleName>,
}

// === impl SyncRun ===

impl SyncRun<'_> {
    /// Simulates.
    ///
    /// # Errors
    /// [`SyncError`]: these settings do not go together.
    pub fn run(&self) -> Result<SyncReport, SyncError> {
        let (workers, rounds) = (self.cluster.workers.len(), self.rounds.get());
        if workers as u64 * u64::from(rounds) > MOST_STEP_COUNTS {
            return Err(SyncError::TooMany { rounds, workers, most: MOST_STEP_COUNTS });
        }
        let planned = self.planned()?;
        let plan = planned.rule.plan(&self.cluster.workers);
        let (k_per_round, round_end_us, utilisation) = self.rounds(&planned.rule, &plan);
        let steps: u64 = k_per_round.iter().flatten().copied().map(u64::from).sum();
        let seconds = round_end_us.last().copied().unwrap_or_default().seconds().max(1e-6);
        let parts = if self.mode == Mode::Async { workers * rounds as usize } else { taken(&k_per_round) };
        let sent = parts as f64 * self.cluster.model_bytes as f64;
        Ok(SyncReport {
            mode: self.mode,
            sync_rule: planned.name,
            overlap: self.overlap,
            rounds,
            batch: self.cluster.batch,
            local_steps_of_slowest: plan.local_steps_of_slowest,
            max_steps: planned.max_steps,
            utilisation,
            samples_per_second: steps as f64 * self.cluster.batch as f64 / seconds,
            bytes_per_second: sent / seconds,
            rows: self.rows(&plan),
            k_per_round,
            round_end_us,
        })
    }

    fn rounds(&self, rule: &StepRule, plan: &StepPlan) -> Rounds {
        let (costs, rounds) = (&self.cluster.workers, self.rounds.get());
        if self.mode == Mode::Async {
            return Apart::new(costs, &plan.steps).rounds(rounds);
        }
        if self.joins().is_some() {
            return Joining { cluster: self.cluster, rule, overlap: self.overlap }.rounds(rounds);
        }
        let ends = (1..=rounds).map(|round| plan.round.times(round)).collect();
        (vec![plan.steps.clone(); rounds as usize], ends, plan.utilisation)
    }

    /// The first worker that is not there from the first round on.
    fn joins(&self) -> Option<usize> {
        self.cluster.from_round.iter().position(|from| *from > 1)
    }

    fn planned(&self) -> Result<Planned, SyncError> {
        let costs = &self.cluster.workers;
        let Self { max_steps, overlap, .. } = *self;
        if let (Mode::Async, Some(worker)) = (self.mode, self.joins()) {
            return Err(SyncError::Joins(worker));
        }
        match (self.mode, self.rule) {
            (Mode::Local | Mode::Central, _) => Err(SyncError::Mode(self.mode)),
            (Mode::Async, _) if overlap => Err(SyncError::Overlap("async".to_owned())),
            (Mode::Esync, RuleName::Paper) if overlap => Err(SyncError::Overlap("the paper's rule".to_owned())),
            (Mode::Sync, _) => Ok(Planned { rule: StepRule::OneStep { overlap }, max_steps: None, name: None }),
            (Mode::Async, _) => {
                let rule = BySpeed { max_steps, ..BySpeed::default() };
                let most = Some(rule.most_steps(costs));
                Ok(Planned { rule: StepRule::BySpeed(rule), max_steps: most, name: None })
            }
            (Mode::Esync, RuleName::Headwater) => {
                let rule = Headwater { max_steps, overlap, ..Headwater::default() };
                let most = Some(rule.most_steps(costs));
                Ok(Planned { rule: StepRule::Headwater(rule), max_steps: most, name: Some(self.rule) })
            }
            (Mode::Esync, RuleName::Paper) => {
                let rule = StepRule::Paper(Paper { epsilon: self.epsilon });
                Ok(Planned { rule, max_steps: None, name: Some(self.rule) })
            }
        }
    }

    fn rows(&self, plan: &StepPlan) -> Vec<WorkerRow> {
        let row = |(cost, steps): (&_, &u32)| WorkerRow { cost: *cost, steps: *steps };
        self.cluster.workers.iter().zip(&plan.steps).map(row).collect()
    }
}

/// Parts of rounds that workers have taken.
fn taken(steps: &[Vec<u32>]) -> usize {
    steps.iter().flatten().filter(|steps| **steps > 0).count()
}
