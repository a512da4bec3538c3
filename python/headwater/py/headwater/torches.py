"""What of PyTorch is used, and what stands for it where it is not installed: then datasets give NumPy arrays."""

import os
from typing import TYPE_CHECKING, Any, Tuple

import numpy as np
import numpy.typing as npt

#: The module, or None. Not all of it is typed.
torch: Any

if TYPE_CHECKING:
    from torch.utils.data import Dataset, IterableDataset, Sampler
else:
    try:
        import torch
        import torch.distributed
        from torch.utils.data import Dataset, IterableDataset, Sampler
    except ImportError:
        torch = None

        class _Base:
            def __class_getitem__(cls, _item: Any) -> Any:
                return cls

        Dataset = IterableDataset = Sampler = _Base

__all__ = ["Dataset", "IterableDataset", "Sampler", "as_array", "rank_and_world", "tensor", "torch", "worker_of"]


def tensor(array: npt.NDArray[Any]) -> Any:
    """The array as a torch tensor that shares its memory; the array itself where there is no torch."""
    return array if torch is None else torch.from_numpy(array)


def worker_of() -> Tuple[int, int]:
    """(number, count) of this DataLoader worker; (0, 0) in the main process."""
    info = None if torch is None else torch.utils.data.get_worker_info()
    return (0, 0) if info is None else (info.id, info.num_workers)


def rank_and_world() -> Tuple[int, int]:
    """This process's place among the ranks: torch.distributed's, else what torchrun has set, else alone."""
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    rank, world = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is not None and world is not None:
        return int(rank), int(world)
    return 0, 1


def as_array(values: Any, dtype: Any) -> npt.NDArray[Any]:
    """Numbers, an array or a tensor on any device, as a flat array."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.ascontiguousarray(np.asarray(values, dtype=dtype).reshape(-1))
