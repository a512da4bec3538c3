//! Field numbers of ONNX's protobuf messages (`onnx.proto`, IR version 3 and later): those that are read or written
//! here.

pub(crate) mod model {
    pub(crate) const IR_VERSION: u32 = 1;
    pub(crate) const PRODUCER_NAME: u32 = 2;
    pub(crate) const PRODUCER_VERSION: u32 = 3;
    pub(crate) const GRAPH: u32 = 7;
    pub(crate) const OPSET_IMPORT: u32 = 8;
    pub(crate) const METADATA: u32 = 14;
    pub(crate) const TRAINING_INFO: u32 = 20;
    pub(crate) const FUNCTIONS: u32 = 25;
}

pub(crate) mod opset {
    pub(crate) const DOMAIN: u32 = 1;
    pub(crate) const VERSION: u32 = 2;
}

pub(crate) mod entry {
    pub(crate) const KEY: u32 = 1;
    pub(crate) const VALUE: u32 = 2;
}

pub(crate) mod graph {
    pub(crate) const NODE: u32 = 1;
    pub(crate) const NAME: u32 = 2;
    pub(crate) const INITIALIZER: u32 = 5;
    pub(crate) const INPUT: u32 = 11;
    pub(crate) const OUTPUT: u32 = 12;
    pub(crate) const VALUE_INFO: u32 = 13;
    pub(crate) const QUANTIZATION: u32 = 14;
    pub(crate) const SPARSE_INITIALIZER: u32 = 15;
}

pub(crate) mod quantization {
    pub(crate) const TENSOR_NAME: u32 = 1;
    /// Entries whose values are names of tensors.
    pub(crate) const PARAMETERS: u32 = 2;
}

pub(crate) mod node {
    pub(crate) const INPUT: u32 = 1;
    pub(crate) const OUTPUT: u32 = 2;
    pub(crate) const NAME: u32 = 3;
    pub(crate) const OP_TYPE: u32 = 4;
    pub(crate) const ATTRIBUTE: u32 = 5;
    pub(crate) const DOMAIN: u32 = 7;
}

pub(crate) mod attribute {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const INT: u32 = 3;
    pub(crate) const TENSOR: u32 = 5;
    pub(crate) const GRAPH: u32 = 6;
    pub(crate) const INTS: u32 = 8;
    pub(crate) const TENSORS: u32 = 10;
    pub(crate) const GRAPHS: u32 = 11;
    pub(crate) const TYPE: u32 = 20;
    pub(crate) const SPARSE_TENSOR: u32 = 22;
    pub(crate) const SPARSE_TENSORS: u32 = 23;

    pub(crate) const TYPE_INT: u64 = 2;
    pub(crate) const TYPE_INTS: u64 = 7;
}

pub(crate) mod function {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const NODE: u32 = 7;
    pub(crate) const DOMAIN: u32 = 10;
    pub(crate) const ATTRIBUTE_PROTO: u32 = 11;
}

pub(crate) mod tensor {
    pub(crate) const DIMS: u32 = 1;
    pub(crate) const DATA_TYPE: u32 = 2;
    pub(crate) const FLOAT_DATA: u32 = 4;
    pub(crate) const INT32_DATA: u32 = 5;
    pub(crate) const INT64_DATA: u32 = 7;
    pub(crate) const NAME: u32 = 8;
    pub(crate) const RAW_DATA: u32 = 9;
    pub(crate) const DOUBLE_DATA: u32 = 10;
    pub(crate) const UINT64_DATA: u32 = 11;
    pub(crate) const EXTERNAL_DATA: u32 = 13;
    pub(crate) const DATA_LOCATION: u32 = 14;

    pub(crate) const LOCATION_EXTERNAL: u64 = 1;

    /// Whether a field of this number holds data of the tensor.
    pub(crate) fn holds_data(number: u32) -> bool {
        matches!(number, RAW_DATA | FLOAT_DATA | INT32_DATA | INT64_DATA | DOUBLE_DATA | UINT64_DATA)
    }
}

pub(crate) mod value_info {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const TYPE: u32 = 2;
}

pub(crate) mod type_proto {
    pub(crate) const TENSOR: u32 = 1;
}

pub(crate) mod tensor_type {
    pub(crate) const ELEMENT: u32 = 1;
    pub(crate) const SHAPE: u32 = 2;
}

pub(crate) mod shape {
    pub(crate) const DIM: u32 = 1;
}

pub(crate) mod dim {
    pub(crate) const VALUE: u32 = 1;
    pub(crate) const PARAM: u32 = 2;
}
