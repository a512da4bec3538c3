"""Who calls: what loaders and trainers do not say to a dataset is read from the frames above it.

Nothing tells an iterable dataset which batches its DataLoader makes, which pass it begins, or who deals its samples
anew.
"""

import sys
from itertools import takewhile
from types import FrameType
from typing import Any, Iterator, Optional

#: What a caller may stand in: this package is no caller of itself.
PACKAGE = __name__.partition(".")[0]


class Caller:
    """A function that is under way."""

    def __init__(self, frame: FrameType) -> None:
        self._frame = frame

    @property
    def function(self) -> str:
        """The function's name."""
        return self._frame.f_code.co_name

    @property
    def module(self) -> str:
        """The name of the function's module; empty where it has none."""
        return str(self._frame.f_globals.get("__name__", ""))

    @property
    def is_ours(self) -> bool:
        """Whether the function is of this package."""
        return self.module.partition(".")[0] == PACKAGE

    def local(self, name: str) -> Any:
        """The value of a variable of the function. KeyError where the function has none of this name, as it may be in
        another release.
        """
        return self._frame.f_locals[name]

    def local_or(self, name: str, default: Any) -> Any:
        """The value of a variable of the function; `default` where the function has none of this name."""
        return self._frame.f_locals.get(name, default)


def callers() -> Iterator[Caller]:
    """Who called the function that asks, who called that one, and so on to the first of all."""
    return _upwards(sys._getframe(2))


def outside() -> Optional[Caller]:
    """The nearest caller that is not of this package, nor of what Python runs for an isinstance; None where there is
    none.
    """
    others = (caller for caller in _upwards(sys._getframe(2)) if not caller.is_ours)
    return next((caller for caller in others if caller.module not in ("abc", "_py_abc")), None)


def stacklevel_outside() -> int:
    """The `stacklevel` with which `warnings.warn`, called by the function that asks, names the nearest caller
    outside."""
    return 2 + sum(1 for _ in takewhile(lambda caller: caller.is_ours, _upwards(sys._getframe(2))))


def _upwards(frame: Optional[FrameType]) -> Iterator[Caller]:
    while frame is not None:
        yield Caller(frame)
        frame = frame.f_back
