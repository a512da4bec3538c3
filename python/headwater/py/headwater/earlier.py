"""An epoch of an earlier generation that is gone on with in a later one: in its old order, by key.

What came since is not in it, for it comes with the next epoch. What is gone keeps its place: there it fails, so that it
is seen and counted, and all ranks take as many steps as they would have.
"""

import logging
from typing import NamedTuple, Tuple

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.progress import Epoch
from headwater.source import Source

log = logging.getLogger("headwater")

Indices = npt.NDArray[np.uint64]

#: The mark of an index of the earlier generation whose sample is gone. No dataset has so many samples.
GONE = np.uint64(1 << 63)


class Earlier(NamedTuple):
    """An epoch of an earlier generation, and where its samples are in the one that is held."""

    epoch: Epoch
    #: Of each sample of the earlier generation: its index now; with the mark `GONE`, the index that it had.
    places: Indices


def find(saved: Epoch, source: Source) -> Earlier:
    """Where the samples of an epoch of an earlier generation are now. HeadwaterError where the servers do not know."""
    places, added, changed = source.moved(saved.generation)
    if len(places) != saved.length:
        raise HeadwaterError(
            f"this state is of an epoch of {saved.length} samples, and its generation had {len(places)}"
        )
    gone = places == np.uint64(2**64 - 1)
    log.warning(
        "the dataset has changed since the state was saved: %d samples are gone and will fail, %d have another photo "
        "or label, and %d are new and come with the next epoch; the rest of epoch %d is gone on with in its old order",
        int(np.count_nonzero(gone)),
        changed,
        added,
        saved.epoch,
    )
    before = np.arange(len(places), dtype=np.uint64)
    return Earlier(saved, np.where(gone, before | GONE, places))


def parted(indices: Indices, samples: int) -> Tuple[Indices, Indices]:
    """Indices that can be asked for, and the marks of those among them that are gone: neighbours stand for these."""
    gone = indices & GONE
    if not gone.any():
        return indices, gone
    before = np.minimum(indices & ~GONE, np.uint64(samples - 1))
    return np.where(gone != 0, before, indices), gone
