//! Features from storage servers, which decode the photos and run the model where the photos rest; by a plan some
//! samples come as pixels, and are inferred here; a network that is split runs in part there and in part here.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use headwater_client::{Dataset, FetchRequest, Indices, Sample};
use headwater_infer::{LocalExtractor, features_of};
use headwater_pilot::{Appraisal, Infer as _, Replan, Steering};
use headwater_tables::features::{FeatureProvenance, FeatureSample};
use headwater_types::{Address, ByteCount, CpuSeconds, Way};

use crate::arrivals::{Arrivals, watched};
use crate::error::SourceError;
use crate::following::follow;
use crate::split::{SplitTravelled, Splitting};
use crate::ways::Ways;

/// A dataset and a model on storage servers, ready to give features.
#[derive(Debug)]
pub struct Servers {
    dataset: Dataset,
    provenance: FeatureProvenance,
    from: Source,
    ways: Arc<Ways>,
}

/// Where samples become features.
#[derive(Debug)]
enum Source {
    /// Each at the servers or here, as it is steered.
    Desk(Arc<Desk>),
    /// In part at the servers, in part here.
    Split(Arc<Splitting>),
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
    /// By which cuts, where the network is split.
    pub split: Option<SplitTravelled>,
}

/// Where samples become features, each as a whole.
#[derive(Debug)]
pub(crate) struct Desk {
    steering: Steering,
    appraisal: Option<Appraisal>,
    extractor: Option<LocalExtractor>,
}

/// The address of the randomness: features are made once, and not in epochs.
pub(crate) const ADDRESS: Address = Address::new(0, 0);
/// In order, samples that came as features wait behind one that is inferred here: so many times what keeps all threads
/// busy is underway, so that they stay so.
const ORDERED: usize = 4;

// === impl Servers ===

impl Servers {
    pub(crate) fn new(dataset: Dataset, provenance: FeatureProvenance, desk: Desk) -> Self {
        Self { dataset, provenance, from: Source::Desk(Arc::new(desk)), ways: Arc::default() }
    }

    /// Servers that run a part of the network.
    pub(crate) fn split(dataset: Dataset, provenance: FeatureProvenance, splitting: Splitting) -> Self {
        Self { dataset, provenance, from: Source::Split(Arc::new(splitting)), ways: Arc::default() }
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
        let desk = match &self.from {
            Source::Desk(desk) => desk,
            Source::Split(splitting) => return Ok(follow(splitting, &self.ways, indices.into(), ordered)),
        };
        let steering = &desk.steering;
        let request = FetchRequest {
            ordered,
            ways: steering.ways(),
            measure_cpu: steering.listens(),
            fields: Vec::new(),
            ..FetchRequest::features(indices, self.provenance.model.clone())
        };
        let (desk, ways) = (Arc::clone(desk), Arc::clone(&self.ways));
        let at_once = desk.extractor.as_ref().map_or(1, LocalExtractor::at_once);
        let samples = self.dataset.fetch(request)?.map_err(SourceError::from);
        let taking = Arc::clone(&desk);
        let arrivals = samples.map_ok(move |sample| Arc::clone(&taking).take(Arc::clone(&ways), sample));
        let arrivals = match ordered {
            true => arrivals.try_buffered(ORDERED * at_once).boxed(),
            false => arrivals.try_buffer_unordered(at_once).boxed(),
        };
        Ok(watched(arrivals, self.dataset.clone(), desk.steering.clone()))
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
        let ways = self.ways.read();
        match &self.from {
            Source::Desk(desk) => {
                let (replans, appraisal) = (desk.steering.replans(), desk.appraisal.clone());
                Travelled { ways, replans, appraisal, split: None }
            }
            Source::Split(splitting) => Travelled { ways, split: Some(splitting.travelled()), ..Travelled::default() },
        }
    }
}

// === impl Desk ===

impl Desk {
    pub(crate) fn new(steering: Steering, appraisal: Option<Appraisal>, extractor: Option<LocalExtractor>) -> Self {
        Self { steering, appraisal, extractor }
    }

    /// A sample that came becomes one with its feature.
    async fn take(self: Arc<Self>, ways: Arc<Ways>, sample: Sample) -> Result<FeatureSample, SourceError> {
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
        ways.count(way);
        Ok(FeatureSample { index, key, label, outcome })
    }
}
