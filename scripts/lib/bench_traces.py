"""Samples a second, and server CPU an image, with traces of a share of all calls against none, over loopback; in turn,
medians of rounds.

Each server has the same photos and settings, and the client is `profiler epoch`, which reads all of them.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

from processor import processor_seconds

CUTS = ["jpeg-crop", "flipped"]
#: Images of one measurement, at least.
IMAGES = 2000
#: What traces may cost of the samples a second, by their share.
GOALS = {"1 %": 0.99}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    for name in ("--servers", "--pids", "--name", "--collector"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    plain, traced = zip(args.servers.split(","), map(int, args.pids.split(",")))

    def sampled(share: str) -> dict:
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": args.collector,
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": share,
        }

    # The same twice: how far what is alike lies apart.
    ways = {"none": (*plain, {}), "none again": (*plain, {})}
    ways.update({"1 %": (*traced, sampled("0.01")), "all": (*traced, sampled("1"))})

    def epoch(way: str, cut: str) -> dict:
        address, pid, variables = ways[way]
        command = [args.bin / "profiler", "epoch", "--servers", address, "--dataset", "bench"]
        command += ["--recipe", "imagenet-train", "--mode", cut, "--json"]
        before, images, seconds = processor_seconds(pid), 0, 0.0
        while images < IMAGES:
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **variables}
            )
            said = json.loads(done.stdout)
            images, seconds = images + said["samples"], seconds + said["seconds"]
        return {"rate": images / seconds, "cpu": (processor_seconds(pid) - before) / images}

    found = []
    for cut in CUTS:
        for way in ways:
            epoch(way, cut)  # fills caches
        rounds = [{way: epoch(way, cut) for way in ways} for _ in range(args.rounds)]
        for way in list(ways)[1:]:
            ratio = {
                what: round(statistics.median(one[way][what] / one["none"][what] for one in rounds), 4)
                for what in ("rate", "cpu")
            }
            rate = round(statistics.median(one[way]["rate"] for one in rounds), 1)
            row = {"photos": args.name, "cut": cut, "traces": way, "images_per_second": rate}
            found.append({**row, "rate_ratio": ratio["rate"], "cpu_ratio": ratio["cpu"], "goal": GOALS.get(way)})
    if args.json:
        print(json.dumps(found))
        return
    print(f"\n  {args.name}: against no traces, {args.rounds} rounds")
    for row in found:
        goal = f"   (goal: at least {row['goal']})" if row["goal"] else ""
        print(
            f"  {row['cut']:<11} {row['traces']:<11} {row['images_per_second']:8.1f} images/s"
            f"   ratio {row['rate_ratio']:.3f}   server CPU an image {row['cpu_ratio']:.3f}{goal}"
        )
    print()


main()
