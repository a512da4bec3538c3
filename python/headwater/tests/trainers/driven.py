"""Runs a trainer's driver: its processes, what they wrote, and what went wrong in which of its runs."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Tuple

from combinations import STARTS, TRAINERS, runs

DRIVERS = pathlib.Path(__file__).resolve().parent / "drivers"
WORLD = 2
#: A driver that is silent for so long has hung: it is killed, and its run has failed.
MOST_SILENT = 150.0
#: And is asked after this time where it stands: before its ranks give each other up, which is after a minute.
ASKED_AFTER = 40.0
#: How long the other ranks may go on where one has failed.
GRACE = 5.0

#: The phase, the run, and where it begins.
Key = Tuple[str, str, str]


@dataclass
class Driven:
    """What a trainer's driver wrote."""

    #: The lines of each rank.
    lines: Dict[Key, List[Dict[str, Any]]] = field(default_factory=dict)
    #: What was on stderr where a run failed.
    errors: Dict[Key, str] = field(default_factory=dict)


def file_and_mode(trainer: str) -> Tuple[pathlib.Path, str]:
    name, _, mode = trainer.partition("-")
    file = DRIVERS / f"{name}.py"
    return (file if file.exists() else DRIVERS / f"{name}_run.py"), mode


def drive(trainer: str, servers: str, recipe: str, folder: pathlib.Path) -> Driven:
    """All runs of a trainer: first those that save states, then these once more, and those that go on."""
    folder.mkdir(parents=True)
    file, mode = file_and_mode(trainer)
    shared = {"servers": servers, "recipe": recipe, "out": str(folder), "mode": mode}
    driven = Driven()
    for phase in ("first", "again"):
        wanted = [
            (phase, run, start) for run in runs(trainer) for start in STARTS if phase == "again" or start == "fresh"
        ]
        # What failed at first has saved nothing to go on from.
        wanted = [key for key in wanted if ("first", key[1], "fresh") not in driven.errors]
        while wanted:
            failed = _attempt(
                file, TRAINERS[trainer], {"shared": {**shared, "phase": phase}, "runs": _told(wanted)}, folder
            )
            _read(driven, folder)
            left = [key for key in wanted if not _is_done(driven, key)]
            if failed is None and left:
                failed = f"the driver ended well, and did not come to {left[0]}"
            if failed is not None and left:
                driven.errors[left[0]] = failed
                left = left[1:]
            elif failed is not None:
                driven.errors[wanted[-1]] = failed
            wanted = left
    return driven


def _told(wanted: List[Key]) -> List[Dict[str, str]]:
    return [{"kind": run.split("-")[0], "workers": run.split("-")[1], "start": start} for _, run, start in wanted]


def _attempt(file: pathlib.Path, launch: str, task: Dict[str, Any], folder: pathlib.Path) -> Any:
    """Runs the driver for these; None, or what was on stderr where it failed."""
    told = folder / "task.json"
    told.write_text(json.dumps(task))
    processes = []
    for number, (words, variables) in enumerate(_processes(launch, file)):
        log = (folder / f"stderr-{number}").open("w")
        processes.append(
            subprocess.Popen(
                [*words, str(told)], env=_environment(variables), stdout=log, stderr=log, start_new_session=True
            )
        )
    try:
        hung = _wait(processes, folder)
    finally:
        for process in processes:
            # With whatever it has started: its session is its own.
            _kill(process.pid)
            process.wait()
    if not hung and all(process.returncode == 0 for process in processes):
        return None
    texts = [(folder / f"stderr-{number}").read_text()[-30000:] for number in range(len(processes))]
    return ("it hung\n" if hung else "") + "\n".join(texts)


def _processes(launch: str, file: pathlib.Path) -> List[Tuple[List[str], Dict[str, str]]]:
    python = [sys.executable, str(file)]
    if launch == "alone":
        return [(python, {})]
    if launch == "torchrun":
        torchrun = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node",
            str(WORLD),
            str(file),
        ]
        return [(torchrun, {})]
    if launch == "slurm":
        names = ("SLURM_PROCID", "SLURM_LOCALID")
        shared = {
            "SLURM_NTASKS": str(WORLD),
            "SLURM_STEP_NUM_TASKS": str(WORLD),
            "SLURM_STEP_ID": "0",
            "SLURM_JOB_ID": "7",
            "SLURM_NODEID": "0",
        }
    else:
        names = ("RANK", "LOCAL_RANK")
        shared = {
            "WORLD_SIZE": str(WORLD),
            "LOCAL_WORLD_SIZE": str(WORLD),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": _free_port(),
        }
    return [(python, {**shared, **{name: str(rank) for name in names}}) for rank in range(WORLD)]


def _free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def _environment(variables: Dict[str, str]) -> Dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "PMI_", "OMPI_"))}
    return {**ours, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1", **variables}


def _wait(processes: List[Any], folder: pathlib.Path) -> bool:
    """Until all have ended, or one has failed and others had time to follow. Whether they hung: none wrote anything for
    long."""
    failed_at, asked = None, False
    while any(process.poll() is None for process in processes):
        failed = any(process.returncode not in (None, 0) for process in processes)
        failed_at = failed_at or (time.monotonic() if failed else None)
        silence = time.time() - _last_written(folder)
        silent = silence > MOST_SILENT
        if silence > ASKED_AFTER and not asked:
            asked = True
            for process in processes:
                _ask(process.pid)
        if silent or failed_at is not None and time.monotonic() - failed_at > GRACE:
            return silent and failed_at is None
        time.sleep(0.1)
    return False


def _last_written(folder: pathlib.Path) -> float:
    """When a file of the folder was last written. A file may go while it is looked at, for states are renamed."""
    times = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times, default=time.time())


def _ask(session: int) -> None:
    """Has every process of a driver that runs Python write its threads' stacks to stderr."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == session and _catches(entry, signal.SIGUSR1):
                os.kill(int(entry.name), signal.SIGUSR1)
        except (OSError, ProcessLookupError):
            pass


def _catches(process: pathlib.Path, number: int) -> bool:
    """Whether it has a handler: others would be ended."""
    caught = next(line for line in (process / "status").read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _read(driven: Driven, folder: pathlib.Path) -> None:
    driven.lines.clear()
    for file in sorted(folder.glob("rank-*.jsonl")):
        for line in map(json.loads, file.read_text().splitlines()):
            driven.lines.setdefault((line["phase"], line["run"], line["start"]), []).append(line)


def _is_done(driven: Driven, key: Key) -> bool:
    lines = driven.lines.get(key, [])
    ranks = {line["rank"] for line in lines}
    return bool(ranks) and all(any("done" in line for line in lines if line["rank"] == rank) for rank in ranks)
