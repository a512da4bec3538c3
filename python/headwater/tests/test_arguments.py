"""Arguments that cannot be right are refused where they are given, in words of the argument and of what it can be."""

from typing import get_args

import numpy as np
import pytest
from conftest import PHOTOS
from headwater.choices import Cut
from headwater.cuts import CUTS, PLANNED, SOPHON
from torch.utils.data import DataLoader

import headwater

NOWHERE = "127.0.0.1:1"

#: Odd values and the error that each is: never an OverflowError, nor words of a conversion.
ODD = [
    (-1, ValueError),
    (2**70, ValueError),
    (1.5, TypeError),
    (float("nan"), TypeError),
    ("many", TypeError),
    (True, TypeError),
]


def iterable(**settings):
    return headwater.IterableDataset(NOWHERE, "photos", "imagenet-train", **settings)


def mapped(**settings):
    return headwater.MapDataset(NOWHERE, "photos", "imagenet-train", **settings)


@pytest.mark.parametrize("value,kind", ODD)
@pytest.mark.parametrize(
    "make,name",
    [
        (iterable, "batch_size"),
        (iterable, "seed"),
        (iterable, "prefetch"),
        (iterable, "streams"),
        (iterable, "window"),
        (iterable, "threads"),
        (mapped, "seed"),
        (mapped, "streams"),
        (mapped, "threads"),
        (lambda **given: headwater.ImportanceSampler(10, **given), "seed"),
        (lambda **given: headwater.ImportanceSampler(10, **given), "warm_up"),
        (lambda **given: headwater.ImportanceSampler(**given), "length"),
        (lambda **given: headwater.ShardSampler(10, **given), "seed"),
        (lambda **given: headwater.ShardSampler(**given), "length"),
        (lambda **given: headwater.Recipe.builtin("imagenet-train").finish(b"", "a.jpg", **given), "seed"),
        (lambda **given: headwater.Recipe.builtin("imagenet-train").framing(8, 8, "a.jpg", **given), "epoch"),
    ],
)
def test_whole_numbers_are_named_with_their_range(make, name, value, kind):
    with pytest.raises(kind, match=rf"{name}=.*give a whole number"):
        make(**{name: value})


@pytest.mark.parametrize("value,kind", ODD)
def test_epochs_are_named_with_their_range(value, kind):
    for data in (iterable(), mapped(), headwater.ImportanceSampler(10)):
        with pytest.raises(kind, match="epoch=.*give a whole number"):
            data.set_epoch(value)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 1e400, "soon"])
def test_times_are_named_with_their_range(value):
    for name in ("connect_for", "patience"):
        with pytest.raises((TypeError, ValueError), match=rf"{name}=.*give a number of seconds"):
            iterable(**{name: value})


@pytest.mark.parametrize("value", [[-1], [0.5], ["a"], [[1]], [2**70], np.array([-3])])
def test_indices_are_whole_numbers(value):
    for make in (iterable, mapped):
        with pytest.raises((TypeError, ValueError), match="indices="):
            make(indices=value)


def test_what_numpy_gives_is_taken():
    assert len(iterable(indices=np.arange(3), batch_size=np.int64(2), seed=np.uint64(2**64 - 1))) == 2


@pytest.mark.parametrize("name", ["shuffle", "drop_last", "allow_partial", "allow_non_finite", "hedge"])
@pytest.mark.parametrize("value", ["no", 0, 1, None, []])
def test_booleans_are_nothing_else(name, value):
    with pytest.raises(TypeError, match=rf"{name}=.*give True or False"):
        iterable(**{name: value})


@pytest.mark.parametrize(
    "name,value,kind",
    [
        ("cut", "jpeg", ValueError),
        ("cut", 3, TypeError),
        ("output", "image", ValueError),
        ("output", None, TypeError),
        ("pixels", "coded", ValueError),
        ("pixels", True, TypeError),
        ("on_error", "ignore", ValueError),
        ("on_error", None, TypeError),
        ("priority", "background", ValueError),
        ("priority", 1, TypeError),
        ("plan", 3, TypeError),
        ("plan", "", TypeError),
        ("plan", True, TypeError),
        ("model", 3, TypeError),
        ("limit_bandwidth", 430, TypeError),
        ("limit_bandwidth", "", ValueError),
        ("fields", "image", TypeError),
        ("fields", 3, TypeError),
        ("fields", (), ValueError),
        ("fields", ("image", 3), ValueError),
        ("fields", ("image", "image"), ValueError),
        ("transform", "crop", TypeError),
        ("transform", dict, TypeError),
    ],
)
def test_choices_are_named_with_what_they_can_be(name, value, kind):
    for make in (iterable, mapped):
        with pytest.raises(kind, match=rf"{name}=|there is no cut"):
            make(**{name: value})


