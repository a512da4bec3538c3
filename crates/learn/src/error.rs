//! What can be wrong with features, labels, settings, or a training that went astray.

use headwater_types::ByteCount;

/// Why a head could not be made, fed or trained.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LearnError {
    /// A feature has another length than the set's or the head's.
    #[error("a feature of {actual} numbers was given where {expected} are expected: was it made by another model?")]
    Dimension {
        /// Length wanted.
        expected: usize,
        /// Length given.
        actual: usize,
    },
    /// A label is no class of the set or of the head.
    #[error("class {label} was given where there are {classes} classes, counted from 0")]
    Label {
        /// Class given.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// The set has another number of classes than the head.
    #[error("features of {actual} classes were given to a head of {expected}")]
    Classes {
        /// The head's number of classes.
        expected: usize,
        /// The set's number of classes.
        actual: usize,
    },
    /// A feature holds an infinity or a NaN.
    #[error("number {position} of a feature is {value}: the model's output is not finite")]
    NotFinite {
        /// Position in the feature, from 0.
        position: usize,
        /// The number that stands there.
        value: f32,
    },
    /// A size is zero, or the head's parameters would not fit a model file.
    #[error(
        "a head of {features} features, {hidden:?} hidden units and {classes} classes cannot be made: \
         each must be at least 1, and there may be {limit} weights in all"
    )]
    HeadSize {
        /// Length of a feature.
        features: usize,
        /// Hidden units of a multilayer perceptron.
        hidden: Option<usize>,
        /// Number of classes.
        classes: usize,
        /// The most weights that a head may have.
        limit: usize,
    },
    /// The memory is too small for the features that training needs.
    #[error("{limit} of replay memory do not hold one feature of each class: {needed} would")]
    ReplayMemory {
        /// The bound given.
        limit: ByteCount,
        /// The smallest bound that would do.
        needed: ByteCount,
    },
    /// A setting is out of its range.
    #[error("{setting} is {value}: use {expected}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// The value that was given.
        value: f64,
        /// The values that it may have.
        expected: &'static str,
    },
    /// There is no sample to train on.
    #[error("there are no features to train on")]
    NoSamples,
    /// Weights of another head.
    #[error("there are {actual} weights, and the head has {expected}")]
    Parameters {
        /// The head's.
        expected: usize,
        /// Those that came.
        actual: usize,
    },
    /// A worker's loss or weights are no longer numbers.
    #[error("the steps diverged: lower the local learning rate (it was {learning_rate})")]
    LocalDiverged {
        /// The local learning rate.
        learning_rate: f32,
    },
    /// A loss or a weight is no longer a number.
    #[error("training diverged in epoch {epoch}: lower the learning rate (it was {learning_rate})")]
    Diverged {
        /// The epoch, from 0.
        epoch: u32,
        /// The peak learning rate.
        learning_rate: f32,
    },
}
