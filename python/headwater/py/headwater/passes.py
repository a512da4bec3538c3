"""Which epoch a pass over a dataset is of, agreed among all processes that take part in it.

What was said last, by `set_epoch` or a loaded state, holds for the next pass that begins; a pass of which nobody said
anything is of the next epoch. It is fixed when a DataLoader's iterator is made. Workers that start then have with them
what had been said; for workers that stay from an earlier pass, the main process writes down what the next one is
(`open`). Else who begins first does. The other workers of the same iterator, which torch's seed tells from all others,
find it there.
"""

import json
import os
from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.drivers import Dispatched
from headwater.shared import Memory
from headwater.torches import torch, worker_of

#: Passes that are remembered, for workers that have not begun them yet.
KEPT = 32
#: Words in which workers say that they have begun one; workers beyond 512 share their bits.
WORDS = 8
#: What was said is kept as text, in so much room, and so often: a worker may begin a pass after more was said.
SAID_BYTES = 1 << 20
SAYINGS = 4

RECORD = np.dtype(
    [
        # The how-many-th pass of all; 0 where there is none.
        ("order", "<i8"),
        # The number of what had been said before it; its iterator's seed, and which of that iterator's passes it is.
        ("said", "<i8"),
        ("seed", "<i8"),
        ("turn", "<i8"),
        ("epoch", "<i8"),
        # The number of the generation that it reads: see Generations.
        ("generation", "<i8"),
        ("begun", "<u8", (WORDS,)),
    ]
)


@dataclass(frozen=True)
class Said:
    """What was said of the passes to come."""

    #: The how-many-th saying this is; 0: nobody has said anything.
    number: int = 0
    epoch: int = 0
    #: The state with which the first of them goes on.
    resumed: Optional[Dict[str, Any]] = None
    #: Who deals the samples of the first of them.
    driver: Optional[Dispatched] = None

    def to_bytes(self) -> bytes:
        return json.dumps([self.number, self.epoch, self.resumed, self.driver]).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> "Said":
        number, epoch, resumed, driver = json.loads(text)
        return cls(number, epoch, resumed, None if driver is None else Dispatched(*driver))


class Pass(NamedTuple):
    """A pass that has begun."""

    epoch: int
    #: Whether the pass is the first since something was said, and what was said.
    first: bool
    said: Said
    #: The number of the generation that it reads.
    generation: int = 0


