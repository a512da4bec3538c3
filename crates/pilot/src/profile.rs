//! A dataset's profile: some samples measured at every way, the others predicted.
//!
//! ```text
//! survey: every header ─▶ order ─▶ some of it at each way ─▶ fit ─▶ how far off, and how much time is left? ─▶ more ─▶ predict the rest
//! ```
//!
//! What is known exactly is not predicted: stored bytes, and the bytes of pixels that travel raw.
//!
//! Each way is measured on as many photos as its own predictions ask for, the same ones first, within a budget of time. One measurement of each
//! of many photos says more than several of few: what scatters between photos is more than what scatters between times.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::Dataset;
use headwater_plan::{
    Cores, Cost, Fit, ModelStamp, Profile, ProfileBuilder, Provenance, RecipeStamp, SampleFacts, Server, Source,
};
use headwater_types::recipe::DecodeMode;
use headwater_types::{Address, Cut, Draws, Form, PixelCoding, Recipe, SampleIndex, Way};
use tokio::time::Instant;

use crate::clock::{hostname, now_rfc3339};
use crate::error::PilotError;
use crate::features::Features;
use crate::finishing::Finishing;
use crate::headway::{Meter, OnProgress};
use crate::measured::{Observed, Pass, Probe};
use crate::model::{Error, Model};
use crate::order::Random;
use crate::overheads::overheads;
use crate::pick::spread;
use crate::rounds::{self, Stand};
use crate::statistics::{deviation, mean};
use crate::survey::{SurveyedPhoto, survey};
use crate::target::Making;

/// How a dataset is profiled.
#[derive(Clone, Debug)]
pub struct ProfileOptions {
    /// The ways that are measured, in order, `encoded` first: see [`ways_between`](crate::ways_between).
    pub ways: Vec<Way>,
    /// How many samples are measured.
    pub samples: Samples,
    /// Times that each is measured at each way; the median counts.
    pub repeats: usize,
    /// Time that it may take in all. The first samples of each way are measured in any case: without them there is no profile.
    pub budget: Option<Duration>,
    /// The address of the crops' randomness.
    pub address: Address,
}

/// How many samples are measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Samples {
    /// At each way as many as it takes to know, with 95 % confidence, the total bytes within this part of them (0.02: 2 %), and
    /// CPU seconds within this part of what ways take on average; up to a number of samples that takes minutes.
    Within(f64),
    /// So many at each way.
    Count(u64),
    /// All of them at each way.
    All,
}

/// Samples that are measured first at each way, to see how many more it takes, and how long that takes.
pub(crate) const PILOT: usize = 32;
/// Most samples that a precision asks for: at ten ways and three times each, some minutes.
const MOST: usize = 4096;
/// Rounds of measuring.
const ROUNDS: usize = 3;
/// Of a normal distribution, 95 % lie within so many standard deviations.
const CONFIDENCE: f64 = 1.96;

/// What asking for more than stored bytes takes at least: a server without cores is not to be asked, whatever comes of it.
const LEAST_STORAGE: f64 = 1e-9;

/// The three numbers that are measured of a sample at a way.
const QUANTITIES: [Quantity; 3] = [Quantity::Bytes, Quantity::Storage, Quantity::Trainer];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    Bytes,
    Storage,
    Trainer,
}

/// Everything that was measured so far.
struct Campaign<'a> {
    dataset: &'a Dataset,
    making: Making<'a>,
    recipe: Arc<Recipe>,
    options: &'a ProfileOptions,
    photos: Vec<SurveyedPhoto>,
    features: Vec<Option<Features>>,
    /// Samples in the order in which they are measured.
    order: Vec<usize>,
    /// In step with the ways.
    observed: Vec<Observed>,
    passes: Vec<Pass>,
    /// In step with the ways: samples of the order that were tried, and wall seconds for all of them.
    tried: Vec<(usize, f64)>,
}

/// Models of a way, in the order of the quantities.
struct WayModel {
    models: [Model; 3],
    errors: [Error; 3],
}

