//! The head as an ONNX file, alone or joined to the extractor that made its features.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use headwater_cli::OutputFile;
use headwater_cli::outputs::Written;
use headwater_learn::Head;
use headwater_onnx::{InputSettings, Limits, file};
use headwater_tables::features::FeatureProvenance;
use headwater_types::Digest;
use headwater_types::caps::MAX_MODEL_BYTES;

use crate::error::SaveError;

/// The file that takes the head, opened.
#[derive(Debug)]
pub struct HeadFile {
    /// Takes the head alone.
    pub head: OutputFile,
    /// Takes the head joined to its extractor, where that is wanted.
    pub joined: Option<JoinedFile>,
}

/// The file that takes extractor and head as one model, opened.
#[derive(Debug)]
pub struct JoinedFile {
    /// The extractor's own file.
    pub extractor: PathBuf,
    /// Takes the joined model.
    pub file: OutputFile,
}

/// A model that was to be written.
#[derive(Clone, Debug)]
pub struct SavedModel {
    /// Where the model is; `None` where it could not be kept.
    pub path: Option<PathBuf>,
    /// BLAKE3 of the model.
    pub digest: Digest,
}

/// The models that were to be written.
#[derive(Debug)]
pub struct Saved {
    /// The head.
    pub head: SavedModel,
    /// The joined model; `None` where none was wanted, or it could not be made.
    pub joined: Option<SavedModel>,
    /// The first reason why not every model is in its place.
    pub fault: Option<SaveError>,
}

// === impl HeadFile ===

impl HeadFile {
    /// Makes both models of a head of the right shape, and takes the space for them: what fails at the end fails here.
    ///
    /// # Errors
    /// [`SaveError`]: a model cannot be made, or its disk is too full.
    pub fn rehearse(&self, provenance: &FeatureProvenance, untrained: &Head) -> Result<(), SaveError> {
        let model = onnx(untrained, provenance)?;
        self.head.reserve(model.len() as u64)?;
        if let Some(JoinedFile { extractor, file }) = &self.joined {
            file.reserve(joined(extractor, provenance, &model)?.len() as u64)?;
        }
        Ok(())
    }

    /// Writes the head and then, whether or not that could be written, the joined model where it is wanted.
    ///
    /// # Errors
    /// [`SaveError`]: the head cannot be made into a model. What cannot be written is a fault of [`Saved`].
    pub fn save(self, provenance: &FeatureProvenance, head: &Head) -> Result<Saved, SaveError> {
        let model = onnx(head, provenance)?;
        let (head, fault) = write(self.head, &model);
        let Some(JoinedFile { extractor, file }) = self.joined else { return Ok(Saved { head, joined: None, fault }) };
        let (joined, second) = match joined(&extractor, provenance, &model) {
            Ok(model) => {
                let (saved, fault) = write(file, &model);
                (Some(saved), fault)
            }
            Err(error) => (None, Some(error)),
        };
        Ok(Saved { head, joined, fault: fault.or(second) })
    }
}

/// The extractor's file, which must be the one that made the features.
fn read_extractor(path: &Path, provenance: &FeatureProvenance) -> Result<Vec<u8>, SaveError> {
    let file = file::read(path, MAX_MODEL_BYTES)?;
    let (actual, expected) = (Digest::of(&file), provenance.model_digest);
    let found = InputSettings::behind(file, expected);
    let (_, extractor) = found.ok_or_else(|| SaveError::OtherExtractor { path: path.to_owned(), actual, expected })?;
    Ok(extractor)
}

/// The head as an ONNX file: input `features` f32 `[N, D]`, outputs `probs` and `logits` f32 `[N, C]`, classes and
/// digests in its metadata.
fn onnx(head: &Head, provenance: &FeatureProvenance) -> Result<Vec<u8>, SaveError> {
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
fn joined(extractor: &Path, provenance: &FeatureProvenance, head: &[u8]) -> Result<Vec<u8>, SaveError> {
    let extractor = read_extractor(extractor, provenance)?;
    Ok(headwater_onnx::join(&extractor, &provenance.output, head, &Limits::default())?)
}

/// Writes a model, whole or not at all. It is kept elsewhere where its place cannot take it: hours of training are not
/// lost.
fn write(file: OutputFile, model: &[u8]) -> (SavedModel, Option<SaveError>) {
    let digest = Digest::of(model);
    match file.write_somewhere(|sink| sink.write_all(model)) {
        Ok(Written { path, fault }) => (SavedModel { path: Some(path), digest }, fault.map(Into::into)),
        Err(error) => (SavedModel { path: None, digest }, Some(error.into())),
    }
}
