"""Processes that have a share of a core: groups with the kernel's CPU quota, of cgroup version 2 or 1.

Needs root, since the groups are made beside those that there are. Quotas are of short periods, so that what has used up
its share waits for milliseconds.
"""

import pathlib
import time

MOUNTS = pathlib.Path("/proc/self/mounts")
#: Microseconds of one period, and the least that the kernel takes as a quota of it.
PERIOD, LEAST = 20_000, 1_000
#: A group gets its quota whatever else runs: the most that there is, of each version.
WEIGHTS = {"cpu.weight": 10_000, "cpu.shares": 262_144}


class Quota:
    """A group that may use so many cores; for the time of a `with`, in which it ends its processes itself."""

    def __init__(self, name: str, cores: float):
        version, above = hierarchy()
        quota = round(cores * PERIOD)
        # A longer period where the quota would be below the kernel's least.
        period = PERIOD if quota >= LEAST else round(LEAST / cores)
        quota = max(quota, LEAST)
        self.folder = above / name
        limits = {"cpu.max": f"{quota} {period}"}
        if version == 1:
            limits = {"cpu.cfs_period_us": period, "cpu.cfs_quota_us": quota}
        try:
            if version == 2:
                (above / "cgroup.subtree_control").write_text("+cpu")
            self.folder.mkdir()
            weights = {file: weight for file, weight in WEIGHTS.items() if (self.folder / file).exists()}
            for file, value in {**limits, **weights}.items():
                (self.folder / file).write_text(str(value))
        except OSError as error:
            raise SystemExit(
                f"error: no group with a CPU quota can be made in {above}: {error}. Run it as root, outside of "
                "containers or in one that may write there"
            ) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(100):
            try:
                self.folder.rmdir()
                return
            except OSError:
                # A process that has ended leaves its group a moment later.
                time.sleep(0.05)
        raise SystemExit(f"error: the group {self.folder} has processes still")

    def command(self, words: list) -> list:
        """A command that is run in the group from its first instruction on, as the process that is started."""
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', self.folder / "cgroup.procs", *words]


def hierarchy() -> tuple:
    """The version of the hierarchy that has quotas of CPU time, and where it is mounted."""
    for line in MOUNTS.read_text().splitlines():
        _, place, kind, options = line.split()[:4]
        place = pathlib.Path(place)
        if kind == "cgroup" and "cpu" in options.split(","):
            return 1, place
        if kind == "cgroup2" and "cpu" in (place / "cgroup.controllers").read_text().split():
            return 2, place
    raise SystemExit("error: no control groups with CPU quotas are mounted: servers can be given no share of a core")
