"""Which generation of its dataset a run reads, and when it takes a newer one.

A server that lists its dataset anew has another generation of it: samples have come, gone, or changed. A pass keeps the
generation with which it began. When a pass begins, the newest generation is taken where that is safe: where nothing
that was given by number would then mean other samples, and where all ranks take the same.

The process that reads decides, or the one whose DataLoader's workers do; workers hear of it through shared memory.
"""

import hashlib
import json
import logging
from typing import Any, Optional, Sequence

import numpy as np
import numpy.typing as npt

from headwater._headwater import GenerationError, HeadwaterError, ServerError
from headwater.agreement import agreed
from headwater.shared import Memory
from headwater.source import Description, Generation, Source
from headwater.torches import worker_of

log = logging.getLogger("headwater")

#: Generations that workers can look up, and room for each: the digests of some hundred servers.
KEPT = 4
TEXT = 1 << 15
#: How often ranks choose anew where what the first chose is gone by the time that another comes.
TRIES = 8


class Generations:
    """The generations that a dataset and its copies in workers take, one after the other."""

    def __init__(self, source: Source, *, fixed: Optional[str] = None, subject: Sequence[Any] = ()) -> None:
        """`fixed`: why no newer generation can be taken by itself; None where one can. `subject` tells this dataset
        from others of the same job, in all ranks alike.
        """
        self._source, self._fixed = source, fixed
        self._subject = hashlib.blake2b(repr(tuple(subject)).encode(), digest_size=16).hexdigest()
        self._memory = Memory(KEPT * (16 + TEXT))
        #: How many times `refresh` was called.
        self._refreshed = 0
        #: The number of the generation that this worker has followed to.
        self._followed = 0

    def renew(self, epoch: int, world: int) -> None:
        """Takes the newest generation for a pass of this epoch that begins, where that is safe."""
        if worker_of()[1]:
            return
        newest = self._newest()
        if newest is not None:
            held = self._source.known
            if self._fixed is not None and held is not None:
                self._warn(newest, held, self._fixed)
            elif not self._take(newest, f"{self._subject}/{epoch}", world) and held is not None:
                self._warn(newest, held, "its ranks cannot agree on one, without torch.distributed")
        self.note()

    def refresh(self, world: int) -> bool:
        """Takes the newest generation: whether that is another than was held. HeadwaterError where ranks disagree."""
        held = self._source.known
        newest = self._source.newest()
        self._refreshed += 1
        if not self._take(newest, f"{self._subject}/refresh/{self._refreshed}", world):
            # The ranks' own processes call this, each for itself, as they were told to.
            self._source.take(newest)
        self.note()
        now = self._source.known
        return held is None or now is None or held.generation != now.generation

    def number(self) -> int:
        """The number of the generation that was taken last; 0 where none was noted."""
        return int(self._heads()[:, 0].max())

    def follow(self, number: Optional[int] = None) -> None:
        """In a worker: takes the generation of this number, as its main process has for a pass; or the last, where that
        is another than when this was asked before.
        """
        if not worker_of()[1]:
            return
        wanted = self.number() if number is None else number
        if wanted and (number is not None or wanted != self._followed):
            self._source.hold(self._read(wanted))
            self._followed = wanted

    def _newest(self) -> Optional[Description]:
        """The newest generation; None where the servers cannot say it and there is one to go on with."""
        try:
            return self._source.newest()
        except ServerError as error:
            if self._source.known is None:
                raise
            log.warning("cannot ask whether there is a newer generation, and goes on with what is held: %s", error)
            return None

    def _take(self, newest: Description, subject: str, world: int) -> bool:
        """Takes the newest generation, or what another rank has chosen. False: ranks cannot agree, and it was not
        taken.
        """
        if world == 1:
            self._source.take(newest)
            return True
        for choice in range(TRIES):
            chosen = agreed(f"{subject}/{choice}", json.dumps(newest.generation))
            if chosen is None:
                if self._source.known is not None:
                    return False
                self._source.take(newest)
                return True
            try:
                self._source.hold(tuple(json.loads(chosen)))
                return True
            except GenerationError:
                # It was chosen long ago, as where an epoch of this number has been before.
                continue
        raise HeadwaterError(
            "the ranks cannot agree on a generation of the dataset: the servers give each up before all ranks have it; "
            "raise --keep-generations of storage-server"
        )

    def _warn(self, newest: Description, held: Description, why: str) -> None:
        if newest.generation != held.generation:
            self._source.notices.warn(
                f"the servers have a newer generation of {self._source.dataset}, of {newest.samples} samples; this "
                f"dataset keeps the one it has, of {held.samples}, since {why}: data.refresh() takes the newest",
                "generation",
            )

    def note(self) -> None:
        """Writes down what is held, for workers."""
        held = self._source.known
        if held is None:
            return
        text = json.dumps(held.generation).encode()
        if len(text) > TEXT:
            raise HeadwaterError(f"{len(held.generation)} servers are more than workers can be told of")
        with self._memory.locked():
            heads = self._heads()
            last = heads[int(heads[:, 0].argmax())]
            if int(last[0]) and self._text(int(last[0]), int(last[1])) == text:
                return
            number = int(last[0]) + 1
            slot = number % KEPT
            self._texts()[slot, : len(text)] = np.frombuffer(text, np.uint8)
            heads[slot] = number, len(text)

    def _read(self, number: int) -> Generation:
        with self._memory.locked():
            found, length = self._heads()[number % KEPT].tolist()
            if found != number:
                raise HeadwaterError("this worker comes to a pass long after its dataset has gone on: begin it anew")
            return tuple(json.loads(self._text(number, length)))

    def _text(self, number: int, length: int) -> bytes:
        return self._texts()[number % KEPT, :length].tobytes()

    def _heads(self) -> npt.NDArray[np.int64]:
        """(number, length of the text) of each generation."""
        return self._memory.array(np.int64, (KEPT, 2))

    def _texts(self) -> npt.NDArray[np.uint8]:
        return self._memory.array(np.uint8, (KEPT, TEXT), KEPT * 16)
