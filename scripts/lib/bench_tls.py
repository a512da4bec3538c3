"""Server CPU an image by TLS against plain text, over loopback; both servers in turn, medians of rounds.

Each server has the same photos and settings, and the client is `profiler epoch`, which reads all of them.
"""

import argparse
import json
import pathlib
import statistics
import subprocess

from processor import processor_seconds

CUTS = ["jpeg-crop", "flipped", "normalized"]
#: Images of one measurement, at least: the kernel counts in hundredths of a second.
IMAGES = 4000
#: What TLS may cost of the server's CPU, at the cuts that have a goal.
GOALS = {"jpeg-crop": 1.25, "normalized": 1.15}


def ratio(one: dict) -> float:
    """By TLS against plain text, in one round."""
    return one["tls"]["microseconds"] / one["plain"]["microseconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bin", "--ca"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--servers", required=True)
    parser.add_argument("--pids", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    plain, tls = zip(args.servers.split(","), map(int, args.pids.split(",")))
    ways = {"plain": (*plain, []), "tls": (*tls, ["--tls-ca", str(args.ca)])}

    def epoch(way: str, cut: str) -> dict:
        address, pid, access = ways[way]
        command = [args.bin / "profiler", "epoch", "--servers", address, "--dataset", "bench", *access]
        command += ["--recipe", "imagenet-train", "--mode", cut, "--json"]
        before, images, received = processor_seconds(pid), 0, 0
        while images < IMAGES:
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            said = json.loads(done.stdout)
            images, received = images + said["samples"], received + said["bytes_received"]
        used = processor_seconds(pid) - before
        return {"microseconds": used / images * 1e6, "bytes": received / images}

    found = []
    for cut in CUTS:
        for way in ways:
            epoch(way, cut)  # fills caches
        rounds = [{way: epoch(way, cut) for way in ways} for _ in range(args.rounds)]
        each = {way: statistics.median(one[way]["microseconds"] for one in rounds) for way in ways}
        sample = rounds[0]["plain"]
        found.append(
            {
                "photos": args.name,
                "cut": cut,
                "bytes_per_image": round(sample["bytes"]),
                "plain_microseconds": round(each["plain"], 1),
                "tls_microseconds": round(each["tls"], 1),
                "ratio": round(statistics.median(ratio(one) for one in rounds), 3),
                "goal": GOALS.get(cut),
            }
        )
    if args.json:
        print(json.dumps(found))
        return
    print(f"\n  {args.name}: server CPU an image, {args.rounds} rounds")
    for row in found:
        goal = f"   (goal: at most {row['goal']})" if row["goal"] else ""
        print(
            f"  {row['cut']:<11} {row['bytes_per_image']:>8} B   plain {row['plain_microseconds']:7.1f} us"
            f"   TLS {row['tls_microseconds']:7.1f} us   ratio {row['ratio']:.3f}{goal}"
        )
    print()


if __name__ == "__main__":
    main()
