"""Hugging Face's datasets: every sample once over nodes and workers, of the epoch that set_epoch says."""

import pickle
import warnings
from typing import Any, Dict, List

import headwater
import numpy as np
import pytest
from engine_photos import BROKEN, EPOCH, SEED, Served, check, expected, folder, served, spoilt, streamed
from headwater.texts import text_of
from torch.utils.data import DataLoader

datasets = pytest.importorskip("datasets", reason="scripts/test --trainers has the engines")
from datasets.distributed import split_dataset_by_node  # noqa: E402

import headwater.hf  # noqa: E402

FIELDS = ("image", "label", "key", "index")


def data_of(served: Served, **more: Any) -> Any:
    settings = {"fields": FIELDS, "seed": SEED, "shards": 6, **more}
    return headwater.hf.dataset(served.address, "photos", "imagenet-train", **settings)


def samples(data: Any) -> List[Dict[str, Any]]:
    return list(data.with_format("numpy"))


def loaded(data: Any, workers: int, **more: Any) -> List[Dict[str, Any]]:
    loader = DataLoader(data.with_format("numpy"), batch_size=None, num_workers=workers, **more)
    return [dict(sample) for sample in loader]


def test_features_say_what_samples_are(served: Served) -> None:
    data = data_of(served)
    classes = headwater.IterableDataset(served.address, "photos", "imagenet-train").classes
    assert data.features == datasets.Features(
        {
            "image": datasets.Array3D((3, 224, 224), "float32"),
            "label": datasets.ClassLabel(names=classes),
            "key": datasets.Value("string"),
            "index": datasets.Value("int64"),
        }
    )
    assert data.n_shards == 6 and data_of(served, shards=None).n_shards == min(64, served.samples)


def test_every_sample_comes_once_of_the_epoch_that_is_said(served: Served, expected: Dict[int, Any]) -> None:
    data = data_of(served)
    data = data.with_format("numpy")
    data.set_epoch(EPOCH)
    found = list(data)
    check(found, expected)
    assert {int(sample["index"]): str(sample["key"]) for sample in found} == {
        index: text_of(sample["key"]) for index, sample in expected.items()
    }
    check(list(data), expected)
    data.set_epoch(EPOCH + 1)
    check(list(data), streamed(served, EPOCH + 1))


def test_without_set_epoch_a_pass_is_the_same_again_and_that_is_told(served: Served) -> None:
    data, first = data_of(served), streamed(served, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", headwater.HeadwaterWarning)
        check(samples(data), first)
        plain = data_of(served, shuffle=False, fields=("index",))
        assert len(list(plain)) == served.samples
    with pytest.warns(headwater.HeadwaterWarning, match="call set_epoch"):
        check(samples(data), first)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_workers_share_the_shards(served: Served, expected: Dict[int, Any], workers: int) -> None:
    data = data_of(served)
    formatted = data.with_format("numpy")
    formatted.set_epoch(EPOCH)
    check([dict(sample) for sample in DataLoader(formatted, batch_size=None, num_workers=workers)], expected)


def test_workers_that_stay_and_workers_that_are_spawned_hear_of_the_epoch(served: Served) -> None:
    data = data_of(served).with_format("numpy")
    loader = DataLoader(data, batch_size=None, num_workers=2, persistent_workers=True)
    for epoch in (0, EPOCH):
        data.set_epoch(epoch)
        check([dict(sample) for sample in loader], streamed(served, epoch))
    spawned = DataLoader(data, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    check([dict(sample) for sample in spawned], streamed(served, EPOCH))


@pytest.mark.parametrize("world", [2, 3])
def test_nodes_share_the_shards(served: Served, expected: Dict[int, Any], world: int) -> None:
    found: List[Dict[str, Any]] = []
    for rank in range(world):
        node = split_dataset_by_node(data_of(served).with_format("numpy"), rank=rank, world_size=world)
        assert node.n_shards == 6 // world
        node.set_epoch(EPOCH)
        found += [dict(sample) for sample in DataLoader(node, batch_size=None, num_workers=2)]
    check(found, expected)


def test_what_is_made_of_it_keeps_its_epoch(served: Served, expected: Dict[int, Any]) -> None:
    data = data_of(served).map(lambda sample: {"index": sample["index"] + 1}).shuffle(seed=1, buffer_size=8)
    data = data.filter(lambda sample: sample["index"] > 3).with_format("numpy")
    data.set_epoch(EPOCH)
    found = [{**sample, "index": sample["index"] - 1} for sample in data]
    check(found, {index: sample for index, sample in expected.items() if index >= 3})
    pickled = pickle.loads(pickle.dumps(data_of(served).with_format("numpy")))
    pickled.set_epoch(EPOCH)
    check(list(pickled), expected)


def test_take_skip_and_what_is_joined_are_of_the_epoch_too(served: Served, expected: Dict[int, Any]) -> None:
    data = data_of(served).with_format("numpy")
    parts = [data.take(5), data.skip(5)]
    for part in parts:
        part.set_epoch(EPOCH)
    check([sample for part in parts for sample in part], expected)
    parts = [data_of(served, indices=chosen) for chosen in ([0, 1, 2, 3, 4, 5], range(6, served.samples))]
    for joined in (datasets.concatenate_datasets(parts), datasets.interleave_datasets(parts)):
        joined = joined.with_format("numpy")
        joined.set_epoch(EPOCH)
        found = {int(sample["index"]): sample for sample in joined}
        assert set(range(6)) <= set(found)
        check(list(found.values()), {index: expected[index] for index in found})


def test_it_goes_on_where_a_state_says(served: Served, expected: Dict[int, Any]) -> None:
    data = data_of(served).with_format("numpy")
    data.set_epoch(EPOCH)
    before = []
    for sample in data:
        before.append(sample)
        if len(before) == 10:
            state = data.state_dict()
            break
    again = data_of(served).with_format("numpy")
    again.set_epoch(EPOCH)
    again.load_state_dict(state)
    check(before + list(again), expected)


def test_a_pass_that_is_given_up_ends_its_connections(served: Served) -> None:
    data = data_of(served)
    iterator = iter(data)
    next(iterator)
    del iterator
    assert len(list(data.take(3))) == 3


def test_a_bad_photo_is_an_error_or_is_left_out(spoilt: Served) -> None:
    with pytest.raises(headwater.SampleError, match=BROKEN):
        list(data_of(spoilt))
    for workers in (0, 2):
        data = data_of(spoilt, on_error="skip").with_format("numpy")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = [dict(sample) for sample in DataLoader(data, batch_size=None, num_workers=workers)]
        check(found, streamed(spoilt, 0, on_error="skip"))
        if not workers:
            assert any("1 of " in str(warning.message) for warning in told), told


@pytest.mark.parametrize(
    "more, says",
    [({"shards": 10_000}, "no more shards"), ({"shards": 0}, "shards=0"), ({"batch_size": 4}, "batch_size")],
)
def test_what_cannot_be_is_refused_at_once(served: Served, more: Dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        data_of(served, **more)


def test_pixels_have_their_type(served: Served) -> None:
    data = data_of(served, output="pixels")
    assert data.features["image"] == datasets.Array3D((224, 224, 3), "uint8")
    pixels = streamed(served, 0, output="pixels")
    for sample in data:
        # Without a format, datasets has lists of Python's.
        assert np.array_equal(np.asarray(sample["image"], dtype=np.uint8), np.asarray(pixels[sample["index"]]["image"]))