class Passes:
    """The passes of a dataset, and of its copies in workers."""

    def __init__(self) -> None:
        #: What this process knows to have been said: workers that start now have it from here.
        self.said = Said()
        self._memory = Memory(KEPT * RECORD.itemsize + SAYINGS * (16 + SAID_BYTES))
        self._process, self._turn = 0, 0

    def say(self, epoch: int, resumed: Optional[Dict[str, Any]] = None, driver: Optional[Dispatched] = None) -> None:
        """Says of which epoch the next pass is that begins, also in workers that are there already."""
        said = Said(self.said.number + 1, epoch, resumed, driver)
        text = said.to_bytes()
        if len(text) > SAID_BYTES:
            raise HeadwaterError(
                f"this state takes {len(text)} bytes, since its ranks were far apart or its epoch has too many samples "
                f"for substitute=, and workers can be told {SAID_BYTES}: save states after as many steps of all ranks, "
                "or at an epoch's end"
            )
        with self._memory.locked():
            heads, texts = self._sayings()
            slot = said.number % SAYINGS
            heads[slot] = said.number, len(text)
            texts[slot, : len(text)] = np.frombuffer(text, np.uint8)
        self.said = said

    def coming(self) -> Pass:
        """The pass that begins next, by what this process knows."""
        with self._memory.locked():
            return Pass(self._next(self.said), not self._since(self.said), self.said)

    def open(self, seed: int, turn: int, generation: int) -> None:
        """An iterator with workers that stay, of this seed, begins another pass: what has been said up to now holds for
        it.
        """
        with self._memory.locked():
            if not any(record["seed"] == seed and record["turn"] == turn for record in self._since(self.said)):
                self._write(self.said, self._next(self.said), seed, turn, generation)

    def begin(self, epoch: Optional[int] = None, generation: int = 0) -> Pass:
        """The pass that begins now in this process, which reads the generation of this number if it is the first to
        begin it; `epoch` is that of a worker's own state, with which it goes on.
        """
        if self._process != os.getpid():
            self._process, self._turn = os.getpid(), 0
        with self._memory.locked():
            mine = self._opened()
            said = self._heard(int(mine["said"])) if mine is not None else self._heard() if self._turn else self.said
            if mine is None:
                mine = next((record for record in self._since(said) if self._is_joined(record)), None)
            if mine is None:
                mine = self._write(said, self._next(said) if epoch is None else epoch, _seed(), self._turn, generation)
                self._join(mine)
            first, found = mine["order"] == self._since(said)[0]["order"], int(mine["epoch"])
            generation = int(mine["generation"])
        self.said = said
        self._turn += 1
        return Pass(found, bool(first), said, generation)

    def latest(self) -> Optional[Pass]:
        """The last pass that has begun since something was said; None where no pass has."""
        with self._memory.locked():
            since = self._since(self.said)
            return Pass(int(since[-1]["epoch"]), len(since) == 1, self.said) if since else None

    def is_new(self) -> bool:
        """Whether no other iterator than this process's has begun a pass since something was said."""
        with self._memory.locked():
            return all(worker_of()[1] and record["seed"] == _seed() for record in self._since(self.said))

    def heard(self) -> Said:
        """What was said last, up to this moment."""
        with self._memory.locked():
            return self._heard()

    def _heard(self, number: Optional[int] = None) -> Said:
        """What was said at this number, or last; or what this process knows, where that has gone since."""
        heads, texts = self._sayings()
        slot = int(np.argmax(heads[:, 0])) if number is None else number % SAYINGS
        found, length = heads[slot].tolist()
        if found <= self.said.number or number is not None and found != number:
            return self.said
        return Said.from_bytes(texts[slot, :length].tobytes())

    def _since(self, said: Said) -> List[Any]:
        """The passes that have begun since this was said, in order."""
        found = [record for record in self._records() if record["order"] and record["said"] == said.number]
        return sorted(found, key=lambda record: int(record["order"]))

    def _next(self, said: Said) -> int:
        """The epoch of the next pass: the one behind the last, and never before the one that was said."""
        before = self._since(said)
        return max(int(before[-1]["epoch"]) + 1, said.epoch) if before else said.epoch

    def _opened(self) -> Any:
        """The pass that the main process has written down for this worker's iterator, where its workers stay."""
        if not self._turn or not worker_of()[1]:
            return None
        records = sorted(self._records(), key=lambda record: -int(record["order"]))
        return next((record for record in records if record["order"] and self._is_joined(record)), None)

    def _is_joined(self, record: Any) -> bool:
        """Whether this worker's iterator has begun this pass, and this worker, until now, had not."""
        if not worker_of()[1] or record["seed"] != _seed() or record["turn"] != self._turn:
            return False
        return self._join(record)

    def _join(self, record: Any) -> bool:
        """Notes that this worker has begun a pass. False: it had begun it before."""
        word, bit = divmod(worker_of()[0] % (64 * WORDS), 64)
        had = int(record["begun"][word])
        record["begun"][word] = had | 1 << bit
        return not had >> bit & 1

    def _write(self, said: Said, epoch: int, seed: int, turn: int, generation: int) -> Any:
        """Writes down a pass that nobody has begun yet, in place of the oldest."""
        records = self._records()
        record = records[int(np.argmin(records["order"]))]
        order = int(records["order"].max()) + 1
        for name, value in zip(RECORD.names or (), (order, said.number, seed, turn, epoch, generation, 0)):
            record[name] = value
        return record

    def _records(self) -> npt.NDArray[Any]:
        return self._memory.array(RECORD, (KEPT,))

    def _sayings(self) -> Tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """What was said: (number, length of the text) of each saying, and the texts."""
        at = KEPT * RECORD.itemsize
        heads = self._memory.array(np.int64, (SAYINGS, 2), at)
        return heads, self._memory.array(np.uint8, (SAYINGS, SAID_BYTES), at + SAYINGS * 16)


def _seed() -> int:
    """Torch's seed, which the workers of one iterator have in common, and no others."""
    info = None if torch is None else torch.utils.data.get_worker_info()
    return 0 if info is None else (int(info.seed) - int(info.id)) % 2**63
