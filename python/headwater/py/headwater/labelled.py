"""Labels that models gave to photos where they are, asked of their servers (tuner relabel makes them)."""

import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from headwater import _headwater
from headwater.access import Access, Tls, Token
from headwater.arguments import boolean, seconds, servers_of, whole


class LabelledPhoto(NamedTuple):
    """A photo, and what a labeller says of it."""

    server: str
    #: As in the keys of a dataset, such as "cat/1.jpg".
    key: str
    #: The best class, by its name, or by its number where classes have no names.
    label: str
    #: The model's probability of that class.
    score: float
    #: The best classes with their scores, the best first.
    labels: List[Tuple[str, float]]
    #: The best class by the labeller of `changed_since`; None where there is no such.
    before: Optional[str]


def labels(
    servers: Union[str, Sequence[str]],
    dataset: str,
    *,
    label: Optional[str] = None,
    uncertain: bool = False,
    changed_since: Optional[str] = None,
    model: Optional[str] = None,
    digest: str = "",
    min_score: float = 0.0,
    limit: Optional[int] = None,
    connect_for: float = 10.0,
    allow_partial: bool = False,
    tls: Optional[Tls] = None,
    token: Optional[Token] = None,
) -> List[LabelledPhoto]:
    """The photos of these labels; without `label`, `uncertain` and `changed_since`, all that have labels.

    servers        "host:port,host:port", or a list
    dataset        the dataset's name
    label          photos of this label, the highest score first
    uncertain      photos of the lowest scores, the lowest first
    changed_since  photos whose label is another than by this labeller: the first digits of a digest
    model, digest  whose labels: a model's or head's name, the first digits of a digest; of several that are meant, the
                   one that began last
    min_score      least score, from 0 to 1
    limit          most photos
    connect_for    seconds to wait for a server
    allow_partial  goes on without the photos of partitions that no server serves; without it they are a ServerError
    tls, token     as for the datasets

    ServerError where a server does not answer, or has no such labels. Photos that are gone, or changed since they were
    labelled, do not appear.
    """
    given = [
        name
        for name, value in (("label", label), ("uncertain", uncertain), ("changed_since", changed_since))
        if value is not None and value is not False
    ]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(f'{name}=' for name in given)} are different questions: give one")
    if limit is not None:
        whole("limit", limit, 1)
    which = (label, None if changed_since is None else _digest("changed_since", changed_since), uncertain)
    boolean("uncertain", uncertain)
    found = _headwater.labels(
        servers_of(servers),
        dataset,
        (model, _digest("digest", digest)),
        which,
        (_score(min_score), limit),
        (seconds("connect_for", connect_for), boolean("allow_partial", allow_partial), Access.of(tls, token)),
    )
    photos = [LabelledPhoto(server, key, best[0][0], best[0][1], best, before) for server, key, best, before in found]
    if label is not None or uncertain:
        # Sorting is stable: of one score the servers' order holds.
        photos.sort(key=lambda photo: photo.score, reverse=label is not None)
    return photos if limit is None else photos[:limit]


def label_counts(
    servers: Union[str, Sequence[str]],
    dataset: str,
    *,
    model: Optional[str] = None,
    digest: str = "",
    min_score: float = 0.0,
    connect_for: float = 10.0,
    allow_partial: bool = False,
    tls: Optional[Tls] = None,
    token: Optional[Token] = None,
) -> Dict[str, int]:
    """How many photos have each label, the most first. The arguments are those of `labels`."""
    counts: Dict[str, int] = {}
    whose = (model, _digest("digest", digest))
    patience = (seconds("connect_for", connect_for), boolean("allow_partial", allow_partial), Access.of(tls, token))
    answers = _headwater.label_counts(servers_of(servers), dataset, whose, _score(min_score), patience)
    for label, count in answers:
        counts[label] = counts.get(label, 0) + count
    return dict(sorted(counts.items(), key=lambda each: -each[1]))


def _digest(name: str, digest: str) -> str:
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-fA-F]{0,64}", digest):
        raise ValueError(f"{name}={digest!r}: give the first hexadecimal digits of a digest, at most 64")
    return digest.lower()


def _score(min_score: float) -> float:
    score = float(min_score)
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"min_score={min_score!r}: give a number from 0 to 1")
    return score
