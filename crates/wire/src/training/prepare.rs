//! What a server is to prepare for a training, and what it has then.

use std::fmt;
use std::str::FromStr;

use headwater_types::caps::{MAX_CLASSES, MAX_HEAD_WEIGHTS};
use headwater_types::{DatasetName, Digest, ModelName, Seed};

use super::{TrainingId, bytes_of, digest_of};
use crate::labels::FailuresOfKind;
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// Most kinds of failures that are taken from a server.
const MAX_KINDS: usize = 64;

/// What is to be prepared.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareTraining {
    /// The training's name.
    pub training: TrainingId,
    /// The dataset's name.
    pub dataset: DatasetName,
    /// The extractor whose features the head takes.
    pub model: ModelName,
    /// Its digest; `None` where any will do.
    pub model_digest: Option<Digest>,
    /// The share of samples that is kept from training, 0 to below 1.
    pub held_out: f64,
    /// Decides which these are.
    pub seed: Seed,
    /// Which samples the server has; `None` for all that it serves.
    pub split: Option<TrainingSplit>,
}

/// One of several parts of a dataset that every server serves whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingSplit {
    /// How it is dealt.
    pub rule: SplitRule,
    /// The part, from 0.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
}

/// How samples are dealt to the parts of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitRule {
    /// By a hash of the key: each part is like the whole.
    Iid,
    /// In the order of the classes, in runs of equal length: each part has few classes.
    ByClass,
}

/// How the samples of a training are dealt to its servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// Each server has what it serves.
    #[default]
    Held,
    /// Each serves all, and has a part by this rule.
    Dealt(SplitRule),
}

/// What a server has of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedFeatures {
    /// The server's own name, made at random at its start.
    pub instance: [u8; 16],
    /// The part of the dataset that it serves, K of N.
    pub part: (u32, u32),
    /// Of what it serves.
    pub dataset_digest: Digest,
    /// The names of the classes that its labels are numbers of.
    pub classes: Vec<String>,
    /// Samples to train on, by class.
    pub labels: Vec<u64>,
    /// Samples kept from training.
    pub held_out: u64,
    /// Samples without a label.
    pub unlabelled: u64,
    /// Samples without a feature, by what went wrong.
    pub failed: Vec<FailuresOfKind>,
    /// The extractor, by its file.
    pub model_digest: Digest,
    /// The recipe of its input.
    pub recipe_digest: Digest,
    /// The output that is taken.
    pub output: String,
    /// Length of a feature.
    pub feature_len: usize,
    /// Of the features to train on.
    pub moments: FeatureMoments,
    /// By what the server's steps are slowed down; 1 where they are not.
    pub slowdown: f64,
}

/// Count, mean and sum of squared deviations of each number of some features.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureMoments {
    /// How many features.
    pub count: u64,
    /// The means.
    pub mean: Vec<f64>,
    /// The sums of squared deviations.
    pub squares: Vec<f64>,
}

// === impl SplitRule ===

impl SplitRule {
    /// The rule's name, on the wire and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iid => "iid",
            Self::ByClass => "by-class",
        }
    }
}

impl FromStr for SplitRule {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let all = [Self::Iid, Self::ByClass];
        let known = all.into_iter().find(|rule| rule.as_str() == name);
        known.ok_or_else(|| Invalid::new(format!("there is no split {name:?}: splits are iid and by-class")))
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Held => "held",
            Self::Dealt(rule) => rule.as_str(),
        })
    }
}

impl From<PrepareTraining> for proto::PrepareTrainingRequest {
    fn from(prepare: PrepareTraining) -> Self {
        let split = |split: TrainingSplit| proto::TrainingSplit {
            rule: split.rule.as_str().to_owned(),
            part: split.part,
            parts: split.parts,
        };
        Self {
            training: prepare.training.to_bytes(),
            dataset: prepare.dataset.to_string(),
            model: prepare.model.to_string(),
            model_digest: prepare.model_digest.map(bytes_of).unwrap_or_default(),
            held_out: prepare.held_out,
            seed: prepare.seed.0,
            split: prepare.split.map(split),
        }
    }
}

