"""How many threads a process starts: its part of what the processes of one machine have together."""

import os
import re

from headwater import _headwater
from headwater.environment import number
from headwater.torches import worker_of

#: The variables that say how many ranks this machine has: of torchrun, Open MPI, MVAPICH, MPICH and Intel MPI, and
#: Slurm with --ntasks-per-node.
LOCAL_RANKS = (
    "LOCAL_WORLD_SIZE",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "MV2_COMM_WORLD_LOCAL_SIZE",
    "MPI_LOCALNRANKS",
    "SLURM_NTASKS_PER_NODE",
)


def cores_of_rank() -> int:
    """The cores of this rank, at least one: its part, among the ranks of its machine, of what affinity and CPU quotas
    leave.

    Slurm's --cpus-per-task says that part itself.
    """
    cores, per_task = _headwater.cores(), "SLURM_CPUS_PER_TASK"
    own = number(per_task, 1) if per_task in os.environ else None
    if own is not None and "SLURM_PROCID" in os.environ:
        return min(cores, own)
    return max(1, cores // _local_ranks())


def cores_of_process() -> int:
    """The cores of this process, at least one: a DataLoader worker's part of its rank's; all where there are no
    workers.
    """
    return max(1, cores_of_rank() // max(1, worker_of()[1]))


def _local_ranks() -> int:
    """The ranks on this machine, by the first variable that is set; one where none is."""
    found = next((number(name, 1) for name in LOCAL_RANKS if name in os.environ), None)
    return _slurm_tasks() if found is None else found


def _slurm_tasks() -> int:
    """The most tasks that a Slurm step has on one node, from a text such as "4" or "2(x3),1": which node this is is not
    said.
    """
    tasks = os.environ.get("SLURM_STEP_TASKS_PER_NODE", "")
    if "SLURM_PROCID" not in os.environ or not re.fullmatch(r"\d+(\(x\d+\))?(,\d+(\(x\d+\))?)*", tasks):
        return 1
    return max(1, *(int(re.split(r"\D", part)[0]) for part in tasks.split(",")), 1)
