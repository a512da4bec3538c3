"""Which of its share of a pass a process has taken, where it does not take it in order: order="opportunistic".

A process takes each sample of its share once, whatever comes first. What it has taken is a set, which a state keeps as
bits. DataLoader's workers write down what they take, so that their main process can say what was used after so many
batches.
"""

import base64
import zlib
from typing import Optional

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.shared import Memory

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

#: Samples of all workers of a rank that are written down, in memory that is taken as it is used.
MOST = 1 << 26
#: Workers that write.
WORKERS = 512


class Picks:
    """The order in which a process takes its share, as far as it was chosen. Places count the share from 0."""

    def __init__(self, before: Mask, sequence: Optional[npt.NDArray[np.int32]] = None) -> None:
        """`before`: what was taken before; `sequence`: where to write down what is chosen."""
        self._before, self._had = before, int(np.count_nonzero(before))
        self._chosen, self._count, self._lowest = before.copy(), 0, 0
        self._sequence = np.empty(len(before) - self._had, np.int32) if sequence is None else sequence

    def __len__(self) -> int:
        """How many places were chosen, those of before too."""
        return self._had + self._count

    @property
    def before(self) -> Mask:
        return self._before

    def window(self, size: int) -> Places:
        """The first so many places that were not chosen, in order."""
        lowest = self.lowest()
        # What was chosen out of order lies within a few windows of the lowest.
        end = lowest + 2 * size
        while True:
            found = lowest + np.flatnonzero(~self._chosen[lowest:end])
            if len(found) >= size or end >= len(self._chosen):
                return found[:size].astype(np.int64)
            end += 2 * size

    def choose(self, places: Places) -> None:
        """Takes these places next, in this order."""
        self._sequence[self._count : self._count + len(places)] = places
        self._chosen[places] = True
        self._count += len(places)

    def lowest(self) -> int:
        """The first place that was not chosen."""
        while self._lowest < len(self._chosen) and self._chosen[self._lowest]:
            ahead = self._chosen[self._lowest : self._lowest + 4096]
            self._lowest += len(ahead) if ahead.all() else int(np.argmin(ahead))
        return self._lowest

    def taken(self, count: int) -> Mask:
        """Which places are taken after so many of them, those of before too."""
        taken = self._before.copy()
        taken[self._sequence[: max(0, count - self._had)]] = True
        return taken


class Log:
    """What the workers of a rank have chosen, in memory that they share with their main process."""

    def __init__(self, setting: str) -> None:
        """`setting`: what they choose by."""
        self._setting = setting
        self._memory = Memory(WORKERS * 32 + MOST * 4)

    def sequence(self, epoch: int, worker: int, workers: int, length: int) -> npt.NDArray[np.int32]:
        """Where a worker writes down a share of so many samples. HeadwaterError where there is no room."""
        room = MOST // workers
        if length > room or workers > WORKERS:
            raise HeadwaterError(
                f"{self._setting}: a worker of {workers} has {length} samples, and {room} are written down: use more "
                "ranks"
            )
        self._heads()[worker] = (epoch + 1, workers, length, 0)
        return self._row(worker, workers)[:length]

    def read(self, epoch: int, worker: int, count: int) -> npt.NDArray[np.int32]:
        """The first so many places that a worker has chosen in the pass over this epoch. HeadwaterError where it has
        not.
        """
        found, workers, length, _ = self._heads()[worker].tolist()
        if count and (found != epoch + 1 or count > length):
            raise HeadwaterError(f"worker {worker} has not taken {count} samples in the pass over epoch {epoch}")
        return self._row(worker, max(1, workers))[:count]

    def workers(self, epoch: int) -> int:
        """How many workers read the pass over this epoch; 0 where none has begun."""
        heads = self._heads()
        of_epoch = heads[heads[:, 0] == epoch + 1]
        return int(of_epoch[0, 1]) if len(of_epoch) else 0

    def _heads(self) -> npt.NDArray[np.int64]:
        """(epoch + 1, workers, samples of the share, unused) of each worker."""
        return self._memory.array(np.int64, (WORKERS, 4))

    def _row(self, worker: int, workers: int) -> npt.NDArray[np.int32]:
        room = MOST // workers
        return self._memory.array(np.int32, (room,), WORKERS * 32 + worker * room * 4)


def to_text(mask: Mask) -> str:
    """Bits as text: few characters where many neighbours are alike."""
    return base64.b64encode(zlib.compress(np.packbits(mask).tobytes())).decode()


def from_text(text: str, length: int) -> Mask:
    """So many bits of a text. ValueError for what is none, or has another number of them."""
    size = -(-length // 8)
    # A text from a file may claim to be of any length: no more is read than there can be.
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(base64.b64decode(text, validate=True), max(1, size))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(content) != size or not unpacker.eof and unpacker.decompress(unpacker.unconsumed_tail, 1):
        raise ValueError(f"the bits are not those of {length} samples")
    return np.unpackbits(np.frombuffer(content, np.uint8), count=length).astype(np.bool_)
