"""A plan that `profiler plan` has written into a file.

A dataset whose generation is another than the plan's carries the plan over by key: samples that the plan knows keep
their cut, and those that came since travel as most of the plan's samples do. That takes a dataset that has seen the
plan's own generation, and servers that know what differs since.
"""

import logging
import os
from typing import Any, Dict, Optional, Tuple, Union

from headwater import _headwater
from headwater._headwater import HeadwaterError, Recipe, ServerError
from headwater.cuts import PLANNED
from headwater.plans import Plan, PlanSummary
from headwater.source import Generation, Source

log = logging.getLogger("headwater")


class PlanFile(Plan):
    """A plan by its file's name. Travels to other processes as that, and is read again there."""

    def __init__(
        self, path: Union[str, "os.PathLike[str]"], algorithm: Optional[str], recipe: Optional[Recipe]
    ) -> None:
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            raise TypeError(f'plan={path!r}: give "auto", or the file that `profiler plan` has written')
        self.path = os.path.abspath(path)
        self._plan: Optional[_headwater.Plan] = None
        #: The generation that the file's plan is for, where the file does not say it.
        self._generation: Optional[Generation] = None
        #: The plan for another generation.
        self._carried: Optional[Tuple[Generation, _headwater.Plan]] = None
        self.is_of_generation = False
        plan = self._read()
        if algorithm in PLANNED and plan.algorithm != algorithm:
            raise HeadwaterError(
                f"plan {self.path} was made by --algorithm {plan.algorithm}, and cut={algorithm!r} was asked for"
            )
        if recipe is not None and plan.recipe is not None and plan.recipe != recipe.digest:
            raise HeadwaterError(
                f"plan {self.path} was made for another recipe than {recipe.name}: plan again with this one, or give "
                "that"
            )
        self.summary: Optional[PlanSummary] = PlanSummary(plan.algorithm, dict(plan.counts), plan.seconds)

    def renew(self, source: Source) -> None:
        """Sees to it that the plan is for the generation that was taken."""
        self.cuts(source)

    def cuts(self, source: Source) -> _headwater.Plan:
        """The plan, for the generation that is held. HeadwaterError where it is for another dataset."""
        plan, described = self._read(), source.describe()
        if plan.dataset is None and self._generation is None and len(plan) == described.samples:
            self._generation = described.generation
        made_for = self._generation if plan.dataset is None else source.seen.get(plan.dataset)
        if made_for is None or made_for == described.generation and len(plan) != described.samples:
            raise HeadwaterError(
                f"plan {self.path} is for another dataset than these servers have, or for its servers in another "
                "order: profile and plan again"
            )
        if made_for == described.generation:
            return plan
        if self._carried is None or self._carried[0] != described.generation:
            self._carried = described.generation, self._carry(plan, made_for, source)
        return self._carried[1]

    def _carry(self, plan: _headwater.Plan, made_for: Generation, source: Source) -> _headwater.Plan:
        """The plan for the generation that is held."""
        samples = source.describe().samples
        try:
            places, _, _ = source.moved(made_for)
        except ServerError as unknown:
            raise HeadwaterError(
                f"plan {self.path} is for an earlier generation of the dataset, and the servers do not know any more "
                f"what differs since: profile and plan again ({unknown})"
            ) from None
        carried, known = plan.carried(places, samples)
        log.warning(
            "the plan %s was made for an earlier generation of the dataset: %d samples keep their cut, and %d that are "
            "new travel as most of the others do; plan again where many are new",
            self.path,
            known,
            samples - known,
        )
        return carried

    def _read(self) -> _headwater.Plan:
        if self._plan is None:
            try:
                with open(self.path, "rb") as file:
                    self._plan = _headwater.Plan(file.read())
            except OSError as error:
                raise HeadwaterError(f"cannot read the plan {self.path}: {error}") from error
            except HeadwaterError as error:
                raise HeadwaterError(f"{self.path} is no plan: {error}") from None
        return self._plan

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_plan": None, "_carried": None}
