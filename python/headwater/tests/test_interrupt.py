"""Ctrl-C in the middle of a batch: the prompt is back in 2 s, and nothing stays."""

import gc
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from conftest import Server

LOOP = """
import sys
import headwater
from torch.utils.data import DataLoader

server, workers, method, how = sys.argv[1:]
# One long epoch: between two, DataLoader's destructor swallows a KeyboardInterrupt.
samples = [index % 26 for index in range(100_000)]
settings = {"plan": "auto"} if how == "auto" else {"cut": how}
data = headwater.IterableDataset(server, "photos", "imagenet-train", **settings, batch_size=4, indices=samples)
loader = DataLoader(data, batch_size=None, num_workers=int(workers), multiprocessing_context=method or None)
print("ready", flush=True)
for images, labels in loader:
    print("batch", flush=True)
"""

# A server that takes the call and never answers: a wait that only a signal can end.
STUCK = """
import socket, sys
import headwater
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print("ready", flush=True)
print("batch", flush=True)
headwater.MapDataset(f"127.0.0.1:{listener.getsockname()[1]}", "photos", "imagenet-train", connect_for=600.0)[0]
"""


# A profile that takes minutes: some 1,000 bytes a second.
MEASURING = """
import sys
import headwater
print("batch", flush=True)
headwater.IterableDataset(sys.argv[1], "photos", "imagenet-train", plan="auto", limit_bandwidth="8kbps")
"""


def interrupted(words: list) -> float:
    """Starts it in a process group of its own, interrupts all of it as a terminal does, and gives the seconds to its
    end."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line == "batch\n":
            break
    time.sleep(0.3)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    took = time.monotonic() - began
    assert process.returncode != 0 and "KeyboardInterrupt" in errors
    with pytest.raises(ProcessLookupError):
        # Nobody of the group is left.
        for _ in range(100):
            os.killpg(process.pid, 0)
            time.sleep(0.05)
    return took


def prompt_again(words: list) -> float:
    """Of three times the shortest: others may use the machine's cores."""
    took = 1e9
    for _ in range(3):
        took = min(took, interrupted(words))
        if took < 2:
            break
    return took


@pytest.mark.parametrize(
    "workers, method, how",
    [
        ("0", "", "decoded"),
        ("2", "fork", "decoded"),
        ("2", "spawn", "decoded"),
        ("0", "", "auto"),
        ("2", "fork", "auto"),
    ],
)
def test_nothing_stays_after_ctrl_c(own_server: Server, workers: str, method: str, how: str) -> None:
    words = [sys.executable, "-c", LOOP, own_server.address, workers, method, how]
    assert prompt_again(words) < 2
    for _ in range(40):
        if own_server.connections() == 0:
            break
        time.sleep(0.05)
    assert own_server.connections() == 0


def test_a_wait_for_a_server_ends_too() -> None:
    assert prompt_again([sys.executable, "-c", STUCK]) < 2


def test_measuring_ends_too(own_server: Server) -> None:
    assert prompt_again([sys.executable, "-c", MEASURING, own_server.address]) < 2


def test_closing_ends_threads_and_connections(own_server: Server) -> None:
    import headwater

    def threads() -> int:
        tasks = pathlib.Path("/proc/self/task").iterdir()
        names = [(task / "comm").read_text().strip() for task in tasks]
        return sum(name.startswith(("headwater", "cpu-")) for name in names)

    # Errors that tests before this one expected hold their frames, and with these datasets, until they are collected.
    gc.collect()
    for settings in ({"cut": "cropped"}, {"plan": "auto"}):
        dataset = headwater.IterableDataset(own_server.address, "photos", "imagenet-train", **settings)
        assert len(dataset) == 26 and threads() == 0, (
            "asking, and measuring, leave nothing behind that a fork would copy"
        )
        samples = iter(dataset)
        next(samples)
        assert threads() > 0 and own_server.connections() > 0
        del samples
        dataset.close()
        for _ in range(60):
            if threads() == own_server.connections() == 0:
                break
            time.sleep(0.05)
        assert (threads(), own_server.connections()) == (0, 0)


def test_a_child_leaves_its_parents_connections_alone(own_server: Server) -> None:
    import headwater

    dataset = headwater.IterableDataset(
        own_server.address, "photos", "imagenet-train", cut="cropped", fields=("index",)
    )
    samples = iter(dataset)
    first = next(samples)
    child = os.fork()
    if child == 0:
        # What it reads it reads through connections of its own, and what it inherited it drops without touching it.
        good = sorted(dataset) == list(range(26))
        samples = None
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert sorted([first, *samples]) == list(range(26))
