//! The profile that a campaign comes to: what was measured, and what is predicted for the rest.

use headwater_client::{ModelInfo, Partition};
use headwater_plan::{
    Cores, Cost, Fit, ModelStamp, Profile, ProfileBuilder, Provenance, RecipeStamp, SampleFacts, Server, Source,
};
use headwater_types::{Cut, Way};

use super::bytes;
use super::campaign::Campaign;
use super::way_model::WayModel;
use crate::clock::{hostname, now_rfc3339};
use crate::error::PilotError;
use crate::overheads::overheads;

/// CPU seconds that a server takes at least for more than stored bytes. They keep a plan from asking a server without
/// cores, whose predictions may be 0.
const LEAST_STORAGE: f64 = 1e-9;

// === impl Campaign ===

impl Campaign<'_> {
    /// The dataset's profile.
    pub(super) fn finish(self) -> Result<Profile, PilotError> {
        let models: Vec<_> = (0..self.options.ways.len())
            .map(|position| WayModel::fit(|quantity| self.observations(position, quantity)))
            .collect();
        let provenance = self.provenance(&models);
        let mut builder = ProfileBuilder::new(provenance, self.servers(), self.options.ways.clone())?;
        for place in 0..self.photos.len() {
            builder.push(&self.facts(place), &self.costs(place, &models))?;
        }
        Ok(builder.finish()?)
    }

    /// The servers, each with the ways that it lacks.
    fn servers(&self) -> Vec<Server> {
        let lacks = |place| {
            let lacks = self.options.ways.contains(&Way::FEATURES) && !self.making.infers(place);
            if lacks { vec![Way::FEATURES] } else { Vec::new() }
        };
        let server = |(place, partition): (usize, &Partition)| Server {
            address: partition.address.to_string(),
            digest: Some(partition.digest),
            first: partition.first,
            samples: partition.samples,
            cpu_workers: Some(Cores::from(partition.cpu_workers)),
            devices: self.making.devices_of(place),
            lacks: lacks(place),
        };
        self.dataset.partitions().iter().enumerate().map(server).collect()
    }

    /// How the profile came to be.
    fn provenance(&self, models: &[WayModel]) -> Provenance {
        let stamp = |model: &ModelInfo| ModelStamp { name: model.name.clone(), digest: model.digest };
        Provenance {
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
            model: self.making.target().model().map(stamp),
            trainer_devices: self.making.devices_here(),
            seed: Some(self.options.address.seed),
            epoch: Some(self.options.address.epoch),
            measured: self.measured() as u64,
            fits: self.fits(models),
            overheads: overheads(&self.passes),
            files: Vec::new(),
        }
    }

    /// How far predictions are off, for each way at which some samples are predicted.
    fn fits(&self, models: &[WayModel]) -> Vec<Fit> {
        let ways = models.iter().zip(&self.observed).zip(&self.options.ways);
        let predicted = ways.filter(|((_, observed), _)| observed.len() < self.photos.len());
        predicted.map(|((model, observed), &way)| model.fit_of(way, observed.len())).collect()
    }

    /// What the profile says of a sample beside its costs.
    fn facts(&self, place: usize) -> SampleFacts<'_> {
        let photo = &self.photos[place];
        SampleFacts {
            key: photo.key.as_ref().map(|key| key.as_str()),
            width: photo.header.map(|header| header.size.width),
            height: photo.header.map(|header| header.size.height),
            measured: self.is_measured(place),
        }
    }

    /// What a sample takes at every way. Where it fails at a way, it takes there what it takes at the first.
    fn costs(&self, place: usize, models: &[WayModel]) -> Vec<Cost> {
        let mut costs = Vec::<Cost>::with_capacity(models.len());
        for (position, model) in models.iter().enumerate() {
            let cost = self.cost(place, position, model).or_else(|| costs.first().copied());
            let mut cost = cost.unwrap_or_else(|| Cost { bytes: self.photos[place].stored, ..Cost::default() });
            if self.options.ways[position].is_offloaded() {
                cost.storage_seconds = cost.storage_seconds.max(LEAST_STORAGE);
            }
            costs.push(cost);
        }
        costs
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
        let [bytes, storage, trainer] = model.predict(features);
        let (target, photo) = (self.making.target(), &self.photos[place]);
        let bytes = bytes::exact(target, photo, way).unwrap_or_else(|| (bytes.round() as u64).max(1));
        Some(Cost {
            bytes: bytes.min(bytes::most(target, photo, way)),
            storage_seconds: if way.is_offloaded() { storage } else { 0.0 },
            trainer_seconds: trainer,
        })
    }
}
