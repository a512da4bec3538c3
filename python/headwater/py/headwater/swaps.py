"""What of a process's share of a pass is of low importance, and what stands in others' places: substitute=.

A number for each place, so that DataLoader's workers can write it down in memory that their main process reads:

    (the place that stands here + 1) * 4 + 2 if it was used before the pass + 1 if it is of low importance

A state keeps two bits for each place: which are of low importance, and which were used.
"""

from typing import Any, Mapping, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from headwater.picks import Mask, Places, from_text, to_text

LOW, USED, MARKS = 1, 2, 4

Notes = npt.NDArray[np.int32]


class Swaps:
    """The places of a share, from 0."""

    def __init__(self, notes: Notes) -> None:
        """`notes`: where to write down what is chosen."""
        self.notes = notes

    @classmethod
    def of(cls, low: Mask, used: Mask) -> "Swaps":
        """Of a share of which nothing is chosen yet."""
        swaps = cls(np.zeros(len(low), dtype=np.int32))
        swaps.mark(low, used)
        return swaps

    def mark(self, low: Mask, used: Mask) -> None:
        """Which places are of low importance, and which were used before this pass."""
        self.notes[:] = low * LOW + used * USED

    def write(self, begin: int, instead: Places) -> None:
        """What stands in the places from `begin` on; -1: their own samples."""
        part = self.notes[begin : begin + len(instead)]
        part[:] = part % MARKS + (instead + 1) * MARKS

    def part(self, places: Places) -> "Swaps":
        """Of these places alone, where nothing is chosen yet."""
        return Swaps(self.notes[places] % MARKS)

    @property
    def low(self) -> Mask:
        found: Mask = self.notes & LOW != 0
        return found

    def used(self, count: int) -> Mask:
        """Which places stood in others', once so many places were given."""
        used: Mask = self.notes & USED != 0
        instead = self.notes[:count] // MARKS - 1
        used[instead[instead >= 0]] = True
        return used

    def to_dict(self, count: int) -> Mapping[str, Any]:
        """What a state says, once so many places were given."""
        return {"low": to_text(self.low), "used": to_text(self.used(count))}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any], places: int) -> Optional["Swaps"]:
        """What a state of so many places says; None where it says nothing. ValueError where it is broken."""
        if "low" not in state:
            return None
        low, used = (from_text(str(state[key]), places) for key in ("low", "used"))
        if (used & ~low).any():
            raise ValueError("a sample that is not of low importance stood in another's place")
        return cls.of(low, used)


def joined(parts: Sequence[Tuple[Places, Swaps, int]], length: int) -> Swaps:
    """Of several shares, each with the positions of its places and how many places it has given, the swaps of all
    positions.
    """
    low, used = np.zeros(length, dtype=np.bool_), np.zeros(length, dtype=np.bool_)
    for positions, swaps, count in parts:
        low[positions], used[positions] = swaps.low, swaps.used(count)
    return Swaps.of(low, used)
