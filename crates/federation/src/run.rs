//! A run under way: what is known of it, and what happens at its begin, after each round, and at its end.

use std::sync::Arc;
use std::time::Instant;

use headwater_client::training_calls::{BeginTraining, Split, SplitRule};
use headwater_learn::HeadKind;
use headwater_plan::sync::log::{self, EndOutcome, SplitName};
use headwater_plan::sync::{Average, Estimates};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::Checkpoint;
use crate::common::{Common, head_of};
use crate::crew::{Crew, State};
use crate::error::FederationError;
use crate::event::{Event, What};
use crate::federated::{Federated, FederatedWorker};
use crate::journal::Journal;
use crate::judge::{Candidate, Judge};
use crate::options::FederationOptions;
use crate::saver::Saver;
use crate::weights::Weights;

/// A run under way.
pub(crate) struct Run<'r> {
    pub(crate) options: &'r FederationOptions,
    pub(crate) crew: Crew,
    pub(crate) common: Common,
    begin: Arc<BeginTraining>,
    pub(crate) weights: Weights,
    pub(crate) journal: Journal,
    pub(crate) judge: Judge,
    pub(crate) saver: Saver,
    pub(crate) estimates: Estimates,
    pub(crate) average: Average,
    /// How far workers' weights may drift in a round.
    pub(crate) drift_limit: Option<f64>,
    /// The last round that is in the weights.
    pub(crate) round: u64,
    stop: &'r CancellationToken,
}

// === impl Run ===

impl<'r> Run<'r> {
    /// Waits for the workers, and has them begin.
    pub(crate) async fn assemble(
        (mut crew, mut journal): (Crew, Journal),
        options: &'r FederationOptions,
        checkpoint: Option<&Checkpoint>,
        stop: &'r CancellationToken,
    ) -> Result<Self, FederationError> {
        let wanted = options.min_workers.clamp(1, crew.members.len().max(1));
        let stopped = || FederationError::Stopped { round: 0, kept: String::new() };
        let mut heard = Instant::now();
        while prepared(&crew) < wanted {
            let left = options.wait.saturating_sub(heard.elapsed());
            let event = stop.run_until_cancelled(timeout(left, crew.next())).await.ok_or_else(stopped)?;
            let Ok(event) = event else {
                let (came, waited, why) = (prepared(&crew), options.wait, crew.matters());
                return Err(FederationError::TooFew { came, wanted, waited, why });
            };
            let event = event.ok_or(FederationError::Lost)?;
            if !matches!(event.what, What::Away(_) | What::Refused(_)) {
                heard = event.at;
            }
            crew.note(&event, &mut journal);
            let out = |member: &&crate::crew::Member| matches!(member.state, State::Out(_));
            if crew.members.len() - crew.members.iter().filter(out).count() < wanted {
                return Err(FederationError::AllRefused { why: crew.matters() });
            }
        }
        let there = crew.members.iter().filter(|member| member.state == State::Prepared);
        let there: Vec<_> = there.filter_map(|one| Some((one.name.as_str(), one.features.as_ref()?))).collect();
        let common = Common::of(&there, options.split)?;
        let (average, drift_limit) = by_data(options, common.differ(&there));
        let common = checkpoint.map_or(common, Checkpoint::common);
        let begin = common.begin(crew.training, options);
        let head = head_of(&begin, common.feature_len)?;
        let weights = match checkpoint {
            Some(checkpoint) => checkpoint.restore(options),
            None => Weights::new(head.parameters(), options),
        };
        if let Some(checkpoint) = checkpoint {
            for member in &mut crew.members {
                let done = checkpoint.head.workers.iter().find(|(name, _)| *name == member.name);
                member.done = done.map_or(0, |(_, done)| *done);
            }
        }
        let mut run = Self {
            options,
            crew,
            common,
            begin: Arc::new(begin),
            weights,
            journal,
            judge: Judge::default(),
            saver: Saver::new(options.checkpoint.clone()),
            estimates: Estimates::default(),
            average,
            drift_limit,
            round: checkpoint.map_or(0, Checkpoint::round),
            stop,
        };
        let all: Vec<_> = (0..run.crew.members.len()).collect();
        all.into_iter().for_each(|worker| run.admit(worker));
        while run.crew.ready().len() < wanted {
            let event = run.next().await?;
            run.note(&event);
            run.check_lost()?;
        }
        Ok(run)
    }

