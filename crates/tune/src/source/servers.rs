//! Features from storage servers, which decode the photos and run the model where the photos rest; by a plan some samples come as
//! pixels, and are inferred here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use headwater_client::{ClientOptions, Dataset, FetchRequest, Indices, RegisteredModel, Sample};
use headwater_infer::{LocalExtractor, features_of};
use headwater_pilot::{Appraisal, Infer as _, Making, Replan, SketchOptions, Steering, Told, auto};
use headwater_types::{Address, ByteCount, CpuSeconds, Way};

use super::plan::Course;
use super::watched::watched;
use super::{Arrivals, SourceError};
use crate::args::ServersArgs;
use headwater_tables::features::{FeatureProvenance, FeatureSample};

/// A dataset on storage servers, and a model that is registered there; how samples come is perhaps still to be planned.
#[derive(Debug)]
pub(crate) struct Connected {
    dataset: Dataset,
    model: RegisteredModel,
    provenance: FeatureProvenance,
    course: Course,
    extractor: Option<LocalExtractor>,
    sketch: SketchOptions,
}

/// The same, ready to give features.
#[derive(Debug)]
pub(crate) struct Servers {
    dataset: Dataset,
    provenance: FeatureProvenance,
    desk: Arc<Desk>,
}

/// How samples came so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Travelled {
    /// Samples by the way in which they came.
    pub(crate) ways: BTreeMap<Way, u64>,
    /// Every change of plan.
    pub(crate) replans: Vec<Replan>,
    /// What `--plan auto` made of the job before it began.
    pub(crate) appraisal: Option<Appraisal>,
}

/// Where samples become features.
#[derive(Debug)]
struct Desk {
    steering: Steering,
    appraisal: Option<Appraisal>,
    extractor: Option<LocalExtractor>,
    came: Mutex<BTreeMap<Way, u64>>,
}

/// The address of the randomness: features are made once, and not in epochs.
const ADDRESS: Address = Address::new(0, 0);
/// In order, samples that came as features wait behind one that is inferred here: so many times what keeps all threads busy is
/// underway, so that they stay so.
const ORDERED: usize = 4;

// === impl Connected ===

impl Connected {
    /// Asks every server what it has, and sees to it that the plan, if there is one, is for that.
    /// `allow_non_finite`: features that are not finite are no failures.
    pub(crate) async fn new(args: &ServersArgs, allow_non_finite: bool) -> Result<Self, SourceError> {
        let mut options = ClientOptions { bandwidth: args.plan.limit_bandwidth, ..ClientOptions::default() };
        options.cpu_workers = args.plan.inference_workers.unwrap_or(options.cpu_workers);
        options.retry.give_up_after = Duration::from_secs(args.give_up_after.into());
        options.retry.connect_for = options.retry.connect_for.min(options.retry.give_up_after);
        options.allow_partial = args.allow_partial;
        options.limits = args.limits.limits();
        options.allow_non_finite = allow_non_finite;
        let dataset = Dataset::connect(&args.servers, &args.dataset, options).await?;
        if args.plan.plan.is_none() {
            // All of them infer.
            dataset.model(&args.model)?;
        }
        let model = dataset.registered_model(&args.model)?;
        let (course, extractor) = Course::open(&args.plan, &dataset, &model).await?;
        let provenance = FeatureProvenance {
            dataset: dataset.name().clone(),
            dataset_digest: dataset.digest(),
            samples: dataset.len(),
            classes: dataset.classes().to_vec(),
            model: model.info.name.clone(),
            model_digest: model.info.digest,
            recipe_digest: model.info.recipe.digest(),
            output: model.info.output.clone(),
            feature_len: model.info.feature_len as usize,
        };
        let sketch = SketchOptions { budget: args.plan.profile_seconds, ..SketchOptions::default() };
        Ok(Self { dataset, model, provenance, course, extractor, sketch })
    }

    pub(crate) fn provenance(&self) -> &FeatureProvenance {
        &self.provenance
    }

    /// Plans how these samples come, where that is still to be done; `told` how far that has come.
    pub(crate) async fn steer(self, samples: &Indices, told: Told<'_>) -> Result<Servers, SourceError> {
        let Self { dataset, model, provenance, course, extractor, sketch } = self;
        let (steering, appraisal) = match (course, &extractor) {
            (Course::Set(steering), _) => (steering, None),
            (Course::Auto, Some(here)) if !samples.is_empty() => {
                let making = Making::Features { model: &model, here };
                let (steering, appraisal) = auto(&dataset, making, &sketch, ADDRESS, &samples.to_vec(), told).await?;
                (steering, Some(appraisal))
            }
            // Nothing is left to come.
            (Course::Auto, _) => (Steering::new(Way::FEATURES), None),
        };
        let desk = Arc::new(Desk { steering, appraisal, extractor, came: Mutex::default() });
        Ok(Servers { dataset, provenance, desk })
    }
}

// === impl Servers ===

impl Servers {
    pub(crate) fn provenance(&self) -> &FeatureProvenance {
        &self.provenance
    }

    /// Features of these samples, in this order or as they arrive.
    pub(crate) fn features(&self, indices: impl Into<Indices>, ordered: bool) -> Result<Arrivals, SourceError> {
        let steering = &self.desk.steering;
        let request = FetchRequest {
            ordered,
            ways: steering.ways(),
            measure_cpu: steering.listens(),
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
    pub(crate) fn bytes_received(&self) -> ByteCount {
        ByteCount::new(self.dataset.counters().bytes_received)
    }

    /// Stored bytes of the dataset.
    pub(crate) fn stored_bytes(&self) -> ByteCount {
        ByteCount::new(self.dataset.partitions().iter().map(|partition| partition.stored_bytes).sum())
    }

    /// How samples came so far.
    pub(crate) fn travelled(&self) -> Travelled {
        let ways = self.desk.came.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Travelled { ways, replans: self.desk.steering.replans(), appraisal: self.desk.appraisal.clone() }
    }
}

// === impl Desk ===

impl Desk {
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