/// Profiles a dataset under a recipe, or for a model's features. `on_progress` hears how far it has come.
///
/// Only servers with CPU workers are asked for more than stored bytes, and only those that have the model for features: what samples
/// would take at the others is predicted, and the profile says that they lack the way.
///
/// # Errors
/// Servers that cannot be asked; a dataset without a sample, or of which none can be decoded.
pub async fn profile<'a>(
    dataset: &Dataset,
    making: impl Into<Making<'a>>,
    options: &ProfileOptions,
    on_progress: OnProgress<'_>,
) -> Result<Profile, PilotError> {
    metered(dataset, making.into(), options, &Meter::new(on_progress)).await
}

/// The same, as a part of something larger.
pub(crate) async fn metered(
    dataset: &Dataset,
    making: Making<'_>,
    options: &ProfileOptions,
    meter: &Meter<'_>,
) -> Result<Profile, PilotError> {
    let deadline = options.budget.map(|budget| Instant::now() + budget);
    if dataset.is_empty() {
        return Err(PilotError::Empty);
    }
    if let Making::Features { model, .. } = making
        && model.info.device != "cpu"
    {
        let (model, device) = (&model.info.name, &model.info.device);
        tracing::warn!(%model, %device, "servers infer on accelerators: a plan counts what their cores do for it, and no more");
    }
    meter.expect(dataset.len());
    let photos = survey(dataset, making.target().recipe(), &|more| meter.done(more)).await?;
    let finishing = Finishing::new(making, dataset)?;
    let mut campaign = Campaign::new(dataset, making, options, photos);
    let mut upto = campaign.first(deadline.is_some());
    let mut limit = None;
    for _ in 0..ROUNDS {
        campaign.measure(&finishing, &upto, limit, meter).await?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let Some(next) = rounds::next(&campaign.stands(), left) else { break };
        (upto, limit) = (next, deadline);
    }
    campaign.check()?;
    campaign.finish()
}

// === impl Campaign ===

impl<'a> Campaign<'a> {
    fn new(dataset: &'a Dataset, making: Making<'a>, options: &'a ProfileOptions, photos: Vec<SurveyedPhoto>) -> Self {
        let recipe = Arc::new(making.target().recipe().clone());
        let features = |photo: &SurveyedPhoto| {
            let draws = Draws { address: options.address, key: photo.key.as_ref()? };
            Some(Features::new(photo.stored, photo.header?, &recipe, &draws))
        };
        let works = |server: usize| dataset.partitions().get(server).is_some_and(|server| server.cpu_workers > 0);
        let nobody_works = dataset.partitions().iter().all(|server| server.cpu_workers == 0);
        let mut sorted: Vec<_> =
            (0..photos.len()).filter(|&place| nobody_works || works(photos[place].server)).collect();
        sorted.sort_by_key(|&place| (photos[place].server, photos[place].stored));
        let Address { seed, epoch } = options.address;
        let mut random = Random::new(seed.0 ^ epoch.0.rotate_left(17));
        Self {
            features: photos.iter().map(features).collect(),
            order: spread(&sorted, &mut random),
            observed: vec![Observed::new(); options.ways.len()],
            passes: Vec::new(),
            tried: vec![(0, 0.0); options.ways.len()],
            dataset,
            making,
            recipe,
            options,
            photos,
        }
    }

    /// Whether some server takes samples further than their stored bytes.
    fn somebody_works(&self) -> bool {
        self.dataset.partitions().iter().any(|server| server.cpu_workers > 0)
    }

    /// Whether a sample was measured at some way.
    fn is_measured(&self, place: usize) -> bool {
        self.observed.iter().any(|observed| observed.contains_key(&(place as u64)))
    }

    fn measured(&self) -> usize {
        (0..self.photos.len()).filter(|&place| self.is_measured(place)).count()
    }

    /// The ways that can be measured.
    fn ways(&self) -> impl Iterator<Item = (usize, Way)> + use<> {
        let works = self.somebody_works();
        let ways = self.options.ways.clone();
        ways.into_iter().enumerate().filter(move |(_, way)| works || way.cut() == Cut::Encoded)
    }

