"""Samples that are chosen by what models said of them."""

import json
import pickle
from typing import Any

import headwater
import pytest
import torch
from headwater.where import conditions, holds
from test_labels import labelled  # noqa: F401


def keys(data: Any) -> "list[str]":
    """The keys of an epoch, of batches whose one field they are."""
    return sorted(key for batch in data for key in batch)


def test_what_is_asked_for_is_what_comes(labelled: str) -> None:  # noqa: F811
    said = headwater.labels(labelled, "photos")
    label, score = said[0].label, sorted(photo.score for photo in said)[len(said) // 2]
    other = next(photo.label for photo in said if photo.label != label)
    for where, meant in (
        (f"label = '{label}'", lambda photo: photo.label == label),
        (f"label = '{label}' and score > {score:.9f}", lambda photo: photo.label == label and photo.score > score),
        (f"score <= {score:.9f} and model = 'head'", lambda photo: photo.score <= score),
        (f"Label IN ('{label}', '{other}') AND score >= 0", lambda photo: photo.label in (label, other)),
    ):
        data = headwater.IterableDataset(
            labelled, "photos", "imagenet-eval", batch_size=4, fields=("key",), where=where
        )
        expected = sorted(photo.key for photo in said if meant(photo))
        assert expected and keys(data) == expected, where
    # Crops of the chosen are those that they have in the whole dataset; another process has the same.
    whole = headwater.MapDataset(labelled, "photos", "imagenet-eval")
    chosen = headwater.MapDataset(labelled, "photos", "imagenet-eval", where=f"label = '{label}'")
    assert len(chosen) == sum(photo.label == label for photo in said) < len(whole)
    assert torch.equal(chosen[0][0], whole[whole.keys.index(chosen.keys[0])][0])
    assert pickle.loads(pickle.dumps(chosen)).keys == chosen.keys
    both = headwater.MapDataset(labelled, "photos", "imagenet-eval", where=f"label = '{label}'", indices=range(15))
    assert both.keys == [key for key in whole.keys[:15] if key in chosen.keys]


def test_what_cannot_be_meant_is_refused_with_what_can(labelled: str) -> None:  # noqa: F811
    for where, words in (
        ("label == 'a'", "not understood"),
        ("label = 'a' or score > 1", "not understood"),
        ("label = 'a' and label = 'b'", "said twice"),
        ("score > high", "not understood"),
        ("", "not understood"),
        ("score > 0.9999999 and score < 0.1", "is labelled so"),
        ("digest = 'xyz'", "hexadecimal"),
    ):
        with pytest.raises(ValueError, match=words):
            headwater.IterableDataset(labelled, "photos", "imagenet-eval", where=where)
    with pytest.raises(TypeError, match="conditions"):
        headwater.IterableDataset(labelled, "photos", "imagenet-eval", where=3)  # type: ignore[call-overload]
    with pytest.raises(headwater.ServerError, match="no class"):
        headwater.IterableDataset(labelled, "photos", "imagenet-eval", where="label = 'no such'")


def test_texts_and_numbers_are_read_as_they_are_written() -> None:
    assert conditions("label = 'it''s'")["label"] == ["it's"]
    assert conditions(" score>.5 and SCORE <= 1 ")["score"] == [(">", 0.5), ("<=", 1.0)]
    # 0.9 as an f32 is more than 0.9.
    nine = json.loads("0.8999999761581421")
    assert holds(nine, [(">=", 0.9)]) and not holds(nine, [(">", 0.9)]) and not holds(nine, [("<", 0.9)])
