"""Killed at half: how many photos are inferred again, of our server and of the peers.

Ours: the server is killed by `kill -9` when half of the photos have left the model, started again with the same folder,
and `tuner relabel` is called again. Inferences before the kill are those that the server's metric has said last, and as
many as it can have done between that and the kill; photos with labels after the start are what it says it has skipped.

Peers: a file grows by a byte with every inference. All of their processes are killed when it has half, and the same is
begun again. Ray Data can write down which rows are done (`CheckpointConfig`); with it and without it.
"""

import pathlib
import subprocess
import time

import process_tree
from metrics import metric
from relabel_contenders import Headwater, Peer, Refused, Task

#: How often ours is killed: where in a block that is kept as one it happens is chance.
KILLS = 3
INFERRED = 'headwater_inference_samples_total{model="model",outcome="done"}'


def ours(binaries: pathlib.Path, task: Task) -> dict:
    server = Headwater(binaries, task)
    server.start()
    words = ["tuner", "relabel", "--servers", server.address, "--dataset", "photos", "--model", "model"]
    with open(server.folder / "first", "w") as out:
        tuner = subprocess.Popen([binaries / words[0], *words[1:]], stdout=out, stderr=out)
    first, before, asked = None, 0.0, time.monotonic()
    while before < task.count / 2:
        time.sleep(0.005)
        asked = time.monotonic()
        before = metric(server.folder, INFERRED)
        first = first or (before and (before, asked))
    server.server.kill()
    # At the rate of the time before: that of a few milliseconds jumps with every batch.
    rate = (before - first[0]) / max(asked - first[1], 1e-3)
    unseen = int(rate * (time.monotonic() - asked)) + 1
    server.server.wait()
    tuner.kill()
    tuner.wait()
    server.start()
    told = server.relabel()
    server.end()
    if told["labelled"] + told["skipped"] != task.count:
        raise SystemExit(f"after a kill {task.count} photos were to have labels: {told}")
    again = int(before) - told["skipped"]
    return {"inferred_before": int(before), "labels_found": told["skipped"], "again": again, "at_most": again + unseen}


def of_peer(contender: str, task: Task, *words) -> dict:
    counted = task.work / f"{contender}-counted"
    counted.unlink(missing_ok=True)
    words = [*words, "--counted", counted]
    try:
        first = Peer(contender, task, *words)
        first.start()
        first.begin()
        while counted.stat().st_size - first.ready["warm"] < task.count / 2:
            if first.process.poll() is not None:
                raise Refused("it ends before half is done")
            time.sleep(0.005)
        process_tree.kill_below()
        before = counted.stat().st_size - first.ready["warm"]
        first.end()
        second = Peer(contender, task, *words)
        second.start()
        from_here = second.ready["warm"]
        second.go()
        after = counted.stat().st_size - from_here
        second.end()
    except Refused as why:
        return {"refused": str(why)}
    return {"inferred_before": before, "again": before + after - task.count}


def all_of_them(binaries: pathlib.Path, task: Task, peers: dict) -> dict:
    """By name. `peers` are those that run here: their names, and their words."""
    found = {f"headwater, kill {number}": ours(binaries, task) for number in range(1, KILLS + 1)}
    for name, (contender, *words) in peers.items():
        found[name] = of_peer(contender, task, *words)
        if contender == "ray":
            checkpoint = task.work / "ray-checkpoint"
            checkpoint.mkdir()
            found[f"{name}, CheckpointConfig"] = of_peer(contender, task, *words, "--checkpoint", checkpoint)
    return found
