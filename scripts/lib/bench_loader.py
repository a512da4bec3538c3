"""Photos into a training script's loop, over loopback: Headwater against what else there is; interleaved, in one run.

Twice: with server and client free to use every core, and with the server on one core and the client on the others. Each
is held against ours of the same kind: u8 pixels, or the normalised f32 tensors that a network takes. What servers and
clients used of their processors is the kernel's count of their processes (of SOPHON's client without its DataLoader's
workers).
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from processor import processor_seconds

OURS = {kind: f"headwater, cropped, {kind}" for kind in ("tensors", "pixels")}
PEERS = pathlib.Path(__file__).with_name("loader_peers.py")
#: Images that a client reads at least, beside the first epoch.
IMAGES = 2400


class Server:
    """A program that serves; stopped by process id."""

    def __init__(self, command: list):
        environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
        self.process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise SystemExit(f"{' '.join(map(str, command))} does not start")
        self.pid = self.process.pid

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def pin(pid: int, cores: set) -> None:
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), cores)


def client(python: pathlib.Path, epochs: int, cores: set, *words) -> list:
    """What a client prints, run on these cores: a line for each epoch."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    done = subprocess.run(
        [str(word) for word in (python, PEERS, *words, "--epochs", epochs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=pathlib.Path, required=True)
    parser.add_argument("--proto", type=pathlib.Path, required=True)
    parser.add_argument("--recipe", type=pathlib.Path, required=True, help="a file that holds imagenet-train")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--server", required=True, help="a storage server of these photos")
    parser.add_argument("--server-pid", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    python = pathlib.Path(sys.executable)
    every = os.sched_getaffinity(0)
    first, rest = {min(every)}, every - {min(every)} or every
    workers = ("--workers", len(every))
    count = sum(path.suffix.lower() in (".jpg", ".jpeg") for path in args.photos.rglob("*"))
    epochs = 1 + -(-IMAGES // count)

    started = {"sophon": Server([python, PEERS, "sophon-serve", "--photos", args.photos, *workers])}
    try:
        started["tf.data service"] = Server([python, PEERS, "tf-serve"])
    except SystemExit:
        print("  TensorFlow is not there: without tf.data service", file=sys.stderr)
    photos = ("--photos", args.photos)
    ours = (args.server_pid, "headwater", "--server", args.server)
    grpcio = (
        args.server_pid,
        "grpcio",
        "--server",
        args.server,
        "--proto",
        args.proto,
        "--recipe",
        args.recipe,
        "--work",
        args.work,
    )
    tensors = ("--output", "tensor")
    clients = {
        OURS["tensors"]: (*ours, *tensors),
        "grpcio + PyTorch, cropped, tensors": (*grpcio, *tensors),
        "headwater, jpeg-crop, tensors": (*ours, *tensors, "--cut", "jpeg-crop"),
        OURS["pixels"]: ours,
        "grpcio, cropped, pixels": grpcio,
        "SOPHON's design, pixels": (
            started["sophon"].pid,
            "sophon",
            "--server",
            started["sophon"].address,
            *photos,
            *workers,
        ),
    }
    if "tf.data service" in started:
        there = started["tf.data service"]
        clients["tf.data service, pixels"] = (there.pid, "tf", "--server", there.address, *photos)
    try:
        for _, *words in clients.values():
            client(python, 1, every, *words)  # fills caches
        free = measure(args.rounds, python, epochs, clients, every)
        for pid in (args.server_pid, *(server.pid for server in started.values())):
            pin(pid, first)
        pinned = measure(args.rounds, python, epochs, clients, rest)
    finally:
        for server in started.values():
            server.stop()
    result = {"photos": args.name, "every_core": free, "server_on_one_core": pinned}
    if args.json:
        print(json.dumps(result))
        return
    print(
        f"\n  {args.name}: images/s into the loop, batches of 32 (median of {args.rounds}; in brackets: ours over it)"
    )
    print(f"  {'':36}{'every core':>18} {'server on one core':>20} {'CPU us/image: server':>22} {'client':>8}")
    for name, row in pinned.items():
        print(f"  {name:36}", end="")
        for column, width in ((free[name], 9), (row, 11)):
            print(f"{column['per_second']:{width}.0f} ({column['ours_over_it']:6.2f}) ", end="")
        print(f"{row['server_microseconds']:20.0f} {row['client_microseconds']:8.0f}")
    print()


def measure(rounds: int, python: pathlib.Path, epochs: int, clients: dict, cores: set) -> dict:
    rates, used, here = ({name: [] for name in clients} for _ in range(3))
    for _ in range(rounds):
        for name, (pid, *words) in clients.items():
            before = processor_seconds(pid)
            rows = client(python, epochs, cores, *words)
            used[name].append((processor_seconds(pid) - before) / sum(row["samples"] for row in rows))
            # The first epoch warms up: workers start, connections are made.
            warm = {key: sum(row[key] for row in rows[1:]) for key in rows[0]}
            rates[name].append(warm["samples"] / warm["seconds"])
            here[name].append(warm["cpu"] / warm["samples"])
    ours = {name: rates[OURS[name.rsplit(", ")[-1]]] for name in clients}
    return {
        name: {
            "per_second": round(statistics.median(column), 1),
            "ours_over_it": round(statistics.median(mine / theirs for mine, theirs in zip(ours[name], column)), 3),
            "server_microseconds": round(statistics.median(used[name]) * 1e6, 1),
            "client_microseconds": round(statistics.median(here[name]) * 1e6, 1),
        }
        for name, column in rates.items()
    }


if __name__ == "__main__":
    main()