    /// Samples of the order that each way begins with; with `caution`, no more than show what more would take.
    fn first(&self, caution: bool) -> Vec<usize> {
        let asked = match self.options.samples {
            Samples::Within(_) => PILOT,
            Samples::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Samples::All => usize::MAX,
        };
        vec![if caution { asked.min(PILOT) } else { asked }; self.options.ways.len()]
    }

    /// How far each way is from what is wanted of it.
    fn stands(&self) -> Vec<Stand> {
        let most = self.order.len();
        let goals = match self.options.samples {
            Samples::Within(precision) => self.enough(precision),
            Samples::Count(count) => vec![usize::try_from(count).unwrap_or(usize::MAX); self.tried.len()],
            Samples::All => vec![usize::MAX; self.tried.len()],
        };
        let stand = |(&(have, seconds), goal): (&(usize, f64), usize)| {
            let seconds = if have > 0 { seconds / have as f64 } else { 0.0 };
            Stand { have, most: if have > 0 { most } else { 0 }, goal, seconds }
        };
        self.tried.iter().zip(goals).map(stand).collect()
    }

    /// Measures at each way the samples of the order up to a number; none further after `deadline`.
    async fn measure(
        &mut self,
        finishing: &Finishing<'_>,
        upto: &[usize],
        deadline: Option<Instant>,
        meter: &Meter<'_>,
    ) -> Result<(), PilotError> {
        let probe = Probe {
            dataset: self.dataset,
            finishing,
            recipe: &self.recipe,
            model: self.making.target().model().map(|model| &model.name),
            address: self.options.address,
            repeats: self.options.repeats,
            deadline,
        };
        // Crops of bytes first: from then on the photos are indexed, as they are in all epochs but the first.
        let mut ways: Vec<_> = self.ways().collect();
        ways.sort_by_key(|(_, way)| way.cut() != Cut::JpegCrop);
        let mut parts = Vec::new();
        for (position, way) in ways {
            let end = upto[position].min(self.order.len());
            let part = &self.order[self.tried[position].0.min(end)..end];
            let can = |&place: &usize| way != Way::FEATURES || self.making.infers(self.photos[place].server);
            let mut samples: Vec<_> = part.iter().copied().filter(can).map(|place| SampleIndex(place as u64)).collect();
            samples.sort_unstable();
            meter.expect((samples.len() * probe.passes(way)) as u64);
            parts.push((position, way, end, samples));
        }
        for (position, way, end, samples) in parts {
            let begin = Instant::now();
            let (observed, pass) = probe.at(way, &samples, &|more| meter.done(more)).await?;
            self.observed[position].extend(observed);
            self.passes.push(pass);
            let (tried, seconds) = &mut self.tried[position];
            (*tried, *seconds) = (end.max(*tried), *seconds + begin.elapsed().as_secs_f64());
        }
        Ok(())
    }

    /// Something must have been decoded.
    fn check(&self) -> Result<(), PilotError> {
        let encoded = &self.observed[0];
        if encoded.values().any(Result::is_ok) {
            return Ok(());
        }
        let first = encoded.values().find_map(|outcome| outcome.as_ref().err().cloned());
        let broken = || self.photos.iter().find_map(|photo| photo.broken.clone());
        Err(PilotError::NothingDecoded { tried: encoded.len(), first: first.or_else(broken).unwrap_or_default() })
    }

    /// What was measured of a quantity at a way, with what it is predicted from.
    fn observations(&self, position: usize, quantity: Quantity) -> Vec<(&Features, f64)> {
        let way = self.options.ways[position];
        let of = |(&index, outcome): (&u64, &Result<crate::measured::Observation, String>)| {
            let observation = outcome.as_ref().ok()?;
            // A photo without this way says nothing of those that have it.
            if way.cut() == Cut::JpegCrop && observation.came != Cut::JpegCrop {
                return None;
            }
            let features = self.features.get(usize::try_from(index).ok()?)?.as_ref()?;
            let value = match quantity {
                Quantity::Bytes => observation.bytes as f64,
                Quantity::Storage => observation.storage,
                Quantity::Trainer => observation.trainer,
            };
            Some((features, value))
        };
        self.observed[position].iter().filter_map(of).collect()
    }

