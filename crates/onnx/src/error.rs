//! Why a model is refused.

use headwater_types::ByteCount;

/// Why a model is not loaded, written or joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnnxError {
    /// The model has more bytes than the limit allows.
    #[error("the model has {actual}, more than the limit of {limit}")]
    TooLarge {
        /// The model's size.
        actual: ByteCount,
        /// The limit.
        limit: ByteCount,
    },
    /// The file is no protobuf, or has no messages of ONNX.
    #[error("the file is not an ONNX model: {0}")]
    Malformed(&'static str),
    /// A count or a depth is past its limit.
    #[error("the model has more {what} than the limit of {limit}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A tensor claims more elements than its bytes can hold.
    #[error("tensor {name:?} claims more elements than its {bytes} bytes can hold")]
    TensorSize {
        /// The tensor's name.
        name: String,
        /// The tensor's bytes.
        bytes: usize,
    },
    /// The weights are in another file.
    #[error("tensor {name:?} keeps its data in another file, which did not come with it: save the model as one file")]
    ExternalData {
        /// The tensor's name.
        name: String,
    },
    /// What a tensor says of its data in another file cannot be followed.
    #[error("tensor {name:?} keeps its data in another file and {why}")]
    ExternalPlace {
        /// The tensor's name.
        name: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The model has more bytes than the limit allows, with those in other files.
    #[error(
        "the model has {actual} with the data beside it, more than the limit of {limit}, where the format of a single \
         file ends: export it with smaller weights (float16), or a smaller model"
    )]
    ExternalTooLarge {
        /// The size of all of it.
        actual: ByteCount,
        /// The limit.
        limit: ByteCount,
    },
    /// The model has an operator that ONNX does not define.
    #[error(
        "operator {op_type:?} of domain {domain:?} is not one of ONNX's own: export the model with standard operators \
         only"
    )]
    CustomOperator {
        /// The operator.
        op_type: String,
        /// The operator's domain.
        domain: String,
    },
    /// The model has something that ONNX allows and that is not supported here.
    #[error("the model has {0}, which is not supported")]
    Unsupported(&'static str),
    /// The model imports no version of an operator set, or one that is not supported.
    #[error("opset {version} of domain {domain:?} is not known: export the model with opset 7 to {newest}")]
    Opset {
        /// The domain; empty for ONNX's own.
        domain: String,
        /// The version that the model imports; 0 for none.
        version: u64,
        /// The newest version that is supported.
        newest: u64,
    },
    /// Two models need different versions of the same operators.
    #[error(
        "the extractor uses opset {extractor} and the head opset {head} of domain {domain:?}: export both with one \
         opset"
    )]
    OpsetConflict {
        /// The domain; empty for ONNX's own.
        domain: String,
        /// The extractor's version.
        extractor: u64,
        /// The head's version.
        head: u64,
    },
    /// The model has no output of the wanted name.
    #[error("the model has no output {wanted:?}: it has {}", available.join(", "))]
    NoSuchOutput {
        /// The wanted name.
        wanted: String,
        /// The names of the model's outputs.
        available: Vec<String>,
    },
    /// A setting of the model's input is none that there is.
    #[error("{setting}={value} is none: there are {}", known.join(", "))]
    UnknownSetting {
        /// The setting.
        setting: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be set to.
        known: Vec<&'static str>,
    },
    /// An operator runs graphs of its own, so that what it takes is known only while it runs.
    #[error(
        "the operator {op_type} that makes {name:?} runs graphs of its own, and such a network is not cut: export it \
         without control flow (in PyTorch by tracing, with axes of fixed length but the batch's)"
    )]
    ControlFlow {
        /// The operator.
        op_type: String,
        /// The first value that it makes.
        name: String,
    },
    /// Shapes or types do not fit together.
    #[error("{0}")]
    Shape(String),
}
