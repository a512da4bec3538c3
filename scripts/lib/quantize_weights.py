"""Weights in int8: a scale for each channel, and biases that take back what rounding moves. Called by quantize.py."""

from typing import Dict, List, Optional

import numpy as np
import onnx
from onnx import numpy_helper

LARGEST = 127
# A grid has not more values than a byte, and a few at least: any two lie on one.
MOST, FEWEST = 256, 8
# How far from its grid a weight may lie, of a step: float32 rounds too.
NEAR = 1e-2
# Shares of the scale that holds the largest weight: what lies outside is cut off.
SHARES = np.linspace(0.8, 1.0, 41)


def rounded(weights: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Weights [channels, ...] as int8 with a scale for each channel holds them."""
    scales = scale.reshape(-1, *[1] * (weights.ndim - 1))
    return np.clip(np.rint(weights / scales), -LARGEST, LARGEST) * scales


def grid(weights: np.ndarray) -> Optional[float]:
    """The step of the grid on which all weights of a layer lie, where there is one: those of a network that was trained
    or kept in eight bits. In its steps they are in int8 what they are in float32.
    """
    values = np.unique(weights).astype(np.float64)
    if not FEWEST <= len(values) <= MOST:
        return None
    step = float(np.diff(values).min())
    counts = np.rint(values / step)
    if not counts.any():
        return None
    step = float(values @ counts / (counts @ counts))
    counts = np.rint(values / step)
    near = np.abs(values - counts * step).max() <= NEAR * step
    return step if near and counts.max() - counts.min() < MOST else None


def scales(weights: np.ndarray) -> np.ndarray:
    """For each channel the scale whose rounding has the least squared error."""
    weights = weights.astype(np.float64).reshape(len(weights), -1)
    widest = np.abs(weights).max(1) / LARGEST
    widest[widest == 0] = 1.0 / LARGEST
    tried = [widest * share for share in SHARES]
    step = grid(weights)
    if step is not None:
        tried.append(np.full(len(weights), step))
    lost = [((rounded(weights, scale) - weights) ** 2).sum(1) for scale in tried]
    return np.stack(tried)[np.argmin(lost, 0), np.arange(len(weights))]


def shift(weights: np.ndarray, scale: np.ndarray, means: np.ndarray, groups: int) -> np.ndarray:
    """By how much rounding lowers the mean output of each channel of a convolution, by the means of its input's
    channels: biases that are as much larger take it back (Nagel et al. 2019, "Data-Free Quantization Through Weight
    Equalization and Bias Correction"). Borders, where zeros are padded, are taken for all the rest.
    """
    lost = (weights - rounded(weights, scale)).reshape(groups, len(weights) // groups, weights.shape[1], -1).sum(3)
    return np.einsum("goi,gi->go", lost, means.reshape(groups, -1)).reshape(-1)


def known(node: onnx.NodeProto, held: Dict[str, onnx.TensorProto]) -> bool:
    """Whether the weights of a layer are here, by channels of its output: convolutions, and matrices of a Gemm that
    stand that way. Weights that several layers share are none of one.
    """
    if node.input[1] not in held or (len(node.input) > 2 and node.input[2] and node.input[2] not in held):
        return False
    turned = {of.name: of.f if of.type == onnx.AttributeProto.FLOAT else of.i for of in node.attribute}
    plain = turned.get("transB") == 1 and not turned.get("transA") and turned.get("alpha", 1) == 1
    return node.op_type == "Conv" or (node.op_type == "Gemm" and plain and turned.get("beta", 1) == 1)


def corrected(model: onnx.ModelProto, node: onnx.NodeProto, scale: np.ndarray, means: np.ndarray) -> None:
    """Puts into a convolution the bias that goes with its weights in int8."""
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    weights = numpy_helper.to_array(held[node.input[1]]).astype(np.float64)
    groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
    before = numpy_helper.to_array(held[node.input[2]]) if len(node.input) > 2 and node.input[2] else 0.0
    bias = (before + shift(weights, scale, means, groups)).astype(np.float32)
    name = f"{node.input[1]}_corrected_bias"
    model.graph.initializer.append(numpy_helper.from_array(bias, name))
    replaced = list(node.input[2:])
    del node.input[2:]
    node.input.append(name)
    if not any(of in other.input for of in replaced for other in model.graph.node):
        for of in replaced:
            model.graph.initializer.remove(held[of])


def stored(scale: np.ndarray, kind: object) -> List[Dict[str, object]]:
    """The scales as quantize_static takes them."""
    each = [{"scale": np.array(of, np.float32), "zero_point": np.array(0, np.int8)} for of in scale]
    return [{"axis": 0, "quant_type": kind, **each[0]}, *each[1:]]
