//! Why there is no head at the end, or none where it was wanted.

use std::path::PathBuf;

use headwater_cli::outputs::{KeptElsewhere, OutputError};
use headwater_extraction::SourceError;
use headwater_learn::LearnError;
use headwater_onnx::OnnxError;
use headwater_onnx::file::FileError;
use headwater_types::{ByteCount, Digest};

/// Why fine-tuning ended without a head.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// No more features come.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A head cannot be made or trained with these options.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// The head cannot be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The dataset has fewer than two classes.
    #[error(
        "the dataset has {} and training needs at least 2: put photos into one folder for each class",
        match classes { 0 => "no labels".to_owned(), n => format!("{n} class") }
    )]
    TooFewClasses {
        /// The classes that it has.
        classes: usize,
    },
    /// Every sample failed, was kept for validation, or has no label.
    #[error(
        "no sample is left to train on: of {images} there are {validated} kept for validation, {unlabelled} without a \
         label \
         and {failed} that failed"
    )]
    NothingToTrainOn {
        /// Samples that were tried.
        images: u64,
        /// Samples that were kept for validation.
        validated: u64,
        /// Samples without a label.
        unlabelled: u64,
        /// Samples without a feature.
        failed: u64,
    },
    /// The features for validation would not fit into memory.
    #[error(
        "about {needed} of features would be kept for validation, more than {limit}: lower --validation-fraction, or \
         raise \
         --replay-memory"
    )]
    ValidationMemory {
        /// The memory that they would take.
        needed: ByteCount,
        /// The memory that they may take.
        limit: ByteCount,
    },
    /// The training was asked to stop.
    #[error("stopped before the end: no head was written")]
    Stopped,
    /// The training was asked to stop on its way. A head of some runs is not the head that was asked for, and is not
    /// written.
    #[error(
        "stopped after {trained} of {runs} runs, with {extracted} of {samples} samples extracted: no head was \
         written, and these \
         features are lost (tuner extract keeps them, and tuner fine-tune --features DIR learns from them)"
    )]
    Interrupted {
        /// Runs that were trained on.
        trained: u32,
        /// Runs that were asked for.
        runs: u32,
        /// Samples of the runs that were extracted.
        extracted: u64,
        /// Samples of the dataset.
        samples: u64,
    },
    /// A task of this program ended before its work was done.
    #[error("a task of the tuner ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
}

/// Why a model could not be saved or joined.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The extractor cannot be read.
    #[error(transparent)]
    Model(#[from] FileError),
    /// The extractor is another model than the one that made the features.
    #[error(
        "{} has the digest {actual}, and the model that the features come from has {expected}: give --join the file \
         that \
         the servers have registered",
        path.display()
    )]
    OtherExtractor {
        /// The file.
        path: PathBuf,
        /// The digest of the file.
        actual: Digest,
        /// The digest that the servers announce.
        expected: Digest,
    },
    /// The model cannot be written or joined.
    #[error("the ONNX model could not be made: {0}")]
    Onnx(#[from] OnnxError),
    /// The file cannot be put into its place.
    #[error("{0}")]
    Output(#[from] OutputError),
    /// The file is kept, but not in its place.
    #[error("{0}")]
    Elsewhere(#[from] KeptElsewhere),
}
