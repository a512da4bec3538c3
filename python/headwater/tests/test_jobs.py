"""Servers hear of each job what it reads next, from every rank once; of one that died no more after its lease."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request
from typing import Any, Callable, Iterator, List, Tuple

import headwater
import pytest
from conftest import PHOTOS, Server, script
from headwater.job import Job, _launched
from torch.utils.data import DataLoader


class Watched(Server):
    """A server whose metrics are read."""

    def __init__(self, folder: pathlib.Path, photos: Any, *arguments: Any) -> None:
        self._metrics = folder / "metrics"
        port = ["--metrics-listen", "127.0.0.1:0", "--metrics-port-file", self._metrics]
        super().__init__(folder, photos, "--cpu-workers", 1, *port, *arguments)

    def metric(self, name: str, **labels: str) -> float:
        address = f"http://127.0.0.1:{self._metrics.read_text().strip()}/metrics"
        with urllib.request.urlopen(address, timeout=10) as page:
            text = page.read().decode()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        for line in text.splitlines():
            if line.startswith((f"headwater_{name}{{", f"headwater_{name} ")) and all(each in line for each in wanted):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"there is no {name} {labels}")


@pytest.fixture()
def watched(tmp_path: pathlib.Path, photos: pathlib.Path) -> Iterator[Watched]:
    server = Watched(tmp_path / "server", photos)
    yield server
    server.kill()


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to hold in 30 s")


RANK = """
import sys, headwater, headwater.announcer
from torch.utils.data import DataLoader
server, rank = sys.argv[1], int(sys.argv[2])
data = headwater.IterableDataset(server, "photos", "imagenet-train", batch_size=3, rank=rank, world=2, fields=("key",
    "image"))
for epoch in range(2):
    for keys, images in DataLoader(data, batch_size=None, num_workers=2):
        print(epoch, *keys, flush=True)
print(-1, data.counters()["unannounced"], flush=True)
input()
"""


def start(text: str, *arguments: Any, **environment: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", text, *map(str, arguments)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(words, text=True, env={**os.environ, **environment}, **pipes)


def until(process: "subprocess.Popen[str]", mark: str) -> List[List[str]]:
    """The lines of a process before one that begins with this mark, and that one, in words."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.split())
        if lines[-1][0] == mark:
            return lines
    raise AssertionError(f"it ended before {mark}: {lines}")


def test_two_ranks_of_two_workers_are_one_job_that_ends_with_them(watched: Watched) -> None:
    ranks = [start(RANK, watched.address, rank, HEADWATER_JOB="test") for rank in range(2)]
    lines = [until(rank, "-1") for rank in ranks]
    for epoch in ("0", "1"):
        keys = [key for each in lines for line in each if line[0] == epoch for key in line[1:]]
        assert len(keys) == len(set(keys)) == PHOTOS
    assert [each[-1][1] for each in lines] == ["0", "0"], "every announcement was heard"
    assert watched.metric("jobs", order="known") == 1
    begun = watched.metric("announcements_total", outcome="counts")
    assert begun >= 8, "two ranks tell of two epochs, where they begin and where they end"
    for rank in ranks:
        rank.communicate("\n", timeout=60)
        assert rank.returncode == 0
    assert watched.metric("jobs", order="known") == 0
    assert watched.metric("jobs_lapsed_total") == 0, "it has said that it ends"


KILLED = """
import sys, time, headwater, headwater.announcer
headwater.announcer.LEASE = 1.0
data = headwater.IterableDataset(sys.argv[1], "photos", "imagenet-train", batch_size=1, seed=5, fields=("index",
    "image"))
for index, _ in data:
    data.report(index, [90.0])
    print("begun", flush=True)
    time.sleep(60)
"""


def test_a_job_that_is_killed_is_forgotten_after_its_lease_and_the_other_does_not_notice(watched: Watched) -> None:
    other = start(KILLED, watched.address)
    until(other, "begun")
    data = headwater.IterableDataset(
        watched.address, "photos", "imagenet-train", batch_size=2, fields=("key", "index", "image")
    )
    keys: List[str] = []
    for step, (names, indices, _) in enumerate(data):
        keys += names
        data.report(indices, [1.0] * len(indices))
        if step == 0:
            eventually(lambda: watched.metric("jobs", order="known") == 2)
            other.send_signal(signal.SIGKILL)
            other.wait()
    assert sorted(keys) == sorted(set(keys)) and len(keys) == PHOTOS
    eventually(lambda: watched.metric("jobs", order="known") == 1)
    assert data.counters()["unannounced"] == 0
    data.close()
    eventually(lambda: watched.metric("jobs", order="known") == 0)


def test_an_order_that_nobody_can_compute_is_announced_as_such(watched: Watched) -> None:
    mapped = headwater.MapDataset(watched.address, "photos", "imagenet-train")
    assert len(list(DataLoader(mapped, batch_size=4, shuffle=True))) == -(-PHOTOS // 4)
    eventually(lambda: watched.metric("jobs", order="unknown") == 1)
    mapped.close()

    class Twice:
        def epoch_indices(self, epoch: int) -> List[int]:
            return [3, 3, 5]

    data = headwater.IterableDataset(watched.address, "photos", "imagenet-train", batch_size=3, sampler=Twice())
    assert len(list(data)) == 1
    assert (watched.metric("jobs", order="unknown"), watched.metric("jobs", order="known")) == (1, 0)
    data.close()


def test_choices_are_announced_too(watched: Watched) -> None:
    for settings in ({"indices": [5, 3, 9, 20]}, {"classes": None, "shuffle": False}):
        keywords: Any = settings
        data = headwater.IterableDataset(watched.address, "photos", "imagenet-train", batch_size=2, **keywords)
        list(data)
        assert (watched.metric("jobs", order="known"), data.counters()["unannounced"]) == (1, 0)
        data.close()
    assert watched.metric("calls_refused_total", reason="invalid") == 0


def test_a_job_has_one_name_wherever_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    subject: Tuple[Any, ...] = ("servers", "photos", 0)
    assert Job(subject).name() == Job(subject).name() != Job(("other",)).name()
    monkeypatch.setenv("HEADWATER_JOB", "resnet.a")
    assert Job(subject).name(4).startswith("resnet.a.")
    for broken in ("", "a b", "-a", "x" * 49):
        monkeypatch.setenv("HEADWATER_JOB", broken)
        with pytest.raises(headwater.HeadwaterError, match="HEADWATER_JOB"):
            Job(subject).name()
    monkeypatch.delenv("HEADWATER_JOB")
    assert _launched() is None
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    named = "from headwater.job import Job; print(Job(('a',)).name(2))"
    assert script(named) == script(named), "ranks that a launcher has started are one job"
