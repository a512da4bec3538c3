"""What servers are told of a pass, so that they keep what it needs next and read it ahead: its order, and how far it
is.

One process of each rank tells it: the one that reads, or its first worker. Nothing depends on it: a server that does
not hear it serves as before.
"""

import atexit
import logging
import os
import weakref
from typing import Any, Dict, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from headwater._headwater import Announcement, Client, HeadwaterError
from headwater.job import Job
from headwater.progress import State
from headwater.shared import Counters
from headwater.source import Source
from headwater.torches import worker_of

log = logging.getLogger("headwater")

#: Seconds for which an announcement counts while its pass is read: it is renewed three times as often.
LEASE = 60.0
#: Seconds for which it counts after its pass: longer than a validation.
REST = 600.0


class PassOrder(NamedTuple):
    """The order of a pass, as servers compute it."""

    seed: int
    epoch: int
    #: Whether samples come in the permutation of seed and epoch.
    shuffle: bool
    #: The epoch's samples; None: all.
    choice: Optional[npt.NDArray[np.uint64]]
    #: Whether the epochs that follow have the same samples.
    repeats: bool
    #: What is before this position is done.
    position: int


class Announcer:
    """Tells the servers of the passes of one dataset. Travels to its workers."""

    def __init__(self, source: Source, job: Job, counters: Counters) -> None:
        self._source, self._job, self._counters = source, job, counters
        #: The process of whose passes servers were told, here or in its workers, and which rank it is.
        self._told, self._ranked = 0, (0, 1)
        #: What stands for samples that this process reads in an order that only its caller knows.
        self._standing: Optional[Announcement] = None
        self._process = 0
        _ANNOUNCERS.add(self)

    def begin(self, state: State, order: Optional[PassOrder]) -> "Telling":
        """Tells of a pass that begins in this process, where that is for it to tell. Calls of this process name the job
        from here on.
        """
        name, client = self._job.name(state.deal.world), self._source.client()
        client.join(name)
        if state.worker:
            return Telling(state, None, self._counters, client)
        self._told, self._ranked = os.getpid(), (state.rank, state.deal.world)
        return Telling(state, client.announce(name, state.rank, LEASE, order), self._counters, client)

    def stand(self, rank: int, world: int) -> None:
        """Tells, once in each process, that samples are read in an order that only the caller knows."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        name, client = self._job.name(world), self._source.client()
        client.join(name)
        if not worker_of()[0]:
            self._told, self._ranked = os.getpid(), (rank, world)
            self._standing = client.announce(name, rank, LEASE, None)

    def heed(self, rank: int, world: int) -> None:
        """Finds the job's name before workers start, which have it from here."""
        self._job.name(world)
        self._told, self._ranked = os.getpid(), (rank, world)

    def join(self, client: Client) -> None:
        """Has this process's calls name the job."""
        client.join(self._job.name(self._ranked[1]))

    def end(self) -> None:
        """Says that this rank is done for good, where servers were told that it is there."""
        if self._told != os.getpid() or worker_of()[1]:
            return
        self._told, self._standing, self._process = 0, None, 0
        try:
            rank, world = self._ranked
            self._source.last_client().announce(self._job.name(world), rank, 1.0, None).end()
        except HeadwaterError as error:
            log.debug("the servers were not told that the job has ended, and find out by its lease: %s", error)

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_told": 0, "_standing": None, "_process": 0}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        _ANNOUNCERS.add(self)


class Telling:
    """One pass of which servers are told; of which they are not, where another process does."""

    def __init__(
        self, state: State, announcement: Optional[Announcement], counters: Counters, client: Optional[Client]
    ) -> None:
        self._state, self._announcement, self._counters, self._client = state, announcement, counters, client
        self._before = 0 if announcement is None else self._unheard()

    def reached(self, taken: int) -> None:
        """So much of this process's share was given: batches, or samples."""
        if self._announcement is not None:
            self._announcement.reached(self._position(taken))

    def close(self, taken: int) -> None:
        """The pass has ended here, or is given up."""
        if self._announcement is None:
            return
        self._announcement.rest(self._position(taken), REST)
        self._counters.add("unannounced", self._unheard() - self._before)
        self._announcement = None

    def _unheard(self) -> int:
        return 0 if self._client is None else int(self._client.counters()["announcements_unheard"])

    def _position(self, taken: int) -> int:
        """The epoch's position before which all is done, by what this process has given: ranks and workers are as far
        as each other, but for what they fetch ahead.
        """
        deal, base = self._state.deal, self._state.base
        return min(base.length, base.position + taken * max(1, deal.workers) * deal.world * deal.block)


_ANNOUNCERS: "weakref.WeakSet[Announcer]" = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    for announcer in list(_ANNOUNCERS):
        announcer.end()