    /// Has a worker begin that has prepared.
    fn admit(&mut self, worker: usize) {
        let member = &self.crew.members[worker];
        let (State::Prepared, Some(features)) = (&member.state, &member.features) else { return };
        match self.common.keeps_out(features) {
            Some(why) => self.crew.put_out(worker, &why, &mut self.journal),
            None => self.crew.begin(worker, &self.begin),
        }
    }

    /// The next thing that happens.
    ///
    /// # Errors
    /// The caller's stop.
    pub(crate) async fn next(&mut self) -> Result<Event, FederationError> {
        match self.stop.run_until_cancelled(self.crew.next()).await {
            Some(event) => event.ok_or(FederationError::Lost),
            None => Err(self.stopped()),
        }
    }

    /// Takes in what has happened to a worker's life. Whether it was of the life that is known.
    pub(crate) fn note(&mut self, event: &Event) -> bool {
        let is_known = self.crew.note(event, &mut self.journal);
        if is_known && matches!(event.what, What::Prepared(_)) {
            self.admit(event.worker);
        }
        if let (true, What::Begun(begun)) = (is_known, &event.what) {
            let (theirs, ours) = (begun.weights, self.weights.values.len() as u64);
            if theirs != ours {
                let why = format!("its head has {theirs} weights, and that of the training {ours}");
                self.crew.put_out(event.worker, &why, &mut self.journal);
            }
        }
        is_known
    }

    /// Whether the caller has asked for a stop.
    ///
    /// # Errors
    /// That stop.
    pub(crate) fn check_stop(&self) -> Result<(), FederationError> {
        if self.stop.is_cancelled() { Err(self.stopped()) } else { Ok(()) }
    }

    /// # Errors
    /// No worker that could ever take steps.
    pub(crate) fn check_lost(&self) -> Result<(), FederationError> {
        match self.crew.is_lost() {
            true => Err(FederationError::AllRefused { why: self.crew.matters() }),
            false => Ok(()),
        }
    }

    fn stopped(&self) -> FederationError {
        let kept = if self.round > 0 { self.saver.place() } else { String::new() };
        FederationError::Stopped { round: self.round, kept }
    }

    /// A version of the weights is there: it is written down, and judged beside.
    ///
    /// # Errors
    /// Weights that are no numbers, and a disk that takes no checkpoint or log.
    pub(crate) async fn moved(&mut self, saves: bool) -> Result<(), FederationError> {
        if !self.weights.values.is_finite() {
            let (round, learning_rate) = (self.round, self.options.local.learning_rate);
            return Err(FederationError::Diverged { round, learning_rate });
        }
        self.journal.check()?;
        if saves && self.saver.keeps() {
            let workers = self.crew.members.iter().map(|member| (member.name.clone(), member.done)).collect();
            let of = (self.crew.training, workers);
            let checkpoint = Checkpoint::of((&self.weights, self.round), &self.common, of, self.options);
            self.saver.save(checkpoint).await?;
        }
        if let Some(accuracy) = self.judge.judged().await {
            self.journal.accuracy(accuracy);
        }
        self.judge_now();
        Ok(())
    }

    pub(crate) fn judge_now(&mut self) {
        if self.options.held_out > 0.0 && self.judge.is_free() {
            let candidate = self.candidate();
            self.judge.offer(candidate, &self.crew);
        }
    }

