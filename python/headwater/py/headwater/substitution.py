"""Giving other samples in the places of some that are not cached: substitute=SHARE, after iCache (HPCA 2023).

Of the samples of which the job has reported a loss, this share is of low importance: those of the lowest losses, as
they are when a pass begins. Where such a sample is not cached, another one is given in its place that is of low
importance, cached, and still to come in this process's share of the pass. It comes with its own key, label and fields,
once in another's place and once in its own, with two crops.

Which one it is, is decided in Rust (`policy::substitute`), by the code that the simulator runs too.
"""

from typing import Any, Iterator, NamedTuple, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from headwater._headwater import Client, HeadwaterError, Substitution
from headwater.arguments import number
from headwater.failures import Rows
from headwater.repeats import Epochs, addresses
from headwater.resident import resident
from headwater.samples import NONE
from headwater.shared import Counters
from headwater.source import Source
from headwater.swaps import Swaps
from headwater.torches import torch

#: The largest share: what is above the middle is not low.
MOST = 0.5
#: Samples that are chosen at a time, at least: the servers are asked for each time.
LEAST = 64

SHARE = f"the part of the samples that is of low importance, above 0 and at most {MOST}"


class Chosen(NamedTuple):
    """What is given in some places."""

    samples: npt.NDArray[np.uint64]
    #: The addresses of their draws.
    draws: Epochs
    #: The index of the sample in whose place each is given; -1: it is its own.
    replaced: npt.NDArray[np.int64]


def share_of(
    given: Any, *, order: str, shuffle: bool, sampler: Optional[Any], model: Optional[str], cut: Any, fields: Any
) -> Optional[float]:
    """The share that `substitute=` gives; None: nothing is given in others' places. ValueError where that cannot be."""
    if given is None:
        return None
    share = number("substitute", given, 0.0, MOST, SHARE)
    if share == 0.0:
        raise ValueError(f"substitute={given!r}: give {SHARE}, or leave it out")
    if model is not None or cut == "features":
        raise ValueError(
            f"substitute={share} is for training, and never for inference: features are those of the samples that were "
            "asked for. Leave it out"
        )
    if not shuffle and sampler is None:
        raise ValueError(
            f"substitute={share} leaves samples out, and shuffle=False reads a dataset in its order, as evaluation "
            "does: leave either out"
        )
    if order != "seeded":
        raise ValueError(
            f"substitute={share} and order={order!r} both go by what is cached: give either, or first the other"
        )
    if "image" not in fields:
        raise ValueError(
            f"substitute={share} saves photos from being read, and fields={fields!r} asks for no image: leave it out"
        )
    return share


def refuse_inference(share: float) -> None:
    """Raises HeadwaterError where a pass begins for inference."""
    if torch is not None and torch.is_inference_mode_enabled():
        raise HeadwaterError(
            f"substitute={share} is for training, and this pass begins under torch.inference_mode(): read another "
            "dataset without it"
        )


def lowest(
    client: Client, share: float, samples: npt.NDArray[np.uint64], expected: int, source: Source, counters: Counters
) -> npt.NDArray[np.bool_]:
    """Which of these samples are of low importance; none, where the job has reported no loss yet. HeadwaterError where
    it should have: it has taken an epoch's `expected` samples before.
    """
    low = np.zeros(len(samples), dtype=np.bool_)
    there = samples < np.uint64(len(client))
    low[there], known = client.low(share, np.ascontiguousarray(samples[there]))
    counts = counters.totals()
    if not known and not counts["reported"] and counts["samples"] >= max(1, expected):
        raise HeadwaterError(
            f"substitute={share} goes by losses, and none was reported in a whole epoch: ask for fields=(..., 'index') "
            "and call report(indices, losses) of this dataset after each batch, or leave substitute= out"
        )
    if not known and counts["reported"]:
        source.notices.warn(
            f"substitute={share}: the servers know none of the losses that were reported, as after a restart: nothing "
            "is given in others' places until an epoch begins after more were reported",
            "losses",
        )
    return low


class Substitutes:
    """What of a process's share of a pass is given, one part after the other."""

    def __init__(self, client: Client, swaps: Swaps, samples: npt.NDArray[np.uint64], given: int, epoch: int) -> None:
        """`samples` are those of the share, in order, of which so many were given before."""
        self._client, self._swaps, self._samples, self._epoch = client, swaps, samples, epoch
        self._share = Substitution(swaps.low, swaps.used(given))

    def choose(self, begin: int, end: int) -> Chosen:
        """What is given in the places from `begin` to `end`. The servers are told what is left out."""
        asked = self._share.asks(begin, end)
        if not len(asked):
            return Chosen(self._samples[begin:end], self._epoch, np.full(end - begin, NONE, dtype=np.int64))
        cached = asked[resident(self._client, self._samples[asked])]
        instead = self._share.choose(begin, end, cached)
        self._swaps.write(begin, instead)
        left_out, own = instead >= 0, self._samples[begin:end]
        if left_out.any():
            self._client.replaced(np.ascontiguousarray(own[left_out]))
        samples = np.where(left_out, self._samples[instead], own)
        replaced = np.where(left_out, own.astype(np.int64), NONE)
        # A sample that comes twice has another crop in another's place.
        draws = addresses(self._epoch, left_out.astype(np.uint64)) if left_out.any() else self._epoch
        return Chosen(samples, draws, replaced)


def said(
    read: Iterator[Rows],
    sizes: Union[npt.NDArray[np.uint64], Sequence[int]],
    replaced: npt.NDArray[np.int64],
    counters: Counters,
) -> Iterator[Rows]:
    """Rows that say in whose places they are, and are counted."""
    done = 0
    try:
        for rows, size in zip(read, sizes):
            part = replaced[done : done + int(size)]
            done += int(size)
            part = part if rows.places is None else part[rows.places]
            counters.add("replaced", int(np.count_nonzero(part != NONE)))
            yield rows._replace(replaced=part)
    finally:
        close = getattr(read, "close", None)
        if close is not None:
            close()
