//! What features are features of: which dataset, which model, which recipe.

use headwater_types::{ClassId, DatasetName, Digest, ModelName};

/// Everything that must be the same for two features to belong into one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureProvenance {
    /// The dataset's name.
    pub dataset: DatasetName,
    /// The digest of the dataset, over the partitions in the order of the servers.
    pub dataset_digest: Digest,
    /// How many samples it has; their indices are `0..samples`.
    pub samples: u64,
    /// Names of its classes; a label is a position in this list.
    pub classes: Vec<String>,
    /// The model's name.
    pub model: ModelName,
    /// BLAKE3 of its file.
    pub model_digest: Digest,
    /// Digest of the recipe that made its input.
    pub recipe_digest: Digest,
    /// The output that is taken.
    pub output: String,
    /// Elements of a feature.
    pub feature_len: usize,
}

// === impl FeatureProvenance ===

impl FeatureProvenance {
    /// The first thing in which the two differ, as (what, here, there). Names alone do not count: a dataset or a model
    /// may be served under another name tomorrow.
    pub fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let pair = |what, here: &dyn ToString, there: &dyn ToString| Some((what, here.to_string(), there.to_string()));
        if self.dataset_digest != other.dataset_digest {
            return pair(
                "dataset (or the same servers in another order)",
                &self.dataset_digest.short(),
                &other.dataset_digest.short(),
            );
        }
        if self.samples != other.samples {
            return pair("number of samples", &self.samples, &other.samples);
        }
        if self.classes != other.classes {
            let first = self.classes.iter().zip(&other.classes).find(|(a, b)| a != b);
            return match first {
                Some((here, there)) => pair("classes", here, there),
                None => pair("number of classes", &self.classes.len(), &other.classes.len()),
            };
        }
        if self.model_digest != other.model_digest {
            return pair("model", &self.model_digest.short(), &other.model_digest.short());
        }
        if self.recipe_digest != other.recipe_digest {
            return pair("recipe", &self.recipe_digest.short(), &other.recipe_digest.short());
        }
        if self.output != other.output {
            return pair("model output", &self.output, &other.output);
        }
        if self.feature_len != other.feature_len {
            return pair("feature length", &self.feature_len, &other.feature_len);
        }
        None
    }

    /// The name of this class.
    pub fn class_name(&self, class: ClassId) -> Option<&str> {
        self.classes.get(class.0 as usize).map(String::as_str)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn provenance(samples: u64, feature_len: usize) -> FeatureProvenance {
        FeatureProvenance {
            dataset: "photos".parse().unwrap(),
            dataset_digest: Digest::of(b"dataset"),
            samples,
            // As --classes may pin them: not sorted.
            classes: vec!["zebra".into(), "ant".into(), "emu".into()],
            model: "net".parse().unwrap(),
            model_digest: Digest::of(b"model"),
            recipe_digest: Digest::of(b"recipe"),
            output: "features".into(),
            feature_len,
        }
    }

    #[test]
    fn a_difference_is_named_and_a_new_name_is_none() {
        let here = provenance(10, 4);
        type Change = fn(&mut FeatureProvenance);
        let changes: [(&str, Change); 7] = [
            ("dataset (or the same servers in another order)", |p| p.dataset_digest = Digest::of(b"other")),
            ("number of samples", |p| p.samples = 11),
            ("classes", |p| p.classes[0] = "ant".into()),
            ("model", |p| p.model_digest = Digest::of(b"other")),
            ("recipe", |p| p.recipe_digest = Digest::of(b"other")),
            ("model output", |p| p.output = "other".into()),
            ("feature length", |p| p.feature_len = 5),
        ];
        for (what, change) in changes {
            let mut there = here.clone();
            change(&mut there);
            assert_eq!(here.difference(&there).map(|(what, ..)| what), Some(what));
        }
        let mut renamed = here.clone();
        renamed.dataset = "pictures".parse().unwrap();
        renamed.model = "net2".parse().unwrap();
        assert_eq!(here.difference(&renamed), None);
    }
}
