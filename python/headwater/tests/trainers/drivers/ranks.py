"""The loop of drivers that start their ranks themselves, or are started as ranks."""

from datetime import timedelta
from typing import Any

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data.distributed import DistributedSampler

from common import EPOCHS, TORCH_SEEDS, WORLD, Network, Run


def join() -> None:
    """The process group, whose ranks do not wait for each other for ever."""
    distributed.init_process_group("gloo", timeout=timedelta(seconds=60))


def train(run: Run, data: Any, rank: int, *, announces: bool, **more: Any) -> None:
    """Trains as one rank. `announces`: whether set_epoch is called, as with DistributedSampler. `more` is for the
    loader."""
    torch.manual_seed(TORCH_SEEDS[run.start])
    sampler = None if run.iterable else DistributedSampler(data, WORLD, rank, shuffle=True)
    loader = run.loader(data, **more) if run.iterable else run.loader(data, sampler=sampler, **more)
    network: Any = Network()
    if distributed.is_initialized():
        network = DistributedDataParallel(network)
    begin, done = 0, 0
    if run.resumes:
        saved = run.saved()
        begin, done = saved["epoch"], saved["steps"]
        if run.iterable:
            data.load_state_dict(saved["data"])
    for epoch in range(begin, EPOCHS):
        if sampler is not None:
            sampler.set_epoch(epoch)
        if announces:
            data.set_epoch(epoch)
        for step, (images, _, indices) in enumerate(loader, done if run.iterable else 0):
            if step < done:
                continue
            network(images).backward()
            run.gives(rank, epoch, step, images, indices, len(loader))
            if rank == 0 and run.saves_behind(epoch, step):
                state = data.state_dict(steps=step + 1 - done) if run.iterable else None
                run.save(run.saves, {"epoch": epoch, "steps": step + 1, "data": state})
        done = 0
        if rank == 0 and run.saves_end(epoch):
            state = data.state_dict(steps=len(loader)) if run.iterable else None
            run.save("end", {"epoch": epoch + 1, "steps": 0, "data": state})
