"""TensorFlow: the batches of IterableDataset, with exact specifications; each iterator is of the next epoch."""

import gc
import os
import time
from typing import Any, Dict, List

import headwater
import numpy as np
import pytest
from engine_photos import BROKEN, EPOCH, SEED, Served, check, expected, folder, served, spoilt, streamed

tf = pytest.importorskip("tensorflow", reason="scripts/test --trainers has the engines")
import headwater.tensorflow  # noqa: E402

FIELDS = ("image", "label", "key", "index")


def data_of(served: Served, **more: Any) -> Any:
    settings = {"batch_size": 4, "fields": FIELDS, "seed": SEED, "epoch": EPOCH, **more}
    return headwater.tensorflow.dataset(served.address, "photos", "imagenet-train", **settings)


def samples(batches: Any) -> List[Dict[str, Any]]:
    return [dict(zip(FIELDS, sample)) for batch in batches for sample in zip(*(values.numpy() for values in batch))]


def test_batches_are_those_of_a_streamed_dataset(served: Served, expected: Dict[int, Any]) -> None:
    data = data_of(served)
    stream = headwater.IterableDataset(
        served.address, "photos", "imagenet-train", batch_size=4, fields=FIELDS, seed=SEED, output="numpy"
    )
    stream.set_epoch(EPOCH)
    batches = list(stream)
    assert len(data) == len(batches)
    given = list(data)
    assert len(given) == len(batches)
    for one, other in zip(given, batches):
        assert np.array_equal(one[0].numpy(), other[0]) and np.array_equal(one[1].numpy(), other[1])
        assert [os.fsdecode(key) for key in one[2].numpy()] == other[2]
    check(samples(given), expected)


def test_specifications_are_exact(served: Served) -> None:
    image, label, key, index = data_of(served).element_spec
    assert image == tf.TensorSpec((None, 3, 224, 224), tf.float32, "image")
    assert (label.dtype, key.dtype, index.dtype) == (tf.int64, tf.string, tf.int64)
    whole = data_of(served, drop_last=True)
    assert whole.element_spec[0].shape == (4, 3, 224, 224) and len(whole) == served.samples // 4
    assert all(batch[0].shape == (4, 3, 224, 224) for batch in whole)
    single = data_of(served, fields=("image",), output="pixels")
    assert single.element_spec == tf.TensorSpec((None, 224, 224, 3), tf.uint8, "image")
    assert next(iter(single)).dtype == tf.uint8


def test_every_iterator_is_of_the_next_epoch(served: Served, expected: Dict[int, Any]) -> None:
    data = data_of(served)
    check(samples(data), expected)
    check(samples(data), streamed(served, EPOCH + 1))
    repeated = data_of(served).repeat(2)
    both = samples(repeated)
    check(both[: served.samples], expected)
    check(both[served.samples :], streamed(served, EPOCH + 1))


def test_one_that_is_given_up_counts_as_a_pass_and_leaves_no_connection(served: Served) -> None:
    data = data_of(served)
    for _ in data.take(2):
        pass
    iterator = iter(data)
    next(iterator)
    del iterator
    check(samples(data), streamed(served, EPOCH + 2))
    for _ in range(200):
        if all(server.connections() == 0 for server in served.servers):
            return
        gc.collect()
        time.sleep(0.05)
    raise AssertionError([server.connections() for server in served.servers])


def test_ranks_have_as_many_batches_and_each_sample_once(served: Served, expected: Dict[int, Any]) -> None:
    ranks = [data_of(served, rank=rank, world=2) for rank in range(2)]
    assert len(ranks[0]) == len(ranks[1])
    check([sample for rank in ranks for sample in samples(rank)], expected)


def test_transformations_of_tf_data_work(served: Served, expected: Dict[int, Any]) -> None:
    data = data_of(served).unbatch().map(lambda *fields: fields, num_parallel_calls=2).batch(5).prefetch(2)
    check(samples(data), expected)


def test_keras_fits_on_it(served: Served) -> None:
    data = data_of(served, fields=("image", "label"), batch_size=8)
    network = tf.keras.Sequential([tf.keras.layers.AveragePooling2D(56, data_format="channels_first")])
    network.add(tf.keras.layers.Flatten())
    network.add(tf.keras.layers.Dense(10))
    network.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = network.fit(data.map(lambda image, label: (image, tf.maximum(label, 0))), epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2 and all(np.isfinite(history.history["loss"]))


def test_a_bad_photo_is_an_error_or_is_left_out(spoilt: Served) -> None:
    with pytest.raises(tf.errors.OpError, match=BROKEN):
        list(data_of(spoilt))
    data = data_of(spoilt, on_error="skip", batch_size=1)
    with pytest.raises(TypeError):
        len(data)
    check(samples(data), streamed(spoilt, EPOCH, on_error="skip"))


def test_what_cannot_be_is_refused_at_once(served: Served) -> None:
    for keywords, says in [({"epoch": -1}, "epoch=-1"), ({"rank": 2, "world": 2}, "rank=2"), ({"plan": 1}, "plan")]:
        with pytest.raises((TypeError, ValueError), match=says):
            data_of(served, **keywords)
