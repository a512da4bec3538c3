//! The summary of a training in rounds.

use std::fmt;

use headwater_federation::{Federated, FederatedWorker, FederationOptions};
use headwater_tables::features::FeatureProvenance;
use headwater_training::SavedModel;
use headwater_types::Digest;
use serde::Serialize;

use super::pushed::KeptHead;
use super::table::{Table, percent};
use super::{Pushed, rate};

/// What a training in rounds did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoundsSummary {
    mode: String,
    dataset: String,
    model: String,
    model_digest: Digest,
    feature_len: usize,
    classes: usize,
    /// How samples were dealt: held, iid or by-class.
    split: String,
    /// How the workers' ways were averaged.
    average: String,
    seed: u64,
    rounds: u64,
    /// Changes of the weights.
    version: u64,
    /// The last round of an earlier start; null where there was none.
    resumed_from: Option<u64>,
    workers: Vec<WorkerSummary>,
    /// Samples trained on, each as often as it came, also by earlier starts.
    samples_trained: u64,
    /// From the first round to the last, in seconds.
    training_seconds: f64,
    /// From the start to the last file, in seconds.
    seconds: f64,
    /// On the samples that were never trained on, 0 to 1; null where there are none.
    validation_top1: Option<f64>,
    /// Mean cross-entropy, in nats.
    validation_loss: Option<f64>,
    validated: u64,
    #[serde(flatten)]
    kept: KeptHead,
}

/// A worker.
#[derive(Clone, Debug, Serialize)]
struct WorkerSummary {
    worker: String,
    /// Samples that it trained on.
    samples: u64,
    held_out: u64,
    unlabelled: u64,
    failed: u64,
    /// Steps of it that are in the weights.
    steps: u64,
    /// By what its steps were slowed down on purpose; 1 where they were not.
    slowdown: f64,
    /// Why it took no part at the end; null where it did.
    away: Option<String>,
}

// === impl RoundsSummary ===

impl RoundsSummary {
    pub(crate) fn new(
        federated: &Federated,
        (options, provenance): (&FederationOptions, &FeatureProvenance),
        saved: (SavedModel, Option<SavedModel>),
        seconds: f64,
    ) -> Self {
        let accuracy = federated.accuracy.as_ref();
        Self {
            mode: options.mode.to_string(),
            dataset: options.dataset.to_string(),
            model: options.model.to_string(),
            model_digest: provenance.model_digest,
            feature_len: provenance.feature_len,
            classes: federated.classes.len(),
            split: options.split.to_string(),
            average: federated.average.to_string(),
            seed: options.seed.0,
            rounds: federated.rounds,
            version: federated.version,
            resumed_from: federated.resumed_from,
            workers: federated.workers.iter().map(WorkerSummary::of).collect(),
            samples_trained: federated.samples_trained,
            training_seconds: federated.seconds,
            seconds,
            validation_top1: accuracy.map(|accuracy| accuracy.top1),
            validation_loss: accuracy.and_then(|accuracy| accuracy.loss),
            validated: accuracy.map_or(0, |accuracy| accuracy.samples),
            kept: KeptHead::new(saved),
        }
    }

    /// Samples that were tried.
    pub(crate) fn images(&self) -> u64 {
        let of = |worker: &WorkerSummary| worker.samples + worker.held_out + worker.unlabelled + worker.failed;
        self.workers.iter().map(of).sum()
    }
}

// === impl WorkerSummary ===

impl WorkerSummary {
    fn of(worker: &FederatedWorker) -> Self {
        let features = worker.features.as_ref();
        let count = |of: fn(&headwater_client::training_calls::PreparedFeatures) -> u64| features.map_or(0, of);
        Self {
            worker: worker.name.clone(),
            samples: count(|features| features.labels.iter().sum()),
            held_out: count(|features| features.held_out),
            unlabelled: count(|features| features.unlabelled),
            failed: count(|features| features.failed.iter().map(|failures| failures.count).sum()),
            steps: worker.steps,
            slowdown: features.map_or(1.0, |features| features.slowdown),
            away: worker.away.clone(),
        }
    }
}

impl Pushed for RoundsSummary {
    fn kept(&mut self) -> &mut KeptHead {
        &mut self.kept
    }
}

impl fmt::Display for RoundsSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.workers.iter().map(|worker| worker.worker.len()).max().unwrap_or(0).max(6);
        writeln!(f, "{:width$}  samples  kept back   failed       steps", "worker")?;
        for WorkerSummary { worker, samples, held_out, failed, steps, slowdown, away, .. } in &self.workers {
            write!(f, "{worker:width$}  {samples:7}  {held_out:9}  {failed:7}  {steps:10}")?;
            if *slowdown > 1.0 {
                write!(f, "  SLOWED DOWN {slowdown}x ON PURPOSE")?;
            }
            writeln!(f, "{}", away.as_ref().map(|why| format!("  away: {why}")).unwrap_or_default())?;
        }
        let mut table = Table::default();
        let (per_second, trained) = (rate(self.samples_trained, self.training_seconds), self.samples_trained);
        table
            .line("mode", format!("{}, averaged: {}, split: {}", self.mode, self.average, self.split))
            .line("rounds", self.rounds)
            .line("trained", format!("{trained} samples, {per_second:.0}/s"))
            .line("time", format!("{:.1} s of training, {:.1} s in all", self.training_seconds, self.seconds))
            .line("top-1, validation", percent(self.validation_top1));
        self.kept.add_to(&mut table);
        if let Some(round) = self.resumed_from {
            table.line("resumed", format!("after round {round} of an earlier start"));
        }
        table.fmt(f)?;
        self.kept.write_after(f)
    }
}
