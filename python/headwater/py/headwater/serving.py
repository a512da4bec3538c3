"""Which datasets servers have, and how each of them is."""

from typing import List, NamedTuple, Optional, Sequence, Union

from headwater import _headwater
from headwater.access import Access, Tls, Token
from headwater.arguments import seconds, servers_of


class ServedDataset(NamedTuple):
    """A dataset of a server. What was not listed yet is None."""

    server: str
    name: str
    #: "serving"; "starting", which a dataset that is made waits for; or "not-ready", which somebody must mend.
    state: str
    #: What the server is doing about it, or why it cannot be served; empty where there is nothing to say.
    reason: str
    samples: Optional[int]
    classes: Optional[int]
    #: Bytes of its photos, as they are stored.
    bytes: Optional[int]
    #: "folder", "s3", "tar", "parquet", "idx" or "npy".
    source: Optional[str]
    #: Counts what the server has listed since its start, from 1.
    generation: Optional[int]
    #: Of everything that is listed: it tells generations apart.
    digest: Optional[str]


def datasets(
    servers: Union[str, Sequence[str]],
    *,
    connect_for: float = 10.0,
    tls: Optional[Tls] = None,
    token: Optional[Token] = None,
) -> List[ServedDataset]:
    """What these servers have, server by server.

    servers      "host:port,host:port", or a list
    connect_for  seconds to wait for a server
    tls, token   as for the datasets

    ServerError names the servers that do not answer. A dataset that cannot be served is no error: its state says it.
    """
    access = Access.of(tls, token)
    found = _headwater.datasets(servers_of(servers), seconds("connect_for", connect_for), access)
    return [
        ServedDataset(server, name, state, reason, *(listed or (None, None, None, None, None, None)))
        for server, name, state, reason, listed in found
    ]
