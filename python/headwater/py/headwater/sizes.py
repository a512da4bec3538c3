"""How large a cache may be: sizes and shares of what is free, in memory and on a disk."""

import os
import re
from typing import Any, NamedTuple, Optional, Union

from headwater import _headwater

SHM = "/dev/shm"
ENLARGE = "docker run --shm-size=8g or --ipc=host; in Kubernetes an emptyDir with medium: Memory, mounted at /dev/shm"
EXAMPLES = 'such as "4GiB", "50%" of what is free, or a number of bytes'

Given = Union[int, float, str]


class Size(NamedTuple):
    """A size as it was given: bytes, or a share of what is free."""

    bytes: Optional[int]
    share: Optional[float]

    def of(self, free: int) -> int:
        """The bytes that it comes to where so many are free."""
        return self.bytes if self.bytes is not None else int(free * (self.share or 0.0))


def size(name: str, value: Any) -> Size:
    """Reads a size. TypeError for what is neither text nor a whole number, ValueError for what is no size."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(f"{name}={value!r}: give a size {EXAMPLES}, and not a {type(value).__name__}")
    if isinstance(value, int):
        if not 0 <= value < 2**63:
            raise ValueError(f"{name}={value}: give a size {EXAMPLES}")
        return Size(value, None)
    share = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value)
    if share is None:
        try:
            return Size(_headwater.size(value), None)
        except ValueError:
            raise ValueError(f"{name}={value!r}: give a size {EXAMPLES}") from None
    if not float(share[1]) <= 100:
        raise ValueError(f"{name}={value!r}: give at most 100%")
    return Size(None, float(share[1]) / 100)


def free_on(path: str) -> int:
    """Bytes that this user can write to the file system of a folder, or of the first of its parents that is there."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    mounted = os.statvfs(path)
    return mounted.f_bavail * mounted.f_frsize


def free_memory() -> int:
    """Bytes of memory that are free: of the machine's, and of what the control groups leave."""
    return _headwater.free_memory()
