"""The product that is tried: trainers, kinds of dataset, workers, and where a run begins.

A part of it by default, in which every trainer meets every kind, every number of workers and every beginning, and every
kind every number of workers; all of it with HEADWATER_TEST_THOROUGH=1.
"""

import itertools
import os
from typing import List, NamedTuple

#: Each with how its processes are started: alone, two as a launcher's or Slurm's, or by its own means.
TRAINERS = {
    "plain": "alone",
    "torchrun": "torchrun",
    "spawn": "alone",
    "slurm": "slurm",
    "lightning-fit": "alone",
    "lightning-datamodule": "alone",
    "lightning-spawn": "alone",
    "accelerate-prepare": "ranks",
    "accelerate-dispatch": "ranks",
    "accelerate-shard": "ranks",
    "transformers": "ranks",
    "stateful": "alone",
}
KINDS = ("iterable", "map")
WORKERS = ("0", "2", "persistent")
#: A run from its beginning, one that goes on from a state within an epoch, one that goes on from a state that the
#: latter saved in the same epoch, and one from a state at an epoch's end.
STARTS = ("fresh", "middle", "twice", "end")


class Combination(NamedTuple):
    """One of the product."""

    trainer: str
    kind: str
    workers: str
    start: str

    @property
    def run(self) -> str:
        """What a driver calls it."""
        return f"{self.kind}-{self.workers}"


def product() -> List[Combination]:
    return [Combination(*values) for values in itertools.product(TRAINERS, KINDS, WORKERS, STARTS)]


def chosen() -> List[Combination]:
    """Of every trainer the kind of dataset alternates with the number of workers, and the other way about for the next
    trainer."""
    if os.environ.get("HEADWATER_TEST_THOROUGH") == "1":
        return product()
    trainers = list(TRAINERS)
    return [
        one
        for one in product()
        if (trainers.index(one.trainer) + KINDS.index(one.kind) + WORKERS.index(one.workers)) % 2 == 0
    ]


def runs(trainer: str) -> List[str]:
    """The kinds and workers that are chosen for a trainer."""
    return list(dict.fromkeys(one.run for one in chosen() if one.trainer == trainer))
