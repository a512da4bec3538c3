//! A model's file: read, checked, cut down to the output that is wanted, and brought to the common form.

use std::io;
use std::path::Path;

use headwater_onnx::file::{self, FileError};
use headwater_onnx::{
    ElementType, InputSettings, Limits, ModelFacts, OnnxError, ValueFacts, adapt, check, front, layout, prune, split,
};
use headwater_types::{ByteCount, Digest, ModelName, NetworkCut, Recipe};

use crate::builtin::builtin;
use crate::error::ModelError;
use crate::input::{ImageInput, list};
use crate::spec::ModelSpec;

/// A model that has passed every check that needs no runtime.
pub(crate) struct Model {
    pub(crate) name: ModelName,
    /// Digest of the whole file with the data beside it, before anything was cut away.
    pub(crate) digest: Digest,
    /// The ONNX bytes, with one output: float32 in, in the order `[N, 3, H, W]`, and float32 out.
    pub(crate) bytes: Vec<u8>,
    pub(crate) output: String,
    /// The batch size that the model was exported for, where it takes no other.
    pub(crate) fixed_batch: Option<u64>,
}

/// The output that is taken where none was named.
const DEFAULT_OUTPUT: &str = "features";

// === impl Model ===

impl Model {
    pub(crate) fn read(spec: &ModelSpec, recipe: &Recipe, max_bytes: ByteCount) -> Result<Self, ModelError> {
        let name = &spec.name;
        let onnx = |source: OnnxError| ModelError::Onnx { name: name.clone(), source };
        let limits = Limits { max_bytes, ..Limits::default() };
        let file = read_model(spec, max_bytes)?;
        let facts = check(&file, &limits).map_err(onnx)?;
        let settings = InputSettings::of(&facts).map_err(onnx)?;
        let layout_of = |input: &str| layout(&file, input).map_err(onnx);
        let input = ImageInput::of(name, &facts.inputs, (recipe, settings), layout_of)?;
        let output = choose_output(spec, &facts)?;
        let pruned = prune(&file, &[&output], &limits).map_err(onnx)?;
        let bytes = adapt(&pruned, &input.steps(recipe), &limits).map_err(onnx)?;
        Ok(Self { name: name.clone(), digest: facts.digest, bytes, output, fixed_batch: input.fixed_batch })
    }

    /// The front of this network, up to these tensors, which are its outputs.
    pub(crate) fn front(&self, cut: &NetworkCut, max_bytes: ByteCount) -> Result<Self, ModelError> {
        let limits = Limits { max_bytes, ..Limits::default() };
        let at: Vec<_> = cut.tensors().iter().map(String::as_str).collect();
        let onnx = |source| ModelError::Onnx { name: self.name.clone(), source };
        let bytes = front(&self.bytes, &[&self.given(&limits)?], &at, &limits).map_err(onnx)?;
        let (digest, output) = (cut.digest(self.digest, &self.output), cut.to_string());
        Ok(Self { name: self.name.clone(), digest, bytes, output, fixed_batch: self.fixed_batch })
    }

    /// The back of this network, from these tensors, of which type and shape are known, to its output.
    pub(crate) fn back(&self, at: &[ValueFacts], max_bytes: ByteCount) -> Result<Vec<u8>, ModelError> {
        let limits = Limits { max_bytes, ..Limits::default() };
        let halves = split(&self.bytes, &[&self.given(&limits)?], at, &limits);
        Ok(halves.map_err(|source| ModelError::Onnx { name: self.name.clone(), source })?.back)
    }

    /// The name of the only output, as it is in the common form.
    fn given(&self, limits: &Limits) -> Result<String, ModelError> {
        let facts = check(&self.bytes, limits);
        let facts = facts.map_err(|source| ModelError::Onnx { name: self.name.clone(), source })?;
        Ok(facts.outputs.into_iter().map(|output| output.name).next().unwrap_or_default())
    }
}

/// Whether a model passes every check that is made before the runtime sees it: its file, format, input, output and
/// recipe.
///
/// # Errors
/// The error of the first check that the model does not pass.
pub fn check_model(spec: &ModelSpec, recipe: &Recipe, max_bytes: ByteCount) -> Result<(), ModelError> {
    Model::read(spec, recipe, max_bytes).map(drop)
}

/// A model as it counts: its file with the data that lie beside it, and the settings of its input in its metadata. Its
/// digest is the model's. Blocks.
///
/// # Errors
/// A file that cannot be read, or is past the limit.
pub fn read_model(spec: &ModelSpec, max_bytes: ByteCount) -> Result<Vec<u8>, ModelError> {
    let file = read_file(&spec.name, &spec.path, max_bytes)?;
    spec.input.written_into(file).map_err(|source| ModelError::Onnx { name: spec.name.clone(), source })
}

/// The file of a model or head, with the data that lie beside it. Blocks.
///
/// # Errors
/// A file that cannot be read, or is past the limit.
pub fn read_file(name: &ModelName, path: &Path, max_bytes: ByteCount) -> Result<Vec<u8>, ModelError> {
    let name = || name.clone();
    match builtin(path) {
        Ok(Some(file)) => return Ok(file),
        Ok(None) => {}
        Err(unknown) => {
            return Err(ModelError::Read { name: name(), path: path.to_owned(), source: io::Error::other(unknown) });
        }
    }
    file::read(path, max_bytes).map_err(|error| match error {
        FileError::Read { path, source } => ModelError::Read { name: name(), path, source },
        FileError::TooLarge { path, limit } => ModelError::TooLarge { name: name(), path, limit },
        FileError::Onnx { source, .. } => ModelError::Onnx { name: name(), source },
        source @ FileError::Data { .. } => ModelError::Data { name: name(), source: Box::new(source) },
    })
}

fn choose_output(spec: &ModelSpec, facts: &ModelFacts) -> Result<String, ModelError> {
    let name = spec.name.clone();
    let find = |wanted: &str| facts.outputs.iter().find(|output| output.name == wanted);
    let chosen = match (&spec.output, find(DEFAULT_OUTPUT), &facts.outputs[..]) {
        (Some(wanted), _, outputs) => find(wanted).ok_or_else(|| ModelError::Onnx {
            name: name.clone(),
            source: OnnxError::NoSuchOutput {
                wanted: wanted.clone(),
                available: outputs.iter().map(|output| output.name.clone()).collect(),
            },
        })?,
        (None, Some(features), _) => features,
        (None, None, [only]) => only,
        (None, None, outputs) => return Err(ModelError::AmbiguousOutput { name, outputs: list(outputs) }),
    };
    if !matches!(chosen.element, Some(ElementType::FLOAT32 | ElementType::FLOAT16)) {
        return Err(ModelError::Output { name, output: chosen.name.clone(), actual: chosen.to_string() });
    }
    Ok(chosen.name.clone())
}
