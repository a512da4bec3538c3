"""Errors that Python raises itself, and the category of its warnings."""

import json
import re
from typing import Any, Optional, Tuple

from headwater._headwater import HeadwaterError

#: How a message ends: [kind: malformed, index: 3, key: "a/b.jpg"]. The key is JSON, so that no key can end it early or
#: feign another.
_ENDING = re.compile(r'\[kind: ([a-z0-9-]+), index: (-?\d+), key: (null|"(?:[^"\\]|\\.)*")\]', re.DOTALL)


class HeadwaterWarning(UserWarning):
    """What somebody who trains must know of the samples: files that servers left out, parts that are missing, samples
    that failed.

    Shown on standard error unless `warnings` is told otherwise: `warnings.simplefilter("error",
    headwater.HeadwaterWarning)` makes errors of them.
    """


class SampleError(HeadwaterError):
    """A sample that could not be delivered, where `on_error="raise"`.

    `kind` is for programs (`malformed`, `unsupported-format`, `not-found` ...), the message for people. All of it is in
    the message's ending too, and is read from there: DataLoader makes the errors of its workers again from their text
    alone.
    """

    def __init__(
        self, message: str, *, kind: Optional[str] = None, index: Optional[int] = None, key: Optional[str] = None
    ) -> None:
        if (kind, index, key) != (None, None, None):
            message = f"{message} {_ending(kind or 'internal', -1 if index is None else index, key)}"
        super().__init__(message)
        self.kind, self.index, self.key = _ended(message)

    def __reduce__(self) -> Tuple[Any, ...]:
        return (SampleError, (str(self),))


def _ending(kind: str, index: int, key: Optional[str]) -> str:
    return f"[kind: {kind}, index: {index}, key: {json.dumps(key, ensure_ascii=False)}]"


def _ended(message: str) -> Tuple[str, int, Optional[str]]:
    """Kind, index and key from the last ending in a text. Endings before it are of errors that led to this one."""
    found = None
    for found in _ENDING.finditer(message):
        pass
    if found is None:
        return "internal", -1, None
    kind, index, key = found.groups()
    return kind, int(index), json.loads(key, strict=False)
