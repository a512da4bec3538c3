"""Decode, random-resized-crop, flip and normalise on one core: Headwater against its peers, in one run.

Every contender is a process with all photos in memory that makes the same samples (boxes and flips are Headwater's)
when told to. They take turns on the same core, round by round, forwards and backwards; a row is the median of its
rounds.

Speed is samples for a second of CPU time: on an idle machine that is wall time, each process having one thread on one
core, and on a busy one it still tells the contenders from their neighbours. Two threads against one are wall time.
"""

import argparse
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

import image_plot
import image_report
import image_sets
import numpy
from image_peers import PEERS

ROUNDS = 5
OUTPUTS = ("f32", "u8")
BASELINE = "pillow"
# Headwater's rows: the contender's word, and ours.
OURS = {
    "plain-exact": "Headwater",
    "indexed-exact": "Headwater, indexed",
    "plain-fast": "Headwater, fast",
    "indexed-fast": "Headwater, indexed, fast",
}


class Process:
    """A contender: answers every line with a line of JSON."""

    def __init__(self, command: list, cores: set[int], log: pathlib.Path):
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        self.log = log

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        last = self.log.read_text().splitlines()[-1:]
        return {"error": " ".join([f"ended with status {self.process.wait()}", *last])}

    def ask(self, *words: object) -> dict:
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either, and that says why
            print(*words, file=self.process.stdin, flush=True)
        return self.answer()

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


@dataclasses.dataclass
class Row:
    """One contender making one kind of output."""

    name: str
    title: str
    output: str
    antialiased: bool
    process: Process
    word: str
    unavailable: str | None = None
    # Mean absolute difference to the baseline's pixels, in levels of 0 to 255.
    difference: float | None = None
    walls: list[float] = dataclasses.field(default_factory=list)
    cpus: list[float] = dataclasses.field(default_factory=list)

    def ask(self, command: str, *words: object) -> dict:
        answer = self.process.ask(command, self.word, *words)
        self.unavailable = answer.get("error", self.unavailable)
        return answer

    def run(self) -> None:
        if self.unavailable is None:
            answer = self.ask("run")
            if self.unavailable is None:
                self.walls.append(answer["wall"])
                self.cpus.append(answer["cpu"])


@dataclasses.dataclass
class Bench:
    """What the sets have in common."""

    contender: pathlib.Path
    work: pathlib.Path
    cores: list[int]
    versions: dict[str, str] = dataclasses.field(default_factory=dict)

    def measure(self, photos: image_sets.PhotoSet) -> dict:
        """All rows over one set of photos."""
        photo_list = self.work / "photos.txt"
        photo_list.write_text("".join(f"{photo.absolute()}\n" for photo in photos.photos))
        contender = [self.contender, photo_list, photos.epochs]
        with contextlib.ExitStack() as running:
            ours, job = self.start(running, "headwater", [*contender, 1], 1)
            if "error" in job:
                raise SystemExit(f"error: the contender {job['error']}")
            rows = [*self.peers(running, job), *headwater(ours, job)]
            self.compare(rows, job)
            twos = []
            if len(self.cores) > 1:
                two, _ = self.start(running, "headwater-2", [*contender, 2], 2)
                twos = headwater(two, job)
            for number in range(ROUNDS):
                say(f"{photos.name}: round {number + 1} of {ROUNDS}")
                for row in (rows + twos)[:: -1 if number % 2 else 1]:
                    row.run()
        made = len(job["samples"])
        reasons = [photo["unindexable"] for photo in job["photos"] if photo["unindexable"]]
        wall, cpu = (sum(sum(getattr(row, times)) for row in rows) for times in ("walls", "cpus"))
        return {
            "name": photos.name,
            "photos": len(photos.photos),
            "left_out": photos.left_out,
            "samples": made,
            "mean_bytes": round(photos.mean_bytes),
            "unindexable": collections.Counter(reasons),
            "busy": round(1 - cpu / wall, 3),
            "rows": [summary(row, rows, made) for row in rows],
            "two_threads": [speedup(one, two) for one, two in zip(rows[len(rows) - len(twos) :], twos)],
        }

    def start(self, running: contextlib.ExitStack, name: str, command: list, cores: int) -> tuple[Process, dict]:
        """A process on the last so many cores, and the first that it says."""
        process = Process(command, set(self.cores[-cores:]), self.work / f"{name}.log")
        running.callback(process.close)
        return process, process.answer()

    def peers(self, running: contextlib.ExitStack, job: dict) -> list[Row]:
        job_file = self.work / "job.json"
        job_file.write_text(json.dumps(job))
        program = pathlib.Path(__file__).with_name("image_worker.py")
        rows = []
        for name, peer in PEERS.items():
            say(f"starting {peer.title}")
            process, about = self.start(running, name, [sys.executable, program, name, job_file], 1)
            self.versions |= about.get("versions", {})
            reason = about.get("unavailable", about.get("error"))
            rows += [Row(name, peer.title, output, peer.antialiased, process, output, reason) for output in OUTPUTS]
        return rows

    def compare(self, rows: list[Row], job: dict) -> None:
        """Sets every row's difference to the baseline; and warms it up."""
        height, width, count = job["height"], job["width"], len(job["samples"])
        kinds = {"f32": (numpy.float32, (count, 3, height, width)), "u8": (numpy.uint8, (count, height, width, 3))}
        # What a normalised level is worth, as bytes.
        levels = {"f32": 255 * numpy.array(job["std"]).reshape(3, 1, 1), "u8": 1.0}

        def pixels(row: Row) -> numpy.ndarray | None:
            path = self.work / f"{row.name}.{row.output}"
            if row.unavailable is not None or "error" in row.ask("save", path):
                return None
            dtype, shape = kinds[row.output]
            values = numpy.fromfile(path, dtype).reshape(shape)
            path.unlink()
            return values

        for output in OUTPUTS:
            of_output = [row for row in rows if row.output == output]
            reference = pixels(next(row for row in of_output if row.name == BASELINE))
            for row in of_output:
                made = pixels(row)
                if made is not None and reference is not None:
                    pairs = zip(made, reference)
                    each = [numpy.abs((a.astype(numpy.float32) - b) * levels[output]).mean() for a, b in pairs]
                    row.difference = float(numpy.mean(each))


