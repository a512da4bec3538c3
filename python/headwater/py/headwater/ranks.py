"""Which of how many ranks this process is: asked when a pass begins or a length is asked for, since trainers start
ranks late.
"""

import logging
import os
from typing import Any, Dict, Optional, Set, Tuple

from headwater._headwater import HeadwaterError
from headwater.arguments import whole
from headwater.environment import number
from headwater.torches import torch, worker_of

log = logging.getLogger("headwater")

Ranked = Tuple[int, int]

#: Who sets which variables for a process's rank and for their number, in the order in which they are believed.
LAUNCHERS = (
    ("torchrun", "RANK", "WORLD_SIZE"),
    ("Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ("Slurm", "SLURM_PROCID", "SLURM_NTASKS"),
    ("Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MPI", "PMI_RANK", "PMI_SIZE"),
    ("MVAPICH", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
)


class Place:
    """This process's rank and the number of ranks: given, or found out whenever it is asked for."""

    def __init__(self, rank: Optional[int] = None, world: Optional[int] = None) -> None:
        if (rank is None) != (world is None):
            raise ValueError("give rank= and world= together, or neither")
        self._given: Optional[Ranked] = None
        if rank is not None and world is not None:
            self._given = whole("rank", rank), whole("world", world, 1)
            if self._given[0] >= self._given[1]:
                raise ValueError(f"rank={rank} is not one of world={world}: ranks are counted from 0")
        #: What the process found that spawned this one: holds where this is one of its DataLoader's workers.
        self._inherited: Optional[Ranked] = None

    def resolve(self) -> Ranked:
        """This process's rank and the number of ranks. HeadwaterError where what was given or set cannot be."""
        group = _group()
        if self._given is not None:
            _agreed(self._given, group)
            return self._given
        if group is not None:
            return group
        if self._inherited is not None and worker_of()[1]:
            return self._inherited
        return _launched() or (0, 1)

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_inherited": self.resolve()}


def _group() -> Optional[Ranked]:
    """The rank that torch.distributed says, where it is initialised; else None."""
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return None


def _agreed(given: Ranked, group: Optional[Ranked]) -> None:
    """Sees to it that ranks that were given can be ranks of the process group: all of it, an even part of it, or
    alone."""
    if group is None or given[1] == 1:
        return
    if given[1] == group[1] and given[0] != group[0] or group[1] % given[1]:
        raise HeadwaterError(
            f"rank={given[0]}, world={given[1]} was given, and torch.distributed says that this process is rank "
            f"{group[0]} of {group[1]}: leave rank= and world= out, or give those of the process group"
        )


def _launched() -> Optional[Ranked]:
    """The rank that a launcher has set for this process; None where none has."""
    for launcher, rank, world in LAUNCHERS:
        if rank in os.environ and world in os.environ:
            found = number(rank), number(world)
            _check(found, rank, world)
            if launcher == "Slurm" and found[1] > 1 and "SLURM_STEP_ID" not in os.environ:
                _warn_once(
                    f"rank {found[0]} of {found[1]} is taken from {rank} and {world}: start the script with srun, or, "
                    "if it runs alone, give rank=0, world=1"
                )
            return found
    return _local()


def _local() -> Optional[Ranked]:
    """The rank from its number on its machine, and the number of all ranks, as Lightning and others set them."""
    if "LOCAL_RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return None
    local, world = number("LOCAL_RANK"), number("WORLD_SIZE")
    node = next((number(name) for name in ("NODE_RANK", "GROUP_RANK") if name in os.environ), 0)
    if node and "LOCAL_WORLD_SIZE" not in os.environ:
        raise HeadwaterError(
            f"LOCAL_RANK={local}, NODE_RANK={node} and WORLD_SIZE={world} do not say which rank this is: set RANK, or "
            "LOCAL_WORLD_SIZE, or initialise torch.distributed before the first pass"
        )
    found = (node * number("LOCAL_WORLD_SIZE") if node else 0) + local, world
    _check(found, "LOCAL_RANK", "WORLD_SIZE")
    return found


def _check(found: Ranked, rank: str, world: str) -> None:
    if found[0] >= found[1]:
        raise HeadwaterError(
            f"{rank} and {world} in the environment say rank {found[0]} of {found[1]}: ranks are counted from 0"
        )


_WARNED: Set[str] = set()


def _warn_once(message: str) -> None:
    if message not in _WARNED:
        _WARNED.add(message)
        log.warning("%s", message)
