"""Trainers that deal samples themselves: Accelerate, and so Hugging Face's Trainer, wrap every loader that they are
given.

They hand on to a dataset one thing only, `set_epoch`, before each pass; and they ask for its length. So whoever asks is
looked for among those who called. Two do something to what a dataset gives:

- `DataLoaderDispatcher` has process 0 read everything, and sends each process its part.
- `IterableDatasetShard` throws away, in each process, what is another's: of a dataset that has dealt already, most.
"""

from itertools import islice
from typing import Any, NamedTuple, Optional

from headwater._headwater import HeadwaterError
from headwater.callers import callers

#: Callers outside this package that are looked at: a loader's iterator, a wrapper or two, and those who call them.
DEPTH = 12
PACKAGES = ("accelerate.", "transformers.")


class Dispatched(NamedTuple):
    """One process reads the dataset for all: whether this is the one that gives samples."""

    gives: bool


class Driver(NamedTuple):
    """The trainer's loader that asks."""

    #: Set where the loader deals what one process reads.
    dispatched: Optional[Dispatched]
    #: Accelerate's loader, where there is one.
    loader: Optional[Any]
    #: Whether that loader tells of a pass that it begins: it counts epochs by itself, from 0.
    counts: bool


def driver() -> Driver:
    """Finds who asks. Shards that would throw samples away are set to pass everything: the dataset deals by itself."""
    dispatched, loader, counts = None, None, False
    others = (caller for caller in callers() if not caller.is_ours)
    for caller in islice(others, DEPTH):
        # Not isinstance(): adapters pretend to be the loaders that they wrap.
        instance = caller.local_or("self", None)
        kind = type(instance)
        if not kind.__module__.startswith(PACKAGES):
            continue
        if kind.__name__ == "IterableDatasetShard":
            _pass_everything(instance, caller.function)
        if kind.__name__ == "DataLoaderDispatcher":
            dispatched = Dispatched(gives=instance.state.process_index == 0)
        if kind.__name__ in ("DataLoaderShard", "DataLoaderDispatcher"):
            loader, counts = instance, counts or caller.function == "__iter__"
    return Driver(dispatched, loader, counts)


def _pass_everything(shard: Any, function: str) -> None:
    """Sets a shard to batches of one sample for one process: then it passes on each, and never fills up the last."""
    if (shard.num_processes, shard.process_index, shard.batch_size) == (1, 0, 1):
        return
    if function == "__iter__":
        raise HeadwaterError(
            f"{type(shard).__module__} divides among {shard.num_processes} processes what this dataset has divided "
            "already: call set_epoch on the prepared loader before each pass, or leave this loader out of prepare()"
        )
    shard.num_processes, shard.process_index, shard.batch_size, shard.split_batches = 1, 0, 1, False
