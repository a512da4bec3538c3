//! A profile, filled sample by sample and checked as it is.

use headwater_types::{Way, caps};

use super::{Cost, FactTable, Profile, ProfileError, SampleFacts, Server};
use crate::provenance::Provenance;

/// Fills a profile in the order of its samples.
#[derive(Clone, Debug)]
pub struct ProfileBuilder {
    profile: Profile,
    samples: u64,
}

/// The longest time that one sample may take: an hour of one core. A longer time is a mistaken unit.
const MOST_SECONDS: f64 = 3600.0;

// === impl ProfileBuilder ===

impl ProfileBuilder {
    /// An empty profile of these servers' samples at these ways.
    ///
    /// # Errors
    /// [`ProfileError`] where ways are out of order or do not begin with `encoded`, where features are of no model,
    /// where servers leave gaps, or where there are too many samples.
    pub fn new(provenance: Provenance, servers: Vec<Server>, ways: Vec<Way>) -> Result<Self, ProfileError> {
        if ways.first() != Some(&Way::ENCODED) || !ways.is_sorted_by(|a, b| a < b) {
            return Err(ProfileError::Ways);
        }
        if ways.iter().any(|way| way.is_features()) && provenance.model.is_none() {
            return Err(ProfileError::NoModel);
        }
        if servers.is_empty() {
            return Err(ProfileError::NoServer);
        }
        if !provenance.overheads.is_sound() {
            return Err(ProfileError::Overheads);
        }
        let mut samples = 0;
        for server in &servers {
            if server.first != samples {
                let Server { address, first, .. } = server.clone();
                return Err(ProfileError::Gap { address, first, expected: samples });
            }
            samples = server.end();
        }
        let most = caps::MAX_PROFILE_SAMPLES;
        if samples > most {
            return Err(ProfileError::TooMany { samples, most });
        }
        // What servers claim is not yet memory: a wrong number in a file should not take gigabytes.
        let reserved = samples.min(1 << 20) as usize;
        let numbers = reserved * ways.len();
        let profile = Profile {
            provenance,
            servers,
            facts: FactTable::with_capacity(reserved),
            bytes: Vec::with_capacity(numbers),
            storage: Vec::with_capacity(numbers),
            trainer: Vec::with_capacity(numbers),
            ways,
        };
        Ok(Self { profile, samples })
    }

    /// Adds the next sample: a cost for each way.
    ///
    /// # Errors
    /// [`ProfileError`] where there are more samples than the servers have, not as many costs as ways, or a cost that
    /// is negative, not finite, too large, or storage CPU for `encoded`. Nothing is added then.
    pub fn push(&mut self, facts: &SampleFacts<'_>, costs: &[Cost]) -> Result<(), ProfileError> {
        let index = self.profile.len();
        if index as u64 >= self.samples {
            return Err(ProfileError::Count { expected: self.samples, given: index as u64 + 1 });
        }
        if costs.len() != self.profile.ways.len() {
            return Err(ProfileError::Costs { index, given: costs.len(), expected: self.profile.ways.len() });
        }
        for (&way, cost) in self.profile.ways.iter().zip(costs) {
            check(index, way, cost)?;
        }
        for cost in costs {
            self.profile.bytes.push(cost.bytes as u32);
            self.profile.storage.push(cost.storage_seconds);
            self.profile.trainer.push(cost.trainer_seconds);
        }
        self.profile.facts.push(facts);
        Ok(())
    }

    /// Gives the profile, if every sample has been added.
    ///
    /// # Errors
    /// [`ProfileError::Count`] where samples are missing.
    pub fn finish(self) -> Result<Profile, ProfileError> {
        let given = self.profile.len() as u64;
        let whole = given == self.samples;
        whole.then_some(self.profile).ok_or(ProfileError::Count { expected: self.samples, given })
    }
}

fn check(index: usize, way: Way, cost: &Cost) -> Result<(), ProfileError> {
    let wrong = |what, value, rule| Err(ProfileError::Value { index, way, what, value, rule });
    if cost.bytes > u32::MAX.into() {
        return wrong("bytes", cost.bytes as f64, "a payload has less than 4 GiB");
    }
    for (what, seconds) in
        [("storage CPU seconds", cost.storage_seconds), ("trainer CPU seconds", cost.trainer_seconds)]
    {
        if !(0.0..=MOST_SECONDS).contains(&seconds) {
            return wrong(what, seconds, "seconds are from 0 to 3600");
        }
    }
    if way == Way::ENCODED && cost.storage_seconds != 0.0 {
        return wrong("storage CPU seconds", cost.storage_seconds, "to send what is stored takes none of the CPU pool");
    }
    Ok(())
}
