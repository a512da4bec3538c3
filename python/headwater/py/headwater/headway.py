"""How far a wait of seconds has come: a bar where tqdm is installed and somebody looks, else lines in the log."""

import importlib
import logging
import sys
import time
from typing import Any, Optional

log = logging.getLogger("headwater")

#: Seconds between two lines of the log.
BETWEEN = 10.0


class Headway:
    """Shows how far one piece of work is, while its `with` block runs."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._bar: Optional[Any] = None
        self._said = 0.0

    def __enter__(self) -> "Headway":
        self._bar = _bar(self._what)
        if self._bar is None:
            self._said = time.monotonic()
            log.info("%s: this takes some seconds", self._what)
        return self

    def reached(self, done: int, total: int) -> None:
        """Shows how many pieces are done, of how many that are known by now."""
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._said >= BETWEEN:
            self._said = time.monotonic()
            log.info("%s: %d of %d pieces are done", self._what, done, total)

    def __exit__(self, *_: Any) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _bar(what: str) -> Optional[Any]:
    """A bar, where somebody looks at a terminal and tqdm is installed."""
    if not sys.stderr.isatty():
        return None
    try:
        return importlib.import_module("tqdm").tqdm(desc=what, unit="piece", leave=False)
    except ImportError:
        return None
