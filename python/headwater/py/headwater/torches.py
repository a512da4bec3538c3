"""What of PyTorch is used, and what stands for it where it is not installed: then datasets give NumPy arrays."""

from typing import TYPE_CHECKING, Any, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from headwater.callers import Caller, callers

#: The module torch, or None where it is not installed. Not all of it is typed.
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
    "Dataset",
    "IterableDataset",
    "Sampler",
    "as_array",
    "batch_asked_for",
    "batched_again",
    "collated",
    "drawn",
    "numbers_of",
    "tensor",
    "torch",
    "worker_of",
]


def tensor(array: npt.NDArray[Any]) -> Any:
    """The array as a torch tensor that shares its memory; the array itself where there is no torch."""
    return array if torch is None else torch.from_numpy(array)


def collated(values: Sequence[Any]) -> Any:
    """Values of samples as a batch has them: what default_collate makes of them, an array where there is no torch."""
    return np.asarray(values) if torch is None else torch.utils.data.default_collate(list(values))


def _fetching() -> Optional[Caller]:
    """The fetcher of a DataLoader that asks for what is being made; None where none does."""
    if torch is None:
        return None
    at = ("torch.utils.data._utils.fetch", "fetch")
    return next((caller for caller in callers() if (caller.module, caller.function) == at), None)


def batch_asked_for() -> int:
    """Samples of the batch for which a DataLoader asks the iterator that calls this; 1 where it asks for single
    samples.
    """
    fetching = _fetching()
    asked = None if fetching is None else fetching.local("possibly_batched_index")
    return 1 if asked is None else max(1, len(asked))


def batched_again() -> bool:
    """Whether a DataLoader with a batch size of its own asks for this very sample, and stacks what it is given. A
    collate_fn of the user's may know what it does.
    """
    fetching = _fetching()
    if fetching is None:
        return False
    fetcher = fetching.local("self")
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
    """Numbers, an array or a tensor on any device, as a flat array of this type."""
    return np.ascontiguousarray(numbers_of(values).astype(dtype))
