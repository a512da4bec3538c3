//! Whose labels they are, as it travels.

use headwater_types::caps::MAX_CLASSES;
use headwater_types::{Digest, ModelName};

use super::relabel::parsed;
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A labeller, and what it has done for a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSource {
    /// The model or head.
    pub model: ModelName,
    /// Digest of the labeller as a whole.
    pub digest: Digest,
    /// Digest of the file that decides of the classes.
    pub model_digest: Digest,
    /// Digest of the recipe that makes the model's input.
    pub recipe_digest: Digest,
    /// The names of the classes in the order of their numbers; none where they have no names.
    pub classes: Vec<String>,
    /// Samples of the dataset's current generation.
    pub samples: u64,
    /// Those that are labelled in the version that is there.
    pub labelled: u64,
    /// Those that have failed.
    pub failed: u64,
    /// The earlier labeller, where labels are compared with its own.
    pub before: Option<Box<Self>>,
}

// === impl LabelSource ===

impl LabelSource {
    /// A class by its name, or by its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        let name = usize::try_from(class).ok().and_then(|class| self.classes.get(class));
        name.cloned().unwrap_or_else(|| class.to_string())
    }
}

impl From<LabelSource> for proto::LabelSource {
    fn from(source: LabelSource) -> Self {
        let bytes = |digest: Digest| digest.as_bytes().to_vec().into();
        Self {
            model: source.model.to_string(),
            digest: bytes(source.digest),
            model_digest: bytes(source.model_digest),
            recipe_digest: bytes(source.recipe_digest),
            classes: source.classes,
            samples: source.samples,
            labelled: source.labelled,
            failed: source.failed,
            before: source.before.map(|before| Box::new(Self::from(*before))),
        }
    }
}

impl TryFrom<proto::LabelSource> for LabelSource {
    type Error = Invalid;

    fn try_from(source: proto::LabelSource) -> Result<Self, Invalid> {
        let digest = |bytes: &[u8]| digest_from(bytes)?.ok_or_else(|| Invalid::new("a labeller has no digest"));
        if source.classes.len() > MAX_CLASSES {
            return Err(Invalid::new(format!("{} classes are more than {MAX_CLASSES}", source.classes.len())));
        }
        // What was compared with has itself been compared with nothing.
        let before = source.before.map(|before| Self::try_from(proto::LabelSource { before: None, ..*before }));
        Ok(Self {
            model: parsed(&source.model)?,
            digest: digest(&source.digest)?,
            model_digest: digest(&source.model_digest)?,
            recipe_digest: digest(&source.recipe_digest)?,
            classes: source.classes,
            samples: source.samples,
            labelled: source.labelled,
            failed: source.failed,
            before: before.transpose()?.map(Box::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_labels_they_are_survives_the_wire() {
        let source = LabelSource {
            model: "m".parse().unwrap(),
            digest: Digest::of(b"l"),
            model_digest: Digest::of(b"m"),
            recipe_digest: Digest::of(b"r"),
            classes: vec!["cat".into(), "dog".into()],
            samples: 5,
            labelled: 3,
            failed: 1,
            before: None,
        };
        let both = LabelSource { before: Some(Box::new(source.clone())), ..source.clone() };
        assert_eq!(LabelSource::try_from(proto::LabelSource::from(both.clone())), Ok(both));
        assert_eq!((source.class_name(1).as_str(), source.class_name(2).as_str()), ("dog", "2"));
        let none = proto::LabelSource { digest: Vec::new().into(), ..source.into() };
        assert!(LabelSource::try_from(none).is_err());
    }
}
