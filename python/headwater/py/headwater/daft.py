"""A dataset on storage servers as a DataFrame of Daft.

    >>> import headwater.daft
    >>> frame = headwater.daft.read("node1:7440,node2:7440", "photos", recipe="imagenet-eval", fields=["image", "key"])

Nothing is read before the frame is collected, and only the columns that are asked for: without "image" no photo is
fetched. Daft's tasks read shares of the dataset: one that runs again gives the same bits.
"""

import asyncio
from typing import Any, AsyncIterator, Iterator, List, Optional

from headwater.arguments import whole
from headwater.blocks import Blocks, Dealt
from headwater.cores import cores_of_rank
from headwater.engines import missing
from headwater.reader import Servers
from headwater.share import Block, Column, Share
from headwater.texts import text_of

try:
    import daft
    from daft.io.pushdowns import Pushdowns
    from daft.io.source import DataSource, DataSourceTask
    from daft.recordbatch import RecordBatch
except ImportError as error:
    raise missing("daft", "daft") from error


def read(
    servers: Servers,
    dataset: str,
    recipe: Any = None,
    *,
    epoch: int = 0,
    tasks: Optional[int] = None,
    shuffle: bool = False,
    **settings: Any,
) -> "daft.DataFrame":
    """The samples of an epoch as a table with a column for each field.

    epoch        which epoch's crops, flips and order
    tasks        how many tasks read it. Default: one for each core here, and no more than there are batches
    shuffle      the epoch's own order; default: that of the dataset, by key (False)
    limit_bandwidth
                 most that each task receives, such as "430Mbps"
    on_error     "raise" SampleError, or "skip" the sample: each task warns of how many it left out

    The other keywords are those of IterableDataset: cut, model, batch_size, drop_last, seed, output, pixels, fields,
    indices, classes, where, prefetch, streams, priority, hedge, window, threads, connect_for, patience, allow_partial,
    limits, allow_non_finite.
    """
    blocks = Blocks(servers, dataset, recipe, shuffle=shuffle, **settings)
    return _Source(blocks, epoch, cores_of_rank() if tasks is None else whole("tasks", tasks, 1)).read()


class _Source(DataSource):
    """The batches of an epoch, in so many tasks."""

    def __init__(self, blocks: Blocks, epoch: int, tasks: int) -> None:
        self._blocks, self._epoch, self._tasks = blocks, epoch, tasks
        # What cannot be right is said here, and not when the frame is collected.
        self._dealt: Dealt = blocks.epoch(epoch)

    @property
    def name(self) -> str:
        """What Daft calls it in its plans."""
        return "Headwater"

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return _schema(self._blocks.wanted.columns)

    async def get_tasks(self, pushdowns: Pushdowns) -> AsyncIterator["_Task"]:
        """The tasks, which read only the columns that are asked for; of a limit's rows no more tasks than have them."""
        wanted, rows = self._blocks.wanted, 0
        if pushdowns.columns is not None:
            wanted = wanted.only([*pushdowns.columns, *pushdowns.filter_required_column_names()])
        count = max(1, min(self._tasks, len(self._dealt)))
        limit = None if self._blocks.may_skip or pushdowns.filters is not None else pushdowns.limit
        for number in range(count):
            if limit is not None and rows >= limit:
                return
            share = self._dealt.run(number, count, wanted)
            rows += share.samples
            yield _Task(share)


class _Task(DataSourceTask):
    """What reads one share."""

    def __init__(self, share: Share) -> None:
        self._share = share

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return _schema(self._share.wanted.columns)

    async def read(self) -> AsyncIterator[RecordBatch]:
        """The batches, each waited for in a thread of its own, so that other tasks go on meanwhile."""
        blocks: Iterator[Block] = iter(self._share)
        while True:
            block = await asyncio.to_thread(next, blocks, None)
            if block is None:
                return
            columns = self._share.wanted.columns
            yield RecordBatch.from_pydict({column.name: _series(column, block[column.name]) for column in columns})


def _schema(columns: Any) -> Any:
    return daft.Schema.from_pydict({column.name: _type(column) for column in columns})


def _type(column: Column) -> Any:
    kinds = {"text": daft.DataType.string(), "int64": daft.DataType.int64(), "float64": daft.DataType.float64()}
    lists = {"integers": daft.DataType.int64(), "numbers": daft.DataType.float64()}
    if column.shape:
        element = daft.DataType.uint8() if column.kind == "uint8" else daft.DataType.float32()
        return daft.DataType.tensor(element, column.shape)
    return daft.DataType.list(lists[column.kind]) if column.kind in lists else kinds[column.kind]


def _series(column: Column, values: Any) -> Any:
    if column.name == "key":
        values = [None if key is None else text_of(key) for key in values]
    if column.is_list:
        values = [value.tolist() if hasattr(value, "tolist") else value for value in values]
        return daft.Series.from_pylist(values, column.name, dtype=_type(column))
    return daft.Series.from_numpy(values, column.name).cast(_type(column))
