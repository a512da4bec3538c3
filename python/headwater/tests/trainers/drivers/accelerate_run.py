"""Accelerate with two ranks: a prepared loader as it comes, with batches that process 0 dispatches, and with ranks that
read themselves.

It announces epochs itself. A run that goes on tells it which is the first, and skips what was trained, as Accelerate's
examples do.
"""

import os
from typing import Any

import torch
from accelerate import Accelerator, DataLoaderConfiguration
from accelerate.utils import set_seed

from common import EPOCHS, EVEN, TORCH_SEEDS, WORLD, Network, Run, each, task

DISPATCH = {"prepare": None, "dispatch": True, "shard": False}


def train(run: Run, rank: int) -> None:
    set_seed(TORCH_SEEDS[run.start])
    # Its sampler's order is then a function of the epoch, so that a run that goes on skips what was trained.
    config = DataLoaderConfiguration(dispatch_batches=DISPATCH[run.mode], use_seedable_sampler=True, data_seed=5)
    accelerator = Accelerator(cpu=True, dataloader_config=config)
    # What it fills the last batch with comes twice: so there is nothing to fill up.
    data = run.dataset(count=EVEN)
    network: Any = Network()
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    loader = run.loader(data) if run.iterable else run.loader(data, shuffle=True)
    network, optimizer, loader = accelerator.prepare(network, optimizer, loader)
    begin, done = 0, 0
    if run.resumes:
        begin, done = run.saved()
        loader.set_epoch(begin)
    for epoch in range(begin, EPOCHS):
        # Of a MapDataset that is dispatched it counts the batches of all processes.
        skipped = done * WORLD if run.mode == "dispatch" and not run.iterable else done
        rest = accelerator.skip_first_batches(loader, skipped) if done else loader
        for step, (images, _, indices) in enumerate(rest, done):
            accelerator.backward(network(images))
            run.gives(rank, epoch, step, images, indices, len(loader))
            if rank == 0 and run.saves_behind(epoch, step):
                run.save(run.saves, (epoch, step + 1))
        done = 0
        loader.set_epoch(epoch + 1)
        if rank == 0 and run.saves_end(epoch):
            run.save("end", (epoch + 1, 0))


if __name__ == "__main__":
    rank = int(os.environ["RANK"])
    for run in each(task(), rank):
        train(run, rank)
    torch.distributed.destroy_process_group()
