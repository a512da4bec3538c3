//! What all workers of a training have in common: classes, standardisation, the head.

use std::collections::BTreeMap;

use headwater_client::training_calls::{BeginTraining, FeatureMoments, PreparedFeatures, Split, TrainingId};
use headwater_learn::{Head, HeadKind, LearnError, Moments};
use headwater_types::Digest;

use crate::error::FederationError;
use crate::options::{FederationOptions, Local};

/// How much of the labels of a worker may be of other classes than those of all, before they are taken for other data.
const MOST_APART: f64 = 0.1;

/// What all workers have in common.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Common {
    /// In the order of the head's outputs.
    pub(crate) classes: Vec<String>,
    pub(crate) moments: FeatureMoments,
    pub(crate) model_digest: Digest,
    pub(crate) recipe_digest: Digest,
    pub(crate) output: String,
    pub(crate) feature_len: usize,
}

// === impl Common ===

impl Common {
    /// Of workers with these names and features.
    ///
    /// # Errors
    /// Workers that do not go together.
    pub(crate) fn of(workers: &[(&str, &PreparedFeatures)], split: Split) -> Result<Self, FederationError> {
        let Some(((first, features), others)) = workers.split_first() else { return Err(FederationError::Lost) };
        let mut moments = Moments::new(features.feature_len);
        let mut classes: Vec<String> = Vec::new();
        for (name, other) in workers {
            if facts(other) != facts(features) {
                let (first, second) = ((*first).to_owned(), (*name).to_owned());
                return Err(FederationError::Differ { first, second });
            }
            let FeatureMoments { count, mean, squares } = other.moments.clone();
            moments.merge(&Moments::from_parts(count, mean, squares).ok_or(FederationError::Lost)?);
            classes.extend(other.classes.iter().filter(|class| !classes.contains(class)).cloned().collect::<Vec<_>>());
        }
        if others.iter().any(|(_, other)| other.classes != features.classes) {
            classes.sort_unstable();
        }
        apart(workers, split)?;
        if classes.len() < 2 {
            return Err(FederationError::TooFewClasses { classes: classes.len() });
        }
        let (mean, squares) = (moments.mean().to_vec(), moments.squares().to_vec());
        Ok(Self {
            classes,
            moments: FeatureMoments { count: moments.count(), mean, squares },
            model_digest: features.model_digest,
            recipe_digest: features.recipe_digest,
            output: features.output.clone(),
            feature_len: features.feature_len,
        })
    }

    /// A worker's samples by class, in the order of all classes.
    pub(crate) fn counts(&self, features: &PreparedFeatures) -> Vec<u64> {
        let of = |class: &String| features.classes.iter().position(|name| name == class);
        self.classes.iter().map(|class| of(class).map_or(0, |place| features.labels[place])).collect()
    }

    /// Whether workers have other classes than each other: whether, of the samples of one, more than a tenth would have
    /// to be of other classes for it to be like all together (total variation distance).
    pub(crate) fn differ(&self, workers: &[(&str, &PreparedFeatures)]) -> bool {
        let counts: Vec<_> = workers.iter().map(|(_, features)| self.counts(features)).collect();
        let all: Vec<u64> = (0..self.classes.len()).map(|class| counts.iter().map(|of| of[class]).sum()).collect();
        let share = |of: &[u64], class: usize| of[class] as f64 / of.iter().sum::<u64>().max(1) as f64;
        let apart = |of: &Vec<u64>| -> f64 {
            (0..self.classes.len()).map(|class| (share(of, class) - share(&all, class)).abs()).sum::<f64>() / 2.0
        };
        counts.iter().any(|of| apart(of) > MOST_APART)
    }

    /// Why a worker cannot join; `None` where it can.
    pub(crate) fn keeps_out(&self, features: &PreparedFeatures) -> Option<String> {
        let ours = (self.model_digest, self.recipe_digest, self.output.as_str(), self.feature_len);
        if facts(features) != ours {
            return Some("it has another model or recipe than the training".to_owned());
        }
        let unknown = features.classes.iter().find(|class| !self.classes.contains(class))?;
        Some(format!("it has the class {unknown:?}, which no worker had when the training began"))
    }

    /// By what all train.
    pub(crate) fn begin(&self, training: TrainingId, options: &FederationOptions) -> BeginTraining {
        let Local { learning_rate, batch_size, .. } = options.local;
        BeginTraining {
            training,
            classes: self.classes.clone(),
            moments: self.moments.clone(),
            hidden: match options.head {
                HeadKind::Softmax => None,
                HeadKind::Mlp { hidden } => Some(u32::try_from(hidden).unwrap_or(u32::MAX)),
            },
            learning_rate,
            momentum: options.local_momentum(),
            batch_size,
            seed: options.seed,
        }
    }
}

