//! The summary of a fine-tuning.

use std::fmt;

use headwater_cli::Failures;
use headwater_learn::Metrics;
use headwater_pilot::{Appraisal, Replan};
use headwater_types::{ByteCount, Digest, Seed, shown};
use serde::Serialize;

use super::pushed::KeptHead;
use super::split::SplitSummary;
use super::table::{Table, percent};
use super::{Pushed, Ways, rate, ways, ways_in_words};
use headwater_extraction::Travelled;
use headwater_tables::features::FeatureProvenance;
use headwater_training::{SavedModel, Trained, TrainedRun};

/// What a fine-tuning did. Each image is in exactly one of `trained`, `validated`, `unlabelled` and `failed`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FineTuneSummary {
    dataset: String,
    dataset_digest: Digest,
    model: String,
    model_digest: Digest,
    recipe_digest: Digest,
    feature_len: usize,
    classes: usize,
    images: u64,
    trained: u64,
    validated: u64,
    unlabelled: u64,
    failed: u64,
    failures: Failures,
    /// The same seed gives the same head on the same `dataset_digest`: on the same partitions of the same photos, in
    /// this order.
    seed: u64,
    runs: Vec<RunSummary>,
    /// Images over the time in which features were extracted.
    features_per_second: f64,
    /// From the start to the last file, in seconds.
    seconds: f64,
    /// Over the wire; absent where features come from a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_received: Option<u64>,
    /// Of the photos, as they rest on the servers; absent where features come from a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_bytes: Option<u64>,
    /// Samples that came at each way; absent where features come from a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    ways: Option<Ways>,
    /// Every change of plan; absent where features come from a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    replans: Option<Vec<Replan>>,
    /// What `--plan auto` made of the job before it began; null without it.
    auto: Option<Appraisal>,
    /// Where the network was split; null where it was not.
    split: Option<SplitSummary>,
    /// On the features that were kept for training, 0 to 1.
    train_top1: Option<f64>,
    /// On the images that were never trained on, 0 to 1; null where there are none.
    validation_top1: Option<f64>,
    validation_top5: Option<f64>,
    /// Mean cross-entropy, in nats.
    validation_loss: Option<f64>,
    #[serde(flatten)]
    kept: KeptHead,
}

/// What one run did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RunSummary {
    /// From 1.
    run: usize,
    images: u64,
    extract_seconds: f64,
    train_seconds: f64,
    /// Time in which this run was trained on while the next was extracted.
    overlap_seconds: f64,
    epochs: u32,
    /// Of the head after this run, on the validation images so far.
    validation_top1: Option<f64>,
    validation_loss: Option<f64>,
}

// === impl FineTuneSummary ===

impl FineTuneSummary {
    pub(crate) fn new(
        provenance: &FeatureProvenance,
        trained: &Trained,
        seed: Seed,
        saved: (SavedModel, Option<SavedModel>),
        seconds: f64,
    ) -> Self {
        let (counts, validation) = (&trained.counts, trained.validation.as_ref());
        let of_validation = |value: fn(&Metrics) -> f64| validation.map(value);
        Self {
            dataset: provenance.dataset.to_string(),
            dataset_digest: provenance.dataset_digest,
            model: provenance.model.to_string(),
            model_digest: provenance.model_digest,
            recipe_digest: provenance.recipe_digest,
            feature_len: provenance.feature_len,
            classes: provenance.classes.len(),
            images: counts.images,
            trained: counts.trained,
            validated: counts.validated,
            unlabelled: counts.unlabelled,
            failed: counts.failures.count(),
            failures: counts.failures.clone(),
            seed: seed.0,
            runs: run_summaries(&trained.runs),
            features_per_second: rate(counts.images, trained.runs.iter().map(|run| run.extraction.seconds()).sum()),
            seconds,
            bytes_received: None,
            stored_bytes: None,
            ways: None,
            replans: None,
            auto: None,
            split: None,
            train_top1: trained.train.as_ref().map(|metrics| metrics.top1),
            validation_top1: of_validation(|metrics| metrics.top1),
            validation_top5: of_validation(|metrics| metrics.top5),
            validation_loss: of_validation(|metrics| metrics.loss),
            kept: KeptHead::new(saved),
        }
    }

    /// The features came from servers: so many bytes over the wire, made of so many stored ones.
    pub(crate) fn with_traffic(self, received: ByteCount, stored: ByteCount) -> Self {
        Self { bytes_received: Some(received.get()), stored_bytes: Some(stored.get()), ..self }
    }

    /// Samples came so.
    pub(crate) fn with_ways(self, travelled: Travelled) -> Self {
        let Travelled { ways: came, replans, appraisal: auto, split } = travelled;
        Self { ways: Some(ways(&came)), replans: Some(replans), auto, split: split.map(Into::into), ..self }
    }
}

impl Pushed for FineTuneSummary {
    fn kept(&mut self) -> &mut KeptHead {
        &mut self.kept
    }
}

fn run_summaries(runs: &[TrainedRun]) -> Vec<RunSummary> {
    let next = runs.iter().skip(1).map(Some).chain([None]);
    let both = runs.iter().zip(next).zip(1..);
    both.map(|((this, next), run)| RunSummary {
        run,
        images: this.images,
        extract_seconds: this.extraction.seconds(),
        train_seconds: this.training.seconds(),
        overlap_seconds: next.map_or(0.0, |next| next.extraction.overlap(&this.training)),
        epochs: this.epochs,
        validation_top1: this.validation.as_ref().map(|metrics| metrics.top1),
        validation_loss: this.validation.as_ref().map(|metrics| metrics.loss),
    })
    .collect()
}

impl fmt::Display for FineTuneSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { images, trained, validated, unlabelled, .. } = self;
        writeln!(f, "run  images   extract     train   overlap  epochs  top-1")?;
        for summary in &self.runs {
            let RunSummary { run, images, extract_seconds, train_seconds, overlap_seconds, epochs, .. } = summary;
            write!(
                f,
                "{run:3}  {images:6}  {extract_seconds:6.1} s  {train_seconds:6.1} s  {overlap_seconds:6.1} s  "
            )?;
            writeln!(f, "{epochs:6}  {}", percent(summary.validation_top1))?;
        }
        let mut table = Table::default();
        table
            .line("dataset", format!("{} ({}), {} classes", self.dataset, self.dataset_digest.short(), self.classes))
            .line("model", format!("{} ({})", self.model, self.model_digest.short()))
            .line("images", format!("{images}: {trained} to train, {validated} to validate, {unlabelled} unlabelled"))
            .line("failed", &self.failures)
            .line("time", format!("{:.1} s, {:.1} features/s", self.seconds, self.features_per_second));
        if let (Some(received), Some(stored)) = (self.bytes_received, self.stored_bytes) {
            let ratio = shown::times_less(stored as f64, received as f64);
            table
                .line("stored on the servers", shown::bytes(stored))
                .line("over the wire", format!("{} ({ratio})", shown::bytes(received)));
        }
        if let (Some(ways), Some(replans)) = (&self.ways, &self.replans) {
            table.line("came as", ways_in_words(ways, replans, self.auto.as_ref()));
        }
        if let Some(split) = &self.split {
            table.line("network split", split);
        }
        table
            .line("top-1, trained on", percent(self.train_top1))
            .line("top-1, validation", percent(self.validation_top1))
            .line("top-5, validation", percent(self.validation_top5));
        self.kept.add_to(&mut table);
        table.fmt(f)?;
        self.kept.write_after(f)
    }
}
