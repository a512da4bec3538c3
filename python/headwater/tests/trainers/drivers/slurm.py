"""Tasks of srun that know of each other by Slurm's variables alone, without a process group; every epoch is
announced."""

import os

import ranks
from common import each, task

if __name__ == "__main__":
    rank = int(os.environ["SLURM_PROCID"])
    for run in each(task(), rank):
        ranks.train(run, run.dataset(), rank, announces=True)
