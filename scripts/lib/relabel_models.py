"""Models for `scripts/bench relabel`: one that computes nothing, and, where the trained ones are missing, networks of
about their cost with random weights.
"""

import pathlib

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

#: Classes that a model of random weights tells apart.
CLASSES = 1001


def _save(path: pathlib.Path, name: str, nodes: list, constants: dict, side: int, classes: int) -> None:
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        name,
        [tensor("input", TensorProto.FLOAT, ["N", 3, side, side])],
        [tensor("logits", TensorProto.FLOAT, ["N", classes])],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    save(model, path)


def null(path: pathlib.Path, side: int) -> None:
    """The corner pixel as three scores: what it takes is what feeding it takes."""
    corner = {"first": [0, 0], "last": [1, 1], "axes": [2, 3]}
    constants = {key: np.array(value, np.int64) for key, value in corner.items()}
    nodes = [
        helper.make_node("Slice", ["input", "first", "last", "axes"], ["corner"]),
        helper.make_node("Flatten", ["corner"], ["logits"]),
    ]
    _save(path, "null", nodes, constants, side, 3)


def network(path: pathlib.Path, side: int, width: int) -> None:
    """Convolutions as in MobileNet v1, the first with so many channels; random weights."""
    random = np.random.default_rng(1)
    nodes, constants = [], {}

    def convolve(given: str, name: str, channels: tuple, kernel: int, stride: int, group: int) -> str:
        shape = (channels[1], channels[0] // group, kernel, kernel)
        weights = random.standard_normal(shape) * (2 / np.prod(shape[1:])) ** 0.5
        constants[f"{name}.weight"] = weights.astype(np.float32)
        options = {"strides": [stride] * 2, "pads": [kernel // 2] * 4, "group": group}
        nodes.append(helper.make_node("Conv", [given, f"{name}.weight"], [name], **options))
        nodes.append(helper.make_node("Relu", [name], [f"{name}.relu"]))
        return f"{name}.relu"

    value, here = convolve("input", "stem", (3, width), 3, 2, 1), width
    for i, (times, stride) in enumerate([(2, 1), (4, 2), (4, 1), (8, 2), (8, 1), (16, 2), *[(16, 1)] * 5, (32, 2)]):
        value = convolve(value, f"deep{i}", (here, here), 3, stride, here)
        value = convolve(value, f"point{i}", (here, times * width), 1, 1, 1)
        here = times * width
    constants["head"] = (random.standard_normal((here, CLASSES)) * here**-0.5).astype(np.float32)
    nodes += [
        helper.make_node("GlobalAveragePool", [value], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("MatMul", ["features", "head"], ["logits"]),
    ]
    _save(path, "network", nodes, constants, side, CLASSES)
