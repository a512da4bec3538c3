"""`plan="auto"`: a dataset that is profiled a little and planned once, and whose plan follows what its epochs see.

What was measured is data: it is there before workers are forked or spawned, and travels with the dataset. What follows
the plan belongs to one process: there it watches, plans anew, and goes on from epoch to epoch with what it has learnt.
A process that ends leaves that to the one that comes in its place, through a few shared numbers.

A dataset whose epoch is too short to be worth measuring is not profiled: its photos come as they are stored.
"""

import logging
import os
import time
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError, Pilot, Profile, Recipe
from headwater.cores import cores_of_rank
from headwater.plans import Plan, PlanSummary
from headwater.ranks import Place
from headwater.shared import Counters, Table
from headwater.source import Source
from headwater.torches import torch, worker_of

log = logging.getLogger("headwater")

#: The cut of photos that are not planned: every server can send photos as they are stored.
PLAIN = "encoded"

#: A profile, or none where an epoch is too short for one; and seconds that an epoch is estimated to take without a
#: plan.
Measured = Tuple[Optional[Profile], float]


class AutoPlan(Plan):
    """A plan that is made of measurements where the dataset is made, and followed where samples are read."""

    def __init__(
        self, source: Source, recipe: Recipe, *, seed: int, place: Place, repeats: bool, seconds: Optional[float]
    ) -> None:
        self._place = place
        self._measures = (recipe, seed, seconds)
        #: Whether samples are asked for again and again, in calls of their own.
        self._repeats = repeats
        self._take_measure(source)

    def renew(self, source: Source) -> None:
        """Measures the generation that was taken, as the first was."""
        self.close()
        self._take_measure(source)

    def _take_measure(self, source: Source) -> None:
        recipe, seed, seconds = self._measures
        rank, world = self._place.resolve()
        self._profile, job = _agreed(lambda: _measured(source, recipe, seed, world, seconds), rank, world)
        if self._profile is None:
            self.summary: Optional[PlanSummary] = PlanSummary(
                f"static:{PLAIN}", {PLAIN: source.describe().samples}, job
            )
        else:
            counts, predicted = self._profile.plan()
            self.summary = PlanSummary("optimal", dict(counts), predicted)
        self.is_of_generation = self._profile is not None
        #: What processes have learnt, in their rows: see Pilot.learnt; a row that begins with 0 is empty.
        self._learnt = Table(3 + (0 if self._profile is None else self._profile.servers), np.float64)
        self._pilot: Optional[Pilot] = None
        self._followed: Tuple[int, Any] = (0, None)
        #: How many changes of plan were logged.
        self._logged = 0

    def cuts(self, source: Source) -> Union[str, Pilot]:
        """What this process follows: a plan, or one cut for all."""
        return PLAIN if self._profile is None else self._piloted(source, self._profile)

    def _piloted(self, source: Source, profile: Profile) -> Pilot:
        now = (os.getpid(), source.client())
        if self._pilot is None or self._followed != now:
            # What the parent process had is not touched: see src/process.rs.
            self._pilot = None
            self._pilot = now[1].pilot(
                profile,
                processes=self._processes(),
                cores=float(source.transport.threads) or None,
                repeats=self._repeats,
                learnt=self._lesson(),
            )
            self._followed, self._logged = now, 0
            if self._repeats:
                self._pilot.begin(np.arange(profile.samples[0], dtype=np.uint64), True)
        return self._pilot

    def begin(self, source: Source, indices: npt.NDArray[np.uint64], like_all: bool) -> None:
        """Plans what this process is about to read. Where that is like the whole dataset, the dataset's plan is
        taken."""
        if self._profile is not None and not self._repeats:
            self._piloted(source, self._profile).begin(np.ascontiguousarray(indices, dtype=np.uint64), like_all)

    def hear(self, counters: Counters) -> None:
        """Logs and counts the changes of plan since the last call."""
        if self._pilot is None or self._followed[0] != os.getpid():
            return
        replans = self._pilot.replans(self._logged)
        if not replans:
            return
        self._logged += len(replans)
        counters.add("replans", len(replans))
        for replan in replans:
            log.info("%s", _described(replan))
        learnt = self._pilot.learnt()
        if learnt is not None:
            bandwidth, storage, trainer = learnt
            self._learnt.row()[:] = [1.0, bandwidth * self._processes(), trainer, *storage]

    def close(self) -> None:
        """Ends the plan that this process follows; what it has learnt stays."""
        self._pilot = None
        self._followed = (0, None)

    def _processes(self) -> int:
        """How many processes share what the job has."""
        return self._place.resolve()[1] * max(1, worker_of()[1])

    def _lesson(self) -> Optional[Tuple[float, List[float], float]]:
        """What an earlier process in this one's place has learnt."""
        known, bandwidth, trainer, *storage = self._learnt.row().tolist()
        return (bandwidth / self._processes(), storage, trainer) if known else None

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_pilot": None, "_followed": (0, None), "_logged": 0}


def _measured(source: Source, recipe: Recipe, seed: int, world: int, seconds: Optional[float]) -> Measured:
    """Measures over connections of its own, so that a process that only measures has no threads when it forks."""
    began = time.monotonic()
    profile, (reason, job) = source.profile(
        recipe, seed, float(world * (source.transport.threads or cores_of_rank())), seconds
    )
    if profile is None:
        log.info("photos come as they are stored: %s; profile_seconds= gives it more time", reason)
    else:
        samples, measured = profile.samples
        log.info("measured %d of %d samples, and the network, in %.1f s", measured, samples, time.monotonic() - began)
    return profile, job


def _agreed(measure: Callable[[], Measured], rank: int, world: int) -> Measured:
    """What rank 0 has measured, where ranks can speak to each other; elsewhere each rank measures for itself."""
    distributed = None if torch is None else torch.distributed
    if distributed is None or not (distributed.is_available() and distributed.is_initialized()):
        return measure()
    if (rank, world) != (distributed.get_rank(), distributed.get_world_size()) or world == 1:
        return measure()
    # Numbers of this side, whatever tensors travel by.
    group = distributed.new_group(backend="gloo")
    measured: List[Any] = [None]
    if rank == 0:
        try:
            measured[0] = measure()
        except HeadwaterError as error:
            measured[0] = error
    distributed.broadcast_object_list(measured, src=0, group=group)
    distributed.destroy_process_group(group)
    if isinstance(measured[0], HeadwaterError):
        raise measured[0]
    agreed: Measured = measured[0]
    return agreed


def _described(replan: Dict[str, Any]) -> str:
    """A change of plan in words, for the log."""
    seen = []
    if replan["seen_bandwidth"] is not None:
        seen.append(f"{replan['seen_bandwidth'] / 1e6:.1f} Mbit/s")
    if replan["seen_storage_cpu"] is not None:
        seen.append(f"servers' CPU x {', '.join(f'{factor:.2f}' for factor in replan['seen_storage_cpu'])}")
    if replan["seen_trainer_cpu"] is not None:
        seen.append(f"own CPU x {replan['seen_trainer_cpu']:.2f}")
    return (
        f"planned anew, for this process saw {' and '.join(seen)}: {replan['moved']} of {replan['left']} samples "
        f"travel otherwise now, and are predicted to take {replan['predicted_rest']:.1f} s"
    )
