"""A folder of photos labelled anew by a model: `tuner relabel` on one storage server against what else there is.

1. A model that computes nothing (`null`), of both input sizes: the feed alone, against NDPipe's design re-created.
2. A small model, whose inference takes about as long as decoding: against Ray Data and Daft too, and against ONNX
   Runtime alone on tensors that were made before and lie in memory.
3. A larger model, where inference is the limit: the same.
4. Killed at half: how many photos are inferred again.

Contenders take turns, in rounds, each in processes of its own that begin anew, with as many threads as there are cores.
The peers have the advantages: what their frameworks take to start their workers is left out of their rates, and stands
in a column of its own; batches have the size at which the model is fastest; NDPipe's arrays were packed before.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import sys

import process_tree
import relabel_kill
import relabel_models
import relabel_photos
from relabel_contenders import Headwater, Kept, Peer, Refused, Task, tool

OURS, KEPT = "headwater", "headwater, pixels kept"
NDPIPE, RAY = "NDPipe's design", "Ray Data"
#: Its workers as threads, and as processes: which is faster depends on the machine.
DAFT = {"Daft": ("daft",), "Daft, processes": ("daft", "--daft-processes")}
#: One session with all threads, and a session in each thread.
BARE = {"ONNX Runtime alone": "one", "ONNX Runtime alone, each": "each"}
FRAMEWORKS = [RAY, *DAFT]
PARTS = ("null", "small", "large", "killed")
#: Photos of 224 x 224, for one of 128 x 128.
SHARE_OF_LARGE = 1 / 2


class Bench:
    def __init__(self, args: argparse.Namespace):
        self.args, self.refused = args, {}

    def say(self, words: str) -> None:
        print(f"  {words}", file=sys.stderr, flush=True)

    def task(self, name: str, model: pathlib.Path, side: int, count: int) -> Task:
        """With the tensors that peers want made before, and the batches at which they are fastest."""
        args = self.args
        recipe = args.work / f"recipe-{side}.toml"
        recipe.write_text(args.recipe.read_text().replace("224", str(side)).replace("eval", f"eval-{side}"))
        photos = args.work / f"photos-{side}"
        if not photos.exists():
            relabel_photos.repeat(args.source, photos, count)
        task = Task(name, model, recipe, side, count, photos, args.work)
        if not task.tensors.exists():
            made = tool("prepare", task)["bytes"] / count
            self.say(f"NDPipe's arrays of {side} x {side}: {made / 1000:.0f} kB a photo, gzip'd")
        task.tuned = tool("tune", task)
        return task

    def contenders(self, names: list, task: Task) -> dict:
        """How each is begun."""
        make = {
            OURS: lambda: Headwater(self.args.bin, task),
            KEPT: lambda: Kept(self.args.bin, task),
            NDPIPE: lambda: Peer("ndpipe", task, batch="one"),
            RAY: lambda: Peer("ray", task),
            **{name: (lambda words=words: Peer(words[0], task, *words[1:])) for name, words in DAFT.items()},
            **{name: (lambda way=way: Peer("bare", task, "--way", way, batch=way)) for name, way in BARE.items()},
        }
        return {name: make[name] for name in names if name not in self.refused}

    def run(self, name: str, contender) -> tuple[dict, dict]:
        """One labelling: what it took, and the labels."""
        watch = process_tree.Watch()
        try:
            contender.start()
            before = watch.used().processor
            took = contender.go()
            used = watch.used()
        finally:
            watch.close()
        row = {
            "images_per_second": contender.task.count / took["working_seconds"],
            "with_start": contender.task.count / took["seconds"],
            "memory": used.peak,
            "memory_shared_once": used.peak_shared_once,
            "processes": used.processes,
            "cpu_ms": (used.processor - before) * 1000 / contender.task.count,
            "load": os.getloadavg()[0],
        }
        self.say(f"{contender.task.name}, {name}: {row['images_per_second']:.0f} images/s, load {row['load']:.1f}")
        labels = contender.labels()
        contender.end()
        return row, labels

    def measure(self, names: list, task: Task) -> dict:
        """Rounds of all contenders, after one that does not count."""
        rounds, labels = [], {}
        for number in range(self.args.rounds + 1):
            contenders = list(self.contenders(names, task).items())
            row = {}
            for name, make in contenders if number % 2 else contenders[::-1]:
                try:
                    row[name], labels[name] = self.run(name, make())
                except Refused as why:
                    self.refused[name] = str(why)
                    self.say(f"{name} does not run here, and is left out: {why}")
            rounds.append(row)
        there = [name for name in names if all(name in row for row in rounds[1:])]
        return {
            "photos": task.count,
            "model": task.name,
            "batches": task.tuned,
            "rounds": rounds[1:],
            "contenders": {name: column(rounds[1:], name, labels) for name in there},
        }


def goals(parts: dict) -> list:
    """What was promised, and what was measured; CPU times beside, which a loaded machine changes less."""
    found = []
    for key, result in parts.items():
        if "null" in key:
            for ours in (OURS, KEPT):
                found.append((f"{key}: {ours}, of NDPipe's feed, at least 3", ratio(result, ours, [NDPIPE])))
            continue
        found.append((f"{key} model: of the fastest framework, at least 1.5", ratio(result, OURS, FRAMEWORKS)))
        for what, words, best in (
            ("cpu_ms", "CPU time, of the framework's that takes least", min),
            ("memory", "memory, of the leanest framework's, at most 0.5", min),
            ("memory_shared_once", "the same, shared pages counted once", min),
        ):
            found.append((f"{key} model: {words}", ratio(result, OURS, FRAMEWORKS, what, best)))
        goal = ", at least 0.95" if key == "large" else ""
        for ours in (OURS, KEPT):
            found.append((f"{key} model: {ours}, of ONNX Runtime alone{goal}", ratio(result, ours, list(BARE))))
            time = ratio(result, ours, list(BARE), "cpu_ms", min)
            found.append((f"{key} model: {ours}, CPU time, of ONNX Runtime's", time))
    return [{"goal": goal, **value} for goal, value in found if value]


def column(rounds: list, name: str, labels: dict) -> dict:
    """Medians of a contender."""
    row = {key: statistics.median(each[name][key] for each in rounds) for key in rounds[0][name]}
    ours = statistics.median(each[OURS]["images_per_second"] / each[name]["images_per_second"] for each in rounds)
    same = [labels[OURS].get(key) == label for key, label in labels[name].items()]
    return {**row, "ours_over_it": ours, "same_labels": sum(same) / len(same) if same else None}


def ratio(result: dict, ours: str, others: list, key: str = "images_per_second", best=max) -> dict:
    """Ours over the best of the others in the same round: the median and the range of all rounds; nothing
    where one of both is not there."""
    there = [name for name in others if name in result["contenders"]]
    if not there or ours not in result["contenders"]:
        return {}
    each = [row[ours][key] / best(row[name][key] for name in there) for row in result["rounds"]]
    return {"median": statistics.median(each), "least": min(each), "most": max(each)}


def show(result: dict) -> None:
    for part in result["models"].values():
        print(f"\n  {part['model']}: {part['photos']} photos", end="")
        print(f", medians of {len(part['rounds'])} rounds, in brackets ours over it")
        print(f"  {'':26}{'images/s':>17}{'with start':>12}{'peak MiB':>10}{'shared once':>13}", end="")
        print(f"{'processes':>11}{'CPU ms/image':>14}{'same labels':>13}{'load':>6}")
        for contender, row in part["contenders"].items():
            same = "" if row["same_labels"] is None else f"{row['same_labels']:.3f}"
            print(f"  {contender:26}{row['images_per_second']:8.0f} ({row['ours_over_it']:5.2f})", end="")
            print(
                f"{row['with_start']:12.0f}{row['memory'] / 2**20:10.0f}{row['memory_shared_once'] / 2**20:13.0f}",
                end="",
            )
            print(f"{row['processes']:11.0f}{row['cpu_ms']:14.2f}{same:>13}{row['load']:6.1f}")
    print("\n  goals: median of the rounds' ratios, least to most")
    for row in result["goals"]:
        print(f"  {row['goal']:74} {row['median']:6.3f}   {row['least']:.3f} to {row['most']:.3f}")
    if result["killed"]:
        print("\n  killed at half: photos inferred again (our goal: at most 256)")
    for name, row in result["killed"].items():
        if "refused" in row:
            print(f"  {name:36} does not run here: {row['refused']}")
        else:
            most = f", {row['at_most']} with what the metric may not have seen" if "at_most" in row else ""
            print(f"  {name:36} {row['again']} of {row['inferred_before']} inferred before{most}")
    for name, why in result["refused"].items():
        print(f"\n  {name} does not run here, and was left out: {why}")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--bin", "--source", "--work", "--recipe"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--small", type=pathlib.Path, help="a model of 128 x 128; a made one if not given")
    parser.add_argument("--large", type=pathlib.Path, help="a model of 224 x 224; a made one if not given")
    parser.add_argument("--count", type=int, required=True, help="photos")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", default=",".join(PARTS), help="which of these are measured, separated by commas")
    parser.add_argument("--json", action="store_true")
    bench = Bench(parser.parse_args())
    args = bench.args
    process_tree.adopt()
    small, large = args.small, args.large
    null = {side: args.work / f"null-{side}.onnx" for side in (128, 224)}
    for side, path in null.items():
        relabel_models.null(path, side)
    if small is None:
        small, large = args.work / "small.onnx", args.work / "large.onnx"
        relabel_models.network(small, 128, 8)
        relabel_models.network(large, 224, 32)
    few = max(int(args.count * SHARE_OF_LARGE), 1)
    parts = args.parts.split(",")
    if wrong := set(parts) - set(PARTS):
        parser.error(f"--parts has {', '.join(wrong)}: there are {', '.join(PARTS)}")
    everyone = [OURS, KEPT, NDPIPE, RAY, *DAFT, *BARE]
    # Name, model, side, photos, and who takes part.
    wanted = {
        "null-128": ("null", null[128], 128, args.count, [OURS, KEPT, NDPIPE]),
        "null-224": ("null", null[224], 224, few, [OURS, KEPT, NDPIPE]),
        "small": ("small", small, 128, args.count, everyone),
        "large": ("large", large, 224, few, everyone),
    }
    measured = {}
    for key, (part, model, side, count, names) in wanted.items():
        if part in parts:
            measured[key] = bench.measure(names, bench.task(model.stem, model, side, count))
    killed = {}
    if "killed" in parts:
        peers = {RAY: ("ray",), "Daft": ("daft",)}
        peers = {name: words for name, words in peers.items() if name not in bench.refused}
        killed = relabel_kill.all_of_them(args.bin, bench.task(small.stem, small, 128, args.count), peers)
    result = {
        "cores": len(os.sched_getaffinity(0)),
        "models": measured,
        "goals": goals(measured),
        "killed": killed,
        "refused": bench.refused,
    }
    if args.json:
        print(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    finally:
        process_tree.kill_below()
