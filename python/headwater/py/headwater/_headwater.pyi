"""What is written in Rust. Use it through the package, but for `Recipe` and the errors."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union, final

import numpy as np
import numpy.typing as npt

from headwater.announcer import PassOrder
from headwater.reading import Reading
from headwater.transport import Transport

__version__: str

#: The names of all cuts, in the order in which a photo passes them.
CUTS: Tuple[str, ...]

class HeadwaterError(Exception):
    """Everything that Headwater raises of its own."""

class ServerError(HeadwaterError):
    """Servers cannot be reached, refuse, or do not agree."""

class AccessError(ServerError):
    """Servers are not trusted, or do not know this program, or do not let it do this."""

class GenerationError(ServerError):
    """Servers no longer hold the generation of the dataset that was asked for."""

class CacheError(HeadwaterError):
    """A cache cannot be had as it was asked for."""

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
        """Which part of a photo of this size becomes the tensor (left, top, width, height), and whether it is
        mirrored.
        """

@final
class Client:
    def __new__(
        cls, servers: Sequence[str], dataset: str, transport: Transport, generation: Optional[List[str]] = None
    ) -> "Client":
        """To the generation whose partitions have these digests; to the newest where none is named."""
    def __len__(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def generation(self) -> List[str]:
        """The digests of the partitions, in order."""
    def moved(self, earlier: List[str]) -> Tuple[npt.NDArray[np.uint64], int, int]:
        """Where each sample of an earlier generation is in this one, the highest number for one that is gone; how many
        samples are new, and how many have another photo or label.
        """
    @property
    def names_digest(self) -> str:
        """Over keys and labels in order, and not over sizes and times: the same where files were touched or copied."""
    @property
    def remarks(self) -> List[str]:
        """What somebody who trains on it must know: parts that are missing, files that servers left out."""
    def listing(self) -> Tuple[List[str], npt.NDArray[np.int64]]:
        """Keys and labels of all samples in order, without the photos; -1 is no label."""
    def described(
        self, indices: npt.NDArray[np.uint64], fields: List[str]
    ) -> Tuple[List[str], npt.NDArray[np.int64], List[List[Any]]]:
        """Keys, labels and, for each of these fields, values of single samples, without the photos."""
    @property
    def fields(self) -> List[Tuple[str, str]]:
        """Name and kind of each field that samples have on all servers."""
    @property
    def classes(self) -> List[str]: ...
    @property
    def partitions(self) -> List[Tuple[str, int, int, int]]: ...
    def model(self, name: str) -> Tuple[Recipe, int]: ...
    def profile(
        self,
        recipe: Recipe,
        seed: int,
        cores: float,
        seconds: Optional[float],
        on_progress: Callable[[int, int], object],
    ) -> Tuple[Optional["Profile"], Tuple[Optional[str], float]]:
        """The profile, or none where an epoch is too short for one; why that is, and seconds that an epoch is estimated
        to take.
        """
    def pilot(
        self,
        profile: "Profile",
        *,
        processes: int,
        cores: Optional[float],
        repeats: bool,
        learnt: Optional[Tuple[float, List[float], float]],
    ) -> "Pilot": ...
    def fetch(
        self,
        indices: npt.NDArray[np.uint64],
        sizes: npt.NDArray[np.uint64],
        reading: Reading,
        *,
        cuts: Union[str, "Plan", "Pilot"],
        epochs: Union[int, npt.NDArray[np.uint64]],
        ahead: int,
        caller: Optional[Tuple[str, Optional[str]]] = None,
    ) -> "Batches":
        """Batches of these sizes, in this order. `caller`: the trace in which the reader is, as a traceparent and a
        tracestate. `epochs` is one for all samples, or one for each of `indices`: the same
        index twice is two crops where its epochs differ. Epochs are addresses of randomness: any 64 bits.
        """
    def join(self, job: str) -> None:
        """Calls name this job from here on."""
    def announce(self, job: str, rank: int, lease: float, order: Optional[PassOrder]) -> "Announcement":
        """Tells the servers of a pass, whose order is None where nobody can compute it, for a lease of seconds that is
        renewed until the result is closed.
        """
    def cached(self, indices: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Whether each of these samples is in its server's cache."""
    def low(self, share: float, indices: npt.NDArray[np.uint64]) -> Tuple[npt.NDArray[np.bool_], int]:
        """Whether each of these samples is of low importance to the job, and of how many samples it has reported a loss."""
    def replaced(self, indices: npt.NDArray[np.uint64]) -> int:
        """Tells the servers in which samples' places others are given: how many of these they heard of."""
    def report_indices(self, indices: npt.NDArray[np.uint64], losses: npt.NDArray[np.float32]) -> Tuple[int, int]: ...
    def report_keys(self, keys: Sequence[str], losses: npt.NDArray[np.float32]) -> Tuple[int, int]: ...
    def counters(self) -> Dict[str, Any]: ...

@final
class Announcement:
    """A pass that servers have been told of."""

    def reached(self, position: int) -> None:
        """What is before this position is done."""
    def rest(self, position: int, lease: float) -> None:
        """The pass has ended, and nothing more is said for so many seconds."""
    def end(self) -> None:
        """The rank is done for good."""

