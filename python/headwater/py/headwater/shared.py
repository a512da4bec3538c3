"""The few numbers that a dataset shares with its copies in DataLoader's workers: passes, counters, and what was learnt.

In anonymous shared memory, which is bounded by no /dev/shm, with a row for each worker, so that nobody waits for
anybody.

Memory has a home: the process that reads, or whose DataLoader's workers do. A copy of the dataset in another such
process, a rank that was forked or spawned with it, has memory of its own, for ranks are not one another's workers.
"""

import fcntl
import mmap
import os
import tempfile
import threading
import weakref
from contextlib import contextmanager
from multiprocessing import context, reduction
from typing import Any, Dict, Iterator, Tuple

import numpy as np
import numpy.typing as npt

from headwater import memfd
from headwater.torches import worker_of

#: Rows: the main process's, and those of workers, by number. More workers than this share rows, and count less exactly.
ROWS = 257
COLUMNS = ("samples", "failed", "skipped", "substituted", "replans", "unannounced", "reported", "replaced")


class Memory:
    """Bytes that a process shares with the workers that it forks or spawns; elsewhere, a copy begins anew, all
    zeros."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._take(_anonymous(size))
        _MEMORIES.add(self)

    def _take(self, descriptor: int) -> None:
        self._descriptor, self._map, self._home = descriptor, mmap.mmap(descriptor, self._size), os.getpid()
        self._closing = weakref.finalize(self, os.close, descriptor)
        self._closing.atexit = False

    def array(self, dtype: Any, shape: Tuple[int, ...], offset: int = 0) -> npt.NDArray[Any]:
        """The memory from `offset` on as an array, to be read and written."""
        self.settle()
        return np.frombuffer(self._map, dtype, int(np.prod(shape)), offset).reshape(shape)

    def settle(self) -> None:
        """Makes memory of its own for a process that is not one of its home's workers."""
        if self._home != os.getpid() and not worker_of()[1]:
            self._closing.detach()
            os.close(self._descriptor)
            self._take(_anonymous(self._size))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the memory, among all processes and threads. A process that dies meanwhile leaves it free."""
        self.settle()
        with _THREADS:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def __getstate__(self) -> Dict[str, Any]:
        self.settle()
        # To a process that is being spawned goes the memory itself, for it may be a worker; anywhere else, its size.
        spawning = context.get_spawning_popen() is not None
        return {
            "size": self._size,
            "home": self._home,
            "descriptor": reduction.DupFd(self._descriptor) if spawning else None,
        }

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self._size = state["size"]
        shared = state["descriptor"]
        self._take(_anonymous(self._size) if shared is None else shared.detach())
        if shared is not None:
            self._home = state["home"]
        _MEMORIES.add(self)


_MEMORIES: "weakref.WeakSet[Memory]" = weakref.WeakSet()
_THREADS = threading.Lock()


def _anonymous(size: int) -> int:
    """A descriptor of so many zeros."""
    if memfd.can_create():
        descriptor = memfd.create()
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


def _before_fork() -> None:
    """A process that forks may be starting workers, which must find its memory, and not that of the process that forked
    it.
    """
    for memory in list(_MEMORIES):
        memory.settle()
    _THREADS.acquire()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_THREADS.release, after_in_child=_THREADS.release)


class Table:
    """Numbers that all copies see, in a row for each process."""

    def __init__(self, columns: int, dtype: Any) -> None:
        self._shape, self._dtype = (ROWS, columns), np.dtype(dtype)
        self._memory = Memory(ROWS * columns * self._dtype.itemsize)

    @property
    def rows(self) -> npt.NDArray[Any]:
        """The rows of all processes."""
        return self._memory.array(self._dtype, self._shape)

    def row(self) -> npt.NDArray[Any]:
        """This process's row."""
        number, workers = worker_of()
        row: npt.NDArray[Any] = self.rows[0 if workers == 0 else 1 + number % (ROWS - 1)]
        return row


class Counters(Table):
    """What was given, by this dataset and its copies in workers."""

    def __init__(self) -> None:
        super().__init__(len(COLUMNS), np.int64)

    def add(self, column: str, count: int) -> None:
        self.row()[COLUMNS.index(column)] += count

    def totals(self) -> Dict[str, int]:
        return dict(zip(COLUMNS, self.rows.sum(axis=0).tolist()))
