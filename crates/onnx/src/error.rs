//! Why a model is refused.

use headwater_types::ByteCount;

/// Why a model is not loaded, written or joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnnxError {
    /// More bytes than the limit.
    #[error("the model has {actual}, more than the limit of {limit}")]
    TooLarge {
        /// Its size.
        actual: ByteCount,
        /// The limit.
        limit: ByteCount,
    },
    /// Not protobuf, or not the messages of ONNX.
    #[error("the file is not an ONNX model: {0}")]
    Malformed(&'static str),
    /// A count or a depth past its limit.
    #[error("the model has more {what} than the limit of {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A tensor that says it is larger than the bytes that hold it could be.
    #[error("tensor {name:?} claims more elements than its {bytes} bytes can hold")]
    TensorSize {
        /// The tensor's name.
        name: String,
        /// Bytes that hold it.
        bytes: usize,
    },
    /// Weights in another file.
    #[error("tensor {name:?} keeps its data in another file: save the model as one file")]
    ExternalData {
        /// The tensor's name.
        name: String,
    },
    /// An operator that ONNX does not define.
    #[error(
        "operator {op_type:?} of domain {domain:?} is not one of ONNX's own: export the model with standard operators only"
    )]
    CustomOperator {
        /// The operator.
        op_type: String,
        /// Its domain.
        domain: String,
    },
    /// Something that ONNX allows and that is not taken here.
    #[error("the model has {0}, which is not supported")]
    Unsupported(&'static str),
    /// No opset, or one that does not exist yet.
    #[error("opset {version} of domain {domain:?} is not known: export the model with opset 7 to {newest}")]
    Opset {
        /// The domain; empty for ONNX's own.
        domain: String,
        /// What the model imports; 0 for none.
        version: u64,
        /// The newest that is known.
        newest: u64,
    },
    /// Two models need different versions of the same operators.
    #[error(
        "the extractor uses opset {extractor} and the head opset {head} of domain {domain:?}: export both with one opset"
    )]
    OpsetConflict {
        /// The domain; empty for ONNX's own.
        domain: String,
        /// The extractor's version.
        extractor: u64,
        /// The head's version.
        head: u64,
    },
    /// A named output that is not there.
    #[error("the model has no output {wanted:?}: it has {}", available.join(", "))]
    NoSuchOutput {
        /// The name asked for.
        wanted: String,
        /// The names that are there.
        available: Vec<String>,
    },
    /// Shapes or types that do not fit together.
    #[error("{0}")]
    Shape(String),
}
