//! Why a model is not served.

use std::path::PathBuf;

use headwater_onnx::OnnxError;
use headwater_onnx::file::FileError;
use headwater_types::{ByteCount, ModelName};

use crate::device::Device;
use crate::precision::PrecisionError;

/// Why a model cannot be opened. It is found at the start, never later.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read.
    #[error("model {name}: cannot read {}: {source}", path.display())]
    Read {
        /// The model.
        name: ModelName,
        /// The model's file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The file is larger than the limit.
    #[error("model {name}: {} is larger than the limit of {limit}", path.display())]
    TooLarge {
        /// The model.
        name: ModelName,
        /// The model's file.
        path: PathBuf,
        /// The limit.
        limit: ByteCount,
    },
    /// Data that lie beside the file cannot be read.
    #[error("model {name}: {source}")]
    Data {
        /// The model.
        name: ModelName,
        /// What is wrong.
        source: Box<FileError>,
    },
    /// The file did not pass the check.
    #[error("model {name}: {source}")]
    Onnx {
        /// The model.
        name: ModelName,
        /// What is wrong.
        source: OnnxError,
    },
    /// The file is another one than when the model was opened.
    #[error("model {name}: {} has changed since it was opened: put the file back, or start anew", path.display())]
    Changed {
        /// The model.
        name: ModelName,
        /// The model's file.
        path: PathBuf,
    },
    /// A network is cut at a tensor that does not travel.
    #[error(
        "model {name}: the tensor {tensor} is {actual}, and only float32 with a first axis of images travels: cut it \
         elsewhere (profiler model lists the cuts)"
    )]
    CutTensor {
        /// The model.
        name: ModelName,
        /// The tensor.
        tensor: String,
        /// What it is.
        actual: String,
    },
    /// The model's inputs do not fit the recipe's output.
    #[error(
        "model {name} must have one input [N, 3, {height}, {width}] or [N, {height}, {width}, 3] of float32, float16 \
         or uint8, for what recipe {recipe} gives: it has {inputs}. Name a recipe of its size, or export it anew"
    )]
    Input {
        /// The model.
        name: ModelName,
        /// The recipe.
        recipe: String,
        /// Height of the recipe's output, in pixels.
        height: u32,
        /// Width of the recipe's output, in pixels.
        width: u32,
        /// The model's inputs.
        inputs: String,
    },
    /// Neither the input's axes nor the operators say on which axis the colours are.
    #[error(
        "model {name}: neither the axes of {input} nor its operators say where the colours are: add ,layout=nchw or \
         ,layout=nhwc, or export it with axes that do, float32 [N, 3, H, W]"
    )]
    UnknownLayout {
        /// The model.
        name: ModelName,
        /// The input.
        input: String,
    },
    /// The model takes bytes, and its recipe makes something else of pixels.
    #[error(
        "model {name} takes bytes ({input}), and recipe {recipe} normalizes pixels: add ,input=uint8 to feed them as \
         they are before normalize, or name a recipe without normalize"
    )]
    Pixels {
        /// The model.
        name: ModelName,
        /// The input.
        input: String,
        /// The recipe.
        recipe: String,
    },
    /// The model's input is another than a setting says.
    #[error("model {name}: {setting}={value} does not fit {input}: leave it out, or export the model anew")]
    OtherInput {
        /// The model.
        name: ModelName,
        /// The setting.
        setting: &'static str,
        /// What it is set to.
        value: &'static str,
        /// The input.
        input: String,
    },
    /// There are several outputs, and none was named.
    #[error("model {name} has several outputs and none is called features: add ,output=NAME with one of {outputs}")]
    AmbiguousOutput {
        /// The model.
        name: ModelName,
        /// The model's outputs.
        outputs: String,
    },
    /// The output is not one row of floats for each sample.
    #[error("model {name}: output {output} is {actual}, and must be float32 or float16 with one row for each sample")]
    Output {
        /// The model.
        name: ModelName,
        /// The output.
        output: String,
        /// The output's type and shape.
        actual: String,
    },
    /// The model was exported for a batch of a fixed size.
    #[error("model {name} takes batches of exactly {batch}: export it with a dynamic first axis, or with one of 1")]
    FixedBatch {
        /// The model.
        name: ModelName,
        /// The size of that batch.
        batch: u64,
    },
    /// The device is missing, or cannot run all of the model.
    #[error("model {name} cannot run on {device}: {reason}{lacking} ({} needs {})", device.kind(), device.needs())]
    Device {
        /// The model.
        name: ModelName,
        /// The device.
        device: Device,
        /// What ONNX Runtime says.
        reason: String,
        /// What the machine lacks for it, as far as that can be seen.
        lacking: String,
    },
    /// The devices do not have the precision.
    #[error("model {name}: {source}")]
    Precision {
        /// The model.
        name: ModelName,
        /// What is wrong.
        source: PrecisionError,
    },
    /// ONNX Runtime refuses the model.
    #[error("model {name}: ONNX Runtime cannot load or run it: {reason}")]
    Runtime {
        /// The model.
        name: ModelName,
        /// What ONNX Runtime says.
        reason: String,
    },
    /// No thread could be started.
    #[error("model {name}: cannot start an inference thread: {source}")]
    Thread {
        /// The model.
        name: ModelName,
        /// What is wrong.
        source: std::io::Error,
    },
}