fn facts(features: &PreparedFeatures) -> (Digest, Digest, &str, usize) {
    (features.model_digest, features.recipe_digest, &features.output, features.feature_len)
}

/// Sees to it that no two workers have the same samples.
fn apart(workers: &[(&str, &PreparedFeatures)], split: Split) -> Result<(), FederationError> {
    let mut known = BTreeMap::new();
    for (name, features) in workers {
        let of = match split {
            // Each serves all, and has a part of its own; but one server cannot be two workers.
            Split::Dealt(_) => (None, Some(features.instance)),
            Split::Held => (Some((features.part, features.dataset_digest)), None),
        };
        if let Some(first) = known.insert(of, *name) {
            return Err(FederationError::Overlap { first: first.to_owned(), second: (*name).to_owned() });
        }
    }
    Ok(())
}

/// The head that is trained, which has learned nothing yet and standardises as all workers do.
pub(crate) fn head_of(begin: &BeginTraining, dim: usize) -> Result<Head, LearnError> {
    let kind = HeadKind::of_hidden(begin.hidden);
    let mut head = Head::new(kind, dim, begin.classes.len(), begin.seed)?;
    let FeatureMoments { count, mean, squares } = begin.moments.clone();
    let wrong = LearnError::Dimension { expected: dim, actual: mean.len() };
    head.standardize(&Moments::from_parts(count, mean, squares).ok_or(wrong)?)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(instance: u8, part: (u32, u32), classes: &[&str]) -> PreparedFeatures {
        PreparedFeatures {
            instance: [instance; 16],
            part,
            dataset_digest: Digest::of(b"all"),
            classes: classes.iter().map(|class| (*class).to_owned()).collect(),
            labels: vec![1; classes.len()],
            held_out: 0,
            unlabelled: 0,
            failed: Vec::new(),
            model_digest: Digest::of(b"m"),
            recipe_digest: Digest::of(b"r"),
            output: "features".to_owned(),
            feature_len: 1,
            moments: FeatureMoments { count: 2, mean: vec![f64::from(instance)], squares: vec![0.0] },
            slowdown: 1.0,
        }
    }

    #[test]
    fn classes_are_united_and_moments_merged() {
        let (one, two) = (features(1, (1, 2), &["cat", "dog"]), features(3, (2, 2), &["ant", "dog"]));
        let common = Common::of(&[("a", &one), ("b", &two)], Split::Held).unwrap();
        assert_eq!(common.classes, ["ant", "cat", "dog"]);
        assert_eq!((common.moments.count, common.moments.mean[0], common.moments.squares[0]), (4, 2.0, 4.0));
        let same = Common::of(&[("a", &features(1, (1, 2), &["z", "a"]))], Split::Held).unwrap();
        assert_eq!(same.classes, ["z", "a"], "a list that all share keeps its order");
        assert!(common.keeps_out(&one).is_none());
        assert!(common.keeps_out(&features(1, (1, 2), &["bee"])).unwrap().contains("bee"));
    }

    #[test]
    fn other_classes_are_other_data_and_other_numbers_are_not() {
        let with = |labels: [u64; 2]| PreparedFeatures { labels: labels.to_vec(), ..features(1, (1, 1), &["a", "b"]) };
        let differ = |one: [u64; 2], two: [u64; 2]| {
            let (one, two) = (with(one), with(two));
            let (both, dealt) = ([("a", &one), ("b", &two)], Split::Held);
            Common::of(&both[..1], dealt).unwrap().differ(&both)
        };
        assert!(!differ([50, 50], [480, 520]));
        assert!(differ([100, 0], [0, 100]));
        assert!(differ([80, 20], [50, 50]));
    }

    #[test]
    fn workers_that_do_not_go_together_are_refused_by_name() {
        let one = features(1, (1, 1), &["cat", "dog"]);
        let twin = features(2, (1, 1), &["cat", "dog"]);
        let both = [("a", &one), ("b", &twin)];
        let overlap = Common::of(&both, Split::Held).unwrap_err();
        assert!(matches!(&overlap, FederationError::Overlap { first, second } if first == "a" && second == "b"));
        let dealt = Split::Dealt(headwater_client::training_calls::SplitRule::Iid);
        assert!(Common::of(&both, dealt).is_ok());
        assert!(Common::of(&[("a", &one), ("b", &one)], dealt).is_err(), "one server is no two workers");
        let other = PreparedFeatures { recipe_digest: Digest::of(b"other"), ..features(3, (2, 2), &["cat", "dog"]) };
        assert!(matches!(Common::of(&[("a", &one), ("b", &other)], Split::Held), Err(FederationError::Differ { .. })));
        let lone = features(1, (1, 1), &["cat"]);
        let few = Common::of(&[("a", &lone)], Split::Held);
        assert!(matches!(few, Err(FederationError::TooFewClasses { classes: 1 })));
    }
}
