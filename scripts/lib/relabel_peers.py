"""The peers of `scripts/bench relabel`, one to a process.

Each makes itself ready, says so in a line of JSON, waits for a line on its standard input, labels all photos, says what
came of it in a second line, and stays until its standard input ends, so that its processes can be looked at.

`seconds` is the time from the line to the last label on the disk. `working_seconds` begins when the first photo is
opened in a worker that has its model: what a framework takes to start its workers is left out.
"""

import argparse
import gzip
import json
import os
import pathlib
import queue
import sys
import threading
import time
from concurrent import futures

import numpy as np
from relabel_labeller import Labeller, pixels, tensors

#: Photos that a framework hands to a worker at a time.
BLOCK = 32
#: Files that a task of the frameworks reads: by itself Ray Data makes 200 tasks, and is several times slower with it.
READ = 128
#: Photos on which a framework warms up.
WARM = 64
#: Tensors that ONNX Runtime alone has in memory, and goes through again and again.
IN_MEMORY = 512
BATCHES = (1, 2, 4, 8, 16, 32)


def photos_in(folder: pathlib.Path, count: int) -> list:
    return sorted(path for path in folder.rglob("*") if path.is_file())[:count]


def keys(args, paths: list) -> list:
    return [str(pathlib.Path(path).relative_to(args.photos)) for path in paths]


def labeller(args, threads: int, batch: int, spin: bool = True) -> Labeller:
    return Labeller(str(args.model), args.side, batch, threads, str(args.counted or ""), spin)


# === Tensors, made before ===


def prepare(args) -> None:
    """Every photo's tensor as NDPipe keeps it, gzip'd f32 in a file of its own; the first ones also as one array."""
    paths = photos_in(args.photos, args.count)
    args.tensors.mkdir()

    def one(number: int) -> np.ndarray:
        tensor = tensors([pixels(paths[number].read_bytes(), args.side)])[0]
        (args.tensors / f"{number:07}.gz").write_bytes(gzip.compress(tensor.tobytes(), 6))
        return tensor if number < IN_MEMORY else None

    with futures.ThreadPoolExecutor(args.threads) as pool:
        made = [each for each in pool.map(one, range(len(paths))) if each is not None]
    np.save(args.tensors / "first.npy", np.stack(made))
    print(json.dumps({"bytes": sum(path.stat().st_size for path in args.tensors.glob("*.gz"))}))


# === NDPipe's design ===


def ndpipe(args):
    """Preprocessed inputs are read and unpacked by one thread, one batch ahead, and inferred by another, with all cores
    (the paper's PipeStore, whose stages are loading, unpacking and inference)."""
    # Threads that wait for work by turning would take a core from the one that unpacks.
    model = labeller(args, args.threads, args.batch, spin=False)
    files = sorted(args.tensors.glob("*.gz"))[: args.count]
    shape = (3, args.side, args.side)

    def feed(ready: queue.Queue, files: list) -> None:
        for first in range(0, len(files), args.batch):
            some = files[first : first + args.batch]
            batch = np.empty((len(some), *shape), np.float32)
            for place, file in zip(batch, some):
                place[:] = np.frombuffer(gzip.decompress(file.read_bytes()), np.float32).reshape(shape)
            ready.put(batch)
        ready.put(None)

    def run(files: list) -> dict:
        ready, found = queue.Queue(2), []
        thread = threading.Thread(target=feed, args=(ready, files))
        thread.start()
        while (batch := ready.get()) is not None:
            found.append(model.infer(batch))
        thread.join()
        best = np.concatenate([classes for classes, _ in found])
        np.savez(args.out / "labels.npz", best=best, scores=np.concatenate([scores for _, scores in found]))
        return dict(zip(keys(args, photos_in(args.photos, args.count)), best[:, 0].tolist()))

    run(files[:WARM])
    return lambda: (run(files), None)


# === ONNX Runtime alone ===