impl TryFrom<proto::PrepareTrainingRequest> for PrepareTraining {
    type Error = Invalid;

    fn try_from(request: proto::PrepareTrainingRequest) -> Result<Self, Invalid> {
        let name = |what: &str, error: &dyn fmt::Display| Invalid::new(format!("{what}: {error}"));
        if !(0.0..1.0).contains(&request.held_out) {
            return Err(Invalid::new(format!("{} is no share to keep from training: 0 to below 1", request.held_out)));
        }
        Ok(Self {
            training: TrainingId::from_bytes(&request.training)?,
            dataset: request.dataset.parse().map_err(|error| name("dataset", &error))?,
            model: request.model.parse().map_err(|error| name("model", &error))?,
            model_digest: digest_from(&request.model_digest)?,
            held_out: request.held_out,
            seed: Seed(request.seed),
            split: request.split.map(TrainingSplit::try_from).transpose()?,
        })
    }
}

impl TryFrom<proto::TrainingSplit> for TrainingSplit {
    type Error = Invalid;

    fn try_from(split: proto::TrainingSplit) -> Result<Self, Invalid> {
        let proto::TrainingSplit { rule, part, parts } = split;
        if part >= parts {
            return Err(Invalid::new(format!("there is no part {part} of {parts}: parts count from 0")));
        }
        Ok(Self { rule: rule.parse()?, part, parts })
    }
}

impl From<PreparedFeatures> for proto::PreparedFeatures {
    fn from(features: PreparedFeatures) -> Self {
        Self {
            instance: features.instance.to_vec().into(),
            part_number: features.part.0,
            part_count: features.part.1,
            dataset_digest: bytes_of(features.dataset_digest),
            classes: features.classes,
            labels: features.labels,
            held_out: features.held_out,
            unlabelled: features.unlabelled,
            failed: features.failed.into_iter().map(Into::into).collect(),
            model_digest: bytes_of(features.model_digest),
            recipe_digest: bytes_of(features.recipe_digest),
            output: features.output,
            feature_len: u32::try_from(features.feature_len).unwrap_or(u32::MAX),
            moments: Some(features.moments.into()),
            slowdown: features.slowdown,
        }
    }
}

impl TryFrom<proto::PreparedFeatures> for PreparedFeatures {
    type Error = Invalid;

    fn try_from(features: proto::PreparedFeatures) -> Result<Self, Invalid> {
        if features.classes.len() > MAX_CLASSES || features.labels.len() != features.classes.len() {
            let (labels, classes) = (features.labels.len(), features.classes.len());
            return Err(Invalid::new(format!("counts of {labels} classes, where {classes} have names")));
        }
        if features.failed.len() > MAX_KINDS {
            return Err(Invalid::new(format!("{} kinds of failures", features.failed.len())));
        }
        let moments = FeatureMoments::try_from(features.moments.unwrap_or_default())?;
        let feature_len = features.feature_len as usize;
        if moments.mean.len() != feature_len {
            return Err(Invalid::new("the moments are of features of another length"));
        }
        if !(1.0..=1e6).contains(&features.slowdown) {
            return Err(Invalid::new(format!("a server cannot be slowed down by {}", features.slowdown)));
        }
        let instance = features.instance[..].try_into();
        Ok(Self {
            instance: instance.map_err(|_| Invalid::new("a server's instance is not 16 bytes"))?,
            part: (features.part_number, features.part_count),
            dataset_digest: digest_of(&features.dataset_digest, "a dataset")?,
            classes: features.classes,
            labels: features.labels,
            held_out: features.held_out,
            unlabelled: features.unlabelled,
            failed: features.failed.into_iter().map(Into::into).collect(),
            model_digest: digest_of(&features.model_digest, "a model")?,
            recipe_digest: digest_of(&features.recipe_digest, "a recipe")?,
            output: features.output,
            feature_len,
            moments,
            slowdown: features.slowdown,
        })
    }
}

