"""Epochs under a grid of bandwidths and storage cores: every static mode, SOPHON's plan and ours; measured, and as
predicted.

Two storage servers on this machine hold half of the photos each; the client limits what it receives. One profile serves
all cells: a plan takes the cores from what the servers announce. Static modes that cannot win (their bytes alone take
more than twice as long as the photos as they are) are not run, and are missing in the table.
"""

import argparse
import json
import os
import pathlib
import subprocess

from storage_servers import Servers, answer

STATIC = {
    "no-off": "encoded",
    "resize-off": "cropped",
    "all-off": "normalized",
    "static:jpeg-crop": "jpeg-crop",
    "static:flipped+lossless": "flipped+lossless",
}


def servers(bin: pathlib.Path, folders: list, work: pathlib.Path, cores: int) -> Servers:
    """Storage servers, one for each folder."""
    server = [bin / "storage-server", "serve", "--dataset", "bench", "--cpu-workers", cores]
    return Servers([[*server, "--cache-dir", work / "index", "--data", folder] for folder in folders])


def profiler(bin: pathlib.Path, *arguments) -> dict:
    return answer(bin / "profiler", *arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bin", "--work"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, action="append", required=True, help="a folder for each server")
    parser.add_argument("--recipe", default="imagenet-train")
    parser.add_argument("--bandwidths", default="20,50,100", help="Mbps, separated by commas")
    parser.add_argument("--cores", default="0,1,2", help="of each server, separated by commas")
    parser.add_argument("--rounds", type=int, default=1, help="epochs of each mode; the fastest counts")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    for folder in args.data:
        command = [args.bin / "storage-server", "index", "--data", folder, "--cache-dir", args.work / "index"]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    every = [int(cores) for cores in args.cores.split(",")]
    profile = args.work / "profile.parquet"
    shared = ("--dataset", "bench", "--recipe", args.recipe, "--seed", 1)
    with servers(args.bin, args.data, args.work, max(every) or os.cpu_count()) as all_cores:
        measured = profiler(args.bin, "dataset", "--servers", all_cores.addresses, *shared, "--out", profile)
    bytes_at = {row["way"]: row["bytes"] for row in measured["ways"]}
    cells = []
    for cores in every:
        with servers(args.bin, args.data, args.work, cores) as some:
            for mega in args.bandwidths.split(","):
                cells.append(cell(args, some.addresses, shared, profile, cores, float(mega), bytes_at))
                if not args.json:
                    show(cells[-1])
    summary = {
        "samples": measured["samples"],
        "profiled": measured["measured"],
        "cells": cells,
        "worst_against_best_static": max(one["against_best_static"] for one in cells),
        "strictly_better": sum(one["against_best_static"] < 1 for one in cells),
        "worst_prediction": max(abs(one["off_by"]) for one in cells),
        "bytes_below_no_off": max(one["bytes_below_no_off"] for one in cells),
    }
    if args.json:
        print(json.dumps(summary))
        return
    print(f"  {len(cells)} cells, {summary['strictly_better']} strictly better than the best static mode; at worst")
    print(
        f"  {summary['worst_against_best_static']:.3f} times its time; "
        f"predictions off by {summary['worst_prediction']:.1%} at most;"
    )
    print(f"  bytes {summary['bytes_below_no_off']:.2f} times below no-off where all cuts are allowed\n")


def cell(args, addresses, shared, profile, cores, mega, bytes_at) -> dict:
    def run(mode: str) -> dict:
        arguments = ("--mode", mode, "--profile", profile, "--limit-bandwidth", f"{mega}Mbps")
        runs = [profiler(args.bin, "epoch", "--servers", addresses, *shared, *arguments) for _ in range(args.rounds)]
        return min(runs, key=lambda one: one["seconds"])

    rows = {}
    for mode, way in STATIC.items():
        impossible = cores == 0 and way != "encoded"
        if not impossible and bytes_at[way] <= 2 * bytes_at["encoded"]:
            rows[mode] = run(mode)
    static = min(row["seconds"] for row in rows.values())
    rows["sophon"], rows["optimal"] = run("sophon"), run("optimal")
    ours = rows["optimal"]
    assert ours["failed"] == 0 and ours["samples"] == rows["no-off"]["samples"]
    return {
        "cores": cores,
        "mbps": mega,
        "modes": {
            mode: {
                "seconds": round(row["seconds"], 3),
                "predicted": row["compared"]["epoch"]["predicted"],
                "bytes": row["bytes_received"],
                "storage_cpu_seconds": round(row["storage_cpu_seconds"], 3),
                "client_cpu_seconds": round(row["client_cpu_seconds"], 3),
                "ways": {one["way"]: one["samples"] for one in row["ways"]},
            }
            for mode, row in rows.items()
        },
        "against_best_static": round(ours["seconds"] / static, 4),
        "off_by": round(ours["compared"]["epoch"]["error"], 4),
        "bytes_below_no_off": round(rows["no-off"]["bytes_received"] / ours["bytes_received"], 3),
    }


def show(one: dict) -> None:
    print(f"\n  {one['cores']} storage cores each, {one['mbps']:g} Mbps")
    print(f"  {'':26}{'s':>8} {'predicted':>10} {'MB':>8} {'CPU there':>10} {'CPU here':>9}")
    for mode, row in one["modes"].items():
        predicted = f"{row['predicted']:.2f}" if row["predicted"] is not None else "-"
        print(
            f"  {mode:26}{row['seconds']:8.2f} {predicted:>10} {row['bytes'] / 1e6:8.2f} "
            f"{row['storage_cpu_seconds']:10.2f} {row['client_cpu_seconds']:9.2f}"
        )


if __name__ == "__main__":
    main()
