"""A dataset on storage servers for Ray Data.

    >>> import headwater.ray, ray
    >>> source = headwater.ray.Datasource("node1:7440,node2:7440", "photos", recipe="imagenet-eval")
    >>> data = ray.data.read_datasource(source)

Ray's tasks read shares of the dataset: a task that Ray runs again gives the same bits. Which machine runs a task is
Ray's to say, since its public interface takes no wish of a single read task's; `ray_remote_args` of `read_datasource`
says it for all of them.
"""

import copy
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional

import numpy as np

from headwater.blocks import Blocks
from headwater.engines import missing
from headwater.reader import Servers
from headwater.share import Block, Share
from headwater.texts import text_of

try:
    import ray.data
    from ray.data.block import BlockAccessor, BlockMetadata
    from ray.data.datasource import ReadTask
except ImportError as error:
    raise missing("ray[data]", "ray") from error


class Datasource(ray.data.Datasource):
    """The samples of an epoch as a table with a column for each field, for `ray.data.read_datasource`.

    A task's every batch is a block, which Ray joins or splits as its own settings say. Columns that are not selected
    are not read: without "image" no photo is fetched.

    epoch        which epoch's crops, flips and order
    shuffle      the epoch's own order; default: that of the dataset, by key (False)
    threads      threads that finish recipes, in each task. Default: 1, as a task has one CPU
    limit_bandwidth
                 most that each task receives, such as "430Mbps"
    on_error     "raise" SampleError, or "skip" the sample: each task warns of how many it left out

    The other keywords are those of IterableDataset: cut, model, batch_size, drop_last, seed, output, pixels, fields,
    indices, classes, where, prefetch, streams, priority, hedge, window, connect_for, patience, allow_partial, limits,
    allow_non_finite.
    """

    def __init__(
        self,
        servers: Servers,
        dataset: str,
        recipe: Any = None,
        *,
        epoch: int = 0,
        shuffle: bool = False,
        threads: int = 1,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._blocks = Blocks(servers, dataset, recipe, shuffle=shuffle, threads=threads, **settings)
        self._dealt = self._blocks.epoch(epoch)
        self._wanted = self._blocks.wanted
        self._projected: Optional[Dict[str, str]] = None

    @property
    def classes(self) -> List[str]:
        """Class names: a label is a position in this list."""
        return self._blocks.classes

    def get_name(self) -> str:
        """What Ray calls its read tasks."""
        return "Headwater"

    def estimate_inmemory_data_size(self) -> Optional[int]:
        """Bytes of all blocks."""
        return self._dealt.samples * sum(column.bytes() for column in self._wanted.columns)

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: Optional[int] = None, data_context: Any = None
    ) -> List[ReadTask]:
        """So many tasks, or one for each batch where there are fewer."""
        count = max(1, min(parallelism, len(self._dealt)))
        shares = [self._dealt.run(number, count, self._wanted) for number in range(count)]
        return [_task(share, self._blocks.may_skip, per_task_row_limit) for share in shares]

    def supports_projection_pushdown(self) -> bool:
        """Whether only the columns that are selected are read: they are."""
        return True

    def get_projection_map(self) -> Optional[Dict[str, str]]:
        """The columns that are selected; None: all."""
        return self._projected

    def apply_projection(self, projection_map: Optional[Dict[str, str]]) -> "Datasource":
        """The same with these columns of those that it has."""
        projected = copy.copy(self)
        if projection_map is not None:
            known = [column.name for column in self._wanted.columns]
            projected._projected = {name: name for name in known if name in projection_map}
            projected._wanted = self._wanted.only(list(projection_map))
        return projected


def _task(share: Share, may_skip: bool, limit: Optional[int]) -> ReadTask:
    rows = None if may_skip else share.samples
    metadata = BlockMetadata(num_rows=rows, size_bytes=share.bytes(), exec_stats=None, input_files=None)
    return ReadTask(_reading(share), metadata, per_task_row_limit=limit)


def _reading(share: Share) -> Callable[[], Iterable[Any]]:
    """What a task runs. Ray asks it for its name, which a functools.partial does not have."""

    def read() -> Iterator[Any]:
        for block in share:
            yield _block(share, block)

    return read


def _block(share: Share, block: Block) -> Any:
    return BlockAccessor.batch_to_block({name: _array(name, values) for name, values in block.items()})


def _array(name: str, values: Any) -> Any:
    if not isinstance(values, list):
        return values
    array = np.empty(len(values), dtype=object)
    array[:] = [text_of(value) if name == "key" and value is not None else value for value in values]
    return array
