//! Features from storage servers, which decode the photos and run the model where the photos rest; by a plan some
//! samples come as pixels, and are inferred here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt};
use headwater_client::{Dataset, FetchRequest, Indices, Sample};
use headwater_infer::{LocalExtractor, features_of};
use headwater_pilot::{Appraisal, Infer as _, Replan, Steering};
use headwater_tables::features::{FeatureProvenance, FeatureSample};
use headwater_types::{Address, ByteCount, CpuSeconds, Way};

use crate::arrivals::{Arrivals, watched};
use crate::error::SourceError;

/// A dataset and a model on storage servers, ready to give features.
#[derive(Debug)]
pub struct Servers {
    dataset: Dataset,
    provenance: FeatureProvenance,
    desk: Arc<Desk>,
}

/// How samples came so far.
#[derive(Clone, Debug, Default)]
pub struct Travelled {
    /// Samples by the way in which they came.
    pub ways: BTreeMap<Way, u64>,
    /// Every change of plan.
    pub replans: Vec<Replan>,
    /// What `--plan auto` made of the job before it began.
    pub appraisal: Option<Appraisal>,
}

/// Where samples become features.
#[derive(Debug)]
pub(crate) struct Desk {
    steering: Steering,
    appraisal: Option<Appraisal>,
    extractor: Option<LocalExtractor>,
    came: Mutex<BTreeMap<Way, u64>>,
}

/// The address of the randomness: features are made once, and not in epochs.
pub(crate) const ADDRESS: Address = Address::new(0, 0);
/// In order, samples that came as features wait behind one that is inferred here: so many times what keeps all threads
/// busy is underway, so that they stay so.
const ORDERED: usize = 4;

// === impl Servers ===

impl Servers {
    pub(crate) fn new(dataset: Dataset, provenance: FeatureProvenance, desk: Desk) -> Self {
        Self { dataset, provenance, desk: Arc::new(desk) }
    }

    /// What the features are features of.
    pub fn provenance(&self) -> &FeatureProvenance {
        &self.provenance
    }

    /// The features of these samples, in this order or as they arrive.
    ///
    /// # Errors
    /// [`SourceError::Client`]: the servers cannot be asked for these samples.
    pub fn features(&self, indices: impl Into<Indices>, ordered: bool) -> Result<Arrivals, SourceError> {
        let steering = &self.desk.steering;
        let request = FetchRequest {
            ordered,
            ways: steering.ways(),
            measure_cpu: steering.listens(),
            fields: Vec::new(),
            ..FetchRequest::features(indices, self.provenance.model.clone())
        };
        let desk = Arc::clone(&self.desk);
        let at_once = desk.extractor.as_ref().map_or(1, LocalExtractor::at_once);
        let samples = self.dataset.fetch(request)?.map_err(SourceError::from);
        let arrivals = samples.map_ok(move |sample| Arc::clone(&desk).take(sample));
        let arrivals = match ordered {
            true => arrivals.try_buffered(ORDERED * at_once).boxed(),
            false => arrivals.try_buffer_unordered(at_once).boxed(),
        };
        Ok(watched(arrivals, self.dataset.clone(), steering.clone()))
    }

    /// Bytes that came over the wire so far.
    pub fn bytes_received(&self) -> ByteCount {
        ByteCount::new(self.dataset.counters().bytes_received)
    }

    /// Stored bytes of the dataset.
    pub fn stored_bytes(&self) -> ByteCount {
        ByteCount::new(self.dataset.partitions().iter().map(|partition| partition.stored_bytes).sum())
    }

    /// How samples came so far.
    pub fn travelled(&self) -> Travelled {
        let ways = self.desk.came.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Travelled { ways, replans: self.desk.steering.replans(), appraisal: self.desk.appraisal.clone() }
    }
}

// === impl Desk ===

impl Desk {
    pub(crate) fn new(steering: Steering, appraisal: Option<Appraisal>, extractor: Option<LocalExtractor>) -> Self {
        Self { steering, appraisal, extractor, came: Mutex::default() }
    }

    /// A sample that came becomes one with its feature.
    async fn take(self: Arc<Self>, sample: Sample) -> Result<FeatureSample, SourceError> {
        let Sample { index, label, cpu, .. } = sample;
        let key = sample.key.clone();
        let delivered = sample.outcome.as_ref().ok();
        let way = delivered.map(|delivered| delivered.way);
        let (outcome, here) = match &self.extractor {
            Some(extractor) => extractor.infer(sample).await,
            // Features were asked for, and the client has seen to it that nothing else came.
            None => (sample.outcome.map(|delivered| features_of(&delivered)), CpuSeconds::default()),
        };
        self.steering.came(index, way, cpu.unwrap_or_default(), here);
        if let Some(way) = way {
            *self.came.lock().unwrap_or_else(PoisonError::into_inner).entry(way).or_default() += 1;
        }
        Ok(FeatureSample { index, key, label, outcome })
    }
}
