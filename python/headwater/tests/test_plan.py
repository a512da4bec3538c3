"""A plan has each sample travel its own way, and changes no bit."""

import pathlib
import pickle
from typing import Any

import headwater
import numpy as np
import pytest
from conftest import PHOTOS
from torch.utils.data import DataLoader

PLAN = """format = "headwater-plan"
version = 1
algorithm = "{algorithm}"
samples = {samples}

[prediction]
offloaded = 20
bytes = 12
epoch = 0.3
bound = 0.3
gap = 0.0
proven = true
bottleneck = "network"
resources = []

[inputs]
profile = "{zero}"
source = "measured"
dataset = "photos"
recipe = "imagenet-train"
recipe_digest = "{recipe}"
allowed = ["encoded"]

[inputs.resources]
servers = [{{ cores = 1.0 }}]

[[inputs.servers]]
address = "a:1"
first = 0
samples = {samples}
---
0-5 encoded
6-9 cropped
10 flipped+lossless
11-14 jpeg-crop
15-{last} normalized
"""


def plan(
    folder: pathlib.Path, samples: int = PHOTOS, recipe: str = "imagenet-train", algorithm: str = "optimal"
) -> str:
    digest = headwater.Recipe.builtin(recipe).digest
    text = PLAN.format(samples=samples, last=samples - 1, recipe=digest, algorithm=algorithm, zero="0" * 64)
    file = folder / f"{algorithm}-{recipe}-{samples}.plan"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize("workers, method", [(0, None), (2, "fork"), (2, "spawn")])
def test_a_plan_changes_no_bit(address: str, fetched: Any, tmp_path: pathlib.Path, workers: int, method: Any) -> None:
    settings = {"plan": plan(tmp_path), "cut": "optimal", "seed": 7, "fields": ("image", "index")}
    data = headwater.IterableDataset(address, "photos", "imagenet-train", **settings)
    data.set_epoch(3)
    seen = set()
    for image, index in DataLoader(data, batch_size=None, num_workers=workers, multiprocessing_context=method):
        assert np.array_equal(image.numpy(), fetched["encoded"][index]["array"])
        seen.add(index)
    assert len(seen) == PHOTOS
    assert data.plan is not None and data.plan.algorithm == "optimal" and data.plan.seconds == 0.3
    assert data.plan.ways["encoded"] == 6 and sum(data.plan.ways.values()) == PHOTOS
    assert len(pickle.dumps(data)) < 20_000, "a plan travels as its file's name"


def test_a_plan_for_something_else_is_refused(address: str, tmp_path: pathlib.Path) -> None:
    def first(**more: Any) -> Any:
        return headwater.MapDataset(address, "photos", "imagenet-train", **more)[0]

    for more, word in (
        ({"plan": plan(tmp_path, samples=PHOTOS + 1)}, "another dataset"),
        ({"plan": plan(tmp_path, recipe="imagenet-eval")}, "another recipe"),
        ({"plan": plan(tmp_path), "cut": "sophon"}, "--algorithm optimal"),
        ({"plan": __file__}, "is no plan"),
        ({"plan": tmp_path / "none"}, "cannot read the plan"),
    ):
        with pytest.raises(headwater.HeadwaterError, match=word):
            first(**more)
