"""The pieces of scripts/quantize: rounding, biases, ranges, the threshold of a cascade, and the cascade itself."""

import pathlib
import sys
from typing import Any, Dict

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "scripts/lib"))

import onnx
import onnxruntime
import quantize_cascade
import quantize_head
import quantize_observe
import quantize_weights
from onnx import TensorProto, helper, numpy_helper

CHANNELS, CLASSES, SIDE = 4, 5, 6


def run(path: pathlib.Path, photos: np.ndarray) -> Dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [of.name for of in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": photos})))


def network(path: pathlib.Path, blur: float = 0.0) -> pathlib.Path:
    """A convolution, ReLU, and one whose weights are off by as much as said, as those of an int8 model are."""
    random = np.random.default_rng(1)
    held = {
        "w": random.normal(size=(CHANNELS, 3, 3, 3)),
        "b": random.normal(size=CHANNELS),
        "v": random.normal(size=(CLASSES, CHANNELS, 1, 1)),
        "c": random.normal(size=CLASSES),
    }
    held["v"] = held["v"] + np.random.default_rng(2).normal(scale=blur, size=held["v"].shape) if blur else held["v"]
    second = "other" if blur else "v"
    held[second] = held.pop("v")
    nodes = [
        helper.make_node("Conv", ["input", "w", "b"], ["first"], name="first"),
        helper.make_node("Relu", ["first"], ["bright"], name="bright"),
        helper.make_node("GlobalAveragePool", ["bright"], ["pooled"], name="pooled"),
        helper.make_node("Conv", ["pooled", second, "c"], ["last"], name="last"),
        helper.make_node("Flatten", ["last"], ["logits"], name="logits"),
        helper.make_node("Flatten", ["bright"], ["early"], name="early"),
    ]
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", CLASSES]),
        helper.make_tensor_value_info("early", TensorProto.FLOAT, ["n", CHANNELS * (SIDE - 2) ** 2]),
    ]
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in held.items()]
    graph = helper.make_graph(nodes, "network", [given], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(onnx.shape_inference.infer_shapes(model), str(path))
    return path


@pytest.fixture
def photos() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(64, 3, SIDE, SIDE)).astype(np.float32)


def test_weights_on_a_grid_of_eight_bits_are_kept_to_the_bit_of_float32() -> None:
    counts = np.random.default_rng(1).integers(-127, 128, size=(8, 16, 3, 3))
    weights = (counts * 0.0123).astype(np.float32)
    assert quantize_weights.grid(weights) == pytest.approx(0.0123, rel=1e-6)
    kept = quantize_weights.rounded(weights.astype(np.float64), quantize_weights.scales(weights))
    assert np.abs(kept - weights).max() < 1e-6
    assert quantize_weights.grid(np.random.default_rng(1).normal(size=(8, 16)).astype(np.float32)) is None


def test_the_scale_of_least_error_is_never_worse_than_that_of_the_largest_weight() -> None:
    weights = np.random.default_rng(2).standard_t(3, size=(64, 144))
    weights[5] = 0
    widest = np.abs(weights).max(1) / 127
    widest[5] = 1
    lost = [
        ((quantize_weights.rounded(weights, of) - weights) ** 2).sum(1)
        for of in (quantize_weights.scales(weights), widest)
    ]
    assert (lost[0] <= lost[1]).all() and (lost[0] < lost[1]).sum() >= 20


