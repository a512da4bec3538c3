"""Samples/s by what the photos lie in, and of datasets together on one server against each on a server of its own.

1. One server has the same photos as a folder, tar files and a Parquet file. Clients drain shuffled epochs of each in
   turn; the samples/s of tar and Parquet are told as shares of the folder's in the same round, and the bytes that the
   server read of each source as multiples of the photos' own.
2. One server has three datasets (folder, bucket, tar) and one that is broken, and three servers have one of the three
   each. Four clients at once drain for some seconds: two the folder, one the bucket, one the tar files. They do so at
   the one server and at the three in turn, so that both share the machine with the same clients and the same bucket.

The photo index is off: with it, photos are read of their source once.
"""

import argparse
import json
import pathlib
import statistics
import subprocess

from metrics import metric

EPOCHS = 2
SECONDS = 8
#: Which dataset each of the clients drains.
CLIENTS = ("folder", "folder", "bucket", "tar")


class Bench:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    def address(self, server: str) -> str:
        return f"127.0.0.1:{(self.args.work / server / 'port').read_text()}"

    def begin(self, server: str, dataset: str, cut: str, until: str, seed: int) -> subprocess.Popen:
        """A client that drains a dataset."""
        words = [self.args.drain, self.address(server), dataset, cut, "imagenet-train", until, str(seed)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def fetched(self, server: str, dataset: str) -> float:
        return metric(self.args.work / server, f'headwater_source_fetched_bytes_total{{dataset="{dataset}"}}')

    def memory(self, server: str, what: str) -> int:
        """A line of the server's /proc/PID/status, in bytes."""
        pid = self.args.pids[server]
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def finish(client: subprocess.Popen) -> list[dict]:
    out, _ = client.communicate()
    if client.returncode:
        raise SystemExit(f"a client failed: {client.args}")
    rows = [json.loads(line) for line in out.splitlines()]
    if any(row["failed"] for row in rows):
        raise SystemExit(f"samples failed: {client.args}")
    return rows


def by_source(bench: Bench, cut: str) -> dict:
    """Samples/s of each source, and what was read of it."""
    sources = ("folder", "tar", "parquet")
    stored = metric(bench.args.work / "sources", 'headwater_dataset_stored_bytes{dataset="folder"}')
    rates, read = {source: [] for source in sources}, {source: [] for source in sources}
    for number in range(bench.args.rounds + 1):
        for source in sources:
            before = bench.fetched("sources", source)
            rows = finish(bench.begin("sources", source, cut, str(EPOCHS), number))
            read[source].append((bench.fetched("sources", source) - before) / EPOCHS / stored)
            rates[source].append(sum(row["samples"] for row in rows) / sum(row["seconds"] for row in rows))
    share = {
        source: statistics.median(ours / folder for ours, folder in zip(rates[source][1:], rates["folder"][1:]))
        for source in sources
    }
    return {
        source: {
            # The first round fills the page cache, and the memory of pages of Parquet files.
            "samples_per_second": round(statistics.median(rates[source][1:]), 1),
            "of_the_folder": round(share[source], 3),
            "bytes_read_first_epochs": round(read[source][0], 3),
            "bytes_read": round(statistics.median(read[source][1:]), 3),
        }
        for source in sources
    }


def drained(bench: Bench, servers: dict[str, str], cut: str, seed: int) -> dict[str, float]:
    """Samples/s of all clients at once, by dataset."""
    until = f"{SECONDS}s"
    clients = [(name, bench.begin(servers[name], name, cut, until, seed + i)) for i, name in enumerate(CLIENTS)]
    rates = dict.fromkeys(servers, 0.0)
    for name, client in clients:
        rates[name] += sum(row["samples"] for row in finish(client)) / SECONDS
    return rates


def together(bench: Bench, cut: str) -> dict:
    """Samples/s of three datasets of one server, against those of three servers."""
    one = dict.fromkeys(("folder", "bucket", "tar"), "together")
    three = {name: f"alone-{name}" for name in one}
    idle = bench.memory("together", "VmRSS")
    rounds = []
    for number in range(bench.args.rounds + 1):
        ways = [("together", one), ("alone", three)]
        ways = ways if number % 2 else ways[::-1]
        rounds.append({way: drained(bench, servers, cut, 10 * number) for way, servers in ways})
    rounds = rounds[1:]
    median = {
        way: {name: round(statistics.median(each[way][name] for each in rounds), 1) for name in one}
        for way in ("together", "alone")
    }
    ratio = [sum(each["together"].values()) / sum(each["alone"].values()) for each in rounds]
    return {
        **median,
        "ratio": round(statistics.median(ratio), 3),
        "ratios": [round(each, 3) for each in ratio],
        "memory_limit": bench.args.memory,
        "resident_before": idle,
        "resident_at_most": bench.memory("together", "VmHWM"),
    }


def show(result: dict) -> None:
    for cut, sources in result["sources"].items():
        print(f"\n  {cut:10}      samples/s   of the folder's   bytes read an epoch, of the photos'")
        for source, row in sources.items():
            rate, share, read = row["samples_per_second"], row["of_the_folder"], row["bytes_read"]
            first = row["bytes_read_first_epochs"]
            print(f"  {source:10}    {rate:11.1f}       {share:11.3f}   {read:.3f} (in the first round {first:.3f})")
    for cut, row in result["together"].items():
        print(f"\n  four clients, {cut}: samples/s of the folder, the bucket, tar")
        for way in ("together", "alone"):
            rates = "  ".join(f"{rate:8.1f}" for rate in row[way].values())
            print(f"  {way:10} {rates}")
        grown = (row["resident_at_most"] - row["resident_before"]) / 2**20
        print(f"  all together, of alone: {row['ratio']:.3f}")
        print(f"  memory above idle: {grown:.0f} MiB, and --memory is {row['memory_limit'] / 2**20:.0f} MiB")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--drain", "--work"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--memory", type=int, required=True, help="the servers' --memory, in bytes")
    parser.add_argument("--pids", type=json.loads, required=True, help="the servers' processes, by name")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    bench = Bench(parser.parse_args())
    result = {
        "sources": {cut: by_source(bench, cut) for cut in ("encoded", "cropped")},
        "together": {cut: together(bench, cut) for cut in ("cropped",)},
    }
    if bench.args.json:
        print(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    main()
