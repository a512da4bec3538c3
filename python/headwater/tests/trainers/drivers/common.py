"""What all drivers have in common: what they are told, the datasets and loaders, and the lines that say what a rank was
given.

A driver is called as `DRIVER.py TASK.json`. It trains three epochs for each run of its task, and saves a state within
epoch 1 and one at the end of epoch 0; or it goes on from these states, and where that is within epoch 1, saves another
there.
"""

import faulthandler
import hashlib
import json
import os
import pathlib
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any, Iterator, List, Optional

import headwater
import torch
import torch.distributed
from torch.utils.data import DataLoader

EPOCHS, BATCH, WORLD = 3, 8, 2
#: Samples: not as many for each rank, but where the trainer fills up its last batch.
UNEVEN, EVEN = 101, 96
#: States within an epoch are saved in this one, after so many steps of it: the second by the run that goes on from the
#: first.
MIDDLE_EPOCH, STEPS = 1, {"middle": 3, "twice": 5}
#: Torch's seed. A run that goes on has another, for what is in no state would come again.
TORCH_SEEDS = {"fresh": 0, "middle": 1, "twice": 2, "end": 3}
SEED = 11
FIELDS = ("image", "label", "index")

# Who waits for this driver in vain asks by this signal where each of its processes stands.
faulthandler.register(signal.SIGUSR1, all_threads=True)


def _let_threads_finish() -> None:
    """Before a fork: gloo's threads end a collective with an interpreter state of their own. CPython 3.11 takes the
    lock under which states are made and dropped into the child, as it was: where a thread held it, the child waits for
    ever before it runs a line of Python. Trainers start workers right behind a collective.
    """
    if torch.distributed.is_initialized():
        time.sleep(0.05)


os.register_at_fork(before=_let_threads_finish)


@dataclass(frozen=True)
class Run:
    """One training: over which dataset, with which workers, from where."""

    servers: str
    recipe: str
    out: str
    #: Of the trainer, where a driver has several.
    mode: str
    kind: str
    workers: str
    start: str
    #: "first": saves states. "again": the same once more, and the runs that go on from the states.
    phase: str

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.workers}"

    @property
    def resumes(self) -> bool:
        return self.start != "fresh"

    @property
    def iterable(self) -> bool:
        return self.kind == "iterable"

    def dataset(self, *, count: int = UNEVEN, batched: bool = True) -> Any:
        """Batches of BATCH where it streams, unless the trainer makes them; samples of MapDataset are as many for each
        rank."""
        shared: Any = {"seed": SEED, "fields": FIELDS, "cut": "cropped", "threads": 1}
        recipe = headwater.Recipe(self.recipe)
        if not self.iterable:
            return headwater.MapDataset(self.servers, "photos", recipe, indices=range(EVEN), **shared)
        batch = BATCH if batched else None
        return headwater.IterableDataset(
            self.servers, "photos", recipe, batch_size=batch, indices=range(count), **shared
        )

    def loader(self, data: Any, kind: Any = DataLoader, **more: Any) -> Any:
        """A DataLoader, or another of its kind."""
        workers = 0 if self.workers == "0" else 2
        given = {"num_workers": workers, "persistent_workers": self.workers == "persistent", **more}
        given.setdefault("batch_size", None if self.iterable else BATCH)
        return kind(data, **given)

    def gives(self, rank: int, epoch: int, step: int, images: Any, indices: Any, length: int) -> None:
        """A batch came: which samples, which pixels, and what len(loader) was then."""
        hashes = [hashlib.sha1(image.numpy().tobytes()).hexdigest()[:12] for image in images]
        samples = [int(index) for index in indices]
        self._write(rank, {"epoch": epoch, "step": step, "samples": samples, "hashes": hashes, "len": length})

    def done(self, rank: int) -> None:
        self._write(rank, {"done": True})

    def _write(self, rank: int, line: Any) -> None:
        about = {"run": self.name, "start": self.start, "phase": self.phase, "rank": rank}
        with open(os.path.join(self.out, f"rank-{rank}.jsonl"), "a") as file:
            file.write(json.dumps({**about, **line}) + "\n")

    def file(self, what: str) -> pathlib.Path:
        """Where something of this run is saved."""
        return pathlib.Path(self.out) / f"{self.name}-{what}"

    @property
    def saves(self) -> Optional[str]:
        """The state that this run saves within an epoch, by the start of the run that goes on from it."""
        return "middle" if self.phase == "first" else "twice" if self.start == "middle" else None

    def saves_behind(self, epoch: int, step: int) -> bool:
        """Whether it does so behind this step."""
        return self.saves is not None and (epoch, step + 1) == (MIDDLE_EPOCH, STEPS[self.saves])

    def saves_end(self, epoch: int) -> bool:
        return self.phase == "first" and epoch == 0

    def save(self, start: Optional[str], state: Any) -> None:
        whole = self.file(f"{start}.pt.new")
        torch.save(state, whole)
        whole.rename(self.file(f"{start}.pt"))

    def saved(self) -> Any:
        """What rank 0 saves: ranks without a process group come here before it."""
        until = time.monotonic() + 60
        while not self.file(f"{self.start}.pt").exists() and time.monotonic() < until:
            time.sleep(0.05)
        return torch.load(self.file(f"{self.start}.pt"), weights_only=False)


def task() -> List[Run]:
    """What this driver is to do, in order."""
    told = json.loads(pathlib.Path(sys.argv[1]).read_text())
    return [Run(**{**told["shared"], **run}) for run in told["runs"]]


def each(runs: List[Run], *ranks: int) -> Iterator[Run]:
    """The runs, with a line of each rank where one has come to its end: who sees none where it failed knows which it
    was."""
    for run in runs:
        yield run
        for rank in ranks:
            run.done(rank)


class Network(torch.nn.Module):
    """Something to train, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, images: torch.Tensor) -> Any:
        return self.layer(images.mean((2, 3))).mean()
