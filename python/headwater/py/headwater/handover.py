"""How tensors leave a DataLoader's worker: in memory that belongs to no mount (memfd), instead of files in /dev/shm.

PyTorch hands a worker's tensors to the trainer in files of /dev/shm, which containers have 64 MB of, and does so in a
thread of the worker's queue: where that fails, the thread prints the error and drops the batch. The trainer then waits
for ever, or ends its epoch early without a word. So here

- a tensor's bytes are written to a memfd, which only the machine's memory bounds, and PyTorch passes its descriptor on,
- and whatever fails on the way is raised in the trainer, by what it unpickles in the batch's place.

Both are installed in the worker's process only, by the hooks that exist for it: reductions of `ForkingPickler`, and
`default_collate_fn_map`. Where there is no memfd, or where the sharing strategy is `file_system`, /dev/shm stays the
way, and is asked for room first.
"""

import errno
import os
from multiprocessing.reduction import ForkingPickler
from typing import Any, Callable, NoReturn, Sequence, Tuple

from headwater._headwater import HeadwaterError
from headwater.memfd import can_create as _can_create
from headwater.memfd import create as _create
from headwater.torches import torch, worker_of

SHM = "/dev/shm"
REMEDIES = (
    "give the container more (docker run --shm-size=2g or --ipc=host; in Kubernetes an emptyDir with medium: Memory, "
    "mounted at /dev/shm), or use num_workers=0 or smaller batches"
)

_prepared = False


def prepare() -> None:
    """Installs the handover by memfd, if this process is a DataLoader's worker."""
    global _prepared
    if _prepared or worker_of()[1] == 0:
        return
    _prepared = True
    ForkingPickler.register(torch.Tensor, _reduce_tensor)
    ForkingPickler.register(torch.UntypedStorage, _reduce_storage)
    collates = _default_collates()
    # One that somebody else has put there is left alone.
    if getattr(collates.get(torch.Tensor), "__module__", "").startswith("torch."):
        collates[torch.Tensor] = _Collate(collates[torch.Tensor])


def _default_collates() -> Any:
    try:
        from torch.utils.data._utils.collate import default_collate_fn_map
    except ImportError:
        return {}
    return default_collate_fn_map


