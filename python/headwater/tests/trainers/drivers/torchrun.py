"""Ranks of torchrun, with DistributedDataParallel, which announce every epoch; datasets are made before the process
group."""

import os

from torch import distributed

import ranks
from common import each, task

if __name__ == "__main__":
    rank, runs = int(os.environ["RANK"]), task()
    datasets = [run.dataset() for run in runs]
    ranks.join()
    for run, data in zip(each(runs, rank), datasets):
        ranks.train(run, data, rank, announces=True)
    distributed.destroy_process_group()
