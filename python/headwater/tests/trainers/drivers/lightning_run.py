"""Lightning with two ranks: loaders given to fit, a LightningDataModule, and ranks that it spawns. It announces no
epoch.

A streamed dataset's state is in the checkpoint: with the module's hooks, or the DataModule's. Of a MapDataset Lightning
keeps where torchdata's StatefulDataLoader stands, and makes its iterator before it tells the sampler which epoch goes
on: so that comes from a DataModule in all modes, which tells it first.
"""

import os

import warnings
from datetime import timedelta
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.data.distributed import DistributedSampler
from torchdata.stateful_dataloader import StatefulDataLoader

from common import EPOCHS, MIDDLE_EPOCH, STEPS, TORCH_SEEDS, WORLD, Network, Run, each, task


def loader_of(run: Run, *what: Any, **more: Any) -> Any:
    """Workers of ranks that are spawned would be spawned too, and import all of Lightning in every epoch."""
    forked = run.mode == "spawn" and run.workers != "0"
    return run.loader(*what, multiprocessing_context="fork" if forked else None, **more)


def taken(trainer: Any) -> int:
    """Batches of this epoch that each rank has taken."""
    return int(trainer.fit_loop.epoch_loop.batch_progress.current.ready)


class Module(lightning.LightningModule):
    """Writes down what it is given; keeps the state of a dataset that it is told of."""

    def __init__(self, run: Run, data: Any = None) -> None:
        super().__init__()
        self.run_, self.data, self.network = run, data, Network()

    def training_step(self, batch: Any, batch_index: int) -> Any:
        images, _, indices = batch
        self.run_.gives(
            self.global_rank, self.current_epoch, batch_index, images, indices, len(self.trainer.train_dataloader)
        )
        return self.network(images)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), 0.01)

    def on_save_checkpoint(self, checkpoint: Any) -> None:
        if self.data is not None:
            checkpoint["data"] = self.data.state_dict(epoch_steps=taken(self.trainer))

    def on_load_checkpoint(self, checkpoint: Any) -> None:
        if self.data is not None:
            self.data.load_state_dict(checkpoint["data"])


class Photos(lightning.LightningDataModule):
    """Makes the loader, and keeps a streamed dataset's state. The dataset is given, or made when the ranks are
    there."""

    def __init__(self, run: Run, data: Any = None) -> None:
        super().__init__()
        self.run, self.data = run, data

    def setup(self, stage: str) -> None:
        if self.data is None:
            self.data = self.run.dataset()

    def train_dataloader(self) -> Any:
        if self.run.iterable:
            return loader_of(self.run, self.data)
        sampler: Any = DistributedSampler(self.data, self.trainer.world_size, self.trainer.global_rank)
        sampler.set_epoch(self.trainer.fit_loop.epoch_progress.current.processed)
        return loader_of(self.run, self.data, StatefulDataLoader, sampler=sampler)

    def state_dict(self) -> Any:
        return self.data.state_dict(epoch_steps=taken(self.trainer)) if self.run.iterable else {}

    def load_state_dict(self, state: Any) -> None:
        if self.run.iterable:
            self.data.load_state_dict(state)


def train(run: Run) -> None:
    lightning.seed_everything(TORCH_SEEDS[run.start], workers=True, verbose=False)
    strategy = DDPStrategy(
        process_group_backend="gloo",
        timeout=timedelta(seconds=60),
        start_method="spawn" if run.mode == "spawn" else "popen",
    )
    callbacks: Any = []
    if run.saves is not None:
        shared: Any = {"dirpath": run.out, "save_top_k": -1, "auto_insert_metric_name": False}
        callbacks = [
            ModelCheckpoint(filename=f"{run.name}-step-{{step}}", every_n_train_steps=at(run, run.saves), **shared)
        ]
        if run.phase == "first":
            callbacks.append(ModelCheckpoint(filename=f"{run.name}-epoch-{{epoch}}", every_n_epochs=1, **shared))
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=WORLD,
        strategy=strategy,
        max_epochs=EPOCHS,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=bool(callbacks),
        callbacks=callbacks,
    )
    name = "epoch-0.ckpt" if run.start == "end" else f"step-{at(run, run.start)}.ckpt"
    checkpoint = run.file(name) if run.resumes else None
    again: Any = {"ckpt_path": checkpoint, "weights_only": False}
    if run.mode == "datamodule" or not run.iterable:
        trainer.fit(Module(run), datamodule=Photos(run, None if run.mode == "datamodule" else run.dataset()), **again)
        return
    data = run.dataset()
    trainer.fit(Module(run, data), loader_of(run, data), **again)


def at(run: Run, start: str) -> int:
    """Steps of each rank until this state is saved."""
    return (7 if run.iterable else 6) * MIDDLE_EPOCH + STEPS.get(start, 0)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", module="lightning.*")
    told = task()
    # Ranks that it spawns come to the end of no run: their parent does.
    mine = range(WORLD) if told[0].mode == "spawn" else [int(os.environ.get("LOCAL_RANK", "0"))]
    for run in each(told, *mine):
        train(run)