    fn candidate(&self) -> Candidate {
        Candidate {
            round: self.round,
            version: self.weights.version,
            at_seconds: self.journal.at(Instant::now()),
            samples_trained: self.weights.samples_trained,
            weights: self.weights.bytes(),
        }
    }

    /// The first line of the log.
    pub(crate) fn write_down(&mut self, resumed_from: Option<u64>) {
        let options = self.options;
        let worker = |member: &crate::crew::Member| log::Worker {
            name: member.name.clone(),
            samples: member.holds(),
            labels: member.features.as_ref().map(|features| self.common.counts(features)).unwrap_or_default(),
            slowdown: member.features.as_ref().map_or(1.0, |features| features.slowdown),
        };
        let run = log::Run {
            format: log::FORMAT,
            mode: options.mode,
            overlap: options.overlap,
            sync_rule: options.rule,
            average: self.average,
            dataset: options.dataset.to_string(),
            split: match options.split {
                Split::Held => SplitName::Held,
                Split::Dealt(SplitRule::Iid) => SplitName::Iid,
                Split::Dealt(SplitRule::ByClass) => SplitName::ByClass,
            },
            head: match options.head {
                HeadKind::Softmax => "softmax".to_owned(),
                HeadKind::Mlp { hidden } => format!("mlp {hidden}"),
            },
            classes: self.common.classes.len(),
            batch_size: options.local.batch_size as usize,
            local_learning_rate: options.local.learning_rate.into(),
            global_learning_rate: options.combining.learning_rate.into(),
            seed: options.seed.0,
            model_bytes: self.weights.values.len() as u64 * 4,
            workers: self.crew.members.iter().map(worker).collect(),
            resumed_from,
        };
        self.journal.run(run);
    }

    /// Judges the last weights, and lets go of the workers.
    pub(crate) async fn finish(self, resumed_from: Option<u64>, seconds: f64) -> Result<Federated, FederationError> {
        let mut run = self;
        if run.options.held_out > 0.0 {
            let candidate = run.candidate();
            for accuracy in run.judge.finish(candidate, &run.crew).await {
                run.journal.accuracy(accuracy);
            }
        }
        let accuracy = run.judge.last().cloned();
        run.journal.end(run.round, EndOutcome::Done, accuracy.as_ref().map(|last| last.top1));
        run.journal.check()?;
        let mut head = head_of(&run.begin, run.common.feature_len)?;
        head.set_parameters(&run.weights.values)?;
        let worker = |member: &crate::crew::Member| FederatedWorker {
            name: member.name.clone(),
            features: member.features.clone(),
            steps: member.done,
            away: match &member.state {
                State::Away(why) | State::Out(why) => Some(why.clone()),
                State::Prepared | State::Beginning | State::Ready => None,
            },
        };
        let workers = run.crew.members.iter().map(worker).collect();
        run.crew.end().await;
        Ok(Federated {
            head,
            classes: run.common.classes,
            workers,
            rounds: run.round,
            version: run.weights.version,
            samples_trained: run.weights.samples_trained,
            accuracy,
            average: run.average,
            resumed_from,
            seconds,
        })
    }
}

/// How workers are averaged, and how far they may drift, where their data differ or do not. Weights that are trained on
/// some classes alone forget the others the sooner the longer they are.
fn by_data(options: &FederationOptions, differ: bool) -> (Average, Option<f64>) {
    let by_default = if differ { (Average::Normalized, Some(DRIFT)) } else { (Average::Samples, None) };
    let combining = &options.combining;
    (combining.average.unwrap_or(by_default.0), combining.drift_limit.or(by_default.1))
}

/// How far weights may drift in a round where workers have other classes than each other, and nobody says.
const DRIFT: f64 = 0.1;

/// Workers that have prepared.
fn prepared(crew: &Crew) -> usize {
    crew.members.iter().filter(|member| member.state == State::Prepared).count()
}
