//! The head as an ONNX file, alone or joined to the extractor that made its features.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use headwater_learn::Head;
use headwater_onnx::{Limits, OnnxError};
use headwater_types::caps::MAX_MODEL_BYTES;
use headwater_types::{ByteCount, Digest};

use crate::durable;
use crate::provenance::Provenance;
use crate::report::SavedModel;

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
    /// There is no folder for the output.
    #[error("{} cannot be written: there is no folder {}", path.display(), folder.display())]
    NoFolder {
        /// The output.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
}

/// The extractor's file, which must be the one that made the features.
pub(crate) fn read_extractor(path: &Path, provenance: &Provenance) -> Result<Vec<u8>, SaveError> {
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

/// Whether a file can be put there: asked before hours of work, not after.
pub(crate) fn check_output(path: &Path) -> Result<(), SaveError> {
    let folder = durable::folder_of(path);
    if folder.is_dir() {
        return Ok(());
    }
    Err(SaveError::NoFolder { path: path.to_owned(), folder: folder.to_owned() })
}

/// The head as an ONNX file: input `features` f32 `[N, D]`, outputs `probs` and `logits` f32 `[N, C]`, classes and digests
/// in its metadata.
pub(crate) fn onnx(head: &Head, provenance: &Provenance) -> Result<Vec<u8>, SaveError> {
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
pub(crate) fn joined(extractor: &[u8], provenance: &Provenance, head: &[u8]) -> Result<Vec<u8>, SaveError> {
    Ok(headwater_onnx::join(extractor, &provenance.output, head, &Limits::default())?)
}

/// Writes a model, whole or not at all.
pub(crate) fn write(path: PathBuf, model: &[u8]) -> Result<SavedModel, SaveError> {
    durable::replace(&path, |file| file.write_all(model)).map_err(at(&path))?;
    Ok(SavedModel { path, digest: Digest::of(model) })
}

fn at(path: &Path) -> impl Fn(io::Error) -> SaveError {
    move |error| SaveError::Io { path: path.to_owned(), error }
}