def test_a_single_field_is_shown_as_a_list():
    with pytest.raises(TypeError, match=r"give a list of names, such as fields=\('image',\)"):
        mapped(fields="image")


@pytest.mark.parametrize(
    "value,kind",
    [
        ("", ValueError),
        ([], ValueError),
        ("a:1,,b:2", ValueError),
        (["a:1", " "], ValueError),
        (7440, TypeError),
        (b"a:1", TypeError),
        ([("a", 1)], TypeError),
        (None, TypeError),
    ],
)
def test_servers_are_addresses(value, kind):
    for make in (headwater.IterableDataset, headwater.MapDataset):
        with pytest.raises(kind, match="servers=.*host:port"):
            make(value, "photos", "imagenet-train")


@pytest.mark.parametrize(
    "servers,words",
    [
        ("node1:99999", "no address: write HOST:PORT"),
        ("node1:x", "no address"),
        ("node1:0", "port 0"),
        ("https://node1:7440", "TLS"),
        ("node 1:7440", "no address"),
        (["a:1", "b:0"], "port 0"),
    ],
)
def test_addresses_are_read_before_anything_connects(servers, words):
    for make in (headwater.IterableDataset, headwater.MapDataset):
        with pytest.raises(ValueError, match=words):
            make(servers, "photos", "imagenet-train")
    with pytest.raises(ValueError, match="dataset"):
        headwater.MapDataset(NOWHERE, "pho/tos", "imagenet-train")


def test_what_can_be_chosen_is_written_once():
    assert get_args(Cut) == (*CUTS, *SOPHON, *PLANNED)


@pytest.mark.parametrize("value,kind", [("", ValueError), (3, TypeError), (None, TypeError)])
def test_a_dataset_has_a_name(value, kind):
    with pytest.raises(kind, match="dataset=.*the name of a dataset"):
        headwater.MapDataset(NOWHERE, value, "imagenet-train")


@pytest.mark.parametrize("value", [[], np.array([], dtype=np.int64), [False, False]])
def test_indices_choose_something(value):
    for make in (iterable, mapped):
        with pytest.raises(ValueError, match="indices=.*chooses no sample"):
            make(indices=value)


@pytest.mark.parametrize("kind", [headwater.IterableDataset, headwater.MapDataset])
def test_a_mask_is_a_mask_and_no_list_of_numbers(kind, address):
    mask = np.zeros(PHOTOS, dtype=bool)
    mask[[3, 7]] = True
    for given in (mask, mask.tolist()):
        data = kind(address, "photos", "imagenet-train", indices=given, fields=("index",))
        assert sorted([data[0], data[1]] if kind is headwater.MapDataset else data) == [3, 7]
    for wrong in ([True, False, True], np.ones(PHOTOS + 1, dtype=bool)):
        data = kind(address, "photos", "imagenet-train", indices=wrong)
        with pytest.raises(ValueError, match=rf"indices= is a mask of \d+ samples, and dataset photos has {PHOTOS}"):
            data.num_samples
        with pytest.raises(ValueError, match="mask"):
            data[0] if kind is headwater.MapDataset else next(iter(data))


@pytest.mark.parametrize("kind", [headwater.IterableDataset, headwater.MapDataset])
def test_indices_beyond_the_dataset_are_refused_before_the_first_sample(kind, address):
    data = kind(address, "photos", "imagenet-train", indices=[0, PHOTOS])
    with pytest.raises(ValueError, match=f"indices=: there is no sample {PHOTOS}: dataset photos has {PHOTOS} samples"):
        data[0] if kind is headwater.MapDataset else next(iter(data))


def test_a_samplers_length_is_the_datasets(address):
    batched = headwater.IterableDataset(address, "photos", "imagenet-train", batch_size=4)
    assert len(batched) == 7 and batched.num_samples == PHOTOS
    sampler = headwater.ImportanceSampler(len(batched))
    data = headwater.IterableDataset(address, "photos", "imagenet-train", batch_size=4, sampler=sampler)
    with pytest.raises(
        ValueError, match=f"sampler= is for 7 samples, and dataset photos has {PHOTOS}.*data.num_samples"
    ):
        len(data)
    with pytest.raises(ValueError, match="data.num_samples"):
        next(iter(data))
    whole = headwater.ImportanceSampler(batched.num_samples)
    assert len(headwater.IterableDataset(address, "photos", "imagenet-train", batch_size=4, sampler=whole)) == 7


class Own:
    """A sampler of the user's."""

    def __init__(self, chosen):
        self.chosen = chosen

    def epoch_indices(self, epoch):
        return self.chosen


