"""What of PyTorch is used, and what stands for it where it is not installed: then datasets give NumPy arrays."""

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any, Optional, Sequence, Tuple

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


__all__ = [
    "Dataset", "IterableDataset", "Sampler", "as_array", "batch_asked_for", "batched_again", "collated", "drawn", "numbers_of", "tensor",
    "torch", "worker_of",
]


def tensor(array: npt.NDArray[Any]) -> Any:
    """The array as a torch tensor that shares its memory; the array itself where there is no torch."""
    return array if torch is None else torch.from_numpy(array)


def collated(values: Sequence[Any]) -> Any:
    """Values of samples as a batch has them: what default_collate makes of them, an array where there is no torch."""
    return np.asarray(values) if torch is None else torch.utils.data.default_collate(list(values))


def _fetching() -> Optional[FrameType]:
    """Where a DataLoader's fetcher asks for what is being made, among the callers; None where none does.

    Nothing tells an iterable dataset of its DataLoader's batches, so they are read from who is calling.
    """
    frame = sys._getframe(2) if torch is not None else None
    while frame is not None:
        if frame.f_code.co_name == "fetch" and frame.f_globals.get("__name__") == "torch.utils.data._utils.fetch":
            return frame
        frame = frame.f_back
    return None


def batch_asked_for() -> int:
    """Samples of the batch for which a DataLoader asks the iterator that calls this; 1 where it asks for single samples."""
    frame = _fetching()
    asked = None if frame is None else frame.f_locals["possibly_batched_index"]
    return 1 if asked is None else max(1, len(asked))


def batched_again() -> bool:
    """Whether a DataLoader with a batch size of its own asks for this very sample, and stacks what it is given. A collate_fn of the
    user's may know what it does.
    """
    frame = _fetching()
    if frame is None:
        return False
    fetcher: Any = frame.f_locals["self"]
    return bool(fetcher.auto_collation and fetcher.collate_fn is torch.utils.data.default_collate)


def worker_of() -> Tuple[int, int]:
    """(number, count) of this DataLoader worker; (0, 0) in the main process."""
    info = None if torch is None else torch.utils.data.get_worker_info()
    return (0, 0) if info is None else (info.id, info.num_workers)


def drawn() -> int:
    """A random number of 63 bits from torch's generator of this process, which `torch.manual_seed` makes again."""
    if torch is None:
        return int(np.random.randint(0, 2**63 - 1, dtype=np.int64))
    return int(torch.empty((), dtype=torch.int64).random_())


def numbers_of(values: Any) -> npt.NDArray[Any]:
    """Numbers, an array or a tensor on any device, as a flat array of their own type."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values).reshape(-1)


def as_array(values: Any, dtype: Any) -> npt.NDArray[Any]:
    """The same as an array of this type."""
    return np.ascontiguousarray(numbers_of(values).astype(dtype))
