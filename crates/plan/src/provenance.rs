//! Where a profile comes from: everything that must be known to believe its numbers, or to make them again.

use headwater_types::caps::MAX_PLAN_HEAD_BYTES;
use headwater_types::{DatasetName, DevicePool, Digest, Epoch, ModelName, Seed, Way};
use serde::{Deserialize, Serialize};

/// Where a profile comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// How its numbers were had.
    pub source: Source,
    /// The date when it was made, as RFC 3339.
    pub date: String,
    /// The machine that made it.
    pub host: String,
    /// The version of the program that made it.
    pub version: String,
    /// The dataset's name on its servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetName>,
    /// The dataset's digest, over the partitions in the order of the servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<Digest>,
    /// The recipe under which samples were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<RecipeStamp>,
    /// The model whose features samples become, at the servers or at the trainer; `None` where they become tensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelStamp>,
    /// The devices on which the trainer ran the model: then its CPU seconds are those beside the devices. `None` where
    /// it ran on the trainer's cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainer_devices: Option<DevicePool>,
    /// The run's seed: with the epoch, it says where photos were cropped.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seed_text")]
    pub seed: Option<Seed>,
    /// The epoch of the measured crops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// Samples that were measured; the others were predicted from them.
    pub measured: u64,
    /// How well the other samples' numbers are predicted, for each way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<Fit>,
    /// What an epoch takes beside the samples' own bytes and seconds.
    #[serde(default)]
    pub overheads: Overheads,
    /// The files that the profile was imported from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SourceFile>,
}

/// How a profile's numbers were had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// By fetching samples from servers.
    Measured,
    /// From files of SOPHON's profiler.
    Sophon,
    /// Made up, for tests and benchmarks.
    Synthetic,
}

/// A recipe's name, digest and canonical text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeStamp {
    /// The recipe's name.
    pub name: String,
    /// The recipe's digest.
    pub digest: Digest,
    /// The recipe's canonical text, from which it can be read again.
    pub toml: String,
}

/// A model's name and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelStamp {
    /// The model's name on its servers.
    pub name: ModelName,
    /// The BLAKE3 digest of the model's file.
    pub digest: Digest,
}

/// How well a way's numbers are predicted for samples that were not measured: root mean square of the error over the
/// mean, on measured samples that were left out of the fit. `None` where nothing was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The way.
    pub way: Way,
    /// Samples that were measured at it; `None` from a version that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<u64>,
    /// The error of the payload's bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<f64>,
    /// The error of the storage side's CPU seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_seconds: Option<f64>,
    /// The error of the trainer's CPU seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainer_seconds: Option<f64>,
}

/// What each sample and each byte costs beside what the profile's columns say, as measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overheads {
    /// Bytes on the wire for a sample beside its payload: envelopes, headers.
    pub envelope_bytes: f64,
    /// Bytes on the wire for each byte of payload beside the byte: packet headers, frames.
    pub envelope_per_byte: f64,
    /// CPU seconds of the trainer to receive a sample.
    pub receive_seconds: f64,
    /// CPU seconds of the trainer to receive a byte of payload: copies, checksums.
    pub receive_seconds_per_byte: f64,
}

/// A file that a profile was imported from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// The file's name, without folders.
    pub name: String,
    /// The BLAKE3 digest of the file's bytes.
    pub digest: Digest,
}

/// Text that is no provenance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no provenance: {0}")]
pub struct ProvenanceError(String);

// === impl Fit ===

impl Fit {
    /// By how much the total of a dataset of so many samples is expected to be off at most, as a part of it, with 95 %
    /// confidence: the largest of the three numbers', each times what it weighs (bytes, seconds there, seconds here).
    /// Errors of samples that were not measured are taken as independent, and of those that were there are none
    /// (Cochran 1977, section 7). `None` where nothing is known.
    pub fn error_of_total(&self, samples: u64, weights: [f64; 3]) -> Option<f64> {
        let measured = self.measured.filter(|&measured| measured > 0)? as f64;
        let errors = [self.bytes, self.storage_seconds, self.trainer_seconds].into_iter().zip(weights);
        let worst = errors.filter_map(|(error, weight)| Some(error? * weight)).reduce(f64::max)?;
        let unseen = (1.0 - measured / samples.max(1) as f64).max(0.0);
        Some(1.96 * worst * (unseen / measured).sqrt())
    }
}

// === impl Provenance ===

impl Provenance {
    /// A provenance that says how, when, where and by which version, and nothing else yet.
    pub fn new(source: Source, date: impl Into<String>, host: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            source,
            date: date.into(),
            host: host.into(),
            version: version.into(),
            dataset: None,
            dataset_digest: None,
            recipe: None,
            model: None,
            trainer_devices: None,
            seed: None,
            epoch: None,
            measured: 0,
            fits: Vec::new(),
            overheads: Overheads::default(),
            files: Vec::new(),
        }
    }

    /// The provenance as TOML, from which every number comes back to the bit.
    pub fn to_toml(&self) -> String {
        // Text, numbers and lists of them: TOML has a form for each.
        toml::to_string(self).unwrap_or_default()
    }

    /// Reads a provenance from TOML.
    ///
    /// # Errors
    /// [`ProvenanceError`] where something is missing, unknown to its type, or longer than a provenance may be.
    pub fn from_toml(text: &str) -> Result<Self, ProvenanceError> {
        if text.len() > MAX_PLAN_HEAD_BYTES {
            return Err(ProvenanceError(format!("it has more than {MAX_PLAN_HEAD_BYTES} bytes")));
        }
        let provenance: Self =
            toml::from_str(text).map_err(|error| ProvenanceError(error.message().chars().take(300).collect()))?;
        let sound = provenance.overheads.is_sound();
        sound.then_some(provenance).ok_or_else(|| ProvenanceError("an overhead is negative or no number".to_owned()))
    }
}

// === impl Overheads ===

impl Overheads {
    /// Whether every number is finite and not negative.
    pub fn is_sound(&self) -> bool {
        let Self { envelope_bytes, envelope_per_byte, receive_seconds, receive_seconds_per_byte } = *self;
        [envelope_bytes, envelope_per_byte, receive_seconds, receive_seconds_per_byte]
            .iter()
            .all(|value| value.is_finite() && *value >= 0.0)
    }
}

/// A seed as text: TOML's integers end at half of its range.
pub(crate) mod seed_text {
    use headwater_types::Seed;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(seed: &Option<Seed>, serializer: S) -> Result<S::Ok, S::Error> {
        match seed {
            Some(seed) => serializer.collect_str(&seed.0),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seed>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map(Seed).map_err(serde::de::Error::custom)).transpose()
    }
}
