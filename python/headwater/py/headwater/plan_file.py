"""A plan that `profiler plan` has written into a file."""

import os
from typing import Any, Dict, Optional, Union

from headwater import _headwater
from headwater._headwater import HeadwaterError, Recipe
from headwater.cuts import PLANNED
from headwater.plans import Plan, PlanSummary
from headwater.source import Source


class PlanFile(Plan):
    """A plan by its file's name. Travels to other processes as that, and is read again there."""

    def __init__(
        self, path: Union[str, "os.PathLike[str]"], algorithm: Optional[str], recipe: Optional[Recipe]
    ) -> None:
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            raise TypeError(f'plan={path!r}: give "auto", or the file that `profiler plan` has written')
        self.path = os.path.abspath(path)
        self._plan: Optional[_headwater.Plan] = None
        self._checked = False
        self.is_of_generation = True
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
        self._checked = False
        self.cuts(source)

    def cuts(self, source: Source) -> _headwater.Plan:
        """The plan, which must be for what the servers serve."""
        plan = self._read()
        if not self._checked:
            description = source.describe()
            if plan.dataset not in (None, description.digest) or len(plan) != description.samples:
                raise HeadwaterError(
                    f"plan {self.path} is for another dataset than these servers have, or for its servers in another "
                    "order: profile and plan again"
                )
            self._checked = True
        return plan

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
        return {**self.__dict__, "_plan": None}
