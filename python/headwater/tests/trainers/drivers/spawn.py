"""Ranks of torch.multiprocessing.spawn, which are given datasets that their parent made, and announce no epoch.

Workers that stay are spawned too, as they are by default in such ranks; others are forked, for each imports PyTorch
anew in every epoch.
"""

import os
import socket
from typing import Any, List

from torch import distributed, multiprocessing

import ranks
from common import WORLD, Run, each, task


def child(rank: int, runs: List[Run], datasets: List[Any]) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(WORLD))
    ranks.join()
    # As scripts do that hand rank and port to init_process_group themselves.
    del os.environ["RANK"], os.environ["WORLD_SIZE"]
    for run, data in zip(each(runs, rank), datasets):
        ranks.train(
            run, data, rank, announces=False, **({"multiprocessing_context": "fork"} if run.workers == "2" else {})
        )
    distributed.destroy_process_group()


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free.getsockname()[1]))
    told = task()
    multiprocessing.spawn(child, (told, [run.dataset() for run in told]), nprocs=WORLD)
