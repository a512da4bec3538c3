//! Why a model cannot label samples.

use std::path::PathBuf;

use headwater_onnx::head::CLASSES_KEY;
use headwater_onnx::{ModelFacts, OnnxError, ValueFacts};
use headwater_types::{Digest, ModelName};

use crate::error::ModelError;

/// Why a model or a head cannot label samples.
#[derive(Debug, thiserror::Error)]
pub enum ClassifierError {
    /// The file cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The file did not pass the check, or cannot be cut in two.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The file is not the one that was registered.
    #[error("{} was changed since the server's start: restart the server", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The model gives no scores.
    #[error(
        "model {name} has no output probs or logits, and so no classes: it has {outputs}. Give a head of it \
         (--head NAME=FILE.onnx), or export the model with such an output"
    )]
    NoScores {
        /// The model.
        name: ModelName,
        /// The model's outputs.
        outputs: String,
    },
    /// The list of class names is none.
    #[error("its metadata {CLASSES_KEY} is no JSON list of names")]
    ClassNames,
    /// The file of class names cannot be used.
    #[error("classes={}: {reason}", path.display())]
    ClassFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Names and scores are not of one number.
    #[error("it has {names} class names and {scores} scores: name each class, also one for the background")]
    Classes {
        /// The number of names.
        names: usize,
        /// The number of scores.
        scores: usize,
    },
    /// The head does not say on whose features it was trained.
    #[error("head {name} does not say of which extractor it is ({key}): tuner fine-tune writes heads that do")]
    NotAHead {
        /// The head.
        name: ModelName,
        /// The metadata that is missing.
        key: &'static str,
    },
    /// The head was trained on the features of a model that is not registered.
    #[error("head {name} is for features of the model {wanted} by another recipe or file than those of {registered}")]
    OtherExtractor {
        /// The head.
        name: ModelName,
        /// The digest of the extractor's file.
        wanted: Digest,
        /// The registered models.
        registered: String,
    },
    /// The head cannot be run.
    #[error("ONNX Runtime cannot load or run its head: {0}")]
    Runtime(String),
    /// The head's input or output is not one row of floats for each sample.
    #[error("its head must take float32 of {features} for each sample and give one row of scores: it has {actual}")]
    Shape {
        /// The length of the extractor's features.
        features: usize,
        /// What the head has.
        actual: String,
    },
}

// === impl ClassifierError ===

impl ClassifierError {
    pub(super) fn no_scores(name: &ModelName, facts: &ModelFacts) -> Self {
        let outputs = facts.outputs.iter().map(ValueFacts::to_string).collect::<Vec<_>>().join("; ");
        Self::NoScores { name: name.clone(), outputs }
    }
}
