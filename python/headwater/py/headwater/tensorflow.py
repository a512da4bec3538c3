"""A dataset on storage servers as a `tf.data.Dataset`.

    >>> import headwater.tensorflow
    >>> data = headwater.tensorflow.dataset("node1:7440,node2:7440", "photos", recipe="imagenet-train", batch_size=256)
    >>> network.fit(data, epochs=90)

Batches are tuples of the fields, as Keras takes them.
"""

import itertools
import os
import threading
from typing import Any, Iterator, Optional, Tuple

import numpy as np

from headwater.arguments import MOST_EPOCH, whole
from headwater.blocks import Blocks
from headwater.engines import missing
from headwater.ranks import Place
from headwater.reader import Servers
from headwater.share import Column

try:
    import tensorflow as tf
except ImportError as error:
    raise missing("tensorflow", "tensorflow") from error


def dataset(
    servers: Servers,
    dataset: str,
    recipe: Any = None,
    *,
    epoch: int = 0,
    rank: Optional[int] = None,
    world: Optional[int] = None,
    **settings: Any,
) -> "tf.data.Dataset":
    """The batches of this rank. Every iterator that is made of the dataset, by `repeat` or Keras too, gives the next
    epoch: its order and crops.

    epoch        that of the first iterator
    rank, world  default: what torchrun, Slurm or MPI have set, as for IterableDataset. Under tf.distribute:
                 `rank=context.input_pipeline_id, world=context.num_input_pipelines` in
                 `strategy.distribute_datasets_from_function`
    batch_size   samples of a batch; default: 64
    drop_last    leaves out what makes no whole batch of all ranks: then the batches' shapes are known
    on_error     "raise" SampleError, which TensorFlow wraps, or "skip" the sample: each pass warns of how many it left
                 out, and `len` of the dataset is not known

    The other keywords are those of IterableDataset: cut, model, shuffle, seed, output, pixels, fields, indices,
    classes, where, prefetch, streams, priority, hedge, window, threads, connect_for, patience, limit_bandwidth,
    allow_partial, limits, allow_non_finite. Texts are their bytes (os.fsencode of a key); fields that are lists of
    numbers have no fixed shape, and are refused.
    """
    blocks = Blocks(servers, dataset, recipe, **settings)
    ranked = Place(rank, world).resolve()
    batches = len(blocks.epoch(epoch, *ranked))
    for column in blocks.wanted.columns:
        if column.kind in ("integers", "numbers"):
            raise ValueError(f"fields: {column.name!r} has lists of any length, and a tf.data.Dataset has none")
    static = blocks.batch_size if settings.get("drop_last", False) and not blocks.may_skip else None
    specs = tuple(_spec(column, static) for column in blocks.wanted.columns)
    passes = Passes(blocks, whole("epoch", epoch, 0, MOST_EPOCH), ranked)
    made: "tf.data.Dataset" = tf.data.Dataset.from_generator(
        passes, output_signature=specs if len(specs) > 1 else specs[0]
    )
    if blocks.may_skip:
        return made
    return made.apply(tf.data.experimental.assert_cardinality(batches))


class Passes:
    """What TensorFlow calls for the batches of each pass."""

    def __init__(self, blocks: Blocks, epoch: int, ranked: Tuple[int, int]) -> None:
        self._blocks, self._ranked = blocks, ranked
        self._epochs, self._lock = itertools.count(epoch), threading.Lock()

    def __call__(self) -> Iterator[Any]:
        """The batches of the next epoch."""
        with self._lock:
            epoch = next(self._epochs)
        columns = self._blocks.wanted.columns
        for block in self._blocks.epoch(epoch, *self._ranked).share(slice(None)):
            if columns and len(block[columns[0].name]) == 0:
                # All samples of the batch were left out.
                continue
            fields = tuple(_values(column, block[column.name]) for column in columns)
            yield fields if len(fields) > 1 else fields[0]


def _spec(column: Column, size: Optional[int]) -> "tf.TensorSpec":
    kind = tf.string if column.kind == "text" else tf.as_dtype(column.kind)
    return tf.TensorSpec((size, *column.shape), kind, column.name)


def _values(column: Column, values: Any) -> Any:
    if column.kind != "text":
        return values
    if None in values:
        raise ValueError(f"field {column.name!r} of a sample has no value, and a string of TensorFlow cannot say so")
    return np.asarray([os.fsencode(value) if column.name == "key" else value.encode() for value in values])
