"""Two ranks train over gloo; a server is killed and restarted meanwhile; each sample is seen once in each epoch."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from typing import Any

from conftest import PHOTOS, Server

RANK = """
import json, sys, time
import headwater, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

server, out = sys.argv[1:]
dist.init_process_group("gloo")
torch.manual_seed(0)
layers = torch.nn.AvgPool2d(16), torch.nn.Flatten(), torch.nn.Linear(588, 2)
network = DistributedDataParallel(torch.nn.Sequential(*layers))
optimizer = torch.optim.SGD(network.parameters(), 0.01)
sampler = headwater.ImportanceSampler(26, warm_up=9)
fields = ("image", "label", "key", "index")
data = headwater.IterableDataset(
    server, "photos", "imagenet-train", cut="cropped", batch_size=3, fields=fields, window=1 << 20
)
seen = []
for epoch in range(2):
    data.set_epoch(epoch)
    sampler.set_epoch(epoch)
    keys = []
    for step, (images, labels, batch, indices) in enumerate(DataLoader(data, batch_size=None, num_workers=1)):
        print(epoch, step, flush=True)
        losses = torch.nn.functional.cross_entropy(network(images), labels, reduction="none")
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        sampler.update(indices, losses)
        keys += batch
        time.sleep(0.1)
    seen.append(keys)
sampler.set_epoch(2)
weights = [parameter.detach().sum().item() for parameter in network.parameters()]
known = int((sampler.losses == sampler.losses).sum())
json.dump({"seen": seen, "weights": weights, "known": known}, open(out, "w"))
"""


def test_two_ranks_see_every_sample_once_while_a_server_comes_back(own_server: Server, tmp_path: pathlib.Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    ranks: Any = []
    for rank in range(2):
        environment = {
            **os.environ,
            "RANK": str(rank),
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        words = [sys.executable, "-c", RANK, own_server.address, str(tmp_path / str(rank))]
        ranks.append(subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True))
    assert ranks[0].stdout is not None
    for line in ranks[0].stdout:
        if line.split()[:2] == ["0", "1"]:
            own_server.kill()
            time.sleep(0.5)
            own_server.start()
            break
    for process in ranks:
        process.communicate(timeout=120)
        assert process.returncode == 0
    found = [json.loads((tmp_path / str(rank)).read_text()) for rank in range(2)]
    for epoch in range(2):
        keys = found[0]["seen"][epoch] + found[1]["seen"][epoch]
        assert len(keys) == len(set(keys)) == PHOTOS
    assert found[0]["weights"] == found[1]["weights"]
    assert found[0]["known"] == found[1]["known"] == PHOTOS, "losses are exchanged"
