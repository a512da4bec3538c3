"""A dataset on storage servers for JAX, by Grain.

    >>> import headwater.jax
    >>> source = headwater.jax.DataSource("node1:7440,node2:7440", "photos", recipe="imagenet-train", batch_size=256)
    >>> for batch in source:
    ...     step(batch["image"], batch["label"])

It is an `IterDataset`, which streams, and no `RandomAccessDataSource`: that is asked for a sample at a time, and every
sample would wait for an answer of its own, while a stream is fetched ahead. Nothing is lost by it. Which batch comes
when is computed, so that Grain's workers share the batches, and a state is a number.
"""

import sys
from typing import Any, Dict, Generator, List, Optional, Tuple

import numpy as np

from headwater._headwater import HeadwaterError
from headwater.arguments import MOST_EPOCH, whole
from headwater.blocks import Blocks
from headwater.engines import missing
from headwater.ranks import Place
from headwater.reader import Servers
from headwater.share import Block

try:
    import grain
except ImportError as error:
    raise missing("grain", "jax") from error


class DataSource(grain.IterDataset):
    """The batches of this process, as dictionaries of NumPy arrays by field; of one epoch after the other.

    With `mp_prefetch` each worker fetches every so-many-th batch, and they come in the order of a run without workers.

    epoch        the first epoch
    epochs       how many; None: one after the other, without end. Default: 1
    rank, world  default: `jax.process_index()` and `jax.process_count()` where jax.distributed is initialised, else
                 what torchrun, Slurm or MPI have set. All have as many batches
    batch_size   samples of a batch, in this process; default: 64
    drop_last    leaves out what makes no whole batch of all ranks
    limit_bandwidth
                 most that each process receives, a worker too, such as "430Mbps"
    on_error     "raise" SampleError, or "skip" the sample: each pass warns of how many it left out

    The other keywords are those of IterableDataset: cut, model, shuffle, seed, output, pixels, fields, indices,
    classes, where, prefetch, streams, priority, hedge, window, threads, connect_for, patience, allow_partial, limits,
    allow_non_finite.
    Keys and texts are lists.
    """

    def __init__(
        self,
        servers: Servers,
        dataset: str,
        recipe: Any = None,
        *,
        epoch: int = 0,
        epochs: Optional[int] = 1,
        rank: Optional[int] = None,
        world: Optional[int] = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._blocks = Blocks(servers, dataset, recipe, **settings)
        self._first = whole("epoch", epoch, 0, MOST_EPOCH)
        self._epochs = None if epochs is None else whole("epochs", epochs, 1, MOST_EPOCH)
        self._ranked = _ranked(rank, world)
        #: Batches of an epoch.
        self.steps = len(self._blocks.epoch(self._first, *self._ranked))
        if not self.steps:
            raise ValueError("no batch is left: drop_last=True leaves out what makes no whole batch of all ranks")
        #: The batches that this has of all epochs: every so-many-th, from one on.
        self._begin, self._stride = 0, 1

    @property
    def classes(self) -> List[str]:
        """Class names: a label is a position in this list."""
        return self._blocks.classes

    def set_slice(self, sl: slice, sequential_slice: bool = False) -> None:
        """Called by Grain in each of its workers: what of all batches the worker fetches."""
        if sequential_slice:
            raise ValueError("sequential_slice=True is not for this dataset: batches go to workers in turn")
        self._begin += (sl.start or 0) * self._stride
        self._stride *= sl.step or 1

    def __iter__(self) -> "Batches":
        return Batches(self)

    def __str__(self) -> str:
        return f"headwater.jax.DataSource({self._blocks.wanted.keywords['dataset']!r})"

    def batches(self, taken: int) -> Generator[Block, None, None]:
        """The batches behind so many that were taken; those of which all samples were left out are empty."""
        number = self._begin + taken * self._stride
        while self._epochs is None or number < self._epochs * self.steps:
            epoch, first = divmod(number, self.steps)
            dealt = self._blocks.epoch(self._first + epoch, *self._ranked)
            share = dealt.share(slice(first, None, self._stride), self._blocks.wanted.of_workers(self._stride))
            for block in share:
                number += self._stride
                yield block


class Batches(grain.DatasetIterator):
    """Batches of a source, from any on. A state counts those that were taken, and not which they were: Grain has the
    first state of a worker's iterator from a process that does not know the worker's part.
    """

    def __init__(self, source: DataSource) -> None:
        super().__init__()
        self._source, self._taken = source, 0
        self._batches: Optional[Generator[Block, None, None]] = None
        self._is_closed = False

    def __next__(self) -> Block:
        self._assert_open()
        if self._batches is None:
            self._batches = self._source.batches(self._taken)
        batches = self._batches
        while True:
            try:
                # Where it ends it stays at its end: StopIteration comes again.
                block = next(batches)
            except HeadwaterError:
                # So does an error: whoever goes on after it must not take it for the end.
                self._batches = None
                raise
            self._taken += 1
            if any(len(values) for values in block.values()):
                return block

    def _assert_open(self) -> None:
        if self._is_closed:
            raise ValueError("this iterator is closed: make another of its source")

    def get_state(self) -> Dict[str, Any]:
        """How many batches were taken."""
        return {"taken": np.int64(self._taken)}

    def set_state(self, state: Dict[str, Any]) -> None:
        """Goes on behind so many batches."""
        self._taken, batches, self._batches = int(state["taken"]), self._batches, None
        if batches is not None:
            batches.close()

    def close(self) -> None:
        """Ends the connection and its threads."""
        self._is_closed = True
        batches, self._batches = self._batches, None
        if batches is not None:
            batches.close()
        super().close()


def _ranked(rank: Optional[int], world: Optional[int]) -> Tuple[int, int]:
    place, jax = Place(rank, world), sys.modules.get("jax")
    if rank is None and jax is not None and jax.distributed.is_initialized():
        return int(jax.process_index()), int(jax.process_count())
    return place.resolve()
