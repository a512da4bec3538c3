"""One peer of `scripts/bench image` as a process that makes samples when told to: `image_worker.py NAME JOB.json`.

It speaks the lines of crates/image/benches/contender: `run f32`, `save u8 FILE`. What it says first is the versions of
its libraries, or why it cannot run here.
"""

import importlib.metadata
import json
import os
import pathlib
import sys
import time

# Read when a library is loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VIPS_CONCURRENCY"):
    os.environ[variable] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy
from image_peers import PEERS, Peer


def answer(peer: Peer, words: list[str]) -> dict:
    match words:
        case ["run", output]:
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in peer.each(output):
                pass
            return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        case ["save", output, path]:
            with open(path, "wb") as file:
                for finished in peer.each(output):
                    file.write(numpy.ascontiguousarray(finished).tobytes())
            return {"saved": len(peer.samples)}
    raise ValueError(f"no such command: {words}")


def main() -> None:
    name, job = sys.argv[1:]
    # Libraries print to standard output as they please: they get standard error for it.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        peer = PEERS[name](json.loads(pathlib.Path(job).read_text()))
        versions = {package: importlib.metadata.version(package) for package in peer.packages}
    except Exception as error:  # whatever keeps it from running here is what the table says of it
        print(json.dumps({"unavailable": (str(error).splitlines() or [repr(error)])[0]}), file=out)
        return
    print(json.dumps({"versions": versions}), file=out)
    for line in sys.stdin:
        print(json.dumps(answer(peer, line.split())), file=out)


if __name__ == "__main__":
    main()
