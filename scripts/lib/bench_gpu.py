"""Features/s of a storage server on a GPU against ONNX Runtime alone on it, interleaved, in one run.

ONNX Runtime's side is given every advantage: one process that does nothing else, tensors that were made before and lie
in memory, and batches that are all full. A second figure has the tensors on the GPU already, so that nothing but the
network is in it. The server finds its pixels in its cache (`--cache-kinds resized`), finishes, batches and infers them,
and sends features over loopback; the tuner checks them and writes Parquet, on the same machine.

1. The photos, repeated until there are enough, are extracted once on the CPU: these are the features that count.
2. For fp32, and for the same model exported in float16: each batch size, and the size that the server chooses.
3. The cosine of each feature with the CPU's: the least, and what may be the least.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy
import onnxruntime
import pyarrow.parquet
import relabel_photos

#: What a server has to reach: a part of ONNX Runtime's rate, and the least cosine with the CPU's features.
RATIO = 0.9
COSINE = {"fp32": 0.9999, "fp16": 0.999}
#: Tensors that ONNX Runtime is fed, over and over.
TENSORS = 1024
#: The size that the server chooses by itself, in place of a number.
CHOSEN = "chosen"
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
#: Time for each figure of ONNX Runtime alone.
SECONDS = 2.0


class Server:
    """A storage server with one model on a device, for the time of a `with`."""

    def __init__(self, args: argparse.Namespace, device: str, model: pathlib.Path, batch: str):
        self.args, self.folder = args, args.work / "server"
        self.words = ["serve", "--listen", "127.0.0.1:0", "--port-file", self.folder / "port"]
        self.words += ["--data", args.work / "photos", "--dataset", "bench"]
        self.words += ["--model", f"extractor={model},recipe={args.recipe}", "--device", device]
        self.words += ["--cache-dir", args.work / "cache", "--cache-kinds", "resized", "--cache-memory", "50%"]
        if batch != CHOSEN:
            self.words += ["--max-batch", batch]

    def __enter__(self):
        self.folder.mkdir(exist_ok=True)
        (self.folder / "port").unlink(missing_ok=True)
        with open(self.folder / "log", "w") as log:
            command = [str(word) for word in (self.args.bin / "storage-server", *self.words)]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        while not (self.folder / "port").exists():
            if self.process.poll() is not None:
                raise SystemExit(f"the storage server ends at once:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()

    def extracted(self, name: str) -> tuple[float, pathlib.Path]:
        """Features/s of `tuner extract` over all photos, and the folder of the features."""
        out = self.args.work / name
        address = "127.0.0.1:" + (self.folder / "port").read_text()
        command = [self.args.bin / "tuner", "extract", "--servers", address, "--dataset", "bench"]
        command += ["--model", "extractor", "--out", out, "--overwrite", "--json"]
        done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE)
        summary = json.loads(done.stdout)
        if summary["failed"]:
            raise SystemExit(f"samples failed: {summary}")
        return summary["features_per_second"], out


class Alone:
    """ONNX Runtime by itself, with a model on a device."""

    def __init__(self, device: str, model: pathlib.Path, tensors: numpy.ndarray):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        options.log_severity_level = 3
        provider = PROVIDERS[device.split(":")[0]]
        number = int(device.partition(":")[2] or 0)
        settings = [{"device_id": number}] if device != "cpu" else None
        self.session = onnxruntime.InferenceSession(model, options, [provider], settings)
        if self.session.get_providers()[0] != provider:
            raise SystemExit(f"ONNX Runtime does not run on {device} here: it has {self.session.get_providers()}")
        self.device, self.number = device, number
        self.input = self.session.get_inputs()[0]
        names = [output.name for output in self.session.get_outputs()]
        self.output = "features" if "features" in names else names[0]
        self.tensors = tensors.astype(numpy.float16 if self.input.type == "tensor(float16)" else numpy.float32)

    def rate(self, batch: int) -> float:
        """Images/s over the tensors in memory, in batches of this size."""
        starts = range(0, len(self.tensors) - batch + 1, batch)
        batches = [self.tensors[start : start + batch] for start in starts]
        return paced(batch, batches, lambda fed: self.session.run([self.output], {self.input.name: fed}))

    def rate_on_device(self, batch: int) -> float:
        """Images/s over tensors that lie on the device, with what comes of them left there."""
        place = ("cpu", 0) if self.device == "cpu" else ("cuda", self.number)
        binding = self.session.io_binding()
        value = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.ascontiguousarray(self.tensors[:batch]), *place)
        binding.bind_ortvalue_input(self.input.name, value)
        binding.bind_output(self.output, *place)
        return paced(batch, [None], lambda _: self.session.run_with_iobinding(binding))


def paced(batch: int, batches: list, run) -> float:
    """Images/s of a run of each of these batches, over and over, after one that is not counted."""
    run(batches[0])
    started, runs = time.perf_counter(), 0
    while time.perf_counter() - started < SECONDS:
        run(batches[runs % len(batches)])
        runs += 1
    return runs * batch / (time.perf_counter() - started)


def in_float16(model: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    """The model with weights, input and outputs in float16, as exporters write it."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(model), keep_io_types=False), out)
    return out


