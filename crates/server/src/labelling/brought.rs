//! A labelling whose features a client brings: a part of the network runs there, or all of it.
//!
//! It holds nothing between calls. What is labelled is in the index, and a client that begins again asks what is
//! lacking.

use std::ops::Range;
use std::sync::{Arc, PoisonError};

use anyhow::Result;
use headwater_cli::exit::in_one_line;
use headwater_features::Classifier;
use headwater_types::caps::LABELLING_PAGE;
use headwater_types::{Digest, FailureKind, SampleIndex, SampleKey};
use headwater_wire::labels::{BroughtFeatures, FailedFeature, FeaturesOf, LabellerDigests, OpenedLabelling, Relabel};
use headwater_wire::status::{Invalid, Refusal};

use super::failing::{Verdict, verdict};
use super::gathered::{Gathered, Sink};
use super::lacking::{is_lacking, named};
use super::runs::{check_top_k, known, run_of};
use crate::generation::Generation;
use crate::house::House;

/// Labels of a dataset by a labeller, ready to be read and filled.
pub(crate) struct Brought {
    generation: Arc<Generation>,
    sink: Sink,
    retry_failed: bool,
}

// === impl Brought ===

impl Brought {
    /// Opens them for features of this model and output. `forgets`: what there was is forgotten first. Blocks.
    ///
    /// # Errors
    /// As [`Brought::find`], and a labeller that scores other features.
    pub(crate) fn open(
        house: &House,
        generation: Arc<Generation>,
        (request, features): (&Relabel, &FeaturesOf),
        forgets: bool,
    ) -> Result<Self, Refusal> {
        let classifier = classifier(house, request)?;
        let scored = classifier.extractor();
        if (scored.digest(), scored.output()) != (features.model, &features.output) {
            return Err(Invalid::new(format!(
                "{} scores the output {:?} of the model {}, and not the output {:?} of {}: register the model with \
                 output={}, or relabel without --split-at, --split-by and --plan",
                request.model,
                scored.output(),
                scored.digest().short(),
                features.output,
                features.model.short(),
                scored.output()
            ))
            .into());
        }
        Self::of(house, generation, (request, classifier), forgets)
    }

    /// Finds the labels that were opened. Blocks.
    ///
    /// # Errors
    /// A server without labels, a model that cannot label or has labelled with other settings, the index's disk.
    pub(crate) fn find(house: &House, generation: Arc<Generation>, request: &Relabel) -> Result<Self, Refusal> {
        Self::of(house, generation, (request, classifier(house, request)?), false)
    }

    fn of(
        house: &House,
        generation: Arc<Generation>,
        (request, classifier): (&Relabel, Arc<Classifier>),
        forgets: bool,
    ) -> Result<Self, Refusal> {
        let shelf = house.shelf()?;
        let unread = |message: String| Refusal::NoLabels { message };
        if !forgets && let Some(earlier) = known(shelf, &generation, &classifier).map_err(|e| unread(e.to_string()))? {
            check_top_k(&earlier, request)?;
        }
        let run = run_of(shelf, &generation, &classifier, request, forgets);
        let run = run.map_err(|error| unread(in_one_line(&error)))?;
        let standing = shelf.standings.get(&shelf.index, run.id, generation.catalog());
        let standing = standing.map_err(|error| unread(error.to_string()))?;
        let (index, top_k) = (Arc::clone(&shelf.index), request.top_k as usize);
        let sink = Sink { index, run: run.id, standing, classifier, top_k };
        Ok(Self { generation, sink, retry_failed: request.retry_failed })
    }

    /// What is labelled, and which samples of a page are lacking.
    pub(crate) fn opened(&self, first: u64) -> OpenedLabelling {
        let classifier = &self.sink.classifier;
        let samples = self.generation.catalog().len() as u64;
        let page = first.min(samples)..first.saturating_add(LABELLING_PAGE).min(samples);
        OpenedLabelling {
            dataset_digest: self.generation.digest(),
            samples,
            labeller: LabellerDigests { digest: classifier.digest(), model: classifier.file() },
            wanted: self.lacking(page),
        }
    }

    /// A bit for each sample, as it travels.
    fn lacking(&self, page: Range<u64>) -> Vec<u8> {
        let standing = self.sink.standing.read().unwrap_or_else(PoisonError::into_inner);
        let samples: Vec<bool> = page.map(|at| is_lacking(standing.standing(at), self.retry_failed)).collect();
        OpenedLabelling::bits(samples.into_iter())
    }

    /// Labels what was brought, durably. Gives the samples of which the head makes no scores. Blocks.
    ///
    /// # Errors
    /// Features of another length, samples that there are not, a head that cannot be run, the index's disk.
    pub(crate) fn take(&self, brought: &BroughtFeatures) -> Result<Vec<FailedFeature>, Refusal> {
        let len = self.sink.classifier.extractor().feature_len();
        if brought.features.len() != len * brought.indices.len() {
            let (numbers, rows) = (brought.features.len(), brought.indices.len());
            return Err(Invalid::new(format!("{numbers} numbers are no features of {rows} samples: {len} each")).into());
        }
        let mut gathered = Gathered::default();
        for (index, features) in brought.indices.iter().zip(brought.features.chunks_exact(len)) {
            gathered.add(*index, self.named(*index)?, features);
        }
        for FailedFeature { index, kind } in &brought.failed {
            if verdict(*kind) == Verdict::Lasting {
                gathered.fail(*index, self.named(*index)?, *kind);
            }
        }
        if gathered.is_empty() {
            return Ok(Vec::new());
        }
        let committed = gathered.commit(&self.sink);
        let committed = committed.map_err(|error| Refusal::NoLabels { message: in_one_line(&error) })?;
        let place = |key: &SampleKey| self.generation.catalog().find(key.as_str());
        let unscored = committed.unscored.iter().filter_map(|(key, failure)| Some((place(key)?, failure.kind)));
        Ok(unscored.map(|(index, kind): (SampleIndex, FailureKind)| FailedFeature { index, kind }).collect())
    }

    /// What is written beside a sample's labels.
    fn named(&self, sample: SampleIndex) -> Result<(SampleKey, [u8; 16]), Invalid> {
        named(&self.generation, sample).ok_or_else(|| Invalid::new(format!("the dataset has no sample {sample}")))
    }

    /// Digest of the labeller.
    pub(crate) fn digest(&self) -> Digest {
        self.sink.classifier.digest()
    }
}

fn classifier(house: &House, request: &Relabel) -> Result<Arc<Classifier>, Invalid> {
    house.models.classifier(&request.model).map_err(|error| Invalid::new(error.to_string()))
}
