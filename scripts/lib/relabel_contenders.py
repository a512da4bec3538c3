"""Who labels in `scripts/bench relabel`: a storage server with `tuner relabel`, and the peers.

Each is begun anew for every run: started, told to go, asked for its labels, ended.
"""

import dataclasses
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import process_tree

#: Seconds after which a contender that says nothing is taken for one that does not run here.
PATIENCE = 600
PEERS = pathlib.Path(__file__).with_name("relabel_peers.py")


class Refused(Exception):
    """A contender that does not run here, and why."""


@dataclasses.dataclass
class Task:
    """What is to be done: photos, a model, and the tensors that were made before."""

    name: str
    model: pathlib.Path
    recipe: pathlib.Path
    side: int
    count: int
    photos: pathlib.Path
    work: pathlib.Path
    #: Batches at which this model is fastest with one session for all threads (`one`) and one in each (`each`), and
    #: which of both is faster (`way`).
    tuned: dict = dataclasses.field(default_factory=dict)

    @property
    def tensors(self) -> pathlib.Path:
        return self.work / f"tensors-{self.side}"

    def words(self) -> list:
        words = ["--photos", self.photos, "--model", self.model, "--tensors", self.tensors]
        return [*words, "--side", self.side, "--count", self.count]


# === Headwater ===


class Headwater:
    """A server with its default settings and a state folder of its own, and the command that has it label."""

    def __init__(self, binaries: pathlib.Path, task: Task, *options: str):
        self.binaries, self.task = binaries, task
        self.folder = task.work / "headwater"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.options = options
        self.server = None

    @property
    def address(self) -> str:
        return "127.0.0.1:" + (self.folder / "port").read_text()

    def start(self) -> None:
        """Also again after its end, with what it has kept."""
        for port in ("port", "metrics-port"):
            (self.folder / port).unlink(missing_ok=True)
        words = ["serve", "--listen", "127.0.0.1:0", "--port-file", self.folder / "port"]
        words += ["--metrics-listen", "127.0.0.1:0", "--metrics-port-file", self.folder / "metrics-port"]
        words += ["--data", self.task.photos, "--dataset", "photos", "--state", self.folder / "state"]
        words += ["--model", f"model={self.task.model},recipe={self.task.recipe}", *self.options]
        with open(self.folder / "log", "a") as log:
            command = [str(word) for word in (self.binaries / "storage-server", *words)]
            self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        while not (self.folder / "port").exists():
            if self.server.poll() is not None:
                raise SystemExit(f"the storage server ends at once:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.02)

    def tuner(self, *words: str) -> dict:
        command = [self.binaries / "tuner", *words, "--servers", self.address, "--dataset", "photos", "--json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    def relabel(self, *words: str) -> dict:
        return self.tuner("relabel", "--model", "model", *words)

    def go(self) -> dict:
        begin = time.perf_counter()
        told = self.relabel()
        seconds = time.perf_counter() - begin
        self.check(told)
        return {"seconds": seconds, "working_seconds": seconds, "decoded": told["decoded"]}

    def check(self, told: dict) -> None:
        if told["labelled"] != self.task.count or told["failed"]:
            raise SystemExit(f"{self.task.count} photos were to be labelled: {told}")

    def labels(self) -> dict:
        """The best class of each photo."""
        told = self.tuner("labels", "--model", "model", "--uncertain")
        return {photo["key"]: int(photo["label"]) for photo in told["photos"]}

    def end(self) -> None:
        self.server.terminate()
        self.server.wait()
        process_tree.kill_below()


class Kept(Headwater):
    """The same once more, where the pixels of all photos were kept by a labelling before."""

    def __init__(self, binaries: pathlib.Path, task: Task):
        super().__init__(binaries, task, "--cache-kinds", "resized")

    def start(self) -> None:
        super().start()
        self.check(self.relabel())

    def relabel(self, *words: str) -> dict:
        return super().relabel("--from-scratch", *words)


# === Peers ===


class Peer:
    """A process of its own for one of the contenders in `relabel_peers.py`."""

    def __init__(self, contender: str, task: Task, *words, batch: str = "each"):
        self.contender, self.task = contender, task
        self.folder = task.work / contender
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        # Ray's sockets need a short path.
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="hw", dir="/tmp"))
        self.words = [*task.words(), "--batch", task.tuned[batch], "--way", task.tuned["way"], *words]
        self.process = None

    def start(self) -> None:
        words = [*self.words, "--out", self.folder / "out", "--scratch", self.scratch]
        with open(self.folder / "log", "w") as log:
            command = [str(word) for word in (sys.executable, PEERS, self.contender, *words)]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment(self.folder),
            )
        self.lines = queue.Queue()
        threading.Thread(target=self.listen, args=(self.process.stdout,), daemon=True).start()
        self.ready = self.line()

    def listen(self, out) -> None:
        """Passes its lines of JSON on; what frameworks print beside is passed over."""
        for line in out:
            if line.startswith("{"):
                self.lines.put(json.loads(line))
        self.lines.put(None)

    def line(self) -> dict:
        """The next of its lines."""
        try:
            if line := self.lines.get(timeout=PATIENCE):
                return line
        except queue.Empty:
            pass
        said = (self.folder / "log").read_text().strip().splitlines()
        why = said[-1] if said else f"it says nothing for {PATIENCE} s"
        self.end()
        raise Refused(why)

    def begin(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def go(self) -> dict:
        self.begin()
        return self.line()

    def labels(self) -> dict:
        file = self.folder / "out" / "labels.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def end(self) -> None:
        process_tree.kill_below()
        self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


def environment(folder: pathlib.Path) -> dict:
    """For Ray and Daft: nothing is told to anybody, and nothing is left in the user's home."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    here = str(PEERS.parent)
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "true"}
    return {**os.environ, **quiet, "DAFT_PROGRESS_BAR": "0", "HOME": str(home), "PYTHONPATH": here}


def tool(name: str, task: Task, *words) -> dict:
    """What a tool of `relabel_peers.py` prints."""
    command = [str(word) for word in (sys.executable, PEERS, name, *task.words(), *words)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
