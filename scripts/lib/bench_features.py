"""Features/s through two storage servers against ONNX Runtime alone, interleaved, in one run.

ONNX Runtime's side is given every advantage: tensors are decoded before, lie in memory, and the best of several batch
sizes with all cores is taken. Ours reads, decodes, transforms, infers, sends, and writes Parquet on the same cores.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time

import numpy
import onnxruntime

ROUNDS = 5
BATCHES = (1, 4, 8, 32)
TENSORS = 512


def alone(session: onnxruntime.InferenceSession, output: str, tensors: numpy.ndarray, batch: int) -> float:
    """Images/s of ONNX Runtime over all tensors in batches of this size."""
    name = session.get_inputs()[0].name
    whole = len(tensors) - len(tensors) % batch
    started = time.perf_counter()
    for first in range(0, whole, batch):
        session.run([output], {name: tensors[first : first + batch]})
    return whole / (time.perf_counter() - started)


def ours(args: argparse.Namespace) -> float:
    """Features/s of `tuner extract` over all photos."""
    out = args.work / "features"
    shutil.rmtree(out, ignore_errors=True)
    command = [args.bin / "tuner", "extract", "--servers", args.servers, "--dataset", "bench"]
    command += ["--model", "extractor", "--out", out, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["features_per_second"]


def tensors(args: argparse.Namespace, recipe: pathlib.Path) -> numpy.ndarray:
    """Finished tensors of the first photos, from the servers themselves."""
    out = args.work / "tensors"
    command = [args.bin / "profiler", "fetch", "--servers", args.servers, "--dataset", "bench", "--recipe", recipe]
    command += ["--cut", "normalized", "--indices", f"0-{TENSORS - 1}", "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return numpy.stack([numpy.load(file) for file in sorted(out.glob("*.npy"))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bin", "--model", "--work"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--servers", required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = onnxruntime.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    output = "features" if "features" in names else names[0]
    inputs = tensors(args, args.recipe)

    ours(args)  # warms caches and pools
    best = max(BATCHES, key=lambda batch: alone(session, output, inputs[:128], batch))
    runs = [(alone(session, output, inputs, best), ours(args)) for _ in range(ROUNDS)]
    bare, served = (statistics.median(column) for column in zip(*runs))
    ratio = statistics.median(ours / alone for alone, ours in runs)
    result = {
        "onnxruntime_alone": round(bare, 1),
        "onnxruntime_batch": best,
        "headwater": round(served, 1),
        "ratio": round(ratio, 3),
        "rounds": [[round(value, 1) for value in run] for run in runs],
    }
    if args.json:
        print(json.dumps(result))
        return
    print(f"\n  ONNX Runtime alone, tensors in memory, batch {best:>2}   {bare:8.1f} features/s")
    print(f"  Headwater, from photos over two servers          {served:8.1f} features/s")
    print(f"  ratio                                            {ratio:8.3f}   (median of {ROUNDS} pairs)\n")


if __name__ == "__main__":
    main()
