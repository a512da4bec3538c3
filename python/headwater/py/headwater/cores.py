"""How many threads a process starts: its part of what the processes of one machine have together."""

import os
import re

from headwater import _headwater
from headwater.environment import number
from headwater.torches import worker_of

#: Who sets a variable with the ranks on this machine: torchrun, Open MPI, MVAPICH, MPICH and Intel MPI, and Slurm with
#: --ntasks-per-node.
LOCAL_RANKS = (
    "LOCAL_WORLD_SIZE",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "MV2_COMM_WORLD_LOCAL_SIZE",
    "MPI_LOCALNRANKS",
    "SLURM_NTASKS_PER_NODE",
)


def cores_of_rank() -> int:
    """A rank's, at least one: of those that affinity and CPU quotas leave this process, its part among the ranks of its machine.

    Slurm's --cpus-per-task is that part already.
    """
    cores, per_task = _headwater.cores(), "SLURM_CPUS_PER_TASK"
    own = number(per_task, 1) if per_task in os.environ else None
    if own is not None and "SLURM_PROCID" in os.environ:
        return min(cores, own)
    return max(1, cores // _local_ranks())


def cores_of_process() -> int:
    """A DataLoader worker's part of its rank's, at least one; all of them where there are no workers."""
    return max(1, cores_of_rank() // max(1, worker_of()[1]))


def _local_ranks() -> int:
    """Ranks on this machine, by the first variable that is set; else one."""
    found = next((number(name, 1) for name in LOCAL_RANKS if name in os.environ), None)
    return _slurm_tasks() if found is None else found


def _slurm_tasks() -> int:
    """Tasks of a Slurm step on each of its nodes, such as "4" or "2(x3),1": the most, for a node does not say which it is."""
    tasks = os.environ.get("SLURM_STEP_TASKS_PER_NODE", "")
    if "SLURM_PROCID" not in os.environ or not re.fullmatch(r"\d+(\(x\d+\))?(,\d+(\(x\d+\))?)*", tasks):
        return 1
    return max(1, *(int(re.split(r"\D", part)[0]) for part in tasks.split(",")), 1)
