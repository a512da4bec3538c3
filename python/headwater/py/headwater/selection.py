"""Which samples of what the servers serve a dataset has, in which order, and what their labels are.

`indices=` chooses by number, `classes=` by the names of classes, which also numbers the labels anew, and `where=` by
what models said; together they choose what each of them does. Classes are looked up in the servers' listing of keys and
labels, when something is first asked of the dataset.
"""

import difflib
import hashlib
from typing import Any, Callable, Iterable, List, Mapping, Optional, Tuple

import numpy as np
import numpy.typing as npt

from headwater.arguments import function
from headwater.source import Listing, Source
from headwater.where import Where

Indices = npt.NDArray[np.uint64]
Labels = npt.NDArray[np.int64]


class Selection:
    """A dataset's samples and labels. Travels to other processes with what it has looked up."""

    def __init__(
        self,
        source: Source,
        *,
        indices: Optional[Any] = None,
        classes: Optional[Any] = None,
        where: Optional[Where] = None,
        target_transform: Optional[Callable[[Any], Any]] = None,
    ) -> None:
        self._source = source
        self._given = None if indices is None else source.chosen(indices)
        self._names = None if classes is None else names_of(classes)
        self._where = where
        #: Of types, those that make a number or a text of a label; others are classes that should have been called.
        plain = target_transform in (int, float, str, bool)
        self._target_transform = target_transform if plain else function("target_transform", target_transform)
        self._of_classes: Optional[Indices] = None
        self._sorted: Optional[Indices] = None
        self._table: Optional[Labels] = None
        #: Of each sample of the generation whether `where=` chooses it.
        self._meant: Optional[npt.NDArray[np.bool_]] = None
        source.follow(self._forget)

    def _forget(self) -> None:
        """What was looked up is of a generation that is no longer held."""
        self._of_classes = self._sorted = self._table = self._meant = None

    @property
    def indices(self) -> Optional[Indices]:
        """The indices of the samples that were chosen, in order; None where all were."""
        if self._names is None and self._where is None:
            return self._given
        if self._of_classes is None:
            every = np.arange(self._source.describe().samples, dtype=np.uint64)
            self._of_classes = self.admitted(every if self._given is None else self._given)
            if not len(self._of_classes):
                among = "the dataset has" if self._given is None else "indices= has"
                asked = [] if self._names is None else [f"classes={self._names!r}"]
                asked += [] if self._where is None else [f"where={self._where.text!r}"]
                raise ValueError(f"{' and '.join(asked)}: {among} no sample of these")
        return self._of_classes

    @property
    def within(self) -> Optional[Indices]:
        """The indices of the samples that were chosen, sorted, each once; None where all were."""
        if self._sorted is None and self.indices is not None:
            self._sorted = np.unique(self.indices)
        return self._sorted

    @property
    def known(self) -> Optional[int]:
        """How many samples were chosen, where that is known here; None where all were."""
        chosen = self._given if self._names is None and self._where is None else self._of_classes
        return None if chosen is None else len(chosen)

    def __len__(self) -> int:
        indices = self.indices
        return self._source.describe().samples if indices is None else len(indices)

    @property
    def classes(self) -> List[str]:
        """The names of the classes: labels are positions in this list."""
        if self._names is None:
            return self._source.describe().classes
        self._numbers()
        return list(self._names)

    def admitted(self, indices: Indices) -> Indices:
        """Those of the indices whose samples are of `classes=` and as `where=` says, in the same order."""
        admitted = indices
        if self._names is not None:
            numbers = self._numbers()
            admitted = admitted[numbers[self._source.listing().labels[admitted]] >= 0]
        if self._where is not None:
            if self._meant is None:
                self._meant = self._where.admits(self._source.listing().keys)
            admitted = admitted[self._meant[admitted]]
        return admitted

    def labels(self, stored: Labels) -> Labels:
        """The labels of this dataset for the servers' labels."""
        return self.labelling()(stored)

    def labelling(self) -> Callable[[Labels], Labels]:
        """What makes labels of this dataset of the servers', for as long as a pass lasts."""
        if self._names is None:
            return lambda stored: stored
        table = self._numbers()
        return lambda stored: table[stored]

    @property
    def is_everything(self) -> bool:
        """Whether all samples were chosen, with the servers' labels."""
        return self._given is None and self._names is None and self._where is None

    @property
    def is_by_number(self) -> bool:
        """Whether samples were chosen by number, which mean others in another generation."""
        return self._given is not None

    @property
    def mark(self) -> str:
        """What tells this choice from others of the dataset, as far as that is known without asking a server."""
        return self.digest(self._given)

    @property
    def transforms(self) -> bool:
        """Whether anything is run on labels."""
        return self._target_transform is not None

    def label(self, label: int) -> Any:
        """A label as a sample has it."""
        return label if self._target_transform is None else self._target_transform(label)

    def listing(self) -> Listing:
        """Keys and labels of the samples that were chosen, in order."""
        listing, indices = self._source.listing(), self.indices
        if indices is None:
            return listing
        return Listing([listing.keys[index] for index in indices.tolist()], self.labels(listing.labels[indices]))

    def digest(self, chosen: Optional[Indices]) -> str:
        """What tells these samples, with these labels, from others of the dataset's; empty for all of them as they
        are."""
        if chosen is None and self._names is None and self._where is None:
            return ""
        digest = hashlib.blake2b(b"" if chosen is None else chosen.tobytes(), digest_size=8)
        if self._names is not None:
            digest.update("\0".join(["", *self._names]).encode())
        if self._where is not None:
            digest.update(f"\0where\0{self._where.mark}".encode())
        return ":" + digest.hexdigest()

    def _numbers(self) -> Labels:
        """The label here for each of the servers' labels, -1 where there is none. A last -1 is for samples without a
        label.
        """
        if self._table is None:
            self._table = self._numbered()
        return self._table

    def _numbered(self) -> Labels:
        classes, names = self._source.describe().classes, self._names or ()
        for name in names:
            if name not in classes:
                raise ValueError(f"classes={list(names)!r}: the dataset has no class {name!r}{_near(name, classes)}")
        numbers = np.full(len(classes) + 1, -1, dtype=np.int64)
        numbers[[classes.index(name) for name in names]] = np.arange(len(names))
        return numbers


def names_of(value: Any) -> Tuple[str, ...]:
    """What `classes=` names: a list of names, each once."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(
            f"classes={value!r}: give a list of class names in the order of their labels, such as ['cat', 'dog']; for "
            "other numbers use target_transform="
        )
    names = tuple(value)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"classes={list(names)!r}: {name!r} is a {type(name).__name__}; give names, as data.classes has them"
            )
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"classes={list(names)!r}: name {'each class once' if names else 'a class, or leave it out for all'}"
        )
    return names


def _near(name: str, classes: List[str]) -> str:
    """Names that may have been meant; some that there are, where none is like it."""
    folded = {known.casefold(): known for known in classes}
    near = [folded[known] for known in difflib.get_close_matches(name.casefold(), folded, n=3)]
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    if not classes:
        return ": its samples have no classes"
    return f"; it has {len(classes)}: {', '.join(map(repr, classes[:10]))}{' ...' if len(classes) > 10 else ''}"
