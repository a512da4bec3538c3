"""A dataset that counts its reads over all processes, and what tests of caches ask of it."""

import contextlib
import fcntl
import os
import pathlib
import time
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import torch


class Counting:
    """`length` samples of about `size` bytes; each read is a line in a file."""

    def __init__(self, log: pathlib.Path, length: int, size: int, pause: float = 0.0, salt: int = 0) -> None:
        self._log, self._length, self._size, self._pause, self._salt = str(log), length, size, pause, salt
        self.classes = ["cat", "dog"]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Tuple[torch.Tensor, Dict[str, Any]]:
        descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{index}\n".encode())
        os.close(descriptor)
        if self._pause:
            time.sleep(self._pause)
        return value(index, self._size, self._salt)


def value(index: int, size: int, salt: int = 0) -> Tuple[torch.Tensor, Dict[str, Any]]:
    """What sample `index` is: a tensor and an array of half of the bytes each, and an index."""
    half = np.random.default_rng(index + 1_000_003 * salt).integers(0, 256, max(1, size // 2), np.uint8)
    return torch.from_numpy(half), {"index": index, "again": half[::-1].copy()}


def is_value(found: Any, index: int, size: int, salt: int = 0) -> bool:
    tensor, rest = value(index, size, salt)
    return bool(
        torch.equal(found[0], tensor)
        and found[1]["index"] == index
        and np.array_equal(found[1]["again"], rest["again"])
    )


def reads(log: pathlib.Path) -> List[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def folders() -> List[pathlib.Path]:
    """What this user's caches have in /dev/shm."""
    return sorted(pathlib.Path("/dev/shm").glob(f"headwater-{os.getuid()}-*"))


def newest() -> pathlib.Path:
    """The folder in /dev/shm of the cache that was begun last."""
    return max(folders(), key=lambda folder: folder.stat().st_mtime)


@contextlib.contextmanager
def standing_still(cache: pathlib.Path) -> Iterator[None]:
    """While nothing is removed from a cache, nor room given for anything new: files are removed under the table's lock.
    Who counts files one by one while others go and come counts some that were never there at once.
    """
    with open(cache / "table") as table:
        fcntl.flock(table, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Closing it would not do where a process was forked meanwhile, which has it open too.
            fcntl.flock(table, fcntl.LOCK_UN)


def on_disk(folder: pathlib.Path) -> int:
    """Bytes of all of a tier's files, in whole blocks."""
    total = 0
    for name in ("values", "unfinished"):
        try:
            with os.scandir(folder / name) as entries:
                for entry in entries:
                    try:
                        total += -(-entry.stat().st_size // 4096) * 4096
                    except FileNotFoundError:
                        pass
        except FileNotFoundError:
            pass
    return total
