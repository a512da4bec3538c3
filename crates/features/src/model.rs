//! A model's file: read, checked, and cut down to the output that is wanted.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use headwater_onnx::{Dim, ElementType, Layout, Limits, ModelFacts, OnnxError, ValueFacts, check, layout, prune};
use headwater_types::{ByteCount, Digest, ModelName, Recipe};

use crate::builtin::builtin;
use crate::error::ModelError;
use crate::spec::ModelSpec;

/// A model that has passed every check that needs no runtime.
pub(crate) struct Model {
    pub(crate) name: ModelName,
    /// Digest of the whole file, before anything was cut away.
    pub(crate) digest: Digest,
    /// The ONNX bytes, with one output.
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
        let file = read_file(name, &spec.path, max_bytes)?;
        let facts = check(&file, &limits).map_err(onnx)?;
        let fixed_batch = check_input(name, &facts.inputs, recipe)?;
        check_layout(name, &facts.inputs, |input| layout(&file, input).map_err(onnx))?;
        let output = choose_output(spec, &facts)?;
        let bytes = prune(&file, &[&output], &limits).map_err(onnx)?;
        Ok(Self { name: name.clone(), digest: facts.digest, bytes, output, fixed_batch })
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

/// Reads a model's file, where it is within the limit.
pub(crate) fn read_file(name: &ModelName, path: &Path, max_bytes: ByteCount) -> Result<Vec<u8>, ModelError> {
    let error = |source| ModelError::Read { name: name.clone(), path: path.to_owned(), source };
    if let Some(file) = builtin(path).map_err(|unknown| error(io::Error::other(unknown)))? {
        return Ok(file);
    }
    let file = File::open(path).map_err(error)?;
    let size = file.metadata().map_err(error)?.len();
    let mut bytes = Vec::with_capacity(ByteCount::new(size.min(max_bytes.get())).as_usize());
    // Read on past what the size said: a pipe says 0.
    file.take(max_bytes.get().saturating_add(1)).read_to_end(&mut bytes).map_err(error)?;
    if ByteCount::from(bytes.len()) > max_bytes {
        return Err(ModelError::TooLarge { name: name.clone(), path: path.to_owned(), limit: max_bytes });
    }
    Ok(bytes)
}

/// The batch size that the model was exported for, if it takes no other.
fn check_input(name: &ModelName, inputs: &[ValueFacts], recipe: &Recipe) -> Result<Option<u64>, ModelError> {
    let size = recipe.output_size();
    let wrong = || ModelError::Input {
        name: name.clone(),
        recipe: recipe.name().to_string(),
        height: size.height,
        width: size.width,
        inputs: list(inputs),
    };
    let [input] = inputs else { return Err(wrong()) };
    let Some([batch, channels, height, width]) = input.dims.as_deref() else { return Err(wrong()) };
    let fits = channels.admits(3) && height.admits(size.height.into()) && width.admits(size.width.into());
    if input.element != Some(ElementType::FLOAT32) || !fits {
        return Err(wrong());
    }
    match batch {
        Dim::Fixed(1) => Ok(Some(1)),
        Dim::Fixed(batch) => Err(ModelError::FixedBatch { name: name.clone(), batch: *batch }),
        Dim::Symbol(_) | Dim::Unknown => Ok(None),
    }
}

/// Refuses a model that takes channels last, where the axes of its input leave the order open: it would be fed nonsense
/// without a word.
fn check_layout(
    name: &ModelName,
    inputs: &[ValueFacts],
    layout_of: impl FnOnce(&str) -> Result<Option<Layout>, ModelError>,
) -> Result<(), ModelError> {
    let [input] = inputs else { return Ok(()) };
    // Where one of these axes states its length, it has been compared with the recipe's.
    let Some([_, Dim::Symbol(_) | Dim::Unknown, _, Dim::Symbol(_) | Dim::Unknown]) = input.dims.as_deref() else {
        return Ok(());
    };
    let (name, shown) = (name.clone(), input.to_string());
    match layout_of(&input.name)? {
        Some(Layout::ChannelsFirst) => Ok(()),
        Some(Layout::ChannelsLast) => Err(ModelError::ChannelsLast { name, input: shown }),
        None => Err(ModelError::UnknownLayout { name, input: shown }),
    }
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
    if chosen.element != Some(ElementType::FLOAT32) {
        return Err(ModelError::Output { name, output: chosen.name.clone(), actual: chosen.to_string() });
    }
    Ok(chosen.name.clone())
}

fn list(values: &[ValueFacts]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    values.iter().map(ValueFacts::to_string).collect::<Vec<_>>().join("; ")
}
