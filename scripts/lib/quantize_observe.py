"""What the tensors within a float32 model are like, over photos: their ranges, their means by channel. Called by
quantize.py.
"""

import pathlib
from typing import Dict, Iterable, List, Optional

import numpy as np
import onnx
import onnxruntime

ACTIVATIONS = ["Relu", "Clip"]
# Of each tensor and photo, so many values stand for all.
VALUES = 2048
# Shares of the widest range that are tried: rounding is finer in a narrow one, and what lies outside is cut off.
SHARES = np.linspace(0.5, 1.0, 21)
LEVELS = 255


class Seen:
    """One tensor, over all photos."""

    def __init__(self) -> None:
        self.low = self.high = 0.0
        self.photos = 0
        self._values: List[np.ndarray] = []
        self._means: Optional[np.ndarray] = None

    def add(self, tensor: np.ndarray, chance: np.random.Generator) -> None:
        self.low, self.high = min(self.low, float(tensor.min())), max(self.high, float(tensor.max()))
        self._values.append(chance.choice(tensor.reshape(-1), VALUES))
        axes = tuple(axis for axis in range(tensor.ndim) if axis != 1)
        means = tensor.mean(axes, dtype=np.float64)
        self._means = means if self._means is None else self._means + means
        self.photos += 1

    def means(self) -> np.ndarray:
        """The mean of each channel."""
        assert self._means is not None
        return self._means / self.photos

    def range(self) -> "tuple[float, float]":
        """The range in which rounding to a byte, with what is cut off, has the least squared error."""
        values = np.concatenate(self._values)
        ranges = [(self.low * share, self.high * share) for share in SHARES]
        return min(ranges, key=lambda of: float(np.mean((rounded(values, *of) - values) ** 2)))


def rounded(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values as an unsigned byte of this range holds them."""
    scale = (high - low) / LEVELS
    if scale == 0:
        return np.zeros_like(values)
    zero = np.rint(-low / scale)
    return (np.clip(np.rint(values / scale) + zero, 0, LEVELS) - zero) * scale


def named(graph: onnx.GraphProto) -> List[str]:
    """Tensors that are rounded where a layer is in int8: not those that go into nothing but an activation, which is one
    with the layer before it.
    """
    taken: Dict[str, List[str]] = {}
    for node in graph.node:
        for name in node.input:
            taken.setdefault(name, []).append(node.op_type)
    floats = [value.name for value in graph.value_info if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT]
    # Of a scalar nothing is rounded, and it has no channels.
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in graph.value_info}
    fused = {name for name, by in taken.items() if all(kind in ACTIVATIONS for kind in by)}
    return [name for name in floats if name not in fused and ranks[name] >= 2]


def observed(source: pathlib.Path, photos: Iterable[Dict[str, np.ndarray]]) -> Dict[str, Seen]:
    """The tensors within a model whose shapes are known, and its input, by name."""
    model = onnx.load(str(source))
    names = named(model.graph)
    model.graph.output.extend(value for value in model.graph.value_info if value.name in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    chance = np.random.default_rng(1)
    seen = {name: Seen() for name in [*names, model.graph.input[0].name]}
    for fed in photos:
        made = {**dict(zip(names, session.run(names, fed))), **fed}
        for name, tensor in made.items():
            seen[name].add(tensor, chance)
    return seen