def _alone(args, way: str, batch: int, inputs: np.ndarray):
    """Inference of so many inputs by one session with all threads (`one`), or by a session in each thread (`each`)."""
    if way == "one":
        model = labeller(args, args.threads, batch)

        def run(count: int) -> None:
            for first in range(0, count, IN_MEMORY):
                model.infer(inputs[: min(IN_MEMORY, count - first)])

        return run
    models = [labeller(args, 1, batch) for _ in range(args.threads)]

    def part(model: Labeller, count: int) -> None:
        for first in range(0, count, IN_MEMORY):
            model.infer(inputs[: min(IN_MEMORY, count - first)])

    def run_all(count: int) -> None:
        with futures.ThreadPoolExecutor(len(models)) as pool:
            shares = [count // len(models) + (i < count % len(models)) for i in range(len(models))]
            list(pool.map(part, models, shares))

    return run_all


def bare(args):
    inputs = np.load(args.tensors / "first.npy")
    run = _alone(args, args.way, args.batch, inputs)
    run(WARM)
    return lambda: (run(args.count), None)


def tune(args) -> None:
    """The fastest batch of either way, and which of the two is faster: the best of two turns through all of them."""
    inputs = np.load(args.tensors / "first.npy")[:64]
    runs = {(way, batch): _alone(args, way, batch, inputs) for way in ("one", "each") for batch in BATCHES}
    for run in runs.values():
        run(args.threads)
    took = dict.fromkeys(runs, float("inf"))
    for _ in range(2):
        for key, run in runs.items():
            begin = time.perf_counter()
            run(len(inputs))
            took[key] = min(took[key], time.perf_counter() - begin)
    best = {way: min((key for key in took if key[0] == way), key=took.get) for way in ("one", "each")}
    way = min(best, key=lambda way: took[best[way]])
    print(json.dumps({"way": way, **{way: batch for way, batch in best.values()}}))


# === Frameworks ===


def _of_parquet(args, folder: pathlib.Path) -> tuple:
    """The labels that a framework has written, and when its first worker began."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(folder)
    labels = dict(zip(keys(args, rows["path"].to_pylist()), rows["label"].to_pylist()))
    return labels, min(rows["began"].to_pylist(), default=None)


class RayLabeller:
    """A worker of Ray Data: decodes and infers, so that no pixels travel between its processes."""

    def __init__(self, model: str, side: int, batch: int, counted: str):
        self.labeller = Labeller(model, side, batch, 1, counted)

    def __call__(self, rows: dict) -> dict:
        began = time.time()
        best, scores = self.labeller.label(list(rows["bytes"]))
        return {
            "path": rows["path"],
            "label": best[:, 0],
            "labels": best,
            "scores": scores,
            "began": np.full(len(best), began),
        }


def ray_data(args):
    import ray

    # One place more than cores: the workers fill all of them, and files are read beside.
    ray.init(
        num_cpus=args.threads + 1, include_dashboard=False, log_to_driver=False, _temp_dir=str(args.scratch.resolve())
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    paths = [str(path) for path in photos_in(args.photos, args.count)]
    given = {"model": str(args.model), "side": args.side, "batch": args.batch, "counted": str(args.counted or "")}

    def run(paths: list, out: pathlib.Path) -> None:
        workers = ray.data.ActorPoolStrategy(size=args.threads)
        photos = ray.data.read_binary_files(paths, include_paths=True, override_num_blocks=-(-len(paths) // READ))
        labels = photos.map_batches(
            RayLabeller, batch_size=BLOCK, compute=workers, num_cpus=1, fn_constructor_kwargs=given
        )
        labels.write_parquet(str(out))

    run(paths[:WARM], args.out / "warm")
    if args.checkpoint:
        from ray.data.checkpoint import CheckpointConfig

        ray.data.DataContext.get_current().checkpoint_config = CheckpointConfig(
            id_column="path", checkpoint_path=str(args.checkpoint), delete_checkpoint_on_success=False
        )

    def timed():
        run(paths, args.out / "labels")
        end = time.time()
        return *_of_parquet(args, args.out / "labels"), end

    return timed


def daft(args):
    import daft
    from daft import DataType
    from daft.functions import download

    row = DataType.struct(
        {
            "label": DataType.int64(),
            "labels": DataType.list(DataType.int64()),
            "scores": DataType.list(DataType.float32()),
            "began": DataType.float64(),
        }
    )

    @daft.cls(max_concurrency=args.threads, cpus=1, use_process=args.daft_processes)
    class DaftLabeller:
        def __init__(self, model: str, side: int, batch: int, counted: str):
            self.labeller = Labeller(model, side, batch, 1, counted)

        @daft.method.batch(return_dtype=row, batch_size=BLOCK, unnest=True)
        def label(self, stored: daft.Series):
            began = time.time()
            best, scores = self.labeller.label(stored.to_pylist())
            names = ("label", "labels", "scores", "began")
            rows = zip(best[:, 0].tolist(), best.tolist(), scores.tolist(), [began] * len(best))
            return [dict(zip(names, row)) for row in rows]

    daft.set_runner_native()
    worker = DaftLabeller(str(args.model), args.side, args.batch, str(args.counted or ""))
    paths = [str(path) for path in photos_in(args.photos, args.count)]

    def run(paths: list, out: pathlib.Path) -> None:
        photos = daft.from_pydict({"path": paths}).into_batches(READ).with_column("stored", download(daft.col("path")))
        photos.select("path", worker.label(photos["stored"])).write_parquet(str(out))

    run(paths[:WARM], args.out / "warm")

    def timed():
        run(paths, args.out / "labels")
        end = time.time()
        return *_of_parquet(args, args.out / "labels"), end

    return timed


CONTENDERS = {"ndpipe": ndpipe, "bare": bare, "ray": ray_data, "daft": daft}
TOOLS = {"prepare": prepare, "tune": tune}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=[*CONTENDERS, *TOOLS])
    for name in ("--photos", "--model"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--tensors", type=pathlib.Path, help="the folder of tensors that were made before")
    parser.add_argument("--out", type=pathlib.Path, help="the folder for the labels")
    parser.add_argument("--scratch", type=pathlib.Path, help="a folder with a short name, for Ray's sockets")
    parser.add_argument("--checkpoint", type=pathlib.Path, help="where Ray keeps what it has done")
    parser.add_argument("--counted", type=pathlib.Path, help="a file that grows by a byte with every inference")
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--count", type=int, required=True, help="photos")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--way", choices=("one", "each"), default="each")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--daft-processes", action="store_true")
    args = parser.parse_args()
    if args.contender in TOOLS:
        TOOLS[args.contender](args)
        return
    args.out.mkdir(parents=True, exist_ok=True)
    run = CONTENDERS[args.contender](args)
    warm = args.counted.stat().st_size if args.counted and args.counted.exists() else 0
    print(json.dumps({"ready": True, "warm": warm}), flush=True)
    sys.stdin.readline()
    begin = time.time()
    labels, began, *end = run()
    end = end[0] if end else time.time()
    row = {"photos": args.count, "seconds": end - begin, "working_seconds": end - (began or begin)}
    if labels is not None:
        (args.out / "labels.json").write_text(json.dumps(labels))
    print(json.dumps(row), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
