"""The last layer of a network that pools its features: a convolution of one pixel is a matrix, and as one it is
multiplied in int8 with scores in float32. Called by quantize.py.
"""

from typing import Optional

import onnx
from onnx import helper, numpy_helper


def attribute(node: onnx.NodeProto, name: str, default: object) -> object:
    return next((helper.get_attribute_value(of) for of in node.attribute if of.name == name), default)


def pooled(graph: onnx.GraphProto) -> "Optional[tuple[onnx.NodeProto, onnx.NodeProto]]":
    """The convolution and the Flatten of GlobalAveragePool, Conv, Flatten, where the network ends like that."""
    makers = {output: node for node in graph.node for output in node.output}
    takers = [name for node in graph.node for name in node.input]
    for flat in graph.node:
        conv = makers.get(flat.input[0]) if flat.op_type == "Flatten" and attribute(flat, "axis", 1) == 1 else None
        if conv is None or conv.op_type != "Conv" or len(conv.input) < 3:
            continue
        pool = makers.get(conv.input[0])
        held = next((tensor for tensor in graph.initializer if tensor.name == conv.input[1]), None)
        alone = takers.count(flat.input[0]) == 1 and takers.count(conv.input[1]) == 1
        if pool is None or pool.op_type != "GlobalAveragePool" or held is None or not alone:
            continue
        plain = attribute(conv, "pads", [0] * 4) == [0] * 4 and attribute(conv, "group", 1) == 1
        if list(held.dims[2:]) == [1, 1] and plain and flat.input[0] not in {of.name for of in graph.output}:
            return conv, flat
    return None


def as_matrix(graph: onnx.GraphProto) -> bool:
    """Makes Gemm of such a convolution. Whether there was one."""
    found = pooled(graph)
    if found is None:
        return False
    conv, flat = found
    held = next(tensor for tensor in graph.initializer if tensor.name == conv.input[1])
    weights = numpy_helper.to_array(held)
    held.CopyFrom(numpy_helper.from_array(weights.reshape(len(weights), -1), held.name))
    features = f"{conv.name}_flat"
    at = list(graph.node).index(conv)
    matrix = helper.make_node(
        "Gemm", [features, *conv.input[1:3]], [flat.output[0]], name=f"{conv.name}_matrix", transB=1
    )
    flatten = helper.make_node("Flatten", [conv.input[0]], [features], name=f"{conv.name}_flatten", axis=1)
    for value in [value for value in graph.value_info if value.name == conv.output[0]]:
        graph.value_info.remove(value)
    graph.node.remove(conv)
    graph.node.remove(flat)
    graph.node.insert(at, flatten)
    graph.node.insert(at + 1, matrix)
    dims = [graph.input[0].type.tensor_type.shape.dim[0].dim_param or None, weights.shape[1]]
    graph.value_info.append(helper.make_tensor_value_info(features, onnx.TensorProto.FLOAT, dims))
    return True
