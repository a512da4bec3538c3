"""Arguments held against what they can be, where they are given: in words of the argument, its range, and what came."""

import math
import operator
from typing import Any

import numpy as np
import numpy.typing as npt

#: The largest number that seeds and sizes have: 64 bits.
MOST = 2**64 - 1
#: That of epochs which processes share.
MOST_EPOCH = 2**63 - 1


def whole(name: str, value: Any, least: int = 0, most: int = MOST) -> int:
    """A whole number of this range, Python's or NumPy's.

    TypeError for anything else, floats and booleans too; ValueError for one outside the range.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{name}={value!r}: give a whole number, {least} or more, and not a {kind}") from None
    if not least <= number <= most:
        raise ValueError(f"{name}={number}: give a whole number from {least} to {most}")
    return number


def seconds(name: str, value: Any) -> float:
    """A time, 0 or more. TypeError and ValueError as for `whole`."""
    try:
        if isinstance(value, (bool, str)):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name}={value!r}: give a number of seconds, 0 or more") from None
    if not 0 <= number <= 1e9 or math.isnan(number):
        raise ValueError(f"{name}={value!r}: give a number of seconds from 0 to 1000000000")
    return number


def indices_of(value: Any) -> npt.NDArray[np.uint64]:
    """A list of samples' indices: whole numbers, 0 or more. TypeError and ValueError as for `whole`."""
    found = np.asarray(value)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iuO"):
        raise TypeError(f"indices={value!r}: give a list of whole numbers, 0 or more")
    if found.dtype.kind != "u":
        for index in found[:1] if found.dtype.kind == "i" and found.size and found.min() >= 0 else found:
            whole("indices", index)
    return found.astype(np.uint64)
