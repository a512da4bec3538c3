"""Memory and CPU time of all processes that have come of this one, whichever of them started which.

A process whose parent has ended comes to this one, so that none is missed that a framework leaves behind. One contender
at a time: whatever runs below this process is counted for it.
"""

import ctypes
import dataclasses
import os
import pathlib
import signal
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
#: Seconds between two looks, and between two looks at what is shared, which cost more.
EVERY, EVERY_SHARED = 0.2, 1.0
PR_SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass
class Used:
    """Bytes at most, summed over the processes of one moment, and CPU seconds."""

    #: Each process's own peak so far (VmHWM): pages that several share are counted for each.
    peak: int = 0
    #: Proportional set size: shared pages are counted once.
    peak_shared_once: int = 0
    processor: float = 0.0
    processes: int = 0


def adopt() -> None:
    """Makes this process the parent of all that come of it and lose theirs."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def below() -> dict[int, list[str]]:
    """The fields of /proc/PID/stat after the name, of each process that has come of this one."""
    found, parents = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[int(entry)] = fields
        parents.setdefault(int(fields[1]), []).append(int(entry))
    inside, todo = {}, [os.getpid()]
    while todo:
        for pid in parents.get(todo.pop(), []):
            inside[pid] = found[pid]
            todo.append(pid)
    return inside


def kill_below() -> None:
    """Ends at once whatever runs below this process, and waits for it."""
    while pids := [pid for pid, fields in below().items() if fields[0] != "Z"]:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
    reap()


def reap() -> None:
    """Takes the exit codes of those who came here when their parents ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


class Watch:
    """Looks at the processes again and again, in a thread, until it is closed."""

    def __init__(self):
        self._used, self._processor, self._shared_at = Used(), {}, 0.0
        self._lock, self._end = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def used(self) -> Used:
        """What was used until now."""
        self._look()
        with self._lock:
            return dataclasses.replace(self._used)

    def close(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(EVERY):
            self._look()

    def _look(self) -> None:
        with self._lock:
            inside = below()
            peaks = [memory(f"/proc/{pid}/status", "VmHWM:") for pid in inside]
            self._used.peak = max(self._used.peak, sum(peaks))
            self._used.processes = max(self._used.processes, sum(peak > 0 for peak in peaks))
            for pid, fields in inside.items():
                # A number may come back as another process's: its start is part of its name.
                self._processor[pid, fields[19]] = (int(fields[11]) + int(fields[12])) / TICK
            self._used.processor = sum(self._processor.values())
            if time.monotonic() - self._shared_at > EVERY_SHARED:
                self._shared_at = time.monotonic()
                shares = (memory(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in inside)
                self._used.peak_shared_once = max(self._used.peak_shared_once, sum(shares))


def memory(file: str, line: str) -> int:
    """Bytes that a line of one of the kernel's files says; 0 where the process has ended."""
    try:
        with open(file) as lines:
            return next((1024 * int(each.split()[1]) for each in lines if each.startswith(line)), 0)
    except OSError:
        return 0
