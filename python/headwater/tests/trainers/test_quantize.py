"""scripts/quantize, without the server that prepares photos: an int8 model that keeps its classes is written, one that
does not leaves no file.
"""

import json
import pathlib
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

SCRIPT = pathlib.Path(__file__).resolve().parents[4] / "scripts/lib/quantize.py"
SIZE, COUNT = (3, 32, 32), 520


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """What `profiler fetch` writes: photos of one bright colour each, and one that could not be prepared."""
    folder = tmp_path_factory.mktemp("tensors")
    random = np.random.default_rng(1)
    lines = [{"index": index, "error": None} for index in range(COUNT)]
    for index in range(COUNT):
        photo = random.normal(0, 0.3, SIZE).astype(np.float32)
        photo[index % 3] += 1
        np.save(folder / f"{index}.npy", photo)
    lines.append({"index": COUNT, "error": "malformed"})
    (folder / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def exported(path: pathlib.Path, logits: torch.nn.Linear, name: str = "logits", alike: bool = False) -> pathlib.Path:
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), logits
    )
    torch.manual_seed(1)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    if alike:
        # Classes that differ by less than a step of a byte.
        logits.weight.data = logits.weight.data[:1] + 1e-4 * logits.weight.data
        logits.bias.data[:] = 0
    how: Any = {"output_names": [name], "dynamic_shapes": ({0: "batch"},), "external_data": False, "verbose": False}
    torch.onnx.export(network.eval(), (torch.zeros(2, *SIZE),), path, **how)
    return path


def quantize(model: pathlib.Path, tensors: pathlib.Path, out: pathlib.Path, *words: str) -> Any:
    call = [sys.executable, str(SCRIPT), str(model), str(tensors), str(out), *words]
    return subprocess.run(call, check=False, capture_output=True, text=True, timeout=600)


def test_a_model_that_keeps_its_classes_is_written(tensors: pathlib.Path, tmp_path: pathlib.Path) -> None:
    model, out = exported(tmp_path / "model.onnx", torch.nn.Linear(16, 3)), tmp_path / "int8.onnx"
    done = quantize(model, tensors, out)
    assert done.returncode == 0, done.stderr
    assert "of 120 photos that had no part in the making" in done.stdout and "times as fast" in done.stdout
    assert "instructions for int8" in done.stdout and "1 photos could not be prepared" in done.stdout
    assert "float32 decides where" in done.stdout and "int8 alone: same class" in done.stdout
    import onnx

    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in onnx.load(str(out)).graph.node}


def test_a_model_that_changes_its_classes_leaves_no_file(tensors: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A hundred classes that are next to each other everywhere."""
    model, out = exported(tmp_path / "model.onnx", torch.nn.Linear(16, 100), alike=True), tmp_path / "int8.onnx"
    done = quantize(model, tensors, out, "--plain")
    assert done.returncode == 1 and "is less than --agreement=99: no model is written" in done.stderr, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx"]
    # In a cascade, the float32 model decides what is close, which is nearly all.
    done = quantize(model, tensors, out)
    assert done.returncode == 0, done.stderr
    again = re.search(r"are less than \S+ apart: (\S+) % of photos", done.stdout)
    assert again and float(again[1]) > 80, done.stdout


def test_what_cannot_be_judged_is_refused(tensors: pathlib.Path, tmp_path: pathlib.Path) -> None:
    model = exported(tmp_path / "model.onnx", torch.nn.Linear(16, 3), name="features")
    done = quantize(model, tensors, tmp_path / "int8.onnx")
    assert done.returncode == 1 and "no output logits or probs" in done.stderr, done.stderr
    few = tmp_path / "few"
    few.mkdir()
    (few / "samples.jsonl").write_text('{"index": 0, "error": null}\n')
    done = quantize(model, few, tmp_path / "int8.onnx")
    assert done.returncode == 1 and "500 are needed" in done.stderr, done.stderr
