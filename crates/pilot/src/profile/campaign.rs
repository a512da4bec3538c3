//! A campaign of measurements: which samples of a dataset are measured at which way, and what was measured so far.
//!
//! Each way is measured on as many photos as its own predictions ask for, the same photos first, within a budget of
//! time. One measurement of each of many photos says more than several of few photos: photos differ more than the times
//! of one photo.

use std::sync::Arc;

use headwater_client::Dataset;
use headwater_types::{Address, Cut, Draws, Recipe, SampleIndex, Way};
use tokio::time::Instant;

use super::options::ProfileOptions;
use super::quantity::Quantity;
use crate::error::PilotError;
use crate::features::Features;
use crate::finishing::Finishing;
use crate::headway::Meter;
use crate::measured::{Observation, Observed, Pass, Probe};
use crate::order::Random;
use crate::pick::spread;
use crate::survey::SurveyedPhoto;
use crate::target::Making;

/// Everything that was measured so far.
pub(super) struct Campaign<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) making: Making<'a>,
    pub(super) recipe: Arc<Recipe>,
    pub(super) options: &'a ProfileOptions,
    pub(super) photos: Vec<SurveyedPhoto>,
    pub(super) features: Vec<Option<Features>>,
    /// Samples in the order in which they are measured.
    pub(super) order: Vec<usize>,
    /// What was observed at each way, in the order of the ways.
    pub(super) observed: Vec<Observed>,
    pub(super) passes: Vec<Pass>,
    /// Samples of the order that were tried at each way, in the order of the ways, and wall seconds for all of them.
    pub(super) tried: Vec<(usize, f64)>,
}

// === impl Campaign ===

impl<'a> Campaign<'a> {
    /// A campaign that has measured nothing yet.
    pub(super) fn new(
        dataset: &'a Dataset,
        making: Making<'a>,
        options: &'a ProfileOptions,
        photos: Vec<SurveyedPhoto>,
    ) -> Self {
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

    /// Whether at least one server does more with samples than to send their stored bytes.
    pub(super) fn somebody_works(&self) -> bool {
        self.dataset.partitions().iter().any(|server| server.cpu_workers > 0)
    }

    /// Whether a sample was measured at some way.
    pub(super) fn is_measured(&self, place: usize) -> bool {
        self.observed.iter().any(|observed| observed.contains_key(&(place as u64)))
    }

    /// How many samples were measured at some way.
    pub(super) fn measured(&self) -> usize {
        (0..self.photos.len()).filter(|&place| self.is_measured(place)).count()
    }

    /// The ways that can be measured.
    pub(super) fn ways(&self) -> impl Iterator<Item = (usize, Way)> + use<> {
        let works = self.somebody_works();
        let ways = self.options.ways.clone();
        ways.into_iter().enumerate().filter(move |(_, way)| works || way.cut() == Cut::Encoded)
    }

    /// Measures at each way the samples of the order up to a number. After `deadline` no further sample is measured.
    pub(super) async fn measure(
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

    /// Checks that at least one sample could be decoded.
    pub(super) fn check(&self) -> Result<(), PilotError> {
        let encoded = &self.observed[0];
        if encoded.values().any(Result::is_ok) {
            return Ok(());
        }
        let first = encoded.values().find_map(|outcome| outcome.as_ref().err().cloned());
        let broken = || self.photos.iter().find_map(|photo| photo.broken.clone());
        Err(PilotError::NothingDecoded { tried: encoded.len(), first: first.or_else(broken).unwrap_or_default() })
    }

    /// The measured values of a quantity at a way, each with the features that predict it.
    pub(super) fn observations(&self, position: usize, quantity: Quantity) -> Vec<(&Features, f64)> {
        let way = self.options.ways[position];
        let of = |(&index, outcome): (&u64, &Result<Observation, String>)| {
            let observation = outcome.as_ref().ok()?;
            // A photo without this way says nothing of those that have it.
            if way.cut() == Cut::JpegCrop && observation.came != Cut::JpegCrop {
                return None;
            }
            let features = self.features.get(usize::try_from(index).ok()?)?.as_ref()?;
            Some((features, quantity.of(observation)))
        };
        self.observed[position].iter().filter_map(of).collect()
    }
}
