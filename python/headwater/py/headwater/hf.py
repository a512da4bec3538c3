"""A dataset on storage servers as an `IterableDataset` of Hugging Face's `datasets`.

    >>> import headwater.hf
    >>> data = headwater.hf.dataset("node1:7440,node2:7440", "photos", recipe="imagenet-train", shards=64)
    >>> data.set_epoch(1)

Its shards are shares of an epoch, so that `split_dataset_by_node`, DataLoader's workers and everything else that deals
shards has each sample once. Which epoch that is says the dataset's `set_epoch`, or that of whatever was made of it.
"""

from functools import partial
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from headwater._headwater import HeadwaterError
from headwater.arguments import whole
from headwater.blocks import Blocks
from headwater.callers import callers
from headwater.engines import missing
from headwater.notices import Notices
from headwater.reader import TOGETHER, Servers
from headwater.share import Column
from headwater.shared import Memory
from headwater.texts import text_of

try:
    import datasets

    # Not documented. The second is who tells the epoch: without it, set_epoch would not be heard.
    from datasets.iterable_dataset import ExamplesIterable, shift_ex_examples_rngs  # noqa: F401
except ImportError as error:
    raise missing("datasets>=5.2", "hf") from error

#: Shards where nobody says how many: what most numbers of nodes and workers divide.
SHARDS = 64


def dataset(
    servers: Servers, dataset: str, recipe: Any = None, *, shards: Optional[int] = None, **settings: Any
) -> "datasets.IterableDataset":
    """The samples one by one, as dictionaries with a value for each field.

    As with every such dataset, each pass is of the epoch that `set_epoch` says, 0 before: the same order and crops
    until it is called again. `shards` is best a multiple of the number of nodes, each of which else reads everything
    and throws most of it away, and at least that of workers. Default: 64, or as many as there are samples.

    on_error     "raise" SampleError, or "skip" the sample: each shard warns of how many it left out
    limit_bandwidth
                 most that each process receives, such as "430Mbps"

    The other keywords are those of IterableDataset: cut, model, shuffle, seed, output, pixels, fields, indices,
    classes, where, prefetch, streams, priority, hedge, window, threads, connect_for, patience, allow_partial, limits,
    allow_non_finite.
    """
    for name in ("batch_size", "drop_last"):
        if name in settings:
            raise TypeError(f"{name}= is not for this dataset, which gives samples: use data.batch, or DataLoader")
    blocks = Blocks(servers, dataset, recipe, **settings)
    count = min(SHARDS, blocks.samples) if shards is None else whole("shards", shards, 1)
    if count > blocks.samples:
        raise ValueError(
            f"shards={count}: dataset {dataset} has {blocks.samples} samples, and no more shards than these"
        )
    # At least as many batches as shards, so that none is empty.
    blocks = blocks.of_batches(min(TOGETHER, blocks.samples // count))
    features = datasets.Features({column.name: _feature(column, blocks.classes) for column in blocks.wanted.columns})
    examples = Shards(Examples(blocks, count), {"shards": list(range(count))})
    return datasets.IterableDataset(examples, info=datasets.DatasetInfo(features=features))


class Examples:
    """The samples of shards, in whichever process that is."""

    def __init__(self, blocks: Blocks, count: int) -> None:
        self._blocks, self._count = blocks, count
        #: Of each shard the epoch of which it was read last, plus one.
        self._begun = Memory(8 * count)
        self._notices = Notices()

    def of(self, epoch: int, shards: List[int]) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """The samples of these shards, of this epoch, each with a key that no other has."""
        for shard in shards:
            self._heed(epoch, shard)
            at = 0
            for block in self._blocks.epoch(epoch).run(shard, self._count):
                texts = {"key": [text_of(key) for key in block["key"]]} if "key" in block else {}
                columns = {**block, **texts}
                for values in zip(*columns.values()):
                    yield f"{shard}-{at}", dict(zip(columns, values))
                    at += 1

    def _heed(self, epoch: int, shard: int) -> None:
        """Warns, once, where an epoch is read again: somebody may have forgotten set_epoch."""
        if not self._blocks.is_random:
            return
        with self._begun.locked():
            begun = self._begun.array(np.int64, (self._count,))
            again, begun[shard] = begun[shard] == epoch + 1, epoch + 1
        if again:
            self._notices.warn(
                f"epoch {epoch} is read again, in the same order and with the same crops: call set_epoch(epoch) on the "
                "dataset before each pass",
                "again",
            )


class Shards(ExamplesIterable):  # type: ignore[misc]  # datasets has no types.
    """What `datasets` deals to nodes and workers, and reads, with the epoch that it tells to all that draw at random.

    A generator of `from_generator` is never told of the epoch. Whatever has `shift_rngs` is, when a pass begins, in
    the thread that iterates the dataset; later, other threads may read the shards.
    """

    def __init__(self, examples: Examples, kwargs: Dict[str, Any], epoch: int = 0) -> None:
        super().__init__(partial(examples.of, epoch), kwargs)
        self._examples, self._epoch = examples, epoch

    def shift_rngs(self, value: int) -> "Shards":
        """The same of the epoch of the dataset that is iterated. It is asked for that, since `value` may be the number
        of a worker.
        """
        return Shards(self._examples, self.kwargs, _epoch())

    def shuffle_data_sources(self, generator: np.random.Generator) -> "Shards":
        """The same with its shards in another order."""
        return self._with(super().shuffle_data_sources(generator))

    def shard_data_sources(self, num_shards: int, index: int, contiguous: bool = True) -> "Shards":
        """A node's or a worker's part of the shards."""
        return self._with(super().shard_data_sources(num_shards, index, contiguous=contiguous))

    def reshard_data_sources(self) -> "Shards":
        """The same: there are as many shards as were asked for."""
        return self

    def _with(self, dealt: ExamplesIterable) -> "Shards":
        return Shards(self._examples, dealt.kwargs, self._epoch)


def _epoch() -> int:
    """The epoch of the dataset that begins a pass: the one that was made here, or what was made of it."""
    for caller in callers():
        owner = caller.local_or("self", None) if caller.module == "datasets.iterable_dataset" else None
        if isinstance(owner, datasets.IterableDataset):
            return int(owner.epoch)
    raise HeadwaterError("no datasets.IterableDataset begins this pass: which epoch is meant is not known")


def _feature(column: Column, classes: List[str]) -> Any:
    if column.name == "label" and classes:
        return datasets.ClassLabel(names=[text_of(name) for name in classes])
    if len(column.shape) == 3:
        return datasets.Array3D(column.shape, column.kind)
    if column.shape:
        return datasets.List(datasets.Value(column.kind), length=column.shape[0])
    kinds = {"text": "string", "integers": "int64", "numbers": "float64"}
    value = datasets.Value(kinds.get(column.kind, column.kind))
    return datasets.List(value) if column.kind in ("integers", "numbers") else value
