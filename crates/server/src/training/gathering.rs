//! The features of a training's samples: those that are kept, and the others made.
//!
//! A chunk of samples after the other, and each chunk's features in the order of its samples: whoever trains on them
//! later, here or elsewhere, has them in one order.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::{StreamExt, stream};
use headwater_features::Extractor;
use headwater_pipeline::{Call, Job, Pipeline, SampleRequest, Wanted};
use headwater_types::{Address, ByteCount, SampleFailure, SampleIndex};

use super::dealt::Dealt;
use super::gathered::Gathered;
use crate::offer::Offer;

/// Samples of a chunk.
const CHUNK: usize = 1024;

/// What features are made of, and by what.
pub(super) struct Gathering {
    pub(super) offer: Arc<Offer>,
    pub(super) extractor: Arc<Extractor>,
    pub(super) drawn: Job,
}

// === impl Gathering ===

impl Gathering {
    /// Gathers the features of these samples. `told` hears how many have had their turn.
    ///
    /// # Errors
    /// What is wrong with the server, and not with a sample: those that fail are counted.
    pub(super) async fn run(self, samples: &[Dealt], into: &mut Gathered, told: impl Fn(u64)) -> Result<()> {
        let mut done = 0;
        for chunk in samples.chunks(CHUNK) {
            let features = self.features(chunk).await?;
            for (sample, feature) in chunk.iter().zip(features) {
                match feature {
                    Ok(feature) => into.add(sample, &feature)?,
                    Err(failure) => {
                        let Some(key) = self.offer.generation.catalog().key(sample.index) else { continue };
                        tracing::debug!(key = key.as_str(), %failure, "leaving out a sample: it has no feature");
                        into.failed.add(failure.kind, &key);
                    }
                }
            }
            done += chunk.len() as u64;
            told(done);
        }
        Ok(())
    }

    /// The features of a chunk, in its order.
    async fn features(&self, chunk: &[Dealt]) -> Result<Vec<Result<Vec<f32>, SampleFailure>>> {
        let kept = self.kept(chunk.iter().map(|sample| sample.index).collect()).await?;
        let indices: Vec<_> = chunk.iter().map(|sample| sample.index).collect();
        let all: Vec<_> = indices.into_iter().zip(kept).map(|(index, kept)| self.feature(index, kept)).collect();
        Ok(stream::iter(all).buffered(self.most_in_work()).collect().await)
    }

    async fn kept(&self, samples: Vec<SampleIndex>) -> Result<Vec<Option<Vec<f32>>>> {
        let memory = Pipeline::features_memory(samples.len(), &self.extractor);
        let permit = self.drawn.encoded(memory).await.map_err(anyhow::Error::new);
        let permit = permit.context("no memory for features that are kept")?;
        let (offer, extractor) = (Arc::clone(&self.offer), Arc::clone(&self.extractor));
        let find = move || {
            let _permit = permit;
            offer.generation.pipeline.kept_of(&samples, &extractor)
        };
        tokio::task::spawn_blocking(find).await.context("looking for kept features")
    }

    async fn feature(&self, sample: SampleIndex, kept: Option<Vec<f32>>) -> Result<Vec<f32>, SampleFailure> {
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let call = Call {
            job: self.drawn.clone(),
            measure_cpu: false,
            max_payload: ByteCount::new(u64::MAX),
            allow_non_finite: false,
            keep: self.offer.is_home(sample),
            traced: false,
        };
        let wanted = Wanted::features(&self.extractor);
        let request = SampleRequest { index: sample, address: Address::default(), wanted };
        let mut prepared = self.offer.generation.pipeline.prepare(std::slice::from_ref(&request), &call).await;
        let lost = || SampleFailure::new(headwater_types::FailureKind::Internal, "nothing came of the sample");
        let finished = prepared.pop().ok_or_else(lost)?.outcome?;
        Ok(finished.parts.bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect())
    }

    /// Samples in work at a time: enough that no worker of the model waits.
    fn most_in_work(&self) -> usize {
        (4 * self.extractor.workers() * self.extractor.max_batch().get()).clamp(8, 512)
    }
}
