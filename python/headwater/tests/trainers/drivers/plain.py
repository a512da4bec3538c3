"""A loop as anybody writes it, in one process, that never calls set_epoch.

A MapDataset is gone on with as any dataset that has no state: with its sampler's random state as it was when the epoch
began, past what was trained. The sampler has a generator of its own: torch's draws the seed of workers too, which those
that stay have from an epoch before.
"""

import torch
from torch.utils.data import RandomSampler

from common import EPOCHS, Run, each, task


def train(run: Run) -> None:
    torch.manual_seed(0)
    data = run.dataset()
    random = torch.Generator().manual_seed(0)
    loader = run.loader(data) if run.iterable else run.loader(data, sampler=RandomSampler(data, generator=random))
    begin, done = 0, 0
    if run.resumes:
        saved = run.saved()
        begin, done = saved["epoch"], saved["steps"]
        if run.iterable:
            data.load_state_dict(saved["data"])
        random.set_state(saved["random"])
    for epoch in range(begin, EPOCHS):
        drawn = random.get_state()
        for step, (images, _, indices) in enumerate(loader, done if run.iterable else 0):
            if step < done:
                continue
            run.gives(0, epoch, step, images, indices, len(loader))
            if run.saves_behind(epoch, step):
                run.save(
                    run.saves, {"epoch": epoch, "steps": step + 1, "data": state(run, data, step + 1), "random": drawn}
                )
        done = 0
        if run.saves_end(epoch):
            ended = state(run, data, len(loader))
            run.save("end", {"epoch": epoch + 1, "steps": 0, "data": ended, "random": random.get_state()})


def state(run: Run, data, steps: int):
    """Of the dataset: without workers it knows by itself how many batches were used."""
    if not run.iterable:
        return None
    return data.state_dict() if run.workers == "0" else data.state_dict(epoch_steps=steps)


if __name__ == "__main__":
    for run in each(task(), 0):
        train(run)
