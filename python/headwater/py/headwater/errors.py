"""Errors that Python raises itself."""

from typing import Any, Optional, Tuple

from headwater._headwater import HeadwaterError


class SampleError(HeadwaterError):
    """A sample that could not be delivered, where `on_error="raise"`.

    `kind` is for programs (`malformed`, `unsupported-format`, `not-found` ...), the message for people.
    """

    def __init__(self, message: str, *, kind: str = "internal", index: int = -1, key: Optional[str] = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.index = index
        self.key = key

    def __reduce__(self) -> Tuple[Any, ...]:
        # DataLoader sends a worker's errors to the parent.
        return (SampleError, (str(self),), {"kind": self.kind, "index": self.index, "key": self.key})
