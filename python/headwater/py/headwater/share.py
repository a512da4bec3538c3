"""Some batches of an epoch, for whichever process reads them.

A share is settings and numbers: which samples, of which generation, with which draws. So it can be pickled, and reading
it again, after a task was killed for one, gives the same bits. It never gives a sample of another generation than its
dataset was made of: where the servers no longer hold that one, it is a GenerationError.
"""

import warnings
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from headwater.callers import stacklevel_outside
from headwater.columns import Columns
from headwater.cores import cores_of_rank
from headwater.errors import HeadwaterWarning
from headwater.failures import Rows
from headwater.ranks import Place
from headwater.reader import DESCRIBED, Reader
from headwater.repeats import Epochs
from headwater.source import Description

#: A batch: an array for each field, a list for texts and for lists of numbers.
Block = Dict[str, Any]


class Column(NamedTuple):
    """A field of a block."""

    name: str
    #: float32, uint8, int64 or float64 with this shape for each sample; "text" and "texts" that may be None; "integers"
    #: and "numbers": arrays of any length, or None.
    kind: str
    shape: Tuple[int, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether a block has a list of it, and no array."""
        return self.kind in ("text", "integers", "numbers")

    def bytes(self) -> int:
        """About how many bytes a sample takes."""
        return 64 if self.is_list else int(np.dtype(self.kind).itemsize * np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Wanted:
    """What is read of each sample, and from where."""

    #: The keywords of a Reader.
    keywords: Mapping[str, Any]
    held: Description
    columns: Tuple[Column, ...]
    #: The labels for the servers' labels, the last for samples without one; None: the servers' own.
    labels: Optional[npt.NDArray[np.int64]]

    def only(self, names: Sequence[str]) -> "Wanted":
        """The same with some of the fields, or with the index where there are none. Without the image no photo is
        fetched, unless those that fail are left out: which these are must not depend on who looks.
        """
        columns = tuple(column for column in self.columns if column.name in names) or (Column("index", "int64"),)
        fields = [column.name for column in columns]
        if self.keywords["on_error"] == "skip" and "image" in self.keywords["fields"] and "image" not in fields:
            fields.append("image")
        return replace(self, columns=columns, keywords={**self.keywords, "fields": fields})

    def of_workers(self, count: int) -> "Wanted":
        """The same for each of so many processes that share this one's cores."""
        if count == 1 or self.keywords["threads"]:
            return self
        return replace(self, keywords={**self.keywords, "threads": max(1, cores_of_rank() // count)})


@dataclass(frozen=True)
class Share:
    """Batches of these sizes of these samples, in this order."""

    wanted: Wanted
    indices: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.uint64]
    #: The addresses of the samples' draws.
    draws: Epochs
    #: What the share is called in warnings.
    name: str

    @property
    def samples(self) -> int:
        """How many samples it has; with on_error="skip" it may give fewer."""
        return len(self.indices)

    def bytes(self) -> int:
        """About how many bytes its blocks take."""
        return self.samples * sum(column.bytes() for column in self.wanted.columns)

    def __iter__(self) -> Iterator[Block]:
        """The blocks; with on_error="skip" one may have no sample, so that there are as many as sizes.

        Threads and the connection end with the iterator, also where it is given up half-way.
        """
        reader = Reader(self.wanted.keywords, Place(0, 1), repeats=False, held=self.wanted.held)
        rows = self._rows(reader)
        try:
            for each in rows:
                yield self._block(each, reader.samples.columns)
        finally:
            rows.close()
            self._say(reader.counters())
            reader.close()

    def _rows(self, reader: Reader) -> Any:
        reading = reader.reading
        if "image" in reading.fields:
            ahead = self.wanted.keywords["prefetch"]
            yield from reader.read(self.indices, self.sizes, self.draws, ahead, singles=True)
            return
        # Of a share's samples the servers are asked, and not for the list of all.
        ends = np.cumsum(self.sizes).astype(np.int64).tolist()
        for first, last in zip([0, *ends], ends):
            parts = [slice(at, min(at + DESCRIBED, last)) for at in range(first, last, DESCRIBED)]
            given = [reader.source.described(self.indices[part], reading.columns) for part in parts]
            keys = [key for each in given for key in each[0]]
            columns = [[value for each in given for value in each[2][at]] for at in range(len(reading.columns))]
            labels = np.concatenate([each[1] for each in given])
            yield Rows(np.empty((last - first, 0)), self.indices[first:last], labels, list(keys), [], columns)

    def _block(self, rows: Rows, columns: Columns) -> Block:
        return {column.name: self._column(column, rows, columns) for column in self.wanted.columns}

    def _column(self, column: Column, rows: Rows, columns: Columns) -> Any:
        if column.name == "image":
            return rows.values
        if column.name == "label":
            return rows.labels if self.wanted.labels is None else self.wanted.labels[rows.labels]
        if column.name == "index":
            return rows.indices.astype(np.int64)
        if column.name == "key":
            return list(rows.keys)
        if column.is_list:
            names: List[str] = list(self.wanted.keywords["fields"])
            own = [name for name in names if name not in ("image", "label", "key", "index")]
            return list(rows.columns[own.index(column.name)])
        return columns.batch(column.name, rows.columns, rows.keys)

    def _say(self, counters: Mapping[str, int]) -> None:
        """Warns of what was left out: the only word that comes from a task of an engine."""
        skipped = counters["skipped"]
        if skipped:
            warnings.warn(
                f"{self.name}: {skipped} of {self.samples} samples failed and were left out",
                HeadwaterWarning,
                stacklevel=stacklevel_outside(),
            )
