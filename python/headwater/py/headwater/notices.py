"""What somebody who trains must know of the samples, said once: by whichever of a dataset's copies comes to know it
first.
"""

import hashlib
import warnings
from typing import Optional

import numpy as np

from headwater.callers import stacklevel_outside
from headwater.errors import HeadwaterWarning
from headwater.shared import Memory

#: Notices that are told apart; any further one is said by each process.
MOST = 64


class Notices:
    """The notices of one dataset, and of its copies in DataLoader's workers."""

    def __init__(self) -> None:
        self._memory = Memory(MOST * 8)

    def warn(self, message: str, subject: Optional[str] = None) -> None:
        """Warns, unless the same was said before; of a `subject`, only the first notice is given."""
        if self._is_new(message if subject is None else subject):
            warnings.warn(message, HeadwaterWarning, stacklevel=stacklevel_outside())

    def _is_new(self, subject: str) -> bool:
        mark = np.frombuffer(hashlib.blake2b(subject.encode(), digest_size=8).digest(), np.uint64)[0]
        with self._memory.locked():
            marks = self._memory.array(np.uint64, (MOST,))
            if mark in marks:
                return False
            marks[np.argmin(marks != 0)] = mark
            return True