@final
class Plan:
    """A plan file, read: a way for each sample of a dataset."""

    def __new__(cls, content: bytes) -> "Plan": ...
    def carried(self, places: npt.NDArray[np.uint64], samples: int) -> Tuple["Plan", int]:
        """The plan for a later generation of so many samples, and how many of them it knows: those keep their way, and
        others take the one that most have.
        """
    def __len__(self) -> int: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def dataset(self) -> Optional[str]: ...
    @property
    def recipe(self) -> Optional[str]: ...
    @property
    def counts(self) -> List[Tuple[str, int]]: ...
    @property
    def seconds(self) -> float: ...

@final
class Profile:
    """What plan="auto" plans from: costs of samples, and what a job has to spend. Data, which can be pickled."""

    @property
    def samples(self) -> Tuple[int, int]:
        """All, and those of them that were measured."""
    @property
    def servers(self) -> int: ...
    def plan(self) -> Tuple[List[Tuple[str, int]], float]:
        """Samples of each way, and the epoch's predicted seconds."""

@final
class Pilot:
    """A plan that this process follows, watches, and plans anew."""

    def begin(self, indices: npt.NDArray[np.uint64], like_all: bool) -> None: ...
    def replans(self, since: int) -> List[Dict[str, Any]]: ...
    def learnt(self) -> Optional[Tuple[float, List[float], float]]: ...

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
            List[List[Any]],
        ]
    ]: ...
    def close(self) -> None: ...

def datasets(
    servers: Sequence[str], connect_for: float, access: Any
) -> List[Tuple[str, str, str, str, Optional[Tuple[int, int, int, str, int, str]]]]:
    """Server, name, state and reason of each dataset; samples, classes, bytes, source, generation and digest of what was
    listed.
    """

def labels(
    servers: Sequence[str],
    dataset: str,
    whose: Tuple[Optional[str], str],
    which: Tuple[Optional[str], Optional[str], bool],
    bounds: Tuple[float, Optional[int]],
    patience: Tuple[float, bool, Any],
) -> List[Tuple[str, str, List[Tuple[str, float]], Optional[str]]]:
    """Server, key, best classes with their scores, and the earlier class of each photo, server by server. `which` is a
    label, a digest since which labels changed, and whether the lowest scores are wanted.
    """

def label_counts(
    servers: Sequence[str],
    dataset: str,
    whose: Tuple[Optional[str], str],
    min_score: float,
    patience: Tuple[float, bool, Any],
) -> List[Tuple[str, int]]:
    """Each server's labels, and how many of its photos have them."""

def cores() -> int:
    """That this process may use: of its machine, its affinity, and its cgroup's CPU quota; at least one."""

def free_memory() -> int:
    """Bytes: of the machine's memory, and of what the cgroups around this process leave."""

def size(text: str) -> int:
    """Bytes of a text such as 512MiB; ValueError for what is none."""

def bandwidth(text: str) -> float:
    """Bits a second of a text such as 430Mbps."""

def traces() -> bool:
    """Whether this process's calls are traced. ValueError names a variable that cannot be right."""

def flush_traces() -> Optional[int]:
    """Sends the last spans, for two seconds at most. How many of all no collector has had; None where some wait."""

def check_place(servers: Sequence[str], dataset: str) -> None:
    """That these are addresses and a dataset's name, before anything connects."""

def permute(length: int, seed: int, epoch: int, positions: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]: ...

@final
class Substitution:
    """What of a share of an epoch stands in others' places."""

    def __new__(cls, low: npt.NDArray[np.bool_], used: npt.NDArray[np.bool_]) -> "Substitution": ...
    def asks(self, begin: int, end: int) -> npt.NDArray[np.int64]:
        """The places of which must be known whether they are cached, to choose for those from `begin` to `end`."""
    def choose(self, begin: int, end: int, cached: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """What stands in each place from `begin` to `end`, -1 for its own sample; `cached`: the places that are, in
        order.
        """

@final
class NodeCache:
    """A hold on a cache that the processes of a node share. It leaves with the last reference."""

    def __new__(
        cls,
        shared_memory: str,
        name: str,
        dataset: Tuple[int, List[str]],
        memory: int,
        ssd: Optional[Tuple[str, int]],
        policy: Optional[str],
    ) -> "NodeCache": ...
    def find(
        self, index: int, waited: bool
    ) -> Optional[Tuple[Union[int, npt.NDArray[np.uint8]], Tuple[Tuple[int, int], List[Tuple[int, int]]]]]:
        """The memory of a value, or the descriptor of its file where it is large, and the places of its parts."""
    def lead(self, index: int) -> str:
        """Who reads an absent sample: "mine", "theirs", or "there"."""
    def origin(self, index: int) -> None: ...
    def busy(self) -> None: ...
    def abandon(self, index: int) -> None: ...
    def put(
        self, index: int, pickle: npt.NDArray[np.uint8], buffers: List[npt.NDArray[np.uint8]], seconds: float
    ) -> bool:
        """Keeps a sample's value; whether it is in the cache now."""
    def announce(self, order: npt.NDArray[np.uint64]) -> None: ...
    def report(self, indices: npt.NDArray[np.uint64], losses: npt.NDArray[np.float32]) -> None: ...
    def refused(self) -> Optional[str]: ...
    def counts(self) -> Dict[str, int]: ...
    def usage(self) -> List[Tuple[int, int, int]]:
        """Bytes, limit and entries of memory and of the SSD."""
    def policy(self) -> str: ...

def remove_orphans(shared_memory: str) -> int:
    """Removes what dead jobs of this user left in memory; the number of caches."""

def cache_table_bytes(samples: int) -> int:
    """Bytes of memory that a cache of so many samples takes for itself."""
