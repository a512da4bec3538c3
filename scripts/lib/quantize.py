"""An int8 model of a float32 one, by tensors of real photos, or the reason why there is none. Called by
scripts/quantize.

    calibrate  ranges of activations
    choose     which layers stay in float32
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
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

CALIBRATE, CHOOSE, JUDGE = 200, 100, 100
# Of one layer alone, a few tensors tell enough.
FEW = 8
# The order in which photos are dealt: the same each time.
SEED = 1
SCORES = ["logits", "probs"]
LAYERS = ["Conv", "ConvTranspose", "Gemm", "MatMul"]
ROUNDS, RUNS = 7, 20


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

    def scores(self, tensors: Tensors) -> np.ndarray:
        if self.scored is None:
            raise Refused("the model has no output logits or probs, by which classes could be compared: export one")
        return np.concatenate([self.session.run([self.scored], fed)[0].reshape(1, -1) for fed in tensors])

    def seconds(self, fed: Dict[str, np.ndarray]) -> float:
        began = time.perf_counter()
        for _ in range(RUNS):
            self.session.run(None, fed)
        return (time.perf_counter() - began) / RUNS


def agreement(scores: np.ndarray, others: np.ndarray) -> float:
    """Of a hundred photos, those of the same class."""
    return 100 * float(np.mean(scores.argmax(1) == others.argmax(1)))


def quantized(source: pathlib.Path, tensors: Tensors, out: pathlib.Path, **which: List[str]) -> Model:
    again = Tensors(tensors.name, tensors.files)
    options = {"quant_format": QuantFormat.QDQ, "per_channel": True}
    types = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
    quantize_static(str(source), str(out), again, **options, **types, **which)
    return Model(out)


def layers_of(source: pathlib.Path) -> List[str]:
    """Names of the layers that have weights."""
    return [node.name for node in onnx.load(str(source)).graph.node if node.op_type in LAYERS]


def layers_by_loss(source: pathlib.Path, few: Tensors, folder: pathlib.Path) -> List[str]:
    """Names of the layers, those first whose scores move most where they alone are in int8."""
    scores, lost = Model(source).scores(few), []
    for name in layers_of(source):
        alone = quantized(source, few, folder / "alone.onnx", nodes_to_quantize=[name])
        lost.append((float(np.std(alone.scores(few) - scores)), name))
    return [name for _, name in sorted(lost, reverse=True)]


def numbers_kept(wanted: str, layers: int) -> List[int]:
    """How many layers stay in float32, in the order in which that is tried."""
    if wanted != "auto":
        return [int(wanted)]
    return [0, *(2**power for power in range(layers.bit_length()) if 2**power < layers)]


def choose(source: pathlib.Path, parts: Dict[str, Tensors], out: pathlib.Path, wanted: str, least: float) -> int:
    """Makes the int8 model with the fewest layers in float32 that agrees with the other. How many these are."""
    scores, layers = Model(source).scores(parts["choose"]), layers_of(source)
    kept, by_loss = 0, []
    for kept in numbers_kept(wanted, len(layers)):
        if kept and not by_loss:
            few = Tensors(parts["choose"].name, parts["choose"].files[:FEW])
            by_loss = layers_by_loss(source, few, out.parent)
        made = quantized(source, parts["calibrate"], out, nodes_to_exclude=by_loss[:kept])
        agreed = agreement(scores, made.scores(parts["choose"]))
        print(f"{kept} of {len(layers)} layers in float32: {agreed:.1f} % of {len(scores)} photos agree", flush=True)
        if agreed >= least:
            break
    return kept


def speeds(models: Sequence[Model], fed: Dict[str, np.ndarray]) -> List[float]:
    """Seconds for one photo on one core, turn about, so that all meet the same neighbours."""
    rounds = [[model.seconds(fed) for model in models] for _ in range(ROUNDS)]
    return [statistics.median(taken) for taken in zip(*rounds)]


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
    name = Model(arguments.model).input()
    quant_pre_process(str(arguments.model), str(source), skip_symbolic_shape=True)
    parts = {part: Tensors(name, of) for part, of in files.items()}
    made = folder / "int8.onnx"
    kept = choose(source, parts, made, arguments.keep_float, arguments.agreement)
    whole, small = Model(arguments.model), Model(made)
    agreed = agreement(whole.scores(parts["judge"]), small.scores(parts["judge"]))
    print(f"same class as in float32: {agreed:.2f} % of {len(files['judge'])} photos that had no part in the making")
    slow, fast = speeds([whole, small], next(iter(parts["judge"])))
    vnni, which = has_vnni()
    print(f"one core: float32 {slow * 1e3:.2f} ms, int8 {fast * 1e3:.2f} ms a photo: {slow / fast:.2f} times as fast")
    print(f"this CPU has {'' if vnni else 'no '}instructions for int8: {which}")
    if agreed < arguments.agreement:
        keep = f"with {kept} layers in float32, "
        raise Refused(f"{keep}{agreed:.2f} % is less than --agreement={arguments.agreement:g}: no model is written")
    os.replace(made, arguments.out)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("tensors", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--agreement", type=float, default=99.0)
    parser.add_argument("--keep-float", default="auto", type=lambda text: text if text == "auto" else str(int(text)))
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
