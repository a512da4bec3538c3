"""What is written in Rust. Use it through the package, but for `Recipe` and the errors."""

from typing import Any, Dict, List, Optional, Sequence, Tuple, Union, final

import numpy as np
import numpy.typing as npt

__version__: str

class HeadwaterError(Exception):
    """Everything that Headwater raises of its own."""

class ServerError(HeadwaterError):
    """Servers cannot be reached, refuse, or do not agree."""

class RecipeError(HeadwaterError):
    """What was given is no recipe, or cannot be one."""

@final
class Recipe:
    """What is done to every photo, from its bytes to the tensor.

    Two recipes are equal where they do the same, whatever they are called.
    """

    def __new__(cls, toml: str) -> "Recipe": ...
    @classmethod
    def builtin(cls, name: str) -> "Recipe":
        """One in the box, by name: see `builtin_names`."""
    @staticmethod
    def builtin_names() -> List[str]: ...
    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def output_size(self) -> Tuple[int, int]:
        """(height, width)"""
    @property
    def is_random(self) -> bool:
        """Whether the same photo gives another tensor in another epoch."""
    def to_toml(self) -> str: ...
    def finish(self, photo: bytes, key: str, *, seed: int = 0, epoch: int = 0) -> npt.NDArray[np.float32]:
        """The finished tensor of a photo that is here, [3, height, width]: the bits that servers and clients give."""
    def framing(
        self, width: int, height: int, key: str, *, seed: int = 0, epoch: int = 0
    ) -> Tuple[Tuple[float, float, float, float], bool]:
        """Which part of a photo of this size becomes the tensor (left, top, width, height), and whether it is mirrored."""

@final
class Client:
    def __new__(
        cls,
        servers: Sequence[str],
        dataset: str,
        *,
        streams: int = ...,
        window: int = ...,
        threads: int = ...,
        connect_for: float = ...,
        patience: float = ...,
    ) -> "Client": ...
    def __len__(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def classes(self) -> List[str]: ...
    @property
    def partitions(self) -> List[Tuple[str, int, int, int]]: ...
    def model(self, name: str) -> Tuple[Recipe, int]: ...
    def fetch(
        self,
        indices: npt.NDArray[np.uint64],
        sizes: npt.NDArray[np.uint64],
        *,
        recipe: Optional[Recipe],
        cuts: Union[str, "Plan"],
        output: str,
        pixels: str,
        floats: bool,
        seed: int,
        epoch: int,
        model: Optional[str],
        ahead: int,
    ) -> "Batches": ...
    def report_indices(
        self, indices: npt.NDArray[np.uint64], losses: npt.NDArray[np.float32]
    ) -> Tuple[int, int]: ...
    def report_keys(self, keys: Sequence[str], losses: npt.NDArray[np.float32]) -> Tuple[int, int]: ...
    def counters(self) -> Dict[str, Any]: ...

@final
class Plan:
    """A plan file, read: a way for each sample of a dataset."""

    def __new__(cls, content: bytes) -> "Plan": ...
    def __len__(self) -> int: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def dataset(self) -> Optional[str]: ...
    @property
    def recipe(self) -> Optional[str]: ...
    @property
    def counts(self) -> List[Tuple[str, int]]: ...

@final
class Batches:
    def next(
        self,
    ) -> Optional[
        Tuple[
            npt.NDArray[Any],
            npt.NDArray[np.uint64],
            npt.NDArray[np.int64],
            List[Optional[str]],
            List[Tuple[int, str, str]],
        ]
    ]: ...
    def close(self) -> None: ...

def permute(length: int, seed: int, epoch: int, positions: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]: ...
