//! Which operators ONNX Runtime makes one of, as far as a cut between them would cost time or change roundings.
//!
//! These are the patterns of its graph optimisations (docs/performance/model-optimizations/graph-optimizations.md of
//! ONNX Runtime): convolutions and matrix products with what follows element by element (batch normalisation, bias,
//! scale, the second summand of a residual block, activations, also where they are written out as `x * Sigmoid(x)`,
//! `x * HardSigmoid(x)` or Gelu by `Erf`), layer normalisation written out, padding before a convolution, a
//! transposition before a matrix product, and what stands between quantisations. They are taken a little too wide
//! rather than too narrow: a cut less is better than one that costs.

use std::collections::HashSet;

use super::dag::Dag;

/// Operators that work on each element alone, or with a second operand of the same shape.
const ELEMENTWISE: [&str; 31] = [
    "Add",
    "BatchNormalization",
    "Cast",
    "Celu",
    "Clip",
    "Div",
    "Elu",
    "Erf",
    "Exp",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Log",
    "Max",
    "Min",
    "Mish",
    "Mul",
    "Neg",
    "Pow",
    "PRelu",
    "QuantizeLinear",
    "Reciprocal",
    "Relu",
    "Selu",
    "Sigmoid",
    "Softplus",
    "Sqrt",
    "Sub",
    "Tanh",
    "ThresholdedRelu",
];
/// Operators that take what follows them element by element into themselves.
const PRODUCTS: [&str; 6] = ["Conv", "ConvInteger", "ConvTranspose", "Gemm", "MatMul", "MatMulInteger"];
/// Operators that give the values of their first input under other axes.
const VIEWS: [&str; 5] = ["Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"];
/// Operators whose input may be padded on the way.
const PADDED: [&str; 4] = ["AveragePool", "Conv", "ConvInteger", "MaxPool"];
/// A mean of these is the second half of a variance, written out.
const OF_VARIANCE: [&str; 3] = ["Mul", "Pow", "Sub"];

/// Pairs of operators, of which the second reads a value of the first and becomes one with it.
pub(super) fn ties(dag: &Dag<'_>) -> HashSet<(usize, usize)> {
    let mut tied = HashSet::new();
    for (reader, operator) in dag.operators.iter().enumerate() {
        // The operand that is made last is the one that is computed with: of a residual block, its branch.
        let last =
            operator.reads.iter().filter_map(|&value| Some((value, dag.values[value].maker?))).max_by_key(|of| of.1);
        let makers = operator.reads.iter().filter_map(|&value| dag.values[value].maker);
        for maker in makers {
            let is_last = last.is_some_and(|(_, of_last)| of_last == maker);
            let alone =
                last.is_some_and(|(value, _)| dag.values[value].readers.len() == 1 && !dag.values[value].wanted);
            if becomes_one(dag.operators[maker].op_type, operator.op_type, is_last, alone) {
                tied.insert((maker, reader));
            }
        }
    }
    tied
}

/// Whether a reader becomes one with the operator that makes what it reads. `is_last`: nothing that it reads is made
/// later; `alone`: nobody else reads that.
fn becomes_one(maker: &str, reader: &str, is_last: bool, alone: bool) -> bool {
    let follows = PRODUCTS.contains(&maker) || ELEMENTWISE.contains(&maker) || VIEWS.contains(&maker);
    match reader {
        _ if maker == "DequantizeLinear" => true,
        _ if maker == "Pad" => PADDED.contains(&reader),
        "MatMul" | "Gemm" => maker == "Transpose",
        "ReduceMean" => OF_VARIANCE.contains(&maker),
        "QuantizeLinear" => is_last,
        _ if VIEWS.contains(&reader) => is_last && alone,
        _ if ELEMENTWISE.contains(&reader) => is_last && (follows || maker == "ReduceMean"),
        _ => false,
    }
}
