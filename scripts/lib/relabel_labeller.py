"""One photo after the other to its labels, as the peers of `scripts/bench relabel` have it: Pillow, NumPy and ONNX
Runtime, by the recipe `mobilenet-eval`. A module of its own, so that the frameworks' workers can import it.
"""

import io
import os

import numpy as np
import onnxruntime
from PIL import Image

#: What the recipe says: the part of the shorter side that is kept.
FRACTION = 0.875
TOP = 5


def pixels(stored: bytes, side: int) -> np.ndarray:
    """u8 `[side, side, 3]`: the central square, bilinear."""
    with Image.open(io.BytesIO(stored)) as image:
        image = image.convert("RGB")
        kept = FRACTION * min(image.size)
        x, y = (image.width - kept) / 2, (image.height - kept) / 2
        box = (x, y, x + kept, y + kept)
        return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box=box))


def tensors(images: list) -> np.ndarray:
    """f32 `[N, 3, side, side]`, `(x - 128) / 128`."""
    batch = np.stack(images).transpose(0, 3, 1, 2).astype(np.float32, order="C")
    batch -= 128
    batch *= 1 / 128
    return batch


class Labeller:
    """A model, and how often it was asked."""

    def __init__(self, model: str, side: int, batch: int, threads: int = 1, counted: str = "", spin: bool = True):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        names = [output.name for output in self.session.get_outputs()]
        self.output = "probs" if "probs" in names else "logits"
        self.side, self.batch = side, batch
        self.counted = os.open(counted, os.O_CREAT | os.O_WRONLY | os.O_APPEND) if counted else None

    def infer(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The best classes `[N, TOP]` and their scores, in batches of the size at which the model is fastest."""
        found = []
        for first in range(0, len(inputs), self.batch):
            part = inputs[first : first + self.batch]
            scores = self.session.run([self.output], {self.input: part})[0]
            best = np.argsort(-scores, axis=1)[:, :TOP]
            found.append((best, np.take_along_axis(scores, best, axis=1)))
            if self.counted is not None:
                os.write(self.counted, b"." * len(part))
        return tuple(np.concatenate(column) for column in zip(*found))

    def label(self, stored: list) -> tuple[np.ndarray, np.ndarray]:
        """The same from photos as they are stored."""
        found = []
        for first in range(0, len(stored), self.batch):
            found.append(self.infer(tensors([pixels(each, self.side) for each in stored[first : first + self.batch]])))
        return tuple(np.concatenate(column) for column in zip(*found))
