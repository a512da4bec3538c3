//! Features from storage servers, which decode the photos and run the model where the photos rest.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use headwater_client::{ClientError, ClientOptions, Dataset, FetchRequest, Indices, Sample};
use headwater_types::{ByteCount, ModelName};

use super::{Arrival, Arrivals, SourceError};
use crate::args::ServersArgs;
use crate::provenance::Provenance;

/// A dataset on storage servers, and a model that is registered there.
#[derive(Debug)]
pub(crate) struct Servers {
    dataset: Dataset,
    model: ModelName,
    provenance: Provenance,
}

// === impl Servers ===

impl Servers {
    /// Asks every server what it has.
    pub(crate) async fn connect(args: &ServersArgs) -> Result<Self, ClientError> {
        let mut options = ClientOptions::default();
        options.retry.give_up_after = Duration::from_secs(args.give_up_after.into());
        options.retry.connect_for = options.retry.connect_for.min(options.retry.give_up_after);
        let dataset = Dataset::connect(&args.servers, &args.dataset, options).await?;
        let model = dataset.model(&args.model)?;
        let provenance = Provenance {
            dataset: dataset.name().clone(),
            dataset_digest: dataset.digest(),
            samples: dataset.len(),
            classes: dataset.classes().to_vec(),
            model: model.name.clone(),
            model_digest: model.digest,
            recipe_digest: model.recipe.digest(),
            output: model.output,
            feature_len: model.feature_len as usize,
        };
        Ok(Self { dataset, model: model.name, provenance })
    }

    pub(crate) fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Features of these samples, in this order or as they arrive.
    pub(crate) fn features(&self, indices: impl Into<Indices>, ordered: bool) -> Result<Arrivals, SourceError> {
        let request = FetchRequest { ordered, ..FetchRequest::features(indices, self.model.clone()) };
        let samples = self.dataset.fetch(request)?;
        Ok(samples.map_ok(Arrival::from).map_err(SourceError::from).boxed())
    }

    /// Bytes that came over the wire so far.
    pub(crate) fn bytes_received(&self) -> ByteCount {
        ByteCount::new(self.dataset.counters().bytes_received)
    }

    /// Stored bytes of the dataset.
    pub(crate) fn stored_bytes(&self) -> ByteCount {
        ByteCount::new(self.dataset.partitions().iter().map(|partition| partition.stored_bytes).sum())
    }
}

// === impl Arrival ===

impl From<Sample> for Arrival {
    /// The client has checked that the payload is f32 of the model's length.
    fn from(sample: Sample) -> Self {
        let Sample { index, key, label, outcome, cpu: _ } = sample;
        let floats = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Self { index, key, label, outcome: outcome.map(|delivered| floats(&delivered.payload)) }
    }
}