impl From<FeatureMoments> for proto::FeatureMoments {
    fn from(FeatureMoments { count, mean, squares }: FeatureMoments) -> Self {
        Self { count, mean, squares }
    }
}

impl TryFrom<proto::FeatureMoments> for FeatureMoments {
    type Error = Invalid;

    fn try_from(moments: proto::FeatureMoments) -> Result<Self, Invalid> {
        let proto::FeatureMoments { count, mean, squares } = moments;
        let finite = mean.iter().chain(&squares).all(|value| value.is_finite());
        if mean.len() > MAX_HEAD_WEIGHTS || squares.len() != mean.len() || !finite {
            return Err(Invalid::new("these are no moments: means and squares are not as many, or not all numbers"));
        }
        Ok(Self { count, mean, squares })
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::FailureKind;

    use super::*;

    fn prepare() -> PrepareTraining {
        PrepareTraining {
            training: TrainingId([7; 16]),
            dataset: "photos".parse().unwrap(),
            model: "m".parse().unwrap(),
            model_digest: Some(Digest::of(b"m")),
            held_out: 0.2,
            seed: Seed(3),
            split: Some(TrainingSplit { rule: SplitRule::ByClass, part: 1, parts: 6 }),
        }
    }

    fn features() -> PreparedFeatures {
        PreparedFeatures {
            instance: [1; 16],
            part: (2, 3),
            dataset_digest: Digest::of(b"d"),
            classes: vec!["a".to_owned(), "b".to_owned()],
            labels: vec![5, 0],
            held_out: 2,
            unlabelled: 1,
            failed: vec![FailuresOfKind {
                kind: FailureKind::Malformed,
                count: 2,
                first_keys: vec!["a/1.jpg".to_owned()],
            }],
            model_digest: Digest::of(b"m"),
            recipe_digest: Digest::of(b"r"),
            output: "features".to_owned(),
            feature_len: 1,
            moments: FeatureMoments { count: 5, mean: vec![1.0], squares: vec![2.0] },
            slowdown: 4.0,
        }
    }

    #[test]
    fn requests_survive_the_wire_and_what_cannot_be_is_refused() {
        let sent = proto::PrepareTrainingRequest::from(prepare());
        assert_eq!(PrepareTraining::try_from(sent.clone()), Ok(prepare()));
        type Break = fn(&mut proto::PrepareTrainingRequest);
        let breaks: [(Break, &str); 5] = [
            (|request| request.training = vec![0; 15].into(), "16 bytes"),
            (|request| request.dataset = "a b".into(), "dataset"),
            (|request| request.held_out = 1.0, "below 1"),
            (|request| request.held_out = f64::NAN, "below 1"),
            (|request| request.split.as_mut().unwrap().part = 6, "part 6 of 6"),
        ];
        for (break_it, words) in breaks {
            let mut request = sent.clone();
            break_it(&mut request);
            let error = PrepareTraining::try_from(request).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn what_a_server_has_survives_the_wire_and_nonsense_is_refused() {
        let sent = proto::PreparedFeatures::from(features());
        assert_eq!(PreparedFeatures::try_from(sent.clone()), Ok(features()));
        type Break = fn(&mut proto::PreparedFeatures);
        let breaks: [Break; 6] = [
            |features| features.labels.push(1),
            |features| features.feature_len = 2,
            |features| features.slowdown = 0.5,
            |features| features.slowdown = f64::INFINITY,
            |features| features.instance.clear(),
            |features| features.moments.as_mut().unwrap().squares[0] = f64::NAN,
        ];
        for (place, break_it) in breaks.into_iter().enumerate() {
            let mut features = sent.clone();
            break_it(&mut features);
            assert!(PreparedFeatures::try_from(features).is_err(), "{place}");
        }
    }
}
