"""Hugging Face's Trainer with two ranks. It makes batches and announces epochs itself, and skips what was trained."""

import os
import shutil
from typing import Any, Dict, List

import torch
from torch.utils.data import default_collate
from transformers import Trainer, TrainerCallback, TrainingArguments

from common import BATCH, EPOCHS, EVEN, MIDDLE_EPOCH, STEPS, WORLD, Network, Run, each, task

PER_EPOCH = EVEN // (BATCH * WORLD)
#: Steps of all epochs behind which a state is saved.
AT = {"fresh": 0, "end": PER_EPOCH, **{start: PER_EPOCH * MIDDLE_EPOCH + steps for start, steps in STEPS.items()}}


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = Network()

    def forward(self, images: torch.Tensor, labels: torch.Tensor, indices: torch.Tensor) -> Dict[str, Any]:
        return {"loss": self.network(images)}


def collate(samples: List[Any]) -> Dict[str, Any]:
    images, labels, indices = default_collate(samples)
    return {"images": images, "labels": labels, "indices": indices}


class Recorder(Trainer):
    """Writes down what it is given."""

    run: Run
    rank: int

    def training_step(self, model: Any, inputs: Any, *more: Any) -> Any:
        at = self.state.global_step
        length = len(self.callback_handler.train_dataloader)
        self.run.gives(self.rank, at // length, at % length, inputs["images"], inputs["indices"], length)
        return super().training_step(model, inputs, *more)


class Saves(TrainerCallback):
    """The states that a run saves."""

    def __init__(self, run: Run) -> None:
        self._at = [] if run.saves is None else [AT[run.saves], AT["end"]]

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> Any:
        control.should_save = state.global_step in self._at
        return control


def train(run: Run, rank: int) -> None:
    workers = 0 if run.workers == "0" else 2
    folder = run.file("trained")
    if run.phase == "first" and rank == 0:
        shutil.rmtree(folder, ignore_errors=True)
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=BATCH,
        num_train_epochs=EPOCHS,
        use_cpu=True,
        ddp_backend="gloo",
        seed=3,
        dataloader_num_workers=workers,
        dataloader_persistent_workers=run.workers == "persistent",
        save_strategy="no",
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        ddp_timeout=60,
    )
    # The last batch would be filled up with samples that come twice.
    data = run.dataset(count=EVEN, batched=False)
    trainer = Recorder(Model(), arguments, data_collator=collate, train_dataset=data, callbacks=[Saves(run)])
    trainer.run, trainer.rank = run, rank
    trainer.train(resume_from_checkpoint=str(folder / f"checkpoint-{AT[run.start]}") if run.resumes else None)


if __name__ == "__main__":
    rank = int(os.environ["RANK"])
    for run in each(task(), rank):
        train(run, rank)
    torch.distributed.destroy_process_group()
