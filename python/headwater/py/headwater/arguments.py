"""Arguments held against what they can be, where they are given: in words of the argument, its range, and what came."""

import math
import operator
from typing import Any, Callable, Iterable, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

#: The largest number that seeds and sizes have: 64 bits.
MOST = 2**64 - 1
#: The largest epoch that processes share: 63 bits.
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


def number(name: str, value: Any, least: float, most: float, what: str) -> float:
    """A finite number of this range, such as `what` says. TypeError and ValueError as for `whole`."""
    try:
        if isinstance(value, (bool, str, np.bool_)):
            raise TypeError
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name}={value!r}: give {what}, and not a {type(value).__name__}") from None
    if not least <= found <= most:
        raise ValueError(f"{name}={value!r}: give {what}")
    return found


def boolean(name: str, value: Any) -> bool:
    """True or False, and nothing that could be read as either."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r}: give True or False, and not a {type(value).__name__}")
    return bool(value)


def text(name: str, value: Any, what: str) -> str:
    """A text that is not empty. TypeError and ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{name}={value!r}: give {what}, and not a {type(value).__name__}")
    if not value.strip():
        raise ValueError(f"{name}={value!r} is empty: give {what}")
    return value


def one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """A name that is one of `choices`. TypeError and ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{name}={value!r}: use one of {', '.join(choices)}, and not a {type(value).__name__}")
    if value not in choices:
        raise ValueError(f"{name}={value!r}: use one of {', '.join(choices)}")
    return value


def some_of(name: str, value: Any, choices: Sequence[str]) -> Tuple[str, ...]:
    """A list of some of the names in `choices`, each once."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        example = value if isinstance(value, str) and value in choices else choices[0]
        raise TypeError(f"{name}={value!r}: give a list of names, such as {name}=({example!r},)")
    found = tuple(value)
    if not found or any(not isinstance(part, str) or part not in choices for part in found):
        raise ValueError(f"{name}={list(found)!r}: use some of {', '.join(choices)}")
    if len(set(found)) < len(found):
        raise ValueError(f"{name}={list(found)!r}: name each once")
    return found


def names(name: str, value: Any, example: str) -> Tuple[str, ...]:
    """A list of names, each once and at least one. TypeError and ValueError for anything else."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        given = value if isinstance(value, str) and value else example
        raise TypeError(f"{name}={value!r}: give a list of names, such as {name}=({given!r},)")
    found = tuple(value)
    if not found or any(not isinstance(part, str) or not part for part in found):
        raise ValueError(f"{name}={list(found)!r}: give names, such as {name}=({example!r},)")
    if len(set(found)) < len(found):
        raise ValueError(f"{name}={list(found)!r}: name each once")
    return found


def function(name: str, value: Any) -> Optional[Callable[[Any], Any]]:
    """A function of one value, or None. TypeError for anything else."""
    if value is None or (callable(value) and not isinstance(value, type)):
        return value
    if isinstance(value, type):
        raise TypeError(f"{name}={value.__name__} is a class: give {value.__name__}(...), or a function")
    raise TypeError(f"{name}={value!r}: give a function of one value, and not a {type(value).__name__}")


def servers_of(value: Any) -> Tuple[str, ...]:
    """Addresses, from one text with commas or a list."""
    example = 'give "host:port,host:port", or a list of addresses'
    if isinstance(value, (bytes, bytearray)) or not isinstance(value, Iterable):
        raise TypeError(f"servers={value!r}: {example}, and not a {type(value).__name__}")
    names = value.split(",") if isinstance(value, str) else list(value)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"servers={value!r}: {example}; {name!r} is a {type(name).__name__}")
    if not names or not all(name.strip() for name in names):
        raise ValueError(f"servers={value!r} {'has an address that is empty' if names else 'is empty'}: {example}")
    return tuple(name.strip() for name in names)


class Expected(NamedTuple):
    """What an argument says of a dataset, held against it once that is known."""

    #: The name of the argument.
    name: str
    #: How many samples the dataset must have,
    samples: int
    #: and whether it must have exactly so many, or at least.
    exactly: bool

    def check(self, dataset: str, samples: int) -> None:
        """Raises ValueError where the dataset has another number of samples."""
        if samples == self.samples or (not self.exactly and samples > self.samples):
            return
        have = f"dataset {dataset} has {samples} samples"
        if not self.exactly:
            raise ValueError(f"{self.name}: there is no sample {self.samples - 1}: {have}, numbered from 0")
        raise ValueError(
            f"{self.name} is for {self.samples} samples, and {have}: make it for data.num_samples, which counts "
            "samples whatever the batch size, and not for len(data), which counts batches"
            if self.name == "sampler="
            else f"{self.name} is a mask of {self.samples} samples, and {have}: a mask says of each whether it is taken"
        )


def indices_of(value: Any, name: str = "indices") -> npt.NDArray[np.uint64]:
    """A list of samples' indices: whole numbers, 0 or more. TypeError and ValueError as for `whole`."""
    found = np.asarray(value)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iuO"):
        raise TypeError(f"{name}={_short(value)}: give a list of whole numbers, 0 or more, and not {_kind(found)}")
    if found.dtype.kind != "u":
        for index in found[:1] if found.dtype.kind == "i" and found.size and found.min() >= 0 else found:
            whole(name, index)
    return found.astype(np.uint64)


def chosen_of(value: Any) -> Tuple[npt.NDArray[np.uint64], Expected]:
    """What `indices=` chooses of a dataset: by numbers, or by a mask with a boolean for each sample; and what that
    expects of it.
    """
    found = np.asarray(value)
    mask = found.dtype.kind == "b" and found.ndim == 1
    chosen = np.flatnonzero(found).astype(np.uint64) if mask else indices_of(value)
    if not len(chosen):
        raise ValueError(f"indices={_short(value)} chooses no sample: leave it out for all of them")
    return chosen, Expected("indices=", len(found) if mask else int(chosen.max()) + 1, mask)


def _kind(found: npt.NDArray[Any]) -> str:
    return f"{found.ndim} dimensions" if found.ndim != 1 else str(found.dtype)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]} ..."


def place_of(value: Any, count: int) -> int:
    """A place among so many: a whole number, Python's, NumPy's or a tensor's of no dimensions; negative ones count from
    the end.

    TypeError for anything else, booleans, lists and slices too; IndexError for one that is not there.
    """
    dtype = str(getattr(value, "dtype", type(value).__name__))
    if getattr(value, "ndim", 0) or "bool" in dtype or "float" in dtype or not hasattr(type(value), "__index__"):
        raise TypeError(
            f"a sample's index is one whole number, and this is the {type(value).__name__} {_short(value)}: for a "
            "batch use __getitems__([3, 5]), and for a part of the dataset torch.utils.data.Subset(dataset, [3, 5]) "
            "or indices="
        )
    place = operator.index(value)
    if not -count <= place < count:
        raise IndexError(f"there is no sample {place}: the dataset has {count}")
    return place % count
