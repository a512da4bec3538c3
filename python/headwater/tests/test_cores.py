"""Threads are a process's part of what its machine, its affinity and its CPU quota leave it, divided among ranks and
workers."""

import os
import pathlib
import sys
from typing import Any, Iterator, List

import pytest
from conftest import script

import headwater
from headwater import _headwater, cores

LAUNCHERS = [*cores.LOCAL_RANKS, "SLURM_STEP_TASKS_PER_NODE", "SLURM_CPUS_PER_TASK", "SLURM_PROCID"]

#: Reads a sample, and says how many threads this process has for the rest of recipes.
PROGRAM = """
import pathlib, sys
import headwater
from torch.utils.data import DataLoader

def threads(_image):
    names = [(task / "comm").read_text() for task in pathlib.Path("/proc/self/task").iterdir()]
    return sum(name.startswith("cpu-") for name in names)

address, workers = sys.argv[1], int(sys.argv[2])
data = headwater.MapDataset(address, "photos", "imagenet-train", fields=("image",), transform=threads)
for count in DataLoader(data, batch_size=None, sampler=range(2), num_workers=workers):
    print(int(count))
"""


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in LAUNCHERS:
        monkeypatch.delenv(name, raising=False)
    yield


@pytest.mark.parametrize(
    "environment,expected",
    [
        ({}, 12),
        ({"LOCAL_WORLD_SIZE": "4"}, 3),
        ({"LOCAL_WORLD_SIZE": "5"}, 2),
        ({"LOCAL_WORLD_SIZE": "64"}, 1),
        ({"LOCAL_WORLD_SIZE": "2", "SLURM_NTASKS_PER_NODE": "6", "SLURM_PROCID": "0"}, 6),
        ({"OMPI_COMM_WORLD_LOCAL_SIZE": "3"}, 4),
        ({"MPI_LOCALNRANKS": "6"}, 2),
        ({"SLURM_NTASKS_PER_NODE": "6"}, 2),
        ({"SLURM_PROCID": "3", "SLURM_STEP_TASKS_PER_NODE": "4"}, 3),
        ({"SLURM_PROCID": "3", "SLURM_STEP_TASKS_PER_NODE": "2(x3),4"}, 3),
        # Of the allocation that a shell stands in, not of a task.
        ({"SLURM_STEP_TASKS_PER_NODE": "4", "SLURM_CPUS_PER_TASK": "3"}, 12),
        ({"SLURM_PROCID": "3", "SLURM_CPUS_PER_TASK": "5", "SLURM_NTASKS_PER_NODE": "2"}, 5),
        ({"SLURM_PROCID": "3", "SLURM_CPUS_PER_TASK": "50"}, 12),
    ],
)
def test_a_rank_has_its_part_of_the_cores(monkeypatch: pytest.MonkeyPatch, environment: Any, expected: int) -> None:
    monkeypatch.setattr(_headwater, "cores", lambda: 12)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cores.cores_of_rank() == expected
    for workers, each in ((0, expected), (1, expected), (2, max(1, expected // 2)), (100, 1)):
        monkeypatch.setattr(cores, "worker_of", lambda workers=workers: (0, workers))
        assert cores.cores_of_process() == each


@pytest.mark.parametrize("value", ["", "many", "0", "-2", "1.5"])
def test_a_launchers_variable_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", value)
    with pytest.raises(headwater.HeadwaterError, match="LOCAL_WORLD_SIZE="):
        cores.cores_of_rank()


def counts(address: str, workers: int, before: str = "", **environment: str) -> List[int]:
    return [int(line) for line in script(before + PROGRAM, address, workers, **environment).split()]


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_threads_are_as_many(address: str) -> None:
    allowed = _headwater.cores()
    assert counts(address, 0) == [allowed] * 2
    assert counts(address, 2) == [max(1, allowed // 2)] * 2
    assert counts(address, 0, LOCAL_WORLD_SIZE=str(allowed)) == [1, 1]
    assert counts(address, 0, "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})") == [1, 1]


def test_a_cpu_quota_counts(address: str) -> None:
    if _headwater.cores() == 1:
        pytest.skip("one core cannot be made fewer")
    group = own_group()
    try:
        join = f"import os; open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))"
        assert counts(address, 0, join) == [1, 1]
    finally:
        group.rmdir()


def own_group() -> pathlib.Path:
    """A cgroup with a quota of one core."""
    for parent, quotas in (
        ("/sys/fs/cgroup", {"cpu.max": "100000 100000"}),
        ("/sys/fs/cgroup/cpu", {"cpu.cfs_quota_us": "100000"}),
    ):
        if not (pathlib.Path(parent) / "cgroup.procs").exists():
            continue
        group = pathlib.Path(parent) / f"headwater-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            for name, quota in quotas.items():
                (group / name).write_text(quota)
            return group
        except OSError:
            group.rmdir()
    pytest.skip("no cgroup with a CPU quota can be made here")
