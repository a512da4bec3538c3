"""A cache on the trainer's node around any dataset that is asked by index."""

import multiprocessing.util
import os
import secrets
import time
import weakref
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from headwater import _headwater
from headwater._headwater import CacheError
from headwater.arguments import indices_of, one_of, place_of, text
from headwater.choices import POLICIES, CachePolicy
from headwater.notices import Notices
from headwater.pickles import dump, load
from headwater.sizes import ENLARGE, SHM, Given, Size, free_memory, free_on, size
from headwater.torches import Dataset as TorchDataset
from headwater.typed import S

#: Seconds for which another process's reading is waited for, and the pause between two looks.
PATIENCE, PAUSE = 120.0, 0.0005
#: Looks for a value that is said to be there and is not, before it is read from its origin.
LOOKS = 4


class CachedDataset(TorchDataset[S]):
    """The samples of a dataset, each read from it once and then kept: in memory, and on an SSD.

    `dataset` is anything with `__getitem__` for whole numbers and `__len__`: a torch Dataset, a list, a Zarr or HDF5
    array. A sample is whatever can be pickled; arrays and tensors in it, also within tuples, lists and dicts, are kept
    without being pickled, and come back over memory of their own, which may be written to.

    All DataLoader workers of a node share it, forked or spawned, and so do jobs that give the same `path` or `name`:
    one limit over all of them, which holds at every moment. A sample that several ask for at once is read by one of
    them. A value is in one of the two tiers: what leaves memory goes to the SSD, and what is found there comes back.

    What is kept is kept: put random transforms behind the cache and not into `dataset`. A dataset of another type,
    length or `version` is another cache.

    memory     most bytes of files in /dev/shm, 4096 at least each: "4GiB", "50%" of what is free, or a number. Capped,
               with a warning, to what /dev/shm has
    ssd        most bytes of files in `path`, or None
    path       a folder on a local disk for the SSD's part, which a later job finds again
    policy     what stays: "lru", "lfu", "static" (what came first), "importance" (by `report`, seconds and bytes), or
               "planned" (by `announce`: what is needed soonest, for its bytes; with nothing announced, what came
               first). Default: "planned", and "importance" once `report` is called
    name       jobs that give the same share one cache. Default: `path`, or for this job alone
    version    a text or number that changes whenever the samples do

    TypeError and ValueError for arguments that cannot be right; CacheError for a path with other files, or of
    another user, or in use for another dataset, and for a /dev/shm that is too small for the table of samples.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        memory: Given = "50%",
        ssd: Optional[Given] = None,
        path: Optional[Union[str, "os.PathLike[str]"]] = None,
        policy: Optional[CachePolicy] = None,
        name: Optional[str] = None,
        version: Union[str, int, None] = None,
    ) -> None:
        self._length = _length(dataset)
        self._dataset = dataset
        self._memory, self._ssd = size("memory", memory), None if ssd is None else size("ssd", ssd)
        if (ssd is None) != (path is None):
            missing, given = ("path", f"ssd={ssd!r}") if path is None else ("ssd", f"path={os.fspath(path)!r}")
            example = 'path="/mnt/nvme/cache"' if path is None else 'ssd="300GB"'
            raise ValueError(f"{given} without {missing}=: give both, such as {example}, or neither")
        self._path = None if path is None else os.path.realpath(os.fspath(path))
        self._policy = None if policy is None else one_of("policy", policy, POLICIES)
        if version is not None and not isinstance(version, (str, int)):
            raise TypeError(f"version={version!r}: give a text or a whole number, and not a {type(version).__name__}")
        named = None if name is None else text("name", name, "a name that jobs share")
        self._name = f"{named or ('' if self._path else secrets.token_hex(8))}\n{self._path or ''}"
        self._identity = [f"{type(dataset).__module__}.{type(dataset).__qualname__}", repr(version)]
        self._notices = Notices()
        self._process, self._hold = 0, []  # type: int, List[Any]
        self._open()

    # === asking ===

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> S:
        """The sample at this place: a whole number, negative ones count from the end. TypeError for anything else,
        IndexError where there is none, and whatever `dataset` raises."""
        known = type(index) is int and 0 <= index < self._length
        place = index if known else place_of(index, self._length)
        try:
            node = self._node()
            found = node.find(place, False)
        except CacheError as error:
            return self._without(place, error)
        if found is None:
            return self._absent(node, place)
        sample: S = load(*found)
        return sample

    def __getitems__(self, indices: Sequence[int]) -> List[S]:
        """A batch, as a list of samples."""
        return [self[index] for index in indices]

    def __getattr__(self, name: str) -> Any:
        """What else the dataset has, such as `classes`."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._dataset, name)

    # === saying ===

    def announce(self, order: Any) -> None:
        """The indices that will be asked for next, in their order: those of the next epoch, as the sampler gives them.
        For `policy="planned"`; all processes of the cache hear it. TypeError and ValueError for what are no indices.
        """
        places = indices_of(order, "order")
        self._check(places, "order")
        self._node().announce(places)

    def report(self, indices: Any, losses: Any) -> None:
        """The losses of samples, each with its index. For `policy="importance"`, which this is from the first report on
        where no policy was given. ValueError where there are not as many losses, or no such samples.
        """
        places = indices_of(_array(indices))
        self._check(places, "indices")
        found = np.ascontiguousarray(_array(losses), np.float32)
        if found.shape != places.shape:
            raise ValueError(f"{len(places)} indices and losses of shape {found.shape}: give one loss for each")
        self._node().report(places, found)

    # === looking ===

    def counts(self) -> Dict[str, int]:
        """What all processes have counted since the cache was begun.

        `accesses` = `memory_hits` + `ssd_hits` + `origin`. `coalesced` are the hits that waited for another process's
        reading. `admitted`, `rejected`, `evicted`, `demoted` (to the SSD) and `promoted` are of values. `corrupt` are
        values whose checksum did not fit; `memory_failed`, `ssd_failed` are refusals of the system, such as a full
        disk; `busy` is how often the cache was not waited for.
        """
        counts = self._node().counts()
        return {"accesses": sum(counts[name] for name in ("memory_hits", "ssd_hits", "origin")), **counts}

    def usage(self) -> Dict[str, int]:
        """Bytes of the files of each tier in whole blocks, the limits that are in force, and how many values there are:
        `memory_bytes`, `memory_limit`, `memory_entries`, `ssd_bytes`, `ssd_limit`, `ssd_entries`, and `table_bytes`,
        the memory that the cache has for itself, which `memory=` covers too.
        """
        found = {"table_bytes": _headwater.cache_table_bytes(self._length)}
        for tier, numbers in zip(("memory", "ssd"), self._node().usage()):
            found.update(zip((f"{tier}_bytes", f"{tier}_limit", f"{tier}_entries"), numbers))
        return found

    @property
    def policy(self) -> str:
        """The policy that is in force."""
        policy: str = self._node().policy()
        return policy

    def close(self) -> None:
        """Leaves the cache: the last process to leave it removes what is in memory. It is opened again where it is used
        again. The end of the process does the same.
        """
        self._hold.clear()
        self._process = 0

    # === absent samples ===

    def _absent(self, node: Any, place: int) -> S:
        looks, until = 0, time.monotonic() + PATIENCE
        try:
            while looks < LOOKS and time.monotonic() < until:
                lead = node.lead(place)
                if lead == "mine":
                    return self._read(node, place)
                if lead == "theirs":
                    time.sleep(PAUSE)
                found = node.find(place, True)
                if found is not None:
                    sample: S = load(*found)
                    return sample
                looks += lead == "there"
            node.busy()
        except CacheError as error:
            return self._without(place, error)
        return self._read_only(node, place)

    def _read(self, node: Any, place: int) -> S:
        begin = time.perf_counter()
        try:
            sample: S = self._dataset[place]
        except BaseException:
            node.abandon(place)
            raise
        seconds = time.perf_counter() - begin
        node.origin(place)
        try:
            pickle, buffers = dump(sample)
        except Exception as error:
            node.abandon(place)
            self._notices.warn(f"sample {place} is not kept, for it cannot be pickled: {error}", "pickle")
            return sample
        if not node.put(place, pickle, buffers, seconds):
            self._say_refused(node)
        return sample

    def _read_only(self, node: Any, place: int) -> S:
        node.origin(place)
        sample: S = self._dataset[place]
        return sample

    def _without(self, place: int, error: CacheError) -> S:
        """The sample where the cache does not answer."""
        self._notices.warn(f"samples are read without the cache: {error}", "without")
        sample: S = self._dataset[place]
        return sample

    def _say_refused(self, node: Any) -> None:
        refused = node.refused()
        if refused is not None:
            self._notices.warn(
                f"samples are not kept: {refused}; more are only counted. A full /dev/shm: {ENLARGE}, or less memory=; "
                "a full disk: less ssd=, or another path=",
                "refused",
            )

    # === the cache ===

    def _node(self) -> Any:
        if self._process != os.getpid():
            self._open()
        return self._hold[0]

    def _open(self) -> None:
        forked = self._process not in (0, os.getpid())
        # What another process opened is left to it.
        self._hold = [self._opened()]
        self._process = os.getpid()
        weakref.finalize(self, _leave, self._hold, self._process)
        if forked or multiprocessing.parent_process() is not None:
            # Workers end without what the interpreter does at its end.
            multiprocessing.util.Finalize(self, _leave, (self._hold, self._process), exitpriority=10)

    def _opened(self) -> Any:
        _headwater.remove_orphans(SHM)
        memory, table = self._memory_bytes(), _headwater.cache_table_bytes(self._length)
        ssd = None if self._ssd is None or self._path is None else (self._path, self._ssd_bytes(self._ssd))
        node = _headwater.NodeCache(SHM, self._name, (self._length, self._identity), memory, ssd, self._policy)
        (_, in_memory, _), (_, on_ssd, _) = node.usage()
        wanted = [("memory", self._memory, memory, in_memory + table)]
        wanted += [] if ssd is None or self._ssd is None else [("ssd", self._ssd, ssd[1], on_ssd)]
        for name, given, asked, in_force in wanted:
            # What is a share of what is free is another number for whoever comes later.
            if given.bytes is not None and asked != in_force:
                self._notices.warn(f"{name}={asked} is not in force: a running job began this cache with {in_force}")
        return node

    def _memory_bytes(self) -> int:
        room = free_on(SHM)
        wanted = self._memory.of(min(room, free_memory()))
        if wanted == 0:
            # The table has to be somewhere.
            return _headwater.cache_table_bytes(self._length)
        if wanted > room:
            self._notices.warn(
                f"memory={wanted} is more than the {room} bytes that {SHM} has free, which is the limit now: {ENLARGE}",
                "capped",
            )
        return min(wanted, room)

    def _ssd_bytes(self, given: Size) -> int:
        assert self._path is not None
        return given.of(free_on(self._path) + _held(self._path))

    def _check(self, places: Any, name: str) -> None:
        if len(places) and int(places.max()) >= self._length:
            raise ValueError(f"{name}: there is no sample {int(places.max())}: the dataset has {self._length}")

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_process": 0, "_hold": []}


def _length(dataset: Any) -> int:
    if not hasattr(type(dataset), "__getitem__"):
        raise TypeError(
            f"a {type(dataset).__name__} has no __getitem__: give a dataset that is asked by index; one that can only "
            "be iterated cannot be cached by sample"
        )
    try:
        return len(dataset)
    except TypeError:
        raise TypeError(
            f"a {type(dataset).__name__} has no __len__: give the dataset a length, as in\n"
            f"    class WithLength({type(dataset).__name__}):\n        def __len__(self): return ..."
        ) from None


def _array(values: Any) -> Any:
    """Values on the CPU and without gradients, of a tensor too."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _held(path: str) -> int:
    """Bytes that an earlier job's values take, which are the cache's to use."""
    try:
        with os.scandir(os.path.join(path, "values")) as entries:
            return sum(entry.stat().st_size for entry in entries)
    except OSError:
        return 0


def _leave(hold: List[Any], process: int) -> None:
    if process == os.getpid():
        hold.clear()
