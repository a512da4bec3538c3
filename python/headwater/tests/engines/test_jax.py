"""JAX by Grain: the batches of IterableDataset in their order, with any workers, from any state on."""

import os
import pickle
import time
from typing import Any, Dict, List

import headwater
import numpy as np
import pytest
from engine_photos import BROKEN, EPOCH, SEED, Served, check, expected, folder, served, spoilt, streamed

grain = pytest.importorskip("grain", reason="scripts/test --trainers has the engines")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax  # noqa: E402
from absl import flags  # noqa: E402

import headwater.jax  # noqa: E402

# Grain's workers want the flags of Abseil parsed, as absl.app.run does.
flags.FLAGS.mark_as_parsed()
FIELDS = ("image", "label", "key", "index")


def source(served: Served, **more: Any) -> headwater.jax.DataSource:
    settings = {"batch_size": 4, "fields": FIELDS, "seed": SEED, "epoch": EPOCH, **more}
    return headwater.jax.DataSource(served.address, "photos", "imagenet-train", **settings)


def samples(batches: Any) -> List[Dict[str, Any]]:
    return [dict(zip(batch, sample)) for batch in batches for sample in zip(*batch.values())]


def order(batches: Any) -> List[List[int]]:
    return [batch["index"].tolist() for batch in batches]


def test_batches_are_those_of_a_streamed_dataset(served: Served, expected: Dict[int, Any]) -> None:
    stream = headwater.IterableDataset(
        served.address, "photos", "imagenet-train", batch_size=4, fields=FIELDS, seed=SEED, output="numpy"
    )
    stream.set_epoch(EPOCH)
    given, batches = list(source(served)), list(stream)
    assert len(given) == len(batches) == source(served).steps
    for one, other in zip(given, batches):
        assert all(np.array_equal(one[name], values) for name, values in zip(FIELDS, other))
    check(samples(given), expected)
    assert jax.numpy.asarray(given[0]["image"]).dtype == jax.numpy.float32


def test_an_iterator_begins_anew_and_epochs_follow_each_other(served: Served, expected: Dict[int, Any]) -> None:
    data = source(served, epochs=2)
    for _ in range(2):
        both = samples(data)
        check(both[: served.samples], expected)
        check(both[served.samples :], streamed(served, EPOCH + 1))
    endless = iter(source(served, epochs=None))
    seen = [next(endless) for _ in range(2 * source(served).steps + 1)]
    assert order(seen[:-1]) == order(data)
    iterator = iter(source(served))
    assert len(list(iterator)) == source(served).steps and list(iterator) == []


def test_workers_give_the_order_of_a_run_without(served: Served) -> None:
    data = source(served, epochs=2, batch_size=5)
    expected = list(data)
    options = grain.MultiprocessingOptions(num_workers=3, per_worker_buffer_size=1)
    given = list(data.mp_prefetch(options))
    assert order(given) == order(expected)
    assert all(np.array_equal(one["image"], other["image"]) for one, other in zip(given, expected))


@pytest.mark.parametrize("workers", [0, 2])
def test_it_goes_on_where_a_state_says(served: Served, workers: int) -> None:
    def begun() -> Any:
        data = source(served, epochs=2)
        options = grain.MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=1)
        return iter(data.mp_prefetch(options) if workers else data)

    whole, steps = order(source(served, epochs=2)), source(served).steps
    # Each run with workers takes seconds.
    for steps in (steps + 2,) if workers else (0, 3, steps, steps + 2):
        iterator = begun()
        first = [next(iterator) for _ in range(steps)]
        state = pickle.loads(pickle.dumps(iterator.get_state()))
        iterator.close()
        again = begun()
        again.set_state(state)
        assert order(first) + order(again) == whole


def test_transformations_of_grain_work(served: Served, expected: Dict[int, Any]) -> None:
    data = source(served).map(lambda batch: {**batch, "more": batch["label"] + 1}).filter(lambda batch: True)
    found = samples(data)
    check(found, expected)
    assert all(sample["more"] == sample["label"] + 1 for sample in found)


def test_ranks_have_as_many_batches_and_each_sample_once(served: Served, expected: Dict[int, Any]) -> None:
    ranks = [source(served, rank=rank, world=2) for rank in range(2)]
    assert ranks[0].steps == ranks[1].steps
    check([sample for rank in ranks for sample in samples(rank)], expected)


def test_a_bad_photo_is_an_error_or_is_left_out(spoilt: Served) -> None:
    iterator = iter(source(spoilt))
    for _ in range(2):
        # Whoever goes on after the error meets it again, and no end.
        with pytest.raises(headwater.SampleError, match=BROKEN):
            list(iterator)
    options = grain.MultiprocessingOptions(num_workers=2, per_worker_buffer_size=1)
    with pytest.raises(Exception, match=BROKEN):
        list(source(spoilt).mp_prefetch(options))
    check(samples(source(spoilt, on_error="skip", batch_size=1)), streamed(spoilt, EPOCH, on_error="skip"))


def test_what_is_closed_leaves_no_connection(served: Served) -> None:
    before = [server.connections() for server in served.servers]
    iterator = iter(source(served))
    next(iterator)
    assert sum(server.connections() for server in served.servers) > sum(before)
    iterator.close()
    for _ in range(200):
        if [server.connections() for server in served.servers] <= before:
            break
        time.sleep(0.05)
    assert [server.connections() for server in served.servers] <= before
    with pytest.raises(ValueError, match="closed"):
        next(iterator)


def test_what_cannot_be_is_refused_at_once(served: Served) -> None:
    for keywords, says in [
        ({"epoch": -1}, "epoch=-1"),
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 999, "drop_last": True}, "no batch"),
        ({"plan": "auto"}, "plan"),
    ]:
        with pytest.raises((TypeError, ValueError), match=says):
            source(served, **keywords)
