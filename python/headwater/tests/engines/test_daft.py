"""Daft reads every sample once, with the bits of IterableDataset, and only the columns that are asked for."""

from typing import Any, Dict

import headwater
import numpy as np
import pytest
from engine_photos import BROKEN, EPOCH, SEED, Served, broken, check, expected, folder, served, spoilt, streamed
from headwater.texts import text_of

daft = pytest.importorskip("daft", reason="scripts/test --trainers has the engines")
import headwater.daft  # noqa: E402

FIELDS = ("image", "label", "key", "index")


def read(served: Served, **more: Any) -> Any:
    settings = {"batch_size": 4, "fields": FIELDS, "seed": SEED, "epoch": EPOCH, "tasks": 2, **more}
    return headwater.daft.read(served.address, "photos", "imagenet-train", **settings)


@pytest.mark.parametrize("tasks", [1, 2, 5, None])
def test_every_sample_comes_once_with_its_bits(served: Served, expected: Dict[int, Any], tasks: Any) -> None:
    rows = read(served, tasks=tasks, shuffle=True).to_pylist()
    check(rows, expected)
    assert {row["index"]: row["key"] for row in rows} == {
        index: text_of(sample["key"]) for index, sample in expected.items()
    }


def test_a_frame_that_is_collected_again_is_the_same(served: Served, expected: Dict[int, Any]) -> None:
    frame = read(served)
    for _ in range(2):
        check(frame.to_pylist(), expected)
    check(read(served, epoch=EPOCH + 1).to_pylist(), streamed(served, EPOCH + 1))


def test_the_schema_is_known_before_anything_is_read(served: Served) -> None:
    schema = read(served).schema()
    assert schema["image"].dtype == daft.DataType.tensor(daft.DataType.float32(), (3, 224, 224))
    assert [field.name for field in schema] == list(FIELDS)
    pixels = read(served, output="pixels", fields=("image",))
    [first] = pixels.limit(1).to_pylist()
    assert np.asarray(first["image"]).dtype == np.uint8 and np.asarray(first["image"]).shape == (224, 224, 3)


def test_columns_that_are_not_asked_for_are_not_read(spoilt: Served) -> None:
    # The broken photo would be an error.
    frame = read(spoilt)
    assert sorted(frame.select("index").to_pydict()["index"]) == list(range(spoilt.samples))
    assert frame.count_rows() == spoilt.samples
    # Which rows there are does not depend on the columns that are looked at.
    skipping = read(spoilt, on_error="skip")
    assert skipping.count_rows() == len(skipping.select("key").to_pylist()) == spoilt.samples - 1
    few = frame.where(daft.col("index") >= broken(spoilt)).select("key").to_pydict()["key"]
    assert len(few) == spoilt.samples - broken(spoilt) and BROKEN in few


def test_a_limit_and_what_comes_behind(served: Served, expected: Dict[int, Any]) -> None:
    assert len(read(served).limit(5).to_pylist()) == 5
    limited = read(served).where(daft.col("index") >= served.samples - 3).limit(2).to_pylist()
    assert len(limited) == 2
    sums = read(served).groupby("label").agg(daft.col("index").count().alias("n")).to_pydict()
    assert sum(sums["n"]) == served.samples


def test_a_bad_photo_is_an_error_or_is_left_out(spoilt: Served) -> None:
    with pytest.raises(Exception, match=BROKEN):
        read(spoilt).collect()
    check(read(spoilt, on_error="skip").to_pylist(), streamed(spoilt, EPOCH, on_error="skip"))


def test_a_frame_that_is_given_up_half_way_leaves_the_rest(served: Served, expected: Dict[int, Any]) -> None:
    for number, row in enumerate(read(served).iter_rows()):
        assert np.array_equal(row["image"], expected[row["index"]]["image"])
        if number == 3:
            break
    check(read(served).to_pylist(), expected)


def test_what_cannot_be_is_refused_before_anything_runs(served: Served) -> None:
    for keywords, says in [({"epoch": -1}, "epoch=-1"), ({"tasks": 0}, "tasks=0"), ({"plan": "auto"}, "plan")]:
        with pytest.raises((TypeError, ValueError), match=says):
            read(served, **keywords)
