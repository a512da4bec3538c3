"""What the tests share: photos, storage servers as processes, and what `profiler fetch` makes of the photos.

HEADWATER_BIN is the folder of the programs; scripts/test sets it.
"""

import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import weakref
from typing import Any, Dict, Iterator, List, Optional
from unittest import mock

import numpy as np
import pytest
from headwater._headwater import Client
from headwater.transport import Transport

import headwater

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("HEADWATER_BIN", ROOT / "target/debug")).resolve()
CUTS = ["encoded", "jpeg-crop", "decoded", "cropped", "flipped", "tensor", "normalized"]
PHOTOS = 26
# scripts/test --trainers runs these with PyPI's packages, which are not everybody's.
collect_ignore = [] if importlib.util.find_spec("lightning") else ["trainers", "engines"]


def run(*words: Any) -> str:
    done = subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


class Server:
    """A storage server; killed and started again on its port."""

    def __init__(self, folder: pathlib.Path, photos: pathlib.Path, *arguments: Any, port: int = 0) -> None:
        self._folder, self._photos, self._arguments = folder, photos, arguments
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._port = port
        folder.mkdir(parents=True)
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        port_file = self._folder / "port"
        port_file.unlink(missing_ok=True)
        words = [BIN / "storage-server", "serve", "--dataset", "photos", "--data", self._photos]
        words += ["--listen", f"127.0.0.1:{self._port}", "--port-file", port_file, *self._arguments]
        environment = {**os.environ, "HEADWATER_LOG": "warn"}
        # A server that says what it keeps says where, too.
        if "--cache-ssd" not in words:
            environment["HEADWATER_CACHE_DIR"] = str(self._folder / "index")
        self._process = subprocess.Popen(
            [str(word) for word in words], env=environment, stdout=subprocess.DEVNULL, cwd=ROOT
        )
        for _ in range(1200):
            if port_file.exists():
                self._port = int(port_file.read_text())
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("the server did not start: see its log above")

    def reload(self) -> None:
        """Has it list the dataset anew, and waits until it has."""
        assert self._process is not None
        before = self.generation()
        self._process.send_signal(signal.SIGHUP)
        for _ in range(600):
            if self.generation() != before:
                return
            time.sleep(0.05)
        raise RuntimeError("the server did not list the dataset anew: see its log above")

    def generation(self) -> Optional[int]:
        """The number of the generation that it serves."""
        return headwater.datasets(self.address)[0].generation

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def connections(self) -> int:
        """Of anybody to its port, as the kernel has them."""
        lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
        port, established = f"{self._port:04X}", "01"
        return sum(1 for line in lines if line.split()[1].endswith(":" + port) and line.split()[3] == established)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("data") / "photos"
    run(BIN / "testdata", "photos", "--out", folder, "--classes", 2, "--per-class", PHOTOS // 2)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("model") / "extractor.onnx"
    run(BIN / "testdata", "extractor", "--out", file)
    return file, file.with_suffix(".toml")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path, model: Any) -> Iterator[List[Server]]:
    """Two, with half of the photos each, and a model."""
    folder, (file, recipe) = tmp_path_factory.mktemp("servers"), model
    arguments = ["--model", f"extractor={file},recipe={recipe}", "--cpu-workers", 1, "--inference-workers", 1]
    started = [Server(folder / part[0], photos, "--partition", part, *arguments) for part in ("1/2", "2/2")]
    yield started
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def address(servers: List[Server]) -> str:
    return ",".join(server.address for server in servers)


@pytest.fixture()
def own_server(tmp_path: pathlib.Path, photos: pathlib.Path) -> Iterator[Server]:
    """One that a test may kill."""
    server = Server(tmp_path / "server", photos, "--cpu-workers", 1)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory, address: str) -> Dict[str, Dict[int, Dict[str, Any]]]:
    """What `profiler fetch` has of each sample at each cut: array, key, label."""
    found: Dict[str, Dict[int, Dict[str, Any]]] = {}
    for cut in [*CUTS, "features"]:
        out = tmp_path_factory.mktemp("fetched") / cut
        what = ["--model", "extractor"] if cut == "features" else ["--recipe", "imagenet-train"]
        run(
            BIN / "profiler",
            "fetch",
            "--servers",
            address,
            "--dataset",
            "photos",
            "--cut",
            cut,
            *what,
            "--seed",
            7,
            "--epoch",
            3,
            "--out",
            out,
        )
        rows = map(json.loads, (out / "samples.jsonl").read_text().splitlines())
        found[cut] = {row["index"]: {**row, "array": np.load(out / f"{row['index']}.npy")} for row in rows}
    return found


@pytest.fixture(autouse=True)
def loaders_end_with_their_test() -> Iterator[None]:
    """Ends the workers of DataLoader iterators that a test leaves behind, kept alive by the traceback of an error.

    The cyclic collector would end them at some later time, and badly: it finalises their queues' pipes while threads
    of those queues still use them, so that a descriptor is closed twice, which by then may be somebody else's, and
    waits 5 s for workers that were told nothing (PyTorch, CPython 3.11).
    """
    from torch.utils.data import dataloader

    begun: "weakref.WeakSet[Any]" = weakref.WeakSet()
    iterator = dataloader._MultiProcessingDataLoaderIter
    begin = iterator.__init__

    def noted(self: Any, *arguments: Any, **named: Any) -> None:
        begun.add(self)
        begin(self, *arguments, **named)

    with mock.patch.object(iterator, "__init__", noted):
        yield
    for left in list(begun):
        left._shutdown_workers()


def client_of(servers: List[str]) -> Client:
    """A connection as a dataset makes it that was given no keywords."""
    transport = Transport(
        streams=2,
        window=64 << 20,
        threads=0,
        connect_for=10.0,
        patience=120.0,
        bandwidth=None,
        allow_partial=False,
        limits={},
        allow_non_finite=False,
    )
    return transport.connect(servers, "photos", threads=0, workers=1)


def script(text: str, *arguments: Any, timeout: float = 120, **environment: str) -> str:
    """Runs Python text as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", text, *map(str, arguments)],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
