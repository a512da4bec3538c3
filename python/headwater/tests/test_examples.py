"""The examples run, stay within ten lines of their torchvision originals, and stand in the docs as they are."""

import difflib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, List

import headwater
import numpy as np
import pytest
import torch
from conftest import BIN, PHOTOS, ROOT, run

EXAMPLES = ["train_imagenet.py", "fine_tune_features.py", "resume.py"]
SMALL = ["-a", "shufflenet_v2_x0_5", "-j", "0"]


def example(name: str, *arguments: Any, environment: Any = {}) -> List[str]:
    words = [sys.executable, ROOT / "examples" / name, *arguments]
    done = subprocess.run(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def losses(lines: List[str]) -> List[float]:
    return [float(line.rsplit(" ", 1)[1]) for line in lines if "loss" in line]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_their_originals_but_for_ten_lines(name: str) -> None:
    ours = (ROOT / "examples" / name).read_text().splitlines()
    original = (ROOT / "examples/torchvision" / name).read_text().splitlines()
    diff = [
        line
        for line in difflib.unified_diff(original, ours, n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    assert sum(line.startswith("+") for line in diff) <= 10
    manual = (ROOT / "docs/python.md").read_text()
    assert "\n".join(line for line in diff if line not in ("+", "-")) in manual, (
        f"docs/python.md: show {name}'s lines as they are"
    )


def local_loss(photos: pathlib.Path, address: str) -> float:
    """The first step of train_imagenet.py, with photos that are read from the folder here."""
    from torchvision import models

    order = headwater.IterableDataset(address, "photos", "imagenet-train", batch_size=8, fields=("key", "label"))
    recipe = headwater.Recipe.builtin("imagenet-train")
    torch.manual_seed(0)
    keys, labels = next(iter(order))
    images = torch.from_numpy(np.stack([recipe.finish((photos / key).read_bytes(), key) for key in keys]))
    network = models.get_model("shufflenet_v2_x0_5", num_classes=2)
    network.train()
    return float(torch.nn.CrossEntropyLoss()(network(images), labels))


@pytest.fixture()
def sophon(address: str, tmp_path: pathlib.Path) -> pathlib.Path:
    """SOPHON's plan for these photos, over a network on which it has some of them cropped there."""
    profile, plan = tmp_path / "photos.parquet", tmp_path / "sophon.plan"
    run(
        BIN / "profiler",
        "dataset",
        "--servers",
        address,
        "--dataset",
        "photos",
        "--recipe",
        "imagenet-train",
        "--out",
        profile,
    )
    found = run(
        BIN / "profiler",
        "plan",
        "--profile",
        profile,
        "--bandwidth",
        "10Mbps",
        "--algorithm",
        "sophon",
        "--out",
        plan,
        "--json",
    )
    assert 0 < json.loads(found)["offloaded"] < PHOTOS
    return plan


def test_the_first_loss_is_the_same_wherever_the_work_is_done(
    photos: pathlib.Path, address: str, sophon: pathlib.Path
) -> None:
    torch.set_num_threads(1)
    expected = local_loss(photos, address)
    modes = [["--cut", cut] for cut in ("no-off", "resize-off", "all-off", "jpeg-crop")]
    modes += [["--cut", "sophon", "--plan", sophon], ["--plan", "auto"]]
    for mode in modes:
        [found] = losses(example("train_imagenet.py", address, *SMALL, "-b", 8, "--epochs", 1, "--steps", 1, *mode))
        assert abs(found - expected) <= 1e-6, mode


def test_training_over_two_ranks(address: str, tmp_path: pathlib.Path) -> None:
    # As torchrun starts them; Debian's own does not run with Debian's Python.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = [address, *SMALL, "-b", 8, "--epochs", 2, "-p", 1, "--plan", "auto", "--out", tmp_path / "network.pt"]

    def rank(number: int) -> List[str]:
        torchrun = {
            "RANK": str(number),
            "LOCAL_RANK": "0",
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        return example("train_imagenet.py", *words, environment=torchrun)

    with ThreadPoolExecutor(2) as both:
        first, second = both.map(rank, range(2))
    assert len(losses(first)) == 2 * -(-PHOTOS // 8) and not second
    assert (tmp_path / "network.pt").exists()


def test_fine_tuning_on_features(address: str, tmp_path: pathlib.Path) -> None:
    lines = example(
        "fine_tune_features.py",
        address,
        "--model",
        "extractor",
        "--epochs",
        12,
        "--lr",
        0.02,
        "-b",
        8,
        "--out",
        tmp_path / "head.pt",
    )
    right = [int(re.findall(r"right (\d+)/26", line)[0]) for line in lines]
    assert right[-1] >= 24, lines


def test_resuming_is_as_if_nothing_had_been(address: str, tmp_path: pathlib.Path) -> None:
    common = [address, *SMALL, "-b", 4, "--epochs", 2, "--lr", 0.01]
    whole = losses(example("resume.py", *common, "--checkpoint", tmp_path / "whole.pt"))
    first = losses(example("resume.py", *common, "--checkpoint", tmp_path / "last.pt", "--stop-after", 5))
    second = losses(example("resume.py", *common, "--checkpoint", tmp_path / "last.pt", "-j", 2))
    assert len(whole) == 14
    assert np.allclose(first + second, whole, atol=1e-5)
