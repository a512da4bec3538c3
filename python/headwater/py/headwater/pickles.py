"""A sample as a pickle, and the memory of its arrays and tensors beside it, which nobody copies.

Pickle's protocol 5 leaves the buffers of NumPy's arrays out by itself (PEP 574). A plain tensor, one that is on the CPU
and no more than values, shape and strides, is left out here; any other is pickled as torch does it.
"""

import io
import mmap
import os
import pickle
from typing import Any, List, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from headwater.handover import is_dense, is_plain
from headwater.torches import torch

#: Buffers that a sample may have; one with more is pickled whole.
MOST_BUFFERS = 4096

Span = Tuple[int, int]


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if torch is None or not isinstance(value, torch.Tensor) or not (is_plain(value) and is_dense(value)):
            return NotImplemented
        flat = value.detach().as_strided((value.numel(),), (1,)).view(torch.uint8)
        shape, strides = tuple(value.shape), tuple(value.stride())
        return _tensor, (pickle.PickleBuffer(flat.numpy()), value.dtype, shape, strides)


def _tensor(buffer: Any, dtype: Any, shape: Sequence[int], strides: Sequence[int]) -> Any:
    """A tensor over a buffer's memory."""
    return torch.frombuffer(buffer, dtype=dtype).as_strided(shape, strides)


def dump(sample: Any) -> Tuple[npt.NDArray[np.uint8], List[npt.NDArray[np.uint8]]]:
    """The pickle of a sample and the buffers beside it, as bytes. Raises what pickling raises."""
    file = io.BytesIO()
    beside: List[pickle.PickleBuffer] = []
    _Pickler(file, 5, buffer_callback=beside.append).dump(sample)
    buffers = [_bytes(buffer.raw()) for buffer in beside]
    if len(buffers) > MOST_BUFFERS:
        return _bytes(memoryview(pickle.dumps(sample, 5))), []
    return _bytes(file.getbuffer()), buffers


def load(memory: Union[int, npt.NDArray[np.uint8]], spans: Tuple[Span, List[Span]]) -> Any:
    """A sample again, over memory that belongs to it alone: its arrays can be written to, and nobody else sees it.

    `memory` is an array, or the descriptor of a file, which is mapped and closed.
    """
    (start, end), buffers = spans
    content: Any = _mapped(memory) if isinstance(memory, int) else memory
    view = memoryview(content)
    return pickle.loads(view[start:end], buffers=[view[first:last] for first, last in buffers])


def _mapped(descriptor: int) -> Any:
    try:
        length = os.fstat(descriptor).st_size
        try:
            return mmap.mmap(descriptor, length, access=mmap.ACCESS_COPY)
        except OSError:
            # Each mapping keeps a descriptor, of which there may be too few.
            copied: Any = np.empty(length, np.uint8)
            os.preadv(descriptor, [copied], 0)
            return copied
    finally:
        os.close(descriptor)


def _bytes(memory: memoryview) -> npt.NDArray[np.uint8]:
    return np.frombuffer(memory, np.uint8) if len(memory) else np.empty(0, np.uint8)