    /// For each way, samples that must be measured for its totals to be known within `precision`, from how far predictions are off.
    fn enough(&self, precision: f64) -> Vec<usize> {
        let mut most = vec![0.0_f64; self.tried.len()];
        for quantity in QUANTITIES {
            let mut spreads = Vec::new();
            for (position, _) in self.ways() {
                let observations = self.observations(position, quantity);
                let values: Vec<_> = observations.iter().map(|(_, value)| *value).collect();
                let (_, error) = Model::fit(&observations);
                let level = mean(&values);
                let exact = quantity == Quantity::Bytes && self.exact_bytes(0, position).is_some();
                let spread = error.relative.map_or_else(|| deviation(&values), |relative| relative * level);
                spreads.push((position, if exact { 0.0 } else { spread }, level));
            }
            // Of bytes each way by itself; of a core's time against what ways take of it on average: microseconds beside
            // milliseconds may be off by half.
            let average = mean(&spreads.iter().map(|(_, _, level)| *level).collect::<Vec<_>>());
            for (position, spread, level) in spreads {
                let level = if quantity == Quantity::Bytes { level } else { average };
                if level > 0.0 {
                    most[position] = most[position].max((CONFIDENCE * spread / level / precision).powi(2));
                }
            }
        }
        // Of a small dataset few are left to be wrong about.
        let all = self.photos.len() as f64;
        most.into_iter().map(|most| ((most / (1.0 + most / all)).ceil() as usize).min(MOST)).collect()
    }

    /// Bytes at a way, where they follow from the header.
    fn exact_bytes(&self, place: usize, position: usize) -> Option<u64> {
        let way = self.options.ways[position];
        let header = self.photos[place].header;
        let output = self.recipe.output_size().pixels();
        let (stored, raw) = (self.photos[place].stored, way.pixels() == PixelCoding::Raw);
        match way.cut().form() {
            Form::Stored => Some(stored),
            // Only a JPEG can be cropped as one: other photos come as they are stored.
            Form::Crop => header.filter(|header| !header.jpeg).map(|_| stored),
            Form::Photo => {
                let exact = raw && self.recipe.stages().decode == DecodeMode::Exact;
                header.filter(|_| exact).map(|header| 3 * header.size.pixels())
            }
            Form::Pixels => raw.then_some(3 * output),
            Form::Floats => Some(12 * output),
            Form::Features => self.making.target().model().map(|model| 4 * u64::from(model.feature_len)),
        }
    }

    /// Bytes that a way never passes: pixels that coding does not make smaller travel raw.
    fn most_bytes(&self, place: usize, position: usize) -> u64 {
        let way = self.options.ways[position];
        match way.cut().form() {
            Form::Photo => self.photos[place].header.map_or(u64::MAX, |header| 3 * header.size.pixels()),
            Form::Pixels => 3 * self.recipe.output_size().pixels(),
            Form::Stored | Form::Crop | Form::Floats | Form::Features => u64::MAX,
        }
    }

