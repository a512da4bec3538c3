"""What datasets say of themselves: repr, help, NumPy instead of torch, and how far a wait of seconds has come."""

import inspect
import logging
import pickle
import re
from typing import Any

import headwater
import numpy as np
import pytest
import torch
import torchvision.transforms as T
from conftest import PHOTOS
from headwater.headway import Headway

NOWHERE = "127.0.0.1:1"
COMPOSE = [T.RandomResizedCrop(64), T.ColorJitter(0.4), T.ToTensor()]


@pytest.mark.parametrize("kind", [headwater.IterableDataset, headwater.MapDataset])
def test_repr_asks_nothing_and_says_what_is_known(kind: Any, address: str) -> None:
    away = kind(NOWHERE, "photos", "imagenet-train", cut="cropped")
    assert (
        repr(away)
        == f"<headwater.{kind.__name__} 'photos' at 127.0.0.1:1: cut cropped, recipe imagenet-train, epoch 0>"
    )
    data = kind(address, "photos", COMPOSE, indices=[1, 2, 3])
    assert "samples" in repr(data) and "3 of its samples" in repr(data)
    data.num_samples
    data.set_epoch(4)
    for text in (repr(data), repr(pickle.loads(pickle.dumps(data)))):
        assert f"at {address.replace(',', ', ')}: 3 of {PHOTOS} samples, cut jpeg-crop" in text
        assert "here T.ColorJitter(" in text and text.endswith("T.ToTensor(), epoch 4>")
    features = kind(address, "photos", cut="features", model="extractor")
    assert "cut features, model extractor" in repr(features)


def test_samplers_say_what_they_are() -> None:
    assert (
        repr(headwater.ImportanceSampler(10, beta=1.5))
        == "<headwater.ImportanceSampler of 10 samples, beta 1.5, epoch 0>"
    )
    shards = headwater.ShardSampler(10, rank=1, world=2)
    assert repr(shards) == "<headwater.ShardSampler of 10 samples, mode rank, rank 1 of 2, epoch 0>"


@pytest.mark.parametrize(
    "kind", [headwater.IterableDataset, headwater.MapDataset, headwater.ImportanceSampler, headwater.ShardSampler]
)
def test_help_explains_every_argument(kind: Any) -> None:
    lines = (inspect.getdoc(kind) or "").splitlines()
    for name in list(inspect.signature(kind.__init__).parameters)[1:]:
        assert any(re.match(rf"(\w+, )*{name}(, |  +|$)", line) for line in lines), (
            f"{name} is not in help({kind.__name__})"
        )


@pytest.mark.parametrize("kind", [headwater.IterableDataset, headwater.MapDataset])
@pytest.mark.parametrize("recipe", ["imagenet-train", COMPOSE])
def test_numpy_is_what_tensors_are(kind: Any, recipe: Any, address: str) -> None:
    given = {}
    for output in ("tensor", "numpy"):
        data = kind(address, "photos", recipe, seed=3, output=output, fields=("image", "label", "index"))
        data.set_epoch(1)
        torch.manual_seed(5)
        given[output] = [data[at] for at in range(4)] if kind is headwater.MapDataset else list(data)
    assert given["numpy"]
    for (theirs, label, index), (ours, *others) in zip(given["tensor"], given["numpy"]):
        assert type(ours) is np.ndarray and ours.dtype == np.float32 and [label, index] == others
        assert np.array_equal(ours, theirs.numpy())


def test_numpy_batches_are_arrays_all_through(address: str) -> None:
    seen = []
    data = headwater.IterableDataset(
        address,
        "photos",
        "imagenet-train",
        output="numpy",
        batch_size=8,
        fields=("image", "label", "index"),
        transform=lambda image: seen.append(type(image)) or image[:, :4, :4],
    )
    images, labels, indices = next(iter(data))
    assert all(type(array) is np.ndarray for array in (images, labels, indices)) and set(seen) == {np.ndarray}
    assert (images.shape, images.dtype, labels.dtype, indices.dtype) == ((8, 3, 4, 4), np.float32, np.int64, np.int64)
    features = headwater.MapDataset(address, "photos", cut="features", model="extractor", output="numpy")
    assert type(features[0][0]) is np.ndarray


def test_measuring_says_that_it_takes_seconds(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "headwater"):
        headwater.MapDataset(address, "photos", "imagenet-train", plan="auto", profile_seconds=5)
    assert "measuring photos: this takes some seconds" in caplog.messages


def test_lines_come_where_there_is_no_bar(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("headwater.headway.BETWEEN", 0.0)
    with caplog.at_level(logging.INFO, "headwater"), Headway("measuring") as headway:
        headway.reached(3, 10)
    assert caplog.messages == ["measuring: this takes some seconds", "measuring: 3 of 10 pieces are done"]
