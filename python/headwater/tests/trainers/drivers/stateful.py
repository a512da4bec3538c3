"""torchdata's StatefulDataLoader, which keeps the states itself; no epoch is announced."""

import torch
from torchdata.stateful_dataloader import StatefulDataLoader

from common import EPOCHS, STEPS, TORCH_SEEDS, Run, each, task


def train(run: Run) -> None:
    torch.manual_seed(TORCH_SEEDS[run.start])
    data = run.dataset()
    loader = run.loader(data, StatefulDataLoader, **({} if run.iterable else {"shuffle": True}))
    begin, done = 0, 0
    if run.resumes:
        loader.load_state_dict(run.saved())
        begin, done = 1, STEPS.get(run.start, 0)
    for epoch in range(begin, EPOCHS):
        for step, (images, _, indices) in enumerate(loader, done):
            run.gives(0, epoch, step, images, indices, len(loader))
            if run.saves_behind(epoch, step):
                run.save(run.saves, loader.state_dict())
        done = 0
        if run.saves_end(epoch):
            run.save("end", loader.state_dict())


if __name__ == "__main__":
    for run in each(task(), 0):
        train(run)
