//! What a photo is, before it is stored: decoded whole, and labelled where somebody waits for that.

use std::sync::Arc;

use anyhow::anyhow;
use bytes::Bytes;
use headwater_features::Classifier;
use headwater_pipeline::{Call, Job, Pipeline, SampleRequest, Wanted};
use headwater_store::{InHand, Version};
use headwater_types::{
    Address, ByteCount, Cut, Digest, FailureKind, Recipe, SampleFailure, SampleIndex, SampleKey, Scored, Way,
};
use headwater_wire::ingest::IngestedLabels;

/// A photo that has no place yet.
pub(super) struct Examined {
    /// The dataset's pipeline, over this photo alone.
    pipeline: Pipeline,
    call: Call,
    /// Features by the digests of their models.
    features: Vec<(Digest, Vec<f32>)>,
}

/// A recipe that decodes: its further stages are not run.
const RECIPE: &str = "imagenet-eval";

// === impl Examined ===

impl Examined {
    /// The photo as it will be under this key. What is made of it is kept where its version is known.
    pub(super) fn new(
        of: &Pipeline,
        job: Job,
        (key, version): (SampleKey, Option<Version>),
        (bytes, digest): (Bytes, Digest),
    ) -> anyhow::Result<Self> {
        let will_be = version.unwrap_or_else(|| Version::of_object(bytes.len() as u64, &digest.to_string()));
        let (store, catalog) = InHand::open(&*of.store, (key, will_be), bytes)?;
        let pipeline = Pipeline { store, catalog: Arc::new(catalog), index: None, outlook: None, ..of.clone() };
        let max_payload = ByteCount::new(u64::MAX);
        let keep = version.is_some();
        let call = Call { job, measure_cpu: false, max_payload, allow_non_finite: false, keep, traced: false };
        Ok(Self { pipeline, call, features: Vec::new() })
    }

    /// Decodes it, whole.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) async fn decode(&self) -> Result<(), SampleFailure> {
        let lost = || SampleFailure::new(FailureKind::Internal, "there is no recipe imagenet-eval");
        let recipe = Arc::new(Recipe::builtin(RECIPE).ok_or_else(lost)?);
        self.prepare(Wanted::Pixels { recipe, way: Way::raw(Cut::Decoded) }).await.map(|_| ())
    }

    /// What a labeller says of it.
    ///
    /// # Errors
    /// Why it is no photo, or of which the model makes nothing.
    pub(super) async fn label(
        &mut self,
        classifier: &Arc<Classifier>,
        top_k: u32,
    ) -> Result<IngestedLabels, SampleFailure> {
        let extractor = classifier.extractor();
        let digest = extractor.digest();
        let features = match self.features.iter().find(|(of, _)| *of == digest) {
            Some((_, features)) => features.clone(),
            None => {
                let bytes = self.prepare(Wanted::features(extractor)).await?;
                let features: Vec<f32> = bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect();
                self.features.push((digest, features.clone()));
                features
            }
        };
        let labeller = Arc::clone(classifier);
        let label = move || labeller.label(&features, top_k as usize);
        let labels = tokio::task::spawn_blocking(label).await.map_err(|error| anyhow!(error).to_string());
        let failed = |reason: String| SampleFailure::new(FailureKind::Inference, reason);
        let best: Vec<Scored> =
            labels.and_then(|labels| labels).map_err(failed)?.pop().transpose()?.unwrap_or_default();
        let name = |scored: &Scored| classifier.classes().get(scored.class.0 as usize).cloned();
        let names = best.iter().map(name).collect::<Option<Vec<_>>>().unwrap_or_default();
        Ok(IngestedLabels { model: classifier.name().clone(), model_digest: classifier.file(), best, names })
    }

    async fn prepare(&self, wanted: Wanted) -> Result<Bytes, SampleFailure> {
        let request = SampleRequest { index: SampleIndex(0), address: Address::default(), wanted };
        let prepared = self.pipeline.prepare(std::slice::from_ref(&request), &self.call).await.pop();
        let lost = || SampleFailure::new(FailureKind::Internal, "a photo was lost while it was examined");
        Ok(prepared.ok_or_else(lost)?.outcome?.parts.bytes)
    }
}