    fn finish(self) -> Result<Profile, PilotError> {
        let ways = &self.options.ways;
        let models: Vec<_> = (0..ways.len()).map(|position| WayModel::fit(&self, position)).collect();
        let fits = models.iter().zip(&self.observed).zip(ways);
        let predicted = |observed: &Observed| observed.len() < self.photos.len();
        let lacks = |place| {
            let lacks = ways.contains(&Way::FEATURES) && !self.making.infers(place);
            if lacks { vec![Way::FEATURES] } else { Vec::new() }
        };
        let servers = self.dataset.partitions().iter().enumerate().map(|(place, partition)| Server {
            address: partition.address.to_string(),
            digest: Some(partition.digest),
            first: partition.first,
            samples: partition.samples,
            cpu_workers: Some(Cores::from(partition.cpu_workers)),
            lacks: lacks(place),
        });
        let provenance = Provenance {
            source: Source::Measured,
            date: now_rfc3339(),
            host: hostname(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            dataset: Some(self.dataset.name().clone()),
            dataset_digest: Some(self.dataset.digest()),
            recipe: Some(RecipeStamp {
                name: self.recipe.name().to_string(),
                digest: self.recipe.digest(),
                toml: self.recipe.to_toml(),
            }),
            model: (self.making.target().model())
                .map(|model| ModelStamp { name: model.name.clone(), digest: model.digest }),
            seed: Some(self.options.address.seed),
            epoch: Some(self.options.address.epoch),
            measured: self.measured() as u64,
            fits: (fits.filter(|((_, observed), _)| predicted(observed)))
                .map(|((model, observed), &way)| model.fit_of(way, observed.len()))
                .collect(),
            overheads: overheads(&self.passes),
            files: Vec::new(),
        };
        let mut builder = ProfileBuilder::new(provenance, servers.collect(), ways.clone())?;
        let mut costs = Vec::with_capacity(ways.len());
        for (place, photo) in self.photos.iter().enumerate() {
            costs.clear();
            for (position, model) in models.iter().enumerate() {
                let cost = self.cost(place, position, model).or_else(|| costs.first().copied());
                let mut cost = cost.unwrap_or_else(|| Cost { bytes: photo.stored, ..Cost::default() });
                if ways[position].is_offloaded() {
                    cost.storage_seconds = cost.storage_seconds.max(LEAST_STORAGE);
                }
                costs.push(cost);
            }
            let facts = SampleFacts {
                key: photo.key.as_ref().map(|key| key.as_str()),
                width: photo.header.map(|header| header.size.width),
                height: photo.header.map(|header| header.size.height),
                measured: self.is_measured(place),
            };
            builder.push(&facts, &costs)?;
        }
        Ok(builder.finish()?)
    }

    /// What a sample takes at a way; `None` where it fails there, so that this way is no better than its stored bytes.
    fn cost(&self, place: usize, position: usize, model: &WayModel) -> Option<Cost> {
        let way = self.options.ways[position];
        if let Some(outcome) = self.observed[position].get(&(place as u64)) {
            let observation = outcome.as_ref().ok()?;
            let storage_seconds = if way.is_offloaded() { observation.storage } else { 0.0 };
            return Some(Cost { bytes: observation.bytes, storage_seconds, trainer_seconds: observation.trainer });
        }
        let features = self.features[place].as_ref()?;
        // Without a JPEG there is no crop of one: it comes as it is stored.
        if way.cut() == Cut::JpegCrop && !features.jpeg {
            return None;
        }
        if way.is_offloaded() && !self.somebody_works() {
            return None;
        }
        let [bytes, storage, trainer] = QUANTITIES.map(|quantity| model.predict(quantity, features));
        let bytes = self.exact_bytes(place, position).unwrap_or_else(|| (bytes.round() as u64).max(1));
        Some(Cost {
            bytes: bytes.min(self.most_bytes(place, position)),
            storage_seconds: if way.is_offloaded() { storage } else { 0.0 },
            trainer_seconds: trainer,
        })
    }
}

// === impl WayModel ===

impl WayModel {
    fn fit(campaign: &Campaign<'_>, position: usize) -> Self {
        let fitted = QUANTITIES.map(|quantity| Model::fit(&campaign.observations(position, quantity)));
        let errors = fitted.each_ref().map(|(_, error)| error.clone());
        Self { models: fitted.map(|(model, _)| model), errors }
    }

    fn predict(&self, quantity: Quantity, features: &Features) -> f64 {
        let [bytes, storage, trainer] = &self.models;
        let model = match quantity {
            Quantity::Bytes => bytes,
            Quantity::Storage => storage,
            Quantity::Trainer => trainer,
        };
        model.predict(features)
    }

    fn fit_of(&self, way: Way, measured: usize) -> Fit {
        let [bytes, storage, trainer] = &self.errors;
        let measured = Some(measured as u64);
        Fit {
            way,
            measured,
            bytes: bytes.relative,
            storage_seconds: storage.relative,
            trainer_seconds: trainer.relative,
        }
    }
}
