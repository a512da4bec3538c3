"""How far the servers take each sample: what every kind of plan can say, and the simplest, one cut for all."""

from typing import Any, Dict, NamedTuple, Optional, Protocol, Union

import numpy as np
import numpy.typing as npt

from headwater import _headwater
from headwater.shared import Counters
from headwater.source import Source


class PlanSummary(NamedTuple):
    """What a plan says of the whole dataset."""

    #: Who decided: optimal, sophon, minimum-bytes or static:WAY.
    algorithm: str
    #: Samples of each way.
    ways: Dict[str, int]
    #: Predicted seconds of an epoch.
    seconds: float


class Plan(Protocol):
    """How far the servers take each sample. A plan travels to other processes with its dataset."""

    #: What the plan says of the whole dataset; None where nobody has planned.
    summary: Optional[PlanSummary]
    #: Whether the plan says of each sample by its number how far it is taken: then it is of one generation.
    is_of_generation: bool

    def renew(self, source: Source) -> None:
        """Another generation was taken: makes the plan for that. HeadwaterError where it cannot be."""
        return

    def cuts(self, source: Source) -> "Union[str, _headwater.Plan, _headwater.Pilot]":
        """What a request of this process asks for."""

    def begin(self, source: Source, indices: npt.NDArray[np.uint64], like_all: bool) -> None:
        """This process is about to read these samples; `like_all`: as far as plans go, they are like the whole
        dataset."""
        return

    def hear(self, counters: Counters) -> None:
        """A batch has come: changes of plan are logged and counted."""
        return

    def close(self) -> None:
        """Ends what this process does for the plan."""
        return


class OneCut(Plan):
    """The same cut for all samples."""

    def __init__(self, cut: str) -> None:
        self.summary: Optional[PlanSummary] = None
        self.is_of_generation = False
        self._cut = cut

    def cuts(self, source: Source) -> Any:
        """The cut's name."""
        return self._cut
