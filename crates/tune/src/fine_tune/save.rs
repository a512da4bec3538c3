//! The head as an ONNX file, alone or joined to the extractor that made its features.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use headwater_cli::outputs::{OutputError, Written};
use headwater_cli::{OutputFile, Outputs};
use headwater_learn::Head;
use headwater_onnx::{Limits, OnnxError};
use headwater_types::caps::MAX_MODEL_BYTES;
use headwater_types::{ByteCount, Digest};

use crate::args::FineTuneArgs;
use crate::report::SavedModel;
use headwater_tables::features::FeatureProvenance;

/// Why a model could not be saved or joined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SaveError {
    /// The file system said so.
    #[error("{}: {error}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What.
        error: io::Error,
    },
    /// Longer than any ONNX file.
    #[error("{} is longer than {limit}, and so no ONNX file", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// The limit.
        limit: ByteCount,
    },
    /// Another model than the one that made the features.
    #[error(
        "{} has the digest {actual}, and the model that the features come from has {expected}: give --join the file that \
         the servers have registered",
        path.display()
    )]
    OtherExtractor {
        /// The file.
        path: PathBuf,
        /// Its digest.
        actual: Digest,
        /// The announced one.
        expected: Digest,
    },
    /// Not a model that can be written or joined.
    #[error("the ONNX model could not be made: {0}")]
    Onnx(#[from] OnnxError),
    /// It cannot be put into its place.
    #[error("{0}")]
    Output(#[from] OutputError),
}

/// Where models go, opened; and what is joined to the head.
#[derive(Debug)]
pub(crate) struct Files {
    head: OutputFile,
    joined: Option<(PathBuf, OutputFile)>,
}

/// What was saved, and the first reason why not all is where it was to be.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) head: SavedModel,
    pub(crate) joined: Option<SavedModel>,
    pub(crate) fault: Option<anyhow::Error>,
}

// === impl Files ===

impl Files {
    /// Opens what is to be written.
    pub(crate) fn open(args: &FineTuneArgs) -> Result<Self, SaveError> {
        let mut outputs = Outputs::new()
            .reading("--join", args.join.as_deref())
            .reading("--plan", args.from.plan.plan.as_deref())
            .reading("--extractor", args.from.plan.extractor.as_deref());
        let head = outputs.file("--out", &args.out)?;
        let joined = match args.join.clone().zip(args.joined_out.as_ref()) {
            Some((extractor, out)) => Some((extractor, outputs.file("--joined-out", out)?)),
            None => None,
        };
        Ok(Self { head, joined })
    }

    /// Makes both models of a head of the right shape, and takes the space for them: what fails at the end fails here.
    pub(crate) fn rehearse(&self, provenance: &FeatureProvenance, untrained: &Head) -> Result<(), SaveError> {
        let model = onnx(untrained, provenance)?;
        self.head.reserve(model.len() as u64)?;
        if let Some((extractor, file)) = &self.joined {
            let model = joined(&read_extractor(extractor, provenance)?, provenance, &model)?;
            file.reserve(model.len() as u64)?;
        }
        Ok(())
    }

    /// Writes the head and then, whether or not that could be written, the joined model where it is wanted.
    pub(crate) fn save(self, provenance: &FeatureProvenance, head: &Head) -> Result<Saved, SaveError> {
        let model = onnx(head, provenance)?;
        let (head, mut fault) = write(self.head, &model);
        let mut saved_join = None;
        if let Some((extractor, file)) = self.joined {
            let made = read_extractor(&extractor, provenance).and_then(|bytes| joined(&bytes, provenance, &model));
            let second = match made {
                Ok(model) => {
                    let (saved, second) = write(file, &model);
                    saved_join = Some(saved);
                    second
                }
                Err(error) => Some(error.into()),
            };
            fault = fault.or(second);
        }
        let joined = saved_join;
        Ok(Saved { head, joined, fault })
    }
}

/// The extractor's file, which must be the one that made the features.
pub(crate) fn read_extractor(path: &Path, provenance: &FeatureProvenance) -> Result<Vec<u8>, SaveError> {
    let limit = MAX_MODEL_BYTES;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(at(path))?;
    file.take(limit.get() + 1).read_to_end(&mut bytes).map_err(at(path))?;
    if ByteCount::from(bytes.len()) > limit {
        return Err(SaveError::TooLarge { path: path.to_owned(), limit });
    }
    let (actual, expected) = (Digest::of(&bytes), provenance.model_digest);
    if actual != expected {
        return Err(SaveError::OtherExtractor { path: path.to_owned(), actual, expected });
    }
    Ok(bytes)
}

/// The head as an ONNX file: input `features` f32 `[N, D]`, outputs `probs` and `logits` f32 `[N, C]`, classes and digests
/// in its metadata.
pub(crate) fn onnx(head: &Head, provenance: &FeatureProvenance) -> Result<Vec<u8>, SaveError> {
    let layers = head.weights().layers.into_iter().map(|layer| headwater_onnx::Dense {
        inputs: layer.inputs,
        outputs: layer.outputs,
        weights: layer.weights,
        bias: layer.bias,
    });
    let head = headwater_onnx::Head {
        layers: layers.collect(),
        classes: provenance.classes.clone(),
        extractor: provenance.model_digest,
        recipe: provenance.recipe_digest,
    };
    Ok(head.write()?)
}

/// Extractor and head as one model: image in, `probs` and `logits` out.
pub(crate) fn joined(extractor: &[u8], provenance: &FeatureProvenance, head: &[u8]) -> Result<Vec<u8>, SaveError> {
    Ok(headwater_onnx::join(extractor, &provenance.output, head, &Limits::default())?)
}

/// Writes a model, whole or not at all; hours of training are not lost where its place cannot take it.
fn write(file: OutputFile, model: &[u8]) -> (SavedModel, Option<anyhow::Error>) {
    let digest = Digest::of(model);
    match file.write_somewhere(|sink| sink.write_all(model)) {
        Ok(Written { path, fault }) => (SavedModel { path: Some(path), digest }, fault.map(Into::into)),
        Err(error) => (SavedModel { path: None, digest }, Some(error.into())),
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> SaveError {
    move |error| SaveError::Io { path: path.to_owned(), error }
}
