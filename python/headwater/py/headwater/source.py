"""Where samples come from: servers and a dataset's name, and at most one connection to them in each process."""

import os
from dataclasses import replace
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from headwater._headwater import Client, GenerationError, Profile, Recipe, ServerError, check_place
from headwater.arguments import Expected, chosen_of, servers_of, text
from headwater.cores import cores_of_process, cores_of_rank
from headwater.headway import Headway
from headwater.notices import Notices
from headwater.torches import worker_of
from headwater.transport import Transport


#: Generations of which is remembered that they were seen.
SEEN = 64

#: The digests of a generation's partitions, server by server.
Generation = Tuple[str, ...]


class Description(NamedTuple):
    """What the servers serve."""

    samples: int
    #: The digest of everything that is listed, sizes and times too,
    digest: str
    #: and of keys and labels alone; empty where a server is of a version that does not say it.
    names: str
    classes: List[str]
    stored_bytes: int
    #: The kinds of the dataset's own fields, by name.
    fields: Dict[str, str]
    generation: Generation


class Listing(NamedTuple):
    """Samples without their photos."""

    keys: List[str]
    #: Positions in the classes; -1: none.
    labels: npt.NDArray[np.int64]


class Source:
    """Settings, which travel to other processes, and a connection, which does not."""

    def __init__(
        self, servers: Union[str, Sequence[str]], dataset: str, transport: Transport, held: Optional[Description] = None
    ) -> None:
        """`held`: the generation to go on with, as another process has described it; None: the newest."""
        self.servers = servers_of(servers)
        self.dataset = text("dataset", dataset, "the name of a dataset at the servers")
        check_place(self.servers, dataset)
        self.transport = transport
        #: What is said once, by whichever process knows it first.
        self.notices = Notices()
        #: The generations that were seen, by the digest of everything that was listed.
        self.seen: Dict[str, Generation] = {}
        #: What arguments say of the dataset.
        self._expected: List[Expected] = []
        self._description = held
        self._listing: Optional[Listing] = None
        self._client: Optional[Client] = None
        self._process = 0
        #: Told when another generation is taken.
        self._followers: List[Callable[[], None]] = []

    def follow(self, forget: Callable[[], None]) -> None:
        """Has this called whenever another generation is taken: what was looked up in the one before is void."""
        self._followers.append(forget)

    def newest(self) -> Description:
        """What the servers have now, over a connection of its own. ServerError where they cannot be asked."""
        return self._described(self._to(None, threads=1))

    def take(self, found: Description) -> None:
        """Goes on with this generation."""
        held, self._description = self._description, found
        if held is not None and held.generation != found.generation:
            self._listing = self._client = None
            for forget in self._followers:
                forget()

    def hold(self, generation: Generation) -> None:
        """Goes on with the generation of these digests. GenerationError where the servers no longer hold it."""
        if self._description is None or self._description.generation != generation:
            self.take(self._described(self._to(generation, threads=1)))

    def expect(self, expected: Expected) -> None:
        """Holds what an argument says of the dataset against it: when it is first described, and not before."""
        self._expected.append(expected)

    def chosen(self, indices: Any) -> npt.NDArray[np.uint64]:
        """The samples of `indices=`."""
        found, expected = chosen_of(indices)
        self.expect(expected)
        return found

    @property
    def known(self) -> Optional[Description]:
        """The description, where it has been asked for; None before."""
        return self._description

    def describe(self) -> Description:
        """What the servers serve. It is asked once, over a connection of its own: a process that only asks has no
        threads when it forks.
        """
        if self._description is None:
            self._description = self._described(self._asking())
        return self._description

    def listing(self) -> Listing:
        """Keys and labels of all samples. Asked once in each process, as for `describe`."""
        if self._listing is None:
            client = self._asking()
            self._description = self._described(client)
            keys, labels = client.listing()
            self._listing = Listing(keys, np.asarray(labels, dtype=np.int64))
        return self._listing

    def described(
        self, indices: npt.NDArray[np.uint64], fields: Sequence[str]
    ) -> Tuple[List[str], npt.NDArray[np.int64], List[List[Any]]]:
        """Keys, labels and values of fields of these samples, which the servers are asked for."""
        keys, labels, columns = self.client().described(np.ascontiguousarray(indices, dtype=np.uint64), list(fields))
        return keys, np.asarray(labels, dtype=np.int64), columns

    def client(self) -> Client:
        """This process's connection."""
        if self._client is None or self._process != os.getpid():
            # What the parent process had is not touched: see src/process.rs.
            self._client = None
            client = self._connect(threads=self.transport.threads or cores_of_process())
            self._client, self._process, self._description = client, os.getpid(), self._described(client)
        return self._client

    def last_client(self) -> Client:
        """This process's connection, or one for a last word, for which no server is waited for long."""
        if self._client is not None and self._process == os.getpid():
            return self._client
        held = self._description
        brief = replace(self.transport, connect_for=1.0, patience=1.0)
        generation = None if held is None else held.generation
        return brief.connect(self.servers, self.dataset, threads=1, workers=1, generation=generation)

    def model(self, name: str) -> Tuple[Recipe, int]:
        """A model's recipe and the length of its features."""
        return self._asking().model(name)

    def profile(
        self, recipe: Recipe, seed: int, cores: float, seconds: Optional[float]
    ) -> Tuple[Optional[Profile], Tuple[Optional[str], float]]:
        """Measures the dataset a little, for a job of so many cores, over a connection of its own that ends with it; or
        says why not.

        It takes seconds, and shows how far it is.
        """
        client = self._connect(threads=self.transport.threads or cores_of_rank())
        self._description = self._described(client)
        with Headway(f"measuring {self.dataset}") as headway:
            return client.profile(recipe, seed, cores, seconds, headway.reached)

    def close(self) -> None:
        """Ends this process's connection, if there is one."""
        self._client = None

    def _asking(self) -> Client:
        """This process's connection, or one just to ask."""
        if self._client is not None and self._process == os.getpid():
            return self._client
        return self._connect(threads=1)

    def moved(self, earlier: Generation) -> Tuple[npt.NDArray[np.uint64], int, int]:
        """Where each sample of an earlier generation is in the one that is held, the highest number for one that is
        gone; how many samples are new, and how many have changed.
        """
        return self._asking().moved(list(earlier))

    def _connect(self, threads: int) -> Client:
        """A connection to the generation that is held; to the newest where none is."""
        held = self._description
        try:
            return self._to(None if held is None else held.generation, threads)
        except GenerationError as gone:
            if held is None:
                raise
            raise GenerationError(
                f"dataset {self.dataset} is another than when it was first asked for, and its servers no longer hold "
                f"what it was: {_change(held, self.newest())}"
            ) from gone

    def _to(self, generation: Optional[Generation], threads: int) -> Client:
        workers = max(1, worker_of()[1])
        return self.transport.connect(
            self.servers, self.dataset, threads=threads, workers=workers, generation=generation
        )

    def _described(self, client: Client) -> Description:
        stored = sum(partition[3] for partition in client.partitions)
        for remark in client.remarks:
            self.notices.warn(remark)
        for expected in self._expected:
            expected.check(self.dataset, len(client))
        stored_fields = dict(client.fields)
        generation = tuple(client.generation)
        self.seen[client.digest] = generation
        if len(self.seen) > SEEN:
            self.seen.pop(next(iter(self.seen)))
        return Description(
            len(client), client.digest, _names(client), client.classes, stored, stored_fields, generation
        )

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_client": None, "_process": 0, "_listing": None}


def _change(before: Description, now: Description) -> str:
    if before.names and before.names == now.names:
        return (
            "its files have other times or sizes, as after touch or a copy, and the servers have listed them anew; "
            "call refresh(), or make the dataset anew: a state of before goes on in it"
        )
    return (
        "files were added, removed, renamed or replaced, or it has other servers; call refresh(), or make the dataset "
        "anew"
    )


def _names(client: Client) -> str:
    try:
        return client.names_digest
    except ServerError:
        return ""