class _Collate:
    """Collates tensors as default_collate does, into one tensor over a memfd."""

    def __init__(self, original: Callable[..., Any]) -> None:
        self._original = original

    def __call__(self, batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
        first = batch[0]
        if not all(is_plain(tensor) and tensor.shape == first.shape for tensor in batch):
            return self._original(batch, collate_fn_map=collate_fn_map)
        if not _by_descriptor():
            check_room(len(batch) * _bytes(first))
            return self._original(batch, collate_fn_map=collate_fn_map)
        try:
            return self._written(batch)
        except OSError as error:
            raise _problem(error) from error

    def _written(self, batch: Sequence[Any]) -> Any:
        first = batch[0]
        shape = (len(batch), *first.shape)
        with _Memory() as memory:
            if all(row.is_contiguous() and row.dtype == first.dtype for row in batch):
                for row in batch:
                    memory.write(row)
                return memory.tensor(first.dtype, shape, _contiguous(shape))
            memory.grow(len(batch) * _bytes(first))
            return torch.stack(list(batch), 0, out=memory.tensor(first.dtype, shape, _contiguous(shape)))


def _reduce_tensor(tensor: Any) -> Any:
    # Whatever it is: nobody else tells the trainer.
    try:
        if is_plain(tensor) and is_dense(tensor) and not tensor.is_shared() and _by_descriptor():
            tensor = _moved(tensor)
        return torch.multiprocessing.reductions.reduce_tensor(tensor)
    except Exception as error:
        return _throw, (_problem(error),)


def _reduce_storage(storage: Any) -> Any:
    # Whatever the error is: nobody else tells the trainer.
    try:
        if storage.device.type == "cpu" and not storage.is_shared():
            check_room(storage.nbytes())
        return torch.multiprocessing.reductions.reduce_storage(storage)
    except Exception as error:
        return _throw, (_problem(error),)


def _problem(error: Exception) -> HeadwaterError:
    if isinstance(error, HeadwaterError):
        return error
    short = getattr(error, "errno", None) == errno.EMFILE or "Too many open files" in str(error)
    advice = "raise the limit of open files (ulimit -n)" if short else f"if memory is short, {REMEDIES}"
    return HeadwaterError(
        f"a DataLoader worker could not hand its batch to the trainer: {type(error).__name__}: {error}; {advice}"
    )


def _throw(error: HeadwaterError) -> NoReturn:
    """What the trainer unpickles in a tensor's place."""
    raise error


def check_room(count: int) -> None:
    """Raises HeadwaterError where /dev/shm has no room for so many bytes more."""
    if not os.path.isdir(SHM):
        return
    mounted = os.statvfs(SHM)
    free = mounted.f_bavail * mounted.f_frsize
    # One without a limit has no size.
    if mounted.f_blocks and count > free:
        raise HeadwaterError(
            f"a batch of {count} bytes has to go from a DataLoader worker to the trainer through {SHM}, which has "
            f"{free} bytes free: {REMEDIES}; or leave PyTorch's sharing strategy at file_descriptor on Linux, which "
            f"here needs no {SHM}"
        )


def is_plain(tensor: Any) -> bool:
    """Whether a tensor is no more than values, shape and strides."""
    return (
        type(tensor) is torch.Tensor
        and tensor.device.type == "cpu"
        and tensor.layout == torch.strided
        and not tensor.requires_grad
        and not tensor.is_quantized
        and not tensor.is_conj()
        and not tensor.is_neg()
        and not getattr(tensor, "is_nested", False)
        and tensor.numel() > 0
    )


def is_dense(tensor: Any) -> bool:
    """Whether a tensor's values lie side by side in memory, in whatever order: permuted, channels last."""
    step = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape)):
        if size != 1 and stride != step:
            return False
        step *= size
    return True


def _bytes(tensor: Any) -> int:
    return int(tensor.numel() * tensor.element_size())


def _contiguous(shape: Sequence[int]) -> Tuple[int, ...]:
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def _by_descriptor() -> bool:
    """Whether storages travel as descriptors, and there are memfds."""
    known = hasattr(torch, "UntypedStorage") and hasattr(torch.UntypedStorage, "_new_shared_fd_cpu")
    return bool(known and _can_create() and torch.multiprocessing.get_sharing_strategy() == "file_descriptor")


def _moved(tensor: Any) -> Any:
    """A tensor's copy over a memfd."""
    with _Memory() as memory:
        memory.write(tensor)
        return memory.tensor(tensor.dtype, tensor.shape, tensor.stride())


class _Memory:
    """A memfd, which is closed once the tensors made of it have mapped it."""

    def __init__(self) -> None:
        self._size = 0
        self._descriptor = _create()

    def __enter__(self) -> "_Memory":
        return self

    def __exit__(self, *_error: Any) -> None:
        os.close(self._descriptor)

    def grow(self, count: int) -> None:
        self._size += count
        os.ftruncate(self._descriptor, self._size)

    def write(self, tensor: Any) -> None:
        """A dense tensor's bytes. Not by way of a mapping: the kernel then clears no page before it is filled, and
        memory that is short is an error, and no signal.
        """
        flat = tensor.detach().as_strided((tensor.numel(),), (1,)).view(torch.uint8)
        content, done = memoryview(flat.numpy()), 0
        while done < len(content):
            done += os.write(self._descriptor, content[done:])
        self._size += done

    def tensor(self, dtype: Any, shape: Sequence[int], strides: Sequence[int]) -> Any:
        storage = torch.UntypedStorage._new_shared_fd_cpu(self._descriptor, self._size)
        return torch.empty(0, dtype=dtype).set_(storage, 0, tuple(shape), tuple(strides))
