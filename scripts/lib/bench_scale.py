"""Accelerator utilisation, and samples/s over several servers against one, where servers have a share of a core each.

The accelerators are emulated as MLPerf Storage does: a process takes a batch, and waits for as long as a step would
take. There are as many as servers, and each reads from all of them (`scale_trainer.py`). Without a step they say what
servers give at most; a step then takes as long as a server needs for a batch at `--load` of that. In a round every
number of servers is measured with and without the step, one after the other. Utilisation is the steps' time over all
time from the end of the first step on, as MLPerf Storage counts it (DLIO's `exclude_start_steps: 1`); over the whole
epoch, in which the first batch is waited for, it is given too.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from cpu_quota import Quota
from parts import deal
from processor import processor_seconds
from relabel_photos import repeat
from storage_servers import Servers

TRAINER = pathlib.Path(__file__).with_name("scale_trainer.py")
#: At least: of the time, in steps; and of so many times the samples/s of one server.
UTILISATION, EFFICIENCY = 0.9, 0.95


def numbers(text: str) -> list:
    return [int(word) for word in text.split(",")]


def fractions(text: str) -> list:
    return [float(word) for word in text.split(",")]


class Fleet:
    """Servers that run, the first of which are read from."""

    def __init__(self, servers: Servers, cores: float, cut: str, args: argparse.Namespace):
        self.addresses = servers.addresses.split(",")
        self.pids = [process.pid for process in servers.processes]
        self.cores, self.cut, self.args = cores, cut, args

    def epoch(self, count: int, step: float) -> dict:
        """An epoch of as many trainers as servers."""
        words = [sys.executable, TRAINER, "--servers", ",".join(self.addresses[:count]), "--cut", self.cut]
        words += ["--batch", self.args.batch, "--step", step, "--workers", self.args.workers, "--world", count]
        environment = dict(os.environ, LOCAL_WORLD_SIZE=str(count))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
        with contextlib.ExitStack() as ends:
            trainers = []
            for rank in range(count):
                trainer = subprocess.Popen([str(word) for word in (*words, "--rank", rank)], **pipes)
                trainers.append(ends.enter_context(trainer))
                # Where another has failed; who has ended is not killed any more.
                ends.callback(trainer.kill)
            for trainer in trainers:
                if trainer.stdout.readline() != "ready\n":
                    raise SystemExit("error: a trainer ended before its epoch: see above")
            before = self.processor(count)
            for trainer in trainers:
                trainer.stdin.write("\n")
                trainer.stdin.flush()
            rows = [json.loads(trainer.stdout.readline() or "null") for trainer in trainers]
            served = self.processor(count) - before
            for trainer in trainers:
                trainer.wait()
        if None in rows or any(row["failed"] for row in rows):
            raise SystemExit(f"error: an epoch over {count} servers did not come whole: {rows}")
        seconds = max(row["end"] for row in rows) - min(row["begin"] for row in rows)
        used = [(row["steps"] - 1) * step / (row["end"] - row["settled"]) for row in rows]
        whole = [row["steps"] * step / (row["end"] - row["begin"]) for row in rows]
        return {
            "rate": sum(row["samples"] for row in rows) / seconds,
            "utilisation": statistics.mean(used),
            "least_utilisation": min(used),
            "whole_utilisation": statistics.mean(whole),
            "first_batch_seconds": max(row["settled"] - step - row["begin"] for row in rows),
            "of_shares": served / (self.cores * count * seconds),
            "trainer_cores": sum(row["processor"] for row in rows) / seconds,
        }

    def processor(self, count: int) -> float:
        return sum(processor_seconds(pid) for pid in self.pids[:count])


def measure(fleet: Fleet, counts: list, rounds: int, load: float) -> dict:
    """What was found for each number of servers; the first number is what the others are held against."""
    one = statistics.median(fleet.epoch(counts[0], 0)["rate"] for _ in range(rounds)) / counts[0]
    step = fleet.args.batch / (load * one)
    turns = [{count: (fleet.epoch(count, 0), fleet.epoch(count, step)) for count in counts} for _ in range(rounds)]
    rows = []
    for count in counts:
        free, paced = ([turn[count][way] for turn in turns] for way in (0, 1))

        def median(found: list, name: str) -> float:
            return statistics.median(each[name] for each in found)

        against = [turn[count][0]["rate"] / turn[counts[0]][0]["rate"] * counts[0] / count for turn in turns]
        rows.append(
            {
                "servers": count,
                "per_second": round(median(free, "rate"), 1),
                "efficiency": round(statistics.median(against), 3),
                "utilisation": round(median(paced, "utilisation"), 4),
                "least_utilisation": round(min(each["least_utilisation"] for each in paced), 4),
                "whole_utilisation": round(median(paced, "whole_utilisation"), 4),
                "paced_per_second": round(median(paced, "rate"), 1),
                "first_batch_seconds": round(median(paced, "first_batch_seconds"), 3),
                "of_servers_shares": round(median(free, "of_shares"), 3),
                "trainers_cores": round(median(free, "trainer_cores"), 2),
            }
        )
    return {"step_seconds": round(step, 4), "rows": rows}


def show(found: dict) -> None:
    print(f"\n  {found['cut']}: {found['photos']}, {found['cores_of_a_server']} of a core each;", end="")
    print(f" batches of {found['batch']}, steps of {found['step_seconds'] * 1e3:.0f} ms")
    for row in found["rows"]:
        print(
            f"  {row['servers']} server{'s' if row['servers'] > 1 else ' '} {row['per_second']:8.1f} samples/s"
            f"   efficiency {row['efficiency']:.3f}   utilisation {row['utilisation']:.3f}"
            f" (least {row['least_utilisation']:.3f}, with the first batch {row['whole_utilisation']:.3f})"
            f"   of the servers' shares {row['of_servers_shares']:.2f}, trainers {row['trainers_cores']:.2f} cores"
        )
    print(f"  goals: efficiency {EFFICIENCY}, utilisation {UTILISATION}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--name", required=True, help="what the photos are")
    parser.add_argument("--servers", type=numbers, default=[1, 2, 4])
    parser.add_argument("--cuts", type=lambda text: text.split(","), default=["jpeg-crop", "normalized"])
    parser.add_argument("--shares", type=fractions, default=[0.03, 0.3], help="of a core, for each cut")
    parser.add_argument("--photos", type=int, default=1200, help="of each server")
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1, help="of each DataLoader")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if len(args.shares) != len(args.cuts):
        parser.error(f"--shares has {len(args.shares)} numbers, and --cuts {len(args.cuts)} names: one for each")
    parts = [args.work / f"part-{number}" for number in range(max(args.servers))]
    everything = args.work / "photos"
    repeat(args.source, everything, args.photos * len(parts))
    deal(everything, parts)
    shutil.rmtree(everything)
    program = args.bin / "storage-server"
    for part in parts:
        index = [program, "index", "--data", part, "--cache-dir", f"{part}-cache"]
        subprocess.run([str(word) for word in index], check=True, stdout=subprocess.DEVNULL)

    found = []
    for cut, cores in zip(args.cuts, args.shares):
        with contextlib.ExitStack() as ends:
            commands = []
            for part in parts:
                quota = ends.enter_context(Quota(f"headwater-bench-{os.getpid()}-{part.name}", cores))
                serve = ["serve", "--data", part, "--dataset", "bench", "--cache-dir", f"{part}-cache"]
                commands.append(quota.command([program, *serve]))
            servers = ends.enter_context(Servers(commands))
            fleet = Fleet(servers, cores, cut, args)
            told = {"cut": cut, "photos": args.name, "cores_of_a_server": cores, "batch": args.batch}
            found.append({**told, **measure(fleet, args.servers, args.rounds, args.load)})
    if args.json:
        print(json.dumps(found))
        return
    for one in found:
        show(one)


if __name__ == "__main__":
    main()
