"""Every cut of a network over a grid of bandwidths and numbers of servers: measured, and as `tuner plan` predicts it.

`profiler model --servers` measures once, at one server. Servers have the first core, the tuner the second; two servers
share theirs, and have half of the photos each. Every way is run over as many photos as take three seconds or more, if
there are so many. Cuts that are predicted to take more than so many times as long as the best are not run: they cannot
be the best by a mistake that the plan is allowed. The last line is the acceptance: how often the chosen cut is within
5 % of the best that was measured, how often a prediction is within 15 %, and how the chosen one stands against raw
photos, jpeg-crop and features from servers alone.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile

from storage_servers import Servers, answer

BASELINES = ("encoded", "jpeg-crop", "features")
# Of the plan: so many that the first and the last batch do not count.
IMAGES = 1_000_000
# Seconds that a run is to take.
LONG = 3.0


def program(bin, name, *arguments, core=None) -> dict:
    """What a program says, on this core where one is named."""
    pinned = ("taskset", "-c", core) if core is not None else ()
    return answer(*pinned, bin / name, *arguments)


def servers(arguments, count: int, core: int) -> Servers:
    """So many storage servers on one core, each with its part of every set."""
    commands = []
    for number in range(1, count + 1):
        command = ["taskset", "-c", core, arguments.bin / "storage-server", "serve", "--no-cache"]
        for images, folder in arguments.sets.items():
            command += ["--dataset", f"of-{images}={folder},partition={number}/{count}"]
        command += ["--cpu-workers", 1, "--inference-workers", 1]
        command += ["--model", f"net={arguments.model},recipe={arguments.recipe},output={arguments.output}"]
        commands.append(command)
    return Servers(commands)


class Cell:
    """One number of servers at one bandwidth."""

    def __init__(self, arguments, profile: pathlib.Path, servers: Servers, count: int, bandwidth: int):
        self.arguments, self.profile, self.servers = arguments, profile, servers
        self.count, self.bandwidth = count, bandwidth

    def plan(self, cuts: list) -> dict:
        """What `tuner plan` says of these cuts alone."""
        profile = json.loads(self.profile.read_text())
        profile["cuts"] = cuts
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(profile, file)
            file.flush()
            fleet = ["--server", f"cores={1 / self.count}", "--servers-up-to", self.count, "--tuner-cores", 1]
            planned = program(
                self.arguments.bin, "tuner", "plan", "--model", self.arguments.model, "--profile", file.name, *fleet,
                "--bandwidth", f"{self.bandwidth}Mbps", "--images", IMAGES,
            )  # fmt: skip
        return planned["by_servers"][-1]

    def measure(self, cut: dict, coded: bool, predicted: float) -> float:
        """Seconds an image."""
        arguments = self.arguments
        enough = (images for images in sorted(arguments.sets) if images * predicted >= LONG)
        images = next(enough, max(arguments.sets))
        where = []
        with tempfile.TemporaryDirectory() as folder:
            if cut["tensor"]:
                where = ["--split-at", cut["tensor"], "--extractor", arguments.model]
                where += ["--split-coded"] if coded else []
            elif cut["cut"] != "features":
                # A profile of one cut leaves no choice.
                profile = json.loads(self.profile.read_text())
                profile["cuts"] = [cut]
                path = pathlib.Path(folder) / "profile.json"
                path.write_text(json.dumps(profile))
                where = ["--split-by", path, "--extractor", arguments.model]
            if where:
                where += ["--inference-workers", 1]
            done = program(
                arguments.bin, "tuner", "extract", "--servers", self.servers.addresses, "--dataset", f"of-{images}",
                "--model", "net", "--out", pathlib.Path(folder) / "features", *where,
                "--limit-bandwidth", f"{self.bandwidth}Mbps", core=arguments.tuner_core,
            )  # fmt: skip
        return 1.0 / done["features_per_second"]


def without_coding(cut: dict) -> dict:
    return {**cut, "coded_bytes": None}


def coded_alone(cut: dict) -> dict:
    """A cut as it is where it is always coded."""
    batches = [{**batch, "server_seconds": batch["server_seconds"] + cut["code_seconds"]} for batch in cut["batches"]]
    return {
        **cut,
        "bytes": cut["coded_bytes"],
        "coded_bytes": None,
        "server_seconds": cut["server_seconds"] + cut["code_seconds"],
        "tuner_seconds": cut["tuner_seconds"] + cut["uncode_seconds"],
        "batches": batches,
    }


def ways(profile: dict) -> list:
    """Each cut as it is, and coded: (cut, whether it is coded, the cut as a plan sees it alone)."""
    all_ways = []
    for cut in profile["cuts"]:
        all_ways.append((cut, False, without_coding(cut)))
        if cut["tensor"] and cut["coded_bytes"]:
            all_ways.append((cut, True, coded_alone(cut)))
    return all_ways


def cell(one: Cell, limit: float) -> dict:
    profile = json.loads(one.profile.read_text())
    chosen = one.plan(profile["cuts"])
    rows = []
    for cut, coded, alone in ways(profile):
        predicted = one.plan([alone])["seconds_per_image"]
        is_chosen = (cut["cut"], coded) == (chosen["cut"], chosen["coded"])
        if predicted <= limit * chosen["seconds_per_image"] or is_chosen or cut["cut"] in BASELINES:
            rows.append({"cut": cut["cut"], "coded": coded, "predicted": predicted, "chosen": is_chosen, "seen": []})
            rows[-1]["of"] = (cut, coded)
    for _ in range(one.arguments.rounds):
        for row in rows:
            hopeless = row["predicted"] > 4 * chosen["seconds_per_image"] and not row["chosen"]
            if not (hopeless and row["seen"]):
                row["seen"].append(one.measure(*row["of"], row["predicted"]))
    for row in rows:
        row["measured"] = statistics.median(row.pop("seen"))
        del row["of"]
    best = min(row["measured"] for row in rows)
    mine = next(row for row in rows if row["chosen"])
    known = {row["cut"]: row["measured"] for row in rows if row["cut"] in BASELINES}
    return {
        "servers": one.count,
        "bandwidth_mbps": one.bandwidth,
        "chosen": {"cut": mine["cut"], "coded": mine["coded"]},
        "against_best": mine["measured"] / best,
        "against_baselines": mine["measured"] / min(known.values()),
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--photos", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--output", default="features")
    parser.add_argument("--bandwidths", default="10,100,1000")
    parser.add_argument("--servers", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.5, help="cuts predicted to take longer, against the best")
    parser.add_argument("--counts", default="40,400,4000", help="photos of the sets, of which some are copies")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("this takes two cores: one for the servers, one for the tuner")
    server_core, arguments.tuner_core = cores[0], cores[1]
    with tempfile.TemporaryDirectory() as folder:
        counts = map(int, arguments.counts.split(","))
        arguments.sets = {count: pathlib.Path(folder) / f"photos-{count}" for count in counts}
        for count, some in arguments.sets.items():
            copy_some(arguments.photos, some, count)
        profile = pathlib.Path(folder) / "profile.json"
        few = sorted(arguments.sets)[len(arguments.sets) // 2]
        with servers(arguments, 1, server_core) as one:
            measured = program(
                arguments.bin, "profiler", "model", "--model", arguments.model, "--recipe", arguments.recipe,
                "--output", arguments.output, "--photos", arguments.sets[few], "--samples", 24,
                "--servers", one.addresses, "--dataset", f"of-{few}", "--served-as", "net",
                core=arguments.tuner_core,
            )  # fmt: skip
        profile.write_text(json.dumps(measured))
        cells = []
        for count in map(int, arguments.servers.split(",")):
            with servers(arguments, count, server_core) as some:
                for bandwidth in map(int, arguments.bandwidths.split(",")):
                    one = Cell(arguments, profile, some, count, bandwidth)
                    cells.append(cell(one, arguments.limit))
                    print(words(cells[-1]), file=sys.stderr)
    rows = [row for one in cells for row in one["rows"]]
    within = sum(abs(row["predicted"] / row["measured"] - 1) <= 0.15 for row in rows)
    result = {
        "model": arguments.model.name,
        "cells": cells,
        "chosen_within_5_percent": sum(one["against_best"] <= 1.05 for one in cells) / len(cells),
        "predicted_within_15_percent": within / len(rows),
        "predictions": len(rows),
        "worst_against_baselines": max(one["against_baselines"] for one in cells),
    }
    print(json.dumps(result) if arguments.json else table(result))


def copy_some(photos: pathlib.Path, to: pathlib.Path, count: int) -> None:
    """So many photos, of all classes alike; copies under other names where there are not so many."""
    files = sorted(path for path in photos.rglob("*") if path.is_file())
    for number in range(count):
        path = files[number * len(files) // count if count <= len(files) else number % len(files)]
        target = to / path.parent.relative_to(photos) / f"{number}-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def words(one: dict) -> str:
    cut = one["chosen"]["cut"] + (" coded" if one["chosen"]["coded"] else "")
    return (
        f"{one['servers']} servers, {one['bandwidth_mbps']} Mbps: {cut}, {one['against_best']:.3f} of the best, "
        f"{one['against_baselines']:.3f} of encoded, jpeg-crop and features, {len(one['rows'])} measured"
    )


def table(result: dict) -> str:
    lines = [result["model"]]
    lines += [words(one) for one in result["cells"]]
    for one in result["cells"]:
        lines.append(f"\n{one['servers']} servers, {one['bandwidth_mbps']} Mbps: ms an image")
        for row in sorted(one["rows"], key=lambda row: row["measured"]):
            name = row["cut"] + (" coded" if row["coded"] else "") + (" <- chosen" if row["chosen"] else "")
            lines.append(f"{1e3 * row['measured']:9.2f} measured {1e3 * row['predicted']:9.2f} predicted  {name}")
    lines.append(
        f"\nchosen within 5 % of the best: {result['chosen_within_5_percent']:.0%}; predicted within 15 %: "
        f"{result['predicted_within_15_percent']:.0%} of {result['predictions']}; at worst "
        f"{result['worst_against_baselines']:.3f} of the best of {', '.join(BASELINES)}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
