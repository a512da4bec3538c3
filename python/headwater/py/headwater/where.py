"""Samples that are chosen by what models said of them: `where="label = 'Banana' and score > 0.9"`.

The servers are asked once, when a dataset is made: what models say meanwhile changes no run. What is kept of the answer
are hashes of keys, so that the choice holds in other generations and travels to other processes in 8 bytes a sample.
"""

import hashlib
import operator
import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.access import Tls, Token
from headwater.agreement import agreed
from headwater.labelled import labels

Hashes = npt.NDArray[np.uint64]

#: What may be said, for errors.
FORMS = (
    "give conditions joined by `and`: label = 'Banana', label in ('Banana', 'Kiwi'), score > 0.9 (also >=, <, <=), "
    "model = 'fruit', digest = '4be2'"
)
TERM = re.compile(
    r"\s*(?:(?P<name>label|model|digest)\s*=\s*(?P<text>'(?:[^']|'')*')"
    r"|label\s+in\s*\(\s*(?P<texts>'(?:[^']|'')*'(?:\s*,\s*'(?:[^']|'')*')*)\s*\)"
    r"|score\s*(?P<relation>>=|<=|>|<)\s*(?P<number>[0-9]*\.?[0-9]+))\s*",
    re.IGNORECASE,
)
TEXT = re.compile(r"'((?:[^']|'')*)'")


class Where:
    """The samples of which models said what was asked for."""

    def __init__(
        self,
        text: Any,
        servers: Sequence[str],
        dataset: str,
        *,
        connect_for: float,
        allow_partial: bool,
        tls: Optional[Tls] = None,
        token: Optional[Token] = None,
    ) -> None:
        """Asks the servers. ValueError for a text that says nothing that could be asked, and where no photo is meant;
        ServerError where a server does not answer or has no labels."""
        self.text = text
        asked = conditions(text)
        wanted = asked.get("label")
        found = labels(
            servers,
            dataset,
            label=wanted[0] if wanted and len(wanted) == 1 else None,
            model=asked.get("model"),
            digest=asked.get("digest", ""),
            min_score=min(1.0, max([0.0, *(number for relation, number in asked["score"] if relation[0] == ">")])),
            connect_for=connect_for,
            allow_partial=allow_partial,
            tls=tls,
            token=token,
        )
        meant = [
            photo for photo in found if holds(photo.score, asked["score"]) and (not wanted or photo.label in wanted)
        ]
        if not meant:
            raise ValueError(
                f"where={text!r}: no photo of {dataset!r} is labelled so; headwater.label_counts says how many are"
            )
        self._hashes = np.unique(hashes_of([photo.key for photo in meant]))
        self.mark = hashlib.blake2b(self._hashes.tobytes(), digest_size=8).hexdigest()
        self._agree(dataset)

    def admits(self, keys: List[str]) -> npt.NDArray[np.bool_]:
        """Of each of these samples whether it was chosen."""
        return np.isin(hashes_of(keys), self._hashes)

    def __len__(self) -> int:
        return len(self._hashes)

    def _agree(self, dataset: str) -> None:
        """Sees to it that all ranks were answered alike: else each would train on samples of its own."""
        first = agreed(f"where/{dataset}/{self.text}", self.mark)
        if first is not None and first != self.mark:
            raise HeadwaterError(
                f"where={self.text!r}: the servers gave this rank other photos than the first rank, since photos are "
                "being labelled: wait until tuner relabel is done, or choose samples by indices= on one rank"
            )


def conditions(text: Any) -> Dict[str, Any]:
    """What a text asks for: `label` is a list, `score` a list of relations and numbers."""
    if not isinstance(text, str):
        raise TypeError(f"where={text!r}: {FORMS}")
    asked: Dict[str, Any] = {"score": []}
    at = 0
    while True:
        term = TERM.match(text, at)
        if term is None:
            raise ValueError(f"where={text!r}: {text[at:].strip()!r} is not understood; {FORMS}")
        if term["relation"]:
            asked["score"].append((term["relation"], float(term["number"])))
        else:
            name = (term["name"] or "label").lower()
            if name in asked:
                raise ValueError(f"where={text!r}: {name} is said twice; label in ('A', 'B') means several")
            texts = [found.replace("''", "'") for found in TEXT.findall(term["text"] or term["texts"])]
            asked[name] = texts if name == "label" else texts[0]
        at = term.end()
        if at == len(text):
            return asked
        joined = re.compile(r"and\b", re.IGNORECASE).match(text, at)
        if joined is None:
            raise ValueError(f"where={text!r}: {text[at:].strip()!r} is not understood; {FORMS}")
        at = joined.end()


def holds(score: float, relations: List[Tuple[str, float]]) -> bool:
    """Whether a score is in all these relations. A score is an f32: a number as it is written stands for its f32."""
    compare = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
    return all(compare[relation](np.float32(score), np.float32(number)) for relation, number in relations)


def hashes_of(keys: List[str]) -> Hashes:
    """64 bits of each key."""
    digests = (hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest() for key in keys)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def where_of(keywords: Any) -> Optional[Where]:
    """What a dataset's keywords choose by labels; None where they do not."""
    text = keywords.get("where")
    if text is None:
        return None
    patience = {name: keywords[name] for name in ("connect_for", "allow_partial", "tls", "token")}
    return Where(text, keywords["servers"], keywords["dataset"], **patience)