@pytest.mark.parametrize(
    "chosen,kind", [([0, 99], ValueError), ([-1], ValueError), ([0.5], TypeError), ([True, False], TypeError)]
)
def test_what_a_sampler_chooses_is_checked(chosen, kind, address):
    data = headwater.IterableDataset(address, "photos", "imagenet-train", sampler=Own(chosen))
    with pytest.raises(kind, match="sampler="):
        next(iter(data))


@pytest.mark.parametrize(
    "name,value,kind",
    [("beta", "1", TypeError), ("beta", float("nan"), ValueError), ("beta", -1, ValueError), ("beta", True, TypeError)],
)
def test_numbers_of_an_importance_sampler(name, value, kind):
    with pytest.raises(kind, match=f"{name}="):
        headwater.ImportanceSampler(10, **{name: value})


@pytest.mark.parametrize(
    "given,name,kind",
    [
        ({"fraction": float("nan")}, "fraction", ValueError),
        ({"fraction": "half"}, "fraction", TypeError),
        ({"fraction": True}, "fraction", TypeError),
        ({"bytes": 1.5, "sample_bytes": 1}, "bytes", TypeError),
        ({"bytes": 10, "sample_bytes": float("nan")}, "sample_bytes", ValueError),
        ({"bytes": 10, "sample_bytes": 0}, "sample_bytes", ValueError),
        ({"sample_bytes": 8}, "sample_bytes", ValueError),
        ({"overflow": float("nan")}, "overflow", ValueError),
        ({"overflow": "some"}, "overflow", TypeError),
        ({"min_elements": -1}, "min_elements", ValueError),
        ({"shuffle": "no"}, "shuffle", TypeError),
        ({"mode": "gpu"}, "mode", ValueError),
        ({"mode": 1}, "mode", TypeError),
        ({"mode": "node", "places": True}, "places", TypeError),
        ({"mode": "node"}, "places", ValueError),
    ],
)
def test_numbers_of_a_shard_sampler(given, name, kind):
    with pytest.raises(kind, match=f"{name}="):
        headwater.ShardSampler(10, rank=0, world=1, **given)


def test_a_shard_sampler_has_the_places_that_it_has():
    sampler = headwater.ShardSampler(10, rank=0, world=2)
    for call, name in ((sampler.shard, "place"), (sampler.samples, "rank")):
        for value, kind in ((2, ValueError), (-1, ValueError), (0.5, TypeError)):
            with pytest.raises(kind, match=f"{name}="):
                call(value)
    with pytest.raises(ValueError, match="epoch="):
        sampler.set_epoch(-1)


@pytest.mark.parametrize(
    "which,kind", [([-1], ValueError), ([0.7], TypeError), ([True], TypeError), ([10], IndexError)]
)
def test_losses_are_of_samples_that_there_are(which, kind, address):
    sampler = headwater.ImportanceSampler(10)
    with pytest.raises(kind):
        sampler.update(which, [1.0])
    with pytest.raises(kind):
        sampler.weights(which)
    if kind is not IndexError:
        with pytest.raises(kind, match="which="):
            headwater.MapDataset(address, "photos", "imagenet-train").report(which, [1.0])


def test_a_state_of_something_else_is_no_samplers():
    for state in (None, {"losses": [1.0]}, [1]):
        with pytest.raises(headwater.HeadwaterError, match="no state of an ImportanceSampler"):
            headwater.ImportanceSampler(1).load_state_dict(state)


@pytest.mark.parametrize("fields", [("image", "label"), ("image",)])
@pytest.mark.parametrize("settings", [{"batch_size": 8}, {"batch_size": 8, "num_workers": 1}, {}])
def test_a_dataset_that_batches_is_not_batched_again(fields, settings, address):
    data = headwater.IterableDataset(address, "photos", "imagenet-train", batch_size=8, fields=fields)
    with pytest.raises(headwater.HeadwaterError, match=r"DataLoader\(data, batch_size=None\)"):
        next(iter(DataLoader(data, **settings)))
    assert (
        len(
            list(
                DataLoader(
                    data, batch_size=None, **{key: value for key, value in settings.items() if key == "num_workers"}
                )
            )
        )
        == 4
    )
    joined = DataLoader(data, batch_size=2, collate_fn=len)
    assert list(joined) == [2, 2], "a collate_fn of the user's may know what it does"


def test_pixels_and_features_are_not_asked_for_at_once():
    with pytest.raises(ValueError, match='output="pixels" asks for photos'):
        headwater.MapDataset(NOWHERE, "photos", cut="features", model="m", output="pixels")


@pytest.mark.parametrize("sampler", [headwater.ImportanceSampler, 3, [0, 1]])
def test_what_is_no_sampler_is_said(sampler):
    with pytest.raises((TypeError, ValueError), match="is no sampler for this dataset"):
        iterable(sampler=sampler)
