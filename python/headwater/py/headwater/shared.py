"""The few numbers that a dataset shares with its copies in DataLoader's workers: the epoch, counters, and what was learnt.

In shared memory where there is torch, with a row for each worker, so that nobody waits for anybody.
"""

from typing import Any, Dict, Tuple

import numpy as np
import numpy.typing as npt

from headwater.torches import torch, worker_of

#: Rows: the main process's, and those of workers, by number. More workers than this share rows, and count less exactly.
ROWS = 257
COLUMNS = ("samples", "failed", "skipped", "substituted", "replans", "finished")


class Table:
    """Numbers that all copies see, in a row for each process."""

    def __init__(self, columns: int, dtype: Any) -> None:
        self._hold(_memory((ROWS, columns), dtype))

    def _hold(self, memory: Any) -> None:
        self._memory = memory
        self._array: npt.NDArray[Any] = memory.numpy() if hasattr(memory, "numpy") else memory

    def row(self) -> npt.NDArray[Any]:
        """This process's."""
        number, workers = worker_of()
        row: npt.NDArray[Any] = self._array[0 if workers == 0 else 1 + number % (ROWS - 1)]
        return row

    def __getstate__(self) -> Dict[str, Any]:
        return {"memory": self._memory}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        memory = state["memory"]
        if hasattr(memory, "is_shared") and not memory.is_shared():
            memory.share_memory_()
        self._hold(memory)


class Shared(Table):
    """The epoch, and counters."""

    def __init__(self) -> None:
        # Row 0, column "epoch" behind the counters, is the epoch.
        super().__init__(len(COLUMNS) + 1, np.int64)

    @property
    def epoch(self) -> int:
        return int(self._array[0, len(COLUMNS)])

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._array[0, len(COLUMNS)] = epoch

    def add(self, column: str, count: int) -> None:
        self.row()[COLUMNS.index(column)] += count

    def totals(self) -> Dict[str, int]:
        sums = self._array.sum(axis=0)
        return {name: int(sums[at]) for at, name in enumerate(COLUMNS[:-1])}

    def by_workers(self, column: str) -> int:
        """Counted by workers, without the main process."""
        return int(self._array[1:, COLUMNS.index(column)].sum())

    def finish(self) -> None:
        """This process has come to the end of its share."""
        self.row()[COLUMNS.index("finished")] = 1

    def finished(self, workers: int) -> bool:
        """Whether all have: of so many workers, or the main process."""
        column = self._array[:, COLUMNS.index("finished")]
        return bool(column[1 : workers + 1].all()) if workers else bool(column[0])

    def begin(self) -> None:
        """Nobody has."""
        self._array[:, COLUMNS.index("finished")] = 0


def _memory(shape: Tuple[int, int], dtype: Any) -> Any:
    zeros = np.zeros(shape, dtype=dtype)
    return zeros if torch is None else torch.from_numpy(zeros).share_memory_()
