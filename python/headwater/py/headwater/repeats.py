"""Samples that come more than once: each time with draws of their own.

Draws are functions of (seed, epoch, key). A sample's first occurrence has the epoch itself; the others have numbers in
its place that no epoch has, for theirs have 63 bits, and that are the same in every run.
"""

from typing import Optional, Union

import numpy as np
import numpy.typing as npt

from headwater.torches import drawn

#: Addresses of draws: one epoch for all samples, or a number for each.
Epochs = Union[int, npt.NDArray[np.uint64]]

TOP = np.uint64(1 << 63)


def occurrences(samples: npt.NDArray[np.uint64]) -> Optional[npt.NDArray[np.uint64]]:
    """How often each of these samples came before, in their order; None where each comes once."""
    order = np.argsort(samples, kind="stable")
    ordered = samples[order]
    again = np.concatenate([[False], ordered[1:] == ordered[:-1]]) if len(samples) else np.zeros(0, dtype=bool)
    if not again.any():
        return None
    places = np.arange(len(samples))
    firsts = np.maximum.accumulate(np.where(again, 0, places))
    times = np.empty(len(samples), dtype=np.uint64)
    times[order] = places - firsts
    return times


def addresses(epoch: int, times: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The address of each sample: the epoch where it comes for the first time, and another number for each further
    time.
    """
    with np.errstate(over="ignore"):
        mixed = _mixed(_mixed(np.full(1, epoch, dtype=np.uint64)) + times)
    found: npt.NDArray[np.uint64] = np.where(times == 0, np.uint64(epoch), mixed | TOP)
    return found


def fresh(samples: npt.NDArray[np.uint64]) -> int:
    """An address that no epoch has, drawn from torch's generator of this process, for these samples in this order:
    where a run that goes on begins the generator's numbers anew, no sample gets a crop again unless the very same batch
    does.
    """
    with np.errstate(over="ignore"):
        mixed = _mixed(samples + _mixed(np.arange(len(samples), dtype=np.uint64)))
    return drawn() ^ int(np.bitwise_xor.reduce(mixed)) | int(TOP)


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finalizer (Steele and others, 2014): a permutation of 64 bits, which spreads neighbours."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = numbers ^ (numbers >> np.uint64(31))
    return mixed
