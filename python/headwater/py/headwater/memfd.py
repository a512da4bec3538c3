"""Memory behind a descriptor that belongs to no mount, so that no size of /dev/shm bounds it."""

import ctypes
import os
from functools import lru_cache

#: MFD_CLOEXEC, which Python has a name for only where it has the call.
_CLOEXEC = 1


def create() -> int:
    """A new memfd, which no child inherits: Python's, or the C library's where Python was built with one that had
    none."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("headwater", _CLOEXEC)
    descriptor = int(ctypes.CDLL(None, use_errno=True).memfd_create(b"headwater", _CLOEXEC))
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor


@lru_cache(maxsize=None)
def can_create() -> bool:
    """Whether a memfd can be made here: sandboxes refuse the call, and systems other than Linux do not have it."""
    try:
        os.close(create())
    except (AttributeError, OSError, TypeError):
        return False
    return True
