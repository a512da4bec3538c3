"""Samples that fail: an error, left out, or another in their place, as was asked for; and counted."""

from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import numpy as np
import numpy.typing as npt

from headwater.earlier import GONE
from headwater.errors import SampleError
from headwater.repeats import Epochs
from headwater.selection import Selection
from headwater.shared import Counters
from headwater.source import Source

#: Neighbours that are tried in place of a sample that fails.
SUBSTITUTES = 16

#: Batches of samples: indices, sizes, epochs, and batches that are made ahead.
Fetch = Callable[[npt.NDArray[np.uint64], npt.NDArray[np.uint64], Epochs, int], Any]

#: A sample that failed: (row, kind, message).
Failure = Tuple[int, str, str]


class Rows(NamedTuple):
    """Finished samples: a row of `values` for each."""

    values: npt.NDArray[Any]
    indices: npt.NDArray[np.uint64]
    labels: npt.NDArray[np.int64]
    keys: List[Optional[str]]
    failures: List[Failure]
    #: Of each of the dataset's own fields that were asked for the value in each row: int, float, str, a NumPy array, or
    #: None where the dataset does not say it.
    columns: List[List[Any]] = []
    #: Where each row stood before others were skipped; None where no row was skipped.
    places: Optional[List[int]] = None
    #: The index of the sample in whose place each is given, -1 where it is its own; None where none is in another's.
    replaced: Optional[npt.NDArray[np.int64]] = None


class Names:
    """Samples without their photos, given one by one as a fetch gives them."""

    def __init__(self, rows: Rows) -> None:
        self._rows, self._next = rows, 0

    def next(self) -> Any:
        at, rows = self._next, self._rows
        if at >= len(rows.indices):
            return None
        self._next += 1
        columns = [column[at : at + 1] for column in rows.columns]
        return (
            rows.values[at : at + 1],
            rows.indices[at : at + 1],
            rows.labels[at : at + 1],
            [rows.keys[at]],
            [],
            columns,
        )

    def close(self) -> None:
        self._next = len(self._rows.indices)


def without_gone(rows: Rows, gone: npt.NDArray[np.uint64]) -> Rows:
    """Rows in which those that stand for samples that are gone have failed."""
    lost = np.flatnonzero(gone).tolist()
    if not lost:
        return rows
    why = "it was removed from the dataset since the epoch began that is gone on with here"
    failures = [failure for failure in rows.failures if failure[0] not in lost]
    for row in lost:
        # Its neighbour stood for it: from here on it goes by the number and the name that it had, as far as known.
        rows.indices[row], rows.keys[row] = gone[row] & ~GONE, None
    return rows._replace(failures=[*failures, *((row, "not-found", why) for row in lost)])


class Failures:
    """What is done about samples that fail."""

    def __init__(self, on_error: str, source: Source, selection: Selection, counters: Counters) -> None:
        self._on_error = on_error
        self._source, self._selection, self._counters = source, selection, counters

    def settle(self, rows: Rows, epochs: Epochs, singles: bool, fetch: Fetch) -> Rows:
        """The rows without failures; `fetch` gives samples in their place. Of `singles` no row may be left. A batch
        keeps one row, so that every rank takes as many steps.
        """
        self._counters.add("samples", len(rows.indices) - len(rows.failures))
        if not rows.failures:
            return rows
        self._counters.add("failed", len(rows.failures))
        self._raise_or_warn(rows)
        failures = rows.failures
        if self._on_error == "skip":
            # After the last sample most likely no more fail.
            last = max(failures, key=lambda failure: int(rows.indices[failure[0]]))
            if len(failures) == len(rows.indices) and not singles:
                self._substitute(rows, last, epochs, fetch)
                failures = [failure for failure in failures if failure is not last]
            return self._without(rows, failures)
        for failure in failures:
            self._substitute(rows, failure, epochs, fetch)
        return rows._replace(failures=[])

    def _raise_or_warn(self, rows: Rows) -> None:
        """Raises an error of the first failure, or warns of it once."""
        at, kind, message = rows.failures[0]
        index, key = int(rows.indices[at]), rows.keys[at]
        if self._on_error == "raise":
            raise SampleError(f"sample {index} failed: {message}", kind=kind, index=index, key=key)
        done = "left out" if self._on_error == "skip" else "given another in its place"
        warning = f"sample {index} ({key}) failed and is {done}: {message}; more may, and are counted"
        self._source.notices.warn(warning, "failures")

    def _without(self, rows: Rows, failures: List[Failure]) -> Rows:
        self._counters.add("skipped", len(failures))
        failed = {row for row, _, _ in failures}
        keep = [row for row in range(len(rows.indices)) if row not in failed]
        keys = [rows.keys[row] for row in keep]
        columns = [[column[row] for row in keep] for column in rows.columns]
        return Rows(rows.values[keep], rows.indices[keep], rows.labels[keep], keys, [], columns, keep)

    def _substitute(self, rows: Rows, failure: Failure, epochs: Epochs, fetch: Fetch) -> None:
        """Puts the next sample that does not fail in the place of one that does: in the order of keys, and so mostly of
        its class.
        """
        row, kind, why = failure
        epoch = epochs if isinstance(epochs, int) else int(epochs[row])
        candidates = self._neighbours(int(rows.indices[row]))
        if len(candidates):
            batches = fetch(candidates, np.ones(len(candidates), dtype=np.uint64), epoch, 1)
            try:
                for _ in candidates:
                    given = batches.next()
                    if given is not None and not given[4]:
                        values, indices, labels, keys, _, columns = given
                        rows.values[row], rows.indices[row], rows.labels[row] = values[0], indices[0], labels[0]
                        rows.keys[row] = keys[0]
                        for column, of_one in zip(rows.columns, columns):
                            column[row] = of_one[0]
                        self._counters.add("substituted", 1)
                        return
            finally:
                batches.close()
        raise SampleError(
            f"sample {int(rows.indices[row])} failed: {why}; and so did the {len(candidates)} samples next to it",
            kind=kind,
            index=int(rows.indices[row]),
            key=rows.keys[row],
        )

    def _neighbours(self, index: int) -> npt.NDArray[np.uint64]:
        within = self._selection.within
        if within is not None:
            count = len(within)
            first = int(np.searchsorted(within, index, side="right"))
            places = (first + np.arange(min(SUBSTITUTES, count - 1))) % count
            chosen: npt.NDArray[np.uint64] = within[places]
            return chosen
        count = self._source.describe().samples
        return ((index + 1 + np.arange(min(SUBSTITUTES, count - 1))) % count).astype(np.uint64)
