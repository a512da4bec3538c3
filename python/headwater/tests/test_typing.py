"""mypy --strict passes on a user's script, and finds his errors."""

import inspect
import pathlib
import re
import subprocess
import sys
from typing import Any

import headwater
import pytest
from headwater.typed import AnyMapped, AnyStreaming

SCRIPT = """
from typing import Optional

import headwater
import numpy as np


def train(servers: str) -> float:
    recipe: headwater.Recipe = headwater.Recipe.builtin("imagenet-train")
    data = headwater.IterableDataset(servers, "photos", recipe, cut="jpeg-crop", batch_size=32, on_error="skip")
    sampler = headwater.ImportanceSampler(data.num_samples, beta=1.5)
    shards = headwater.ShardSampler(data.num_samples, mode="node", places=2, rank=0, world=4)
    total = 0.0
    for epoch in range(2):
        data.set_epoch(epoch)
        sampler.set_epoch(epoch)
        for images, labels in data:
            total += float(images.mean())
            sampler.update(np.arange(32), np.ones(32))
    auto = headwater.MapDataset(servers, "photos", recipe, plan="auto", limit_bandwidth="1Gbps")
    plan: Optional[headwater.PlanSummary] = auto.plan
    if plan is not None:
        total += plan.seconds + plan.ways["encoded"]
    state = data.state_dict(steps=3)
    data.load_state_dict(headwater.merge_states([state]))
    counters: dict[str, int] = data.counters()
    (left, top, width, height), flip = recipe.framing(640, 480, "a.jpg", seed=1)
    try:
        headwater.MapDataset(servers, "photos", recipe)[0]
    except headwater.SampleError as error:
        print(error.kind, error.key)
    return total + len(shards) + counters["skipped"] + left
"""


def mypy(text: str, folder: pathlib.Path) -> subprocess.CompletedProcess:
    file = folder / "user.py"
    file.write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(file)], cwd=folder, stdout=subprocess.PIPE, text=True
    )


def test_a_users_script_is_checked(tmp_path: pathlib.Path) -> None:
    good = mypy(SCRIPT, tmp_path)
    assert good.returncode == 0, good.stdout
    bad = mypy(SCRIPT.replace("batch_size=32", 'batch_size="32"'), tmp_path)
    assert bad.returncode == 1 and "batch_size" in bad.stdout


SAMPLES = """
import headwater


def look(servers: str) -> None:
    batches = headwater.IterableDataset(servers, "photos", "imagenet-train", batch_size=32, cut="cropped")
    for images, labels in batches:
        reveal_type((images, labels))
    reveal_type(headwater.MapDataset(servers, "photos", "imagenet-train", plan="auto")[0])
    reveal_type(headwater.MapDataset(servers, "photos", "imagenet-train", fields=("image", "key"))[0])
    reveal_type(headwater.MapDataset(servers, "photos", "imagenet-train", transform=str)[0])
"""


def test_samples_have_types_where_arguments_say_them(tmp_path: pathlib.Path) -> None:
    lines = re.findall(r'Revealed type is "(.*)"', mypy(SAMPLES, tmp_path).stdout)
    tensor = "torch._tensor.Tensor"
    assert [line.replace("builtins.", "").replace("Tuple", "tuple") for line in lines] == [
        f"tuple[{tensor}, {tensor}]",
        f"tuple[{tensor}, int]",
        "Any",
        "Any",
    ]


@pytest.mark.parametrize(
    "was, now",
    [
        ('cut="cropped"', 'cut="croped"'),
        ('plan="auto"', 'on_error="ignore"'),
        ('fields=("image", "key")', 'fields="image"'),
        ('fields=("image", "key")', 'output="picture"'),
        ('fields=("image", "key")', 'pixels="zip"'),
    ],
)
def test_choices_that_there_are_not_are_found(was: str, now: str, tmp_path: pathlib.Path) -> None:
    found = mypy(SAMPLES.replace(was, now), tmp_path)
    assert found.returncode == 1 and now.split("=")[0] in found.stdout


@pytest.mark.parametrize("kind, known", [(headwater.IterableDataset, AnyStreaming), (headwater.MapDataset, AnyMapped)])
def test_checkers_know_the_arguments_that_there_are(kind: Any, known: Any) -> None:
    assert set(known.__annotations__) == set(inspect.signature(kind.__init__).parameters) - {
        "self",
        "servers",
        "dataset",
        "recipe",
    }