def features(folder: pathlib.Path) -> dict[str, numpy.ndarray]:
    """What `tuner extract` wrote, by key."""
    table = pyarrow.parquet.read_table(folder, columns=["key", "feature"])
    flat = table["feature"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return dict(zip(table["key"].to_pylist(), flat.reshape(table.num_rows, -1)))


def least_cosine(ours: dict, expected: dict) -> float:
    if ours.keys() != expected.keys():
        raise SystemExit(f"{len(ours)} features came, and {len(expected)} of the CPU")
    pairs = ((ours[key].astype(float), value.astype(float)) for key, value in expected.items())
    return min(float(a @ b / (numpy.linalg.norm(a) * numpy.linalg.norm(b))) for a, b in pairs)


def tensors(args: argparse.Namespace, server: Server) -> numpy.ndarray:
    """Finished tensors of the first photos, from the server itself."""
    out, address = args.work / "tensors", "127.0.0.1:" + (server.folder / "port").read_text()
    last = min(TENSORS, args.photos) - 1
    command = [args.bin / "profiler", "fetch", "--servers", address, "--dataset", "bench", "--recipe", args.recipe]
    command += ["--cut", "normalized", "--indices", f"0-{last}", "--out", out]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return numpy.stack([numpy.load(file) for file in sorted(out.glob("*.npy"))])


def compared(args: argparse.Namespace, precision: str, model: pathlib.Path, ready: numpy.ndarray, cpu: dict) -> dict:
    """Each batch size of one model: turn about, medians."""
    alone = Alone(args.device, model, ready)
    sizes = [size for size in args.batches if size <= len(ready)]
    rows, cosine = {}, 1.0
    for batch in [*map(str, sizes), CHOSEN]:
        with Server(args, args.device, model, batch) as server:
            _, out = server.extracted("features")  # warms caches and pools
            cosine = min(cosine, least_cosine(features(out), cpu))
            rounds = []
            for _ in range(args.rounds):
                bare = None if batch == CHOSEN else alone.rate(int(batch))
                rounds.append((bare, server.extracted("features")[0]))
        row = {"headwater": round(statistics.median(served for _, served in rounds), 1)}
        if batch != CHOSEN:
            row["onnxruntime"] = round(statistics.median(bare for bare, _ in rounds), 1)
            row["onnxruntime_on_device"] = round(alone.rate_on_device(int(batch)), 1)
            row["ratio"] = round(statistics.median(served / bare for bare, served in rounds), 3)
        rows[batch] = row
        print(f"  {precision}, batch {batch}: {row}", file=sys.stderr, flush=True)
    best = max(row["onnxruntime"] for row in rows.values() if "onnxruntime" in row)
    ratio = max(row["headwater"] for row in rows.values()) / best
    return {
        "batches": rows,
        "ratio": round(ratio, 3),
        "least_cosine": round(cosine, 6),
        "kept": bool(ratio >= RATIO and cosine >= COSINE[precision]),
    }


def table(result: dict) -> str:
    lines = [f"\n  {result['device']}: {result['gpu']}, {result['model']}, {result['photos']} photos\n"]
    for precision, found in result["precisions"].items():
        lines.append(f"  {precision:<8}{'batch':>8}{'alone':>12}{'on device':>12}{'Headwater':>12}{'ratio':>8}")
        for batch, row in found["batches"].items():
            cells = [row.get("onnxruntime", "-"), row.get("onnxruntime_on_device", "-"), row["headwater"]]
            lines.append(f"{batch:>18}" + "".join(f"{cell:>12}" for cell in cells) + f"{row.get('ratio', '-'):>8}")
        lines.append(f"  the best of Headwater to the best alone: {found['ratio']} (to be {RATIO} or more)")
        cosine = f"{found['least_cosine']} (to be {COSINE[precision]} or more)"
        kept = "kept" if found["kept"] else "NOT KEPT"
        lines.append(f"  the least cosine with the CPU's features: {cosine}; {kept}\n")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--bin", "--model", "--work", "--source"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--gpu", required=True, help="what the machine calls it")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", default="8,32,128", type=lambda sizes: [int(size) for size in sizes.split(",")])
    parser.add_argument("--precisions", default="fp32,fp16", type=lambda names: names.split(","))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.device.split(":")[0] not in PROVIDERS:
        parser.error(f"--device {args.device}: here it is cuda, cuda:N or cpu")

    relabel_photos.repeat(args.source, args.work / "photos", args.photos)
    with Server(args, "cpu", args.model, CHOSEN) as server:
        cpu = features(server.extracted("of-cpu")[1])
        ready = tensors(args, server)
    models = {"fp32": lambda: args.model, "fp16": lambda: in_float16(args.model, args.work / "float16.onnx")}
    found = {name: compared(args, name, models[name](), ready, cpu) for name in args.precisions}
    result = {
        "device": args.device,
        "gpu": args.gpu,
        "model": args.model.name,
        "photos": args.photos,
        "rounds": args.rounds,
        "limits": {"ratio": RATIO, "cosine": COSINE},
        "precisions": found,
        "kept": all(one["kept"] for one in found.values()),
    }
    print(json.dumps(result) if args.json else table(result))


if __name__ == "__main__":
    main()
