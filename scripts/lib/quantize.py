"""An int8 model of a float32 one, by tensors of real photos, or the reason why there is none. Called by
scripts/quantize.

    calibrate  ranges of activations, and biases
    choose     how sure the int8 model has to be, for the float32 model not to decide
    judge      whether the classes are those of the float32 model: tensors that had no part in the making
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import quantize_cascade
import quantize_head
import quantize_observe
import quantize_weights

CALIBRATE, CHOOSE, JUDGE = 100, 300, 100
# quantize_static wants tensors too, though all ranges are given to it.
FEW = 1
# The order in which photos are dealt: the same each time.
SEED = 1
SCORES = ["logits", "probs"]
LAYERS = ["Conv", "ConvTranspose", "Gemm", "MatMul"]
# The first layers stay in float32, at most so many and at most one of ten: they have few channels, where int8 gains
# least, and what is rounded there goes through the whole network.
FIRST, ONE_OF = 3, 10
# The last layer is in int8 where ONNX Runtime has a kernel that gives its scores in float32, else in float32: rounded
# scores of classes that are close are equal.
SCORING = ["Gemm"]
# In int8 these take as long, and round once more.
FLOATING = ["GlobalAveragePool", "ReduceMean", "Flatten", "Softmax"]
ROUNDS = 3
# The oldest set of operators in which int8 has a scale for each channel.
OPSET = 13


class Refused(Exception):
    """Why there is no int8 model."""


class Tensors(CalibrationDataReader):
    """Photos one by one, as the recipe gives them: f32 [1, 3, H, W]."""

    def __init__(self, name: str, files: Sequence[pathlib.Path]) -> None:
        self.name, self.files = name, files
        self._left = iter(self)

    def __iter__(self) -> Iterator[Dict[str, np.ndarray]]:
        return ({self.name: np.load(file)[None]} for file in self.files)

    def get_next(self) -> Optional[Dict[str, np.ndarray]]:
        return next(self._left, None)


class Model:
    """A model that is loaded, on one core."""

    def __init__(self, path: pathlib.Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in self.session.get_outputs()]
        self.scored = next((name for name in SCORES if name in names), None)

    def input(self) -> str:
        inputs = self.session.get_inputs()
        taken = [(given.type, given.shape[1:2]) for given in inputs]
        if taken != [("tensor(float)", [3])]:
            raise Refused(f"the model must have one input float32 [N, 3, H, W]: it has {taken}. Export it so")
        return inputs[0].name

    def rows(self) -> Optional[int]:
        """How many photos the model takes at once; nothing where it takes any number."""
        rows = self.session.get_inputs()[0].shape[0]
        return rows if isinstance(rows, int) else None

    def scores(self, tensors: Tensors) -> np.ndarray:
        if self.scored is None:
            raise Refused("the model has no output logits or probs, by which classes could be compared: export one")
        return np.concatenate([self.session.run([self.scored], fed)[0].reshape(1, -1) for fed in tensors])

    def seconds(self, fed: Dict[str, np.ndarray]) -> float:
        began = time.perf_counter()
        self.session.run(None, fed)
        return time.perf_counter() - began


def agreement(scores: np.ndarray, others: np.ndarray) -> float:
    """Of a hundred photos, those of the same class."""
    return 100 * float(np.mean(scores.argmax(1) == others.argmax(1)))


def prepared(given: pathlib.Path, out: pathlib.Path) -> None:
    """The model as quantize_static wants it: with shapes, and nothing left that can be computed now."""
    model = onnx.load(str(given))
    if quantize_cascade.version(model) < OPSET:
        print(f"the model has operators of before opset {OPSET}: they are converted", flush=True)
        onnx.save(onnx.version_converter.convert_version(model, OPSET), str(out))
        given = out
    quant_pre_process(str(given), str(out), skip_symbolic_shape=True)
    model = onnx.load(str(out))
    if quantize_head.as_matrix(model.graph):
        print("the last layer, a convolution of one pixel, becomes a matrix", flush=True)
        onnx.save(model, str(out))


def in_float(graph: onnx.GraphProto) -> List[str]:
    """Names of the nodes that stay in float32."""
    layers = [node for node in graph.node if node.op_type in LAYERS]
    first = layers[: min(FIRST, len(layers) // ONE_OF)]
    last = [node for node in layers[-1:] if node.op_type not in SCORING]
    print(f"in float32: the first {len(first)} and the last {len(last)} of {len(layers)} layers", flush=True)
    return [node.name for node in [*first, *last, *(node for node in graph.node if node.op_type in FLOATING)]]


def with_weights(
    model: onnx.ModelProto, floating: Sequence[str], seen: Dict[str, quantize_observe.Seen]
) -> Dict[str, Any]:
    """Corrects the biases of convolutions, and gives the scales of their weights."""
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    overrides: Dict[str, Any] = {}
    exact = left = 0
    for node in model.graph.node:
        if node.op_type not in LAYERS or node.name in floating:
            continue
        if not quantize_weights.known(node, held) or node.input[0] not in seen:
            left += 1
            continue
        weights = onnx.numpy_helper.to_array(held[node.input[1]])
        scale = quantize_weights.scales(weights)
        quantize_weights.corrected(model, node, scale, seen[node.input[0]].means())
        overrides[node.input[1]] = quantize_weights.stored(scale, QuantType.QInt8)
        exact += quantize_weights.grid(weights) is not None
    print(f"layers in int8: {len(overrides)} with scales and biases by least error, {left} as quantize_static does it")
    print(f"layers whose weights lie on a grid of eight bits already: {exact}", flush=True)
    return overrides


def quantized(source: pathlib.Path, tensors: Tensors, out: pathlib.Path) -> Model:
    """Writes the int8 model alone."""
    model = onnx.load(str(source))
    seen = quantize_observe.observed(source, tensors)
    floating = in_float(model.graph)
    overrides = with_weights(model, floating, seen)
    for name, of in seen.items():
        low, high = of.range()
        overrides[name] = [{"rmin": np.float32(low), "rmax": np.float32(high)}]
    corrected = out.parent / "corrected.onnx"
    onnx.save(model, str(corrected))
    options = {"quant_format": QuantFormat.QDQ, "per_channel": True, "nodes_to_exclude": floating}
    types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    few = Tensors(tensors.name, tensors.files[:FEW])
    extra = {"TensorQuantOverrides": overrides, "OpTypesToExcludeOutputQuantization": SCORING}
    quantize_static(str(corrected), str(out), few, **options, **types, extra_options=extra)
    return Model(out)


def cascaded(source: pathlib.Path, small: pathlib.Path, parts: Dict[str, Tensors], least: float) -> Model:
    """Writes the int8 model with the float32 model behind it, for the photos of which it is not sure enough."""
    whole, alone, out = Model(source), Model(small), small.parent / "cascade.onnx"
    if whole.rows() is not None:
        raise Refused("a cascade needs a model that takes any number of photos at once: export it so, or give --plain")
    if controls := quantize_cascade.controls(onnx.load(str(source))):
        raise Refused(f"a cascade of a model with {', '.join(controls)} is not made here: give --plain")
    scores, others = whole.scores(parts["choose"]), alone.scores(parts["choose"])
    limit = quantize_cascade.threshold(scores, others, least)
    assert whole.scored is not None
    quantize_cascade.joined(source, small, whole.scored, limit, out)
    print(f"int8 alone: {agreement(scores, others):.1f} % of the {len(scores)} photos that choose agree", flush=True)
    again = quantize_cascade.unsure(alone.scores(parts["judge"]), limit)
    print(f"float32 decides where the two best {whole.scored} are less than {limit:.3g} apart: {again:.1f} % of photos")
    return Model(out)


def speeds(models: Sequence[Model], tensors: Tensors) -> List[float]:
    """Mean seconds for one photo on one core, over photos, since a cascade does not take as long for each. All take
    turns at a photo, so that they meet the same neighbours.
    """
    taken = [[[model.seconds(fed) for _ in range(ROUNDS)] for model in models] for fed in tensors]
    return [statistics.mean(statistics.median(photo[at]) for photo in taken) for at in range(len(models))]


def has_vnni() -> Tuple[bool, str]:
    """Whether this CPU multiplies bytes at once, and what says so."""
    words = set(pathlib.Path("/proc/cpuinfo").read_text().split())
    found = sorted(words & {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})
    return bool(found), " ".join(found) or "none of avx512_vnni, avx_vnni, amx_int8, asimddp, i8mm"


def split(folder: pathlib.Path) -> Dict[str, List[pathlib.Path]]:
    lines = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    files = [folder / f"{line['index']}.npy" for line in lines if not line.get("error")]
    random.Random(SEED).shuffle(files)
    least = CALIBRATE + CHOOSE + JUDGE
    if len(files) < least:
        raise Refused(f"{len(files)} photos could be prepared, and {least} are needed: give more of them (--photos=)")
    if len(files) < len(lines):
        print(f"{len(lines) - len(files)} photos could not be prepared, and are left out", flush=True)
    ends = [0, CALIBRATE, CALIBRATE + CHOOSE, len(files)]
    return {name: files[ends[at] : ends[at + 1]] for at, name in enumerate(["calibrate", "choose", "judge"])}


def make(arguments: argparse.Namespace, folder: pathlib.Path) -> None:
    files, source = split(arguments.tensors), folder / "source.onnx"
    whole = Model(arguments.model)
    parts = {part: Tensors(whole.input(), of) for part, of in files.items()}
    scores = whole.scores(parts["judge"])
    prepared(arguments.model, source)
    made = folder / "int8.onnx"
    alone = quantized(source, parts["calibrate"], made)
    models = [whole, alone]
    print(f"int8 alone: same class as in float32: {agreement(scores, alone.scores(parts['judge'])):.2f} %", flush=True)
    if not arguments.plain:
        models.append(cascaded(source, made, parts, arguments.agreement))
        made = folder / "cascade.onnx"
    agreed = agreement(scores, models[-1].scores(parts["judge"]))
    print(f"same class as in float32: {agreed:.2f} % of {len(files['judge'])} photos that had no part in the making")
    taken = speeds(models, parts["judge"])
    vnni, which = has_vnni()
    for name, seconds in zip(["float32", "int8 alone", "int8, then float32 where unsure"], taken):
        print(f"one core, a photo: {name} {seconds * 1e3:.2f} ms: {taken[0] / seconds:.2f} times as fast as float32")
    print(f"this CPU has {'' if vnni else 'no '}instructions for int8: {which}")
    if agreed < arguments.agreement:
        raise Refused(f"{agreed:.2f} % is less than --agreement={arguments.agreement:g}: no model is written")
    os.replace(made, arguments.out)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("tensors", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--agreement", type=float, default=99.0)
    parser.add_argument("--plain", action="store_true")
    arguments = parser.parse_args()
    if not 0 < arguments.agreement <= 100:
        parser.error("--agreement is a number of a hundred photos: more than 0, and at most 100")
    with tempfile.TemporaryDirectory(dir=arguments.out.parent) as folder:
        try:
            make(arguments, pathlib.Path(folder))
        except Refused as why:
            sys.exit(f"error: {why}")


if __name__ == "__main__":
    main()