@pytest.mark.parametrize("groups", [1, 6])
def test_corrected_biases_give_the_mean_output_of_float32(groups: int) -> None:
    """At one pixel, where no border is: outputs are weights times inputs, group by group."""
    random = np.random.default_rng(4)
    weights, inputs = random.normal(size=(12, 6 // groups, 1, 1)), random.normal(1, 1, size=(500, 6))
    coarse = np.abs(weights).reshape(12, -1).max(1) / 3.3
    lost = weights - quantize_weights.rounded(weights, coarse)
    by_group = inputs.reshape(500, groups, 1, -1) * lost.reshape(1, groups, 12 // groups, -1)
    moved = by_group.sum(3).reshape(500, 12).mean(0)
    assert np.allclose(quantize_weights.shift(weights, coarse, inputs.mean(0), groups), moved)
    assert np.abs(moved).max() > 0.01


def test_a_range_cuts_off_what_is_rare_where_that_loses_less() -> None:
    seen, random = quantize_observe.Seen(), np.random.default_rng(5)
    for _ in range(20):
        tensor = random.normal(size=(1, 3, 64, 64)).astype(np.float32)
        seen.add(tensor, random)
    seen.high, seen.low = 20.0, -20.0
    low, high = seen.range()
    assert (low, high) == (-10.0, 10.0)
    values = random.normal(size=1000)
    assert np.abs(quantize_observe.rounded(values, low, high) - values).max() <= (high - low) / 255 / 2 + 1e-9
    assert np.allclose(seen.means(), 0, atol=0.02)


def test_the_threshold_leaves_as_much_unseen_as_is_planned_for() -> None:
    random = np.random.default_rng(6)
    whole = random.normal(size=(2000, 10))
    small = whole + random.normal(scale=0.1, size=whole.shape)
    limit = quantize_cascade.threshold(whole[:500], small[:500], 99)
    best = np.sort(small[500:], axis=1)
    unseen = (whole[500:].argmax(1) != small[500:].argmax(1)) & (best[:, -1] - best[:, -2] >= limit)
    assert 0.001 < unseen.mean() < 0.01, (limit, unseen.mean())
    assert quantize_cascade.threshold(whole, whole, 99) == 0
    assert quantize_cascade.threshold(whole, small, 99.9) > limit


def test_a_cascade_gives_unsure_photos_the_outputs_of_float32_and_others_those_of_int8(
    tmp_path: pathlib.Path, photos: np.ndarray
) -> None:
    whole, small, out = network(tmp_path / "whole.onnx"), network(tmp_path / "small.onnx", 0.1), tmp_path / "both.onnx"
    wanted, other = run(whole, photos), run(small, photos)
    best = np.sort(other["logits"], axis=1)
    margins = best[:, -1] - best[:, -2]
    limit = float(np.median(margins))
    quantize_cascade.joined(whole, small, "logits", limit, out)
    onnx.checker.check_model(str(out), full_check=True)
    made, close = run(out, photos), margins < limit
    assert 20 < close.sum() < 44
    assert np.allclose(made["logits"][close], wanted["logits"][close], atol=1e-6)
    assert np.array_equal(made["logits"][~close], other["logits"][~close])
    assert not np.allclose(wanted["logits"], other["logits"], atol=1e-3)
    # What both compute alike is computed once, and a photo alone gets what it gets among others.
    assert np.array_equal(made["early"], other["early"])
    for photo in (np.flatnonzero(close)[0], np.flatnonzero(~close)[0]):
        assert np.allclose(run(out, photos[photo : photo + 1])["logits"][0], made["logits"][photo], atol=1e-6)
    kinds: Any = [node.op_type for node in onnx.load(str(out)).graph.node]
    assert kinds.count("Conv") == 2 and kinds.count("If") == 1


def test_a_convolution_of_one_pixel_becomes_a_matrix_with_the_same_scores(
    tmp_path: pathlib.Path, photos: np.ndarray
) -> None:
    model, out = onnx.load(str(network(tmp_path / "model.onnx"))), tmp_path / "matrix.onnx"
    assert quantize_head.as_matrix(model.graph) and not quantize_head.as_matrix(model.graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(out))
    assert np.allclose(run(out, photos)["logits"], run(tmp_path / "model.onnx", photos)["logits"], atol=1e-5)
    assert [node.op_type for node in model.graph.node].count("Gemm") == 1