def headwater(process: Process, job: dict) -> list[Row]:
    reason = None if any(photo["indexed_bytes"] for photo in job["photos"]) else "no photo could be indexed"
    return [
        Row(name, title, output, True, process, f"{name}-{output}", reason if name.startswith("indexed") else None)
        for name, title in OURS.items()
        for output in OUTPUTS
    ]


def summary(row: Row, rows: list[Row], samples: int) -> dict:
    """A row's figures; ratios are to the baseline of the same output in the same round."""
    told = {"name": row.name, "title": row.title, "output": row.output, "antialiased": row.antialiased}
    if row.unavailable is not None:
        return told | {"unavailable": row.unavailable}
    base = next(other for other in rows if (other.name, other.output) == (BASELINE, row.output))
    if len(base.walls) == ROUNDS:
        told["ratio"] = round(median_ratio(base.cpus, row.cpus), 3)
        told["wall_ratio"] = round(median_ratio(base.walls, row.walls), 3)
    return told | {
        "samples_per_second": round(samples / statistics.median(row.cpus), 1),
        "difference": None if row.difference is None else round(row.difference, 4),
        "cpu_seconds": row.cpus,
        "wall_seconds": row.walls,
    }


def speedup(one: Row, two: Row) -> dict:
    told = {"name": one.name, "title": one.title, "output": one.output}
    if one.unavailable is not None or two.unavailable is not None:
        return told | {"unavailable": one.unavailable or two.unavailable}
    return told | {
        "ratio": round(median_ratio(one.walls, two.walls), 3),
        "cpu_growth": round(median_ratio(two.cpus, one.cpus), 3),
    }


def median_ratio(slower: list[float], faster: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(slower, faster))


def say(words: str) -> None:
    print(f"   {words}", file=sys.stderr)


def machine(cores: list[int]) -> str:
    cpu = platform.machine()
    with contextlib.suppress(OSError):
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    return f"{cpu}, {len(cores)} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def photo_sets(args: argparse.Namespace) -> list[image_sets.PhotoSet]:
    if args.photos:
        return [image_sets.choose(args.photos.name, args.photos)]
    small, large = image_sets.choose("small", args.small), image_sets.choose("large", args.large)
    return [small, image_sets.middle(large, args.work / "middle"), large]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    for name in ("--photos", "--small", "--large", "--write"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    cores = sorted(os.sched_getaffinity(0))
    bench = Bench(args.contender, args.work, cores)
    sets = [bench.measure(photos) for photos in photo_sets(args)]
    result = {"machine": machine(cores), "rounds": ROUNDS, "versions": bench.versions, "sets": sets}
    if args.write:
        (args.write / "image-bench.md").write_text(image_report.markdown(result))
        (args.write / "image-bench.svg").write_text(image_plot.svg(result))
    print(json.dumps(result) if args.json else image_report.text(result))


if __name__ == "__main__":
    main()
