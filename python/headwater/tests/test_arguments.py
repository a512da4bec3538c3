"""Arguments that cannot be right are refused where they are given, in words of the argument and of what it can be."""

import numpy as np
import pytest

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
    assert len(mapped(indices=[])) == 0
