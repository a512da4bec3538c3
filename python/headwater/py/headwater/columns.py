"""The dataset's own fields, such as captions and scores, as samples and batches have them.

A whole number is an int64, another number a float64, as default_collate makes them of Python's; text is a str, and a
list of numbers a tensor of one dimension. A number that the dataset does not say of a sample is NaN, a text or a list
None; an absent whole number has no such value, and is an error instead of a zero.
"""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.choices import FIELDS
from headwater.source import Source
from headwater.torches import tensor


class Columns:
    """Makes values of fields. The kinds are the dataset's, which is asked for them when this is made."""

    def __init__(self, source: Source, names: Sequence[str], output: str) -> None:
        """ValueError for a name that the dataset does not have."""
        self._numpy = output == "numpy"
        known = source.describe().fields if names else {}
        for name in names:
            if name not in known:
                own = ", ".join(map(repr, known)) or "none: the server's settings labels= and fields= give them"
                raise ValueError(
                    f"fields: dataset {source.dataset} has no field {name!r}: use some of {', '.join(FIELDS)}, and of "
                    f"the dataset's own, which are {own}"
                )
        self._places = {name: place for place, name in enumerate(names)}
        self._kinds: Dict[str, str] = {name: known[name] for name in names}

    def one(self, name: str, columns: List[List[Any]], at: int, key: Optional[str]) -> Any:
        """The value of a field for one row."""
        value = columns[self._places[name]][at]
        if self._kinds[name] == "integer" and value is None:
            raise _absent(name, key)
        if self._kinds[name] == "number" and value is None:
            return float("nan")
        return self._given(value) if isinstance(value, np.ndarray) else value

    def batch(self, name: str, columns: List[List[Any]], keys: List[Optional[str]]) -> Any:
        """The values of a field for all rows. Lists of one length are rows of a tensor, others stay a list."""
        kind, values = self._kinds[name], columns[self._places[name]]
        if kind == "integer":
            for at, value in enumerate(values):
                if value is None:
                    raise _absent(name, keys[at])
            return self._given(np.asarray(values, dtype=np.int64))
        if kind == "number":
            return self._given(np.asarray([np.nan if value is None else value for value in values], dtype=np.float64))
        if kind == "text":
            return list(values)
        if values and len({None if value is None else len(value) for value in values}) == 1 and values[0] is not None:
            return self._given(np.stack(values))
        return [None if value is None else self._given(value) for value in values]

    def _given(self, array: npt.NDArray[Any]) -> Any:
        return array if self._numpy else tensor(array)


def _absent(name: str, key: Optional[str]) -> HeadwaterError:
    return HeadwaterError(
        f"field {name!r} of sample {key} has no value, and a whole number cannot say so: write one into the labels "
        "file, or make the column one of numbers such as 1.0, of which an absent one is NaN"
    )
