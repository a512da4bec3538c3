"""What a dataset has is listed without photos, as ImageFolder lists it; and samplers, splits and classes work from
that."""

import pathlib
import shutil
from typing import Any, Dict, Iterator, List

import numpy as np
import pytest
import torch
from conftest import Server
from torch.utils.data import DataLoader, Subset, WeightedRandomSampler

import headwater

#: Photos of each class: in the order of their names.
COUNTS = {"Tabby cat": 2, "dog": 5, "horse": 9}
CLASSES = list(COUNTS)
LABELS = [0] * 2 + [1] * 5 + [2] * 9
BOTH = [headwater.IterableDataset, headwater.MapDataset]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("listed") / "photos"
    files = iter(sorted(photos.glob("*/*")))
    for name, count in COUNTS.items():
        (folder / name).mkdir(parents=True)
        for _ in range(count):
            shutil.copy(next(files), folder / name)
    # It fails when it is asked for, and only then.
    (folder / "horse" / "zz.jpg").write_bytes(b"no photo")
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, folder: pathlib.Path) -> Iterator[str]:
    server = Server(tmp_path_factory.mktemp("listing") / "server", folder, "--cpu-workers", 1)
    yield server.address
    server.kill()


def data(served: str, kind: Any = headwater.MapDataset, **more: Any) -> Any:
    return kind(served, "photos", **{"recipe": "imagenet-train", **more})


@pytest.mark.parametrize("kind", BOTH)
def test_targets_samples_and_keys_are_imagefolders(served: str, folder: pathlib.Path, kind: Any) -> None:
    dataset = data(served, kind)
    keys = sorted(str(file.relative_to(folder)) for file in folder.glob("*/*"))
    assert dataset.keys == keys and dataset.classes == CLASSES
    assert dataset.targets == [*LABELS, 2] and all(type(label) is int for label in dataset.targets)
    assert dataset.samples == dataset.imgs == list(zip(keys, [*LABELS, 2]))
    part = data(served, kind, indices=[8, 1, 0])
    assert part.keys == [keys[8], keys[1], keys[0]] and part.targets == [2, 0, 0] and part.num_samples == 17


def test_several_servers_are_listed_in_the_order_of_their_samples(address: str) -> None:
    dataset = data(address, fields=("key", "label", "index", "image"), cut="cropped")
    fetched = [sample[:3] for sample in dataset.__getitems__(range(len(dataset)))]
    assert [(key, label) for key, label, _ in fetched] == dataset.samples
    assert [index for _, _, index in fetched] == list(range(len(dataset)))


@pytest.mark.parametrize("workers", [0, 2])
def test_fields_without_image_fetch_no_photo(served: str, workers: int) -> None:
    whole = data(served)
    for fields in (("label",), ("key",), ("index",), ("label", "key"), ("index", "label"), ("index", "key", "label")):
        expected: Dict[str, List[Any]] = {"label": whole.targets, "key": whole.keys, "index": list(range(17))}
        for more in ({}, {"batch_size": 5}):
            # No recipe: it is what is done to photos. The bad photo is no error.
            streamed = headwater.IterableDataset(served, "photos", fields=fields, shuffle=False, **more)
            given: Dict[str, List[Any]] = {field: [] for field in fields}
            for sample in DataLoader(streamed, batch_size=None, num_workers=workers):
                for field, value in zip(fields, sample if len(fields) > 1 else [sample]):
                    value = value.tolist() if isinstance(value, torch.Tensor) else value
                    given[field] += value if isinstance(value, list) else [value]
            # Several workers give their parts in turn.
            for field in fields:
                same = given[field] == expected[field]
                assert same or (workers and sorted(given[field]) == sorted(expected[field])), (fields, more)
            assert streamed.counters()["samples"] == 17 and streamed.counters()["failed"] == 0
    by_index = headwater.MapDataset(served, "photos", fields=("key", "label"))
    assert by_index[16] == ("horse/zz.jpg", 2) and by_index.__getitems__([0, 16])[1] == ("horse/zz.jpg", 2)
    with pytest.raises(headwater.SampleError):
        whole[16]


def test_a_plan_for_no_photos_is_refused() -> None:
    for kind in BOTH:
        with pytest.raises(ValueError, match="plan=.*fields="):
            kind("127.0.0.1:1", "photos", "imagenet-train", fields=("label",), plan="auto")


@pytest.mark.parametrize("kind", BOTH)
def test_classes_leave_out_others_and_number_labels(served: str, kind: Any) -> None:
    whole = data(served, kind)
    dataset = data(served, kind, classes=["dog", "Tabby cat"], fields=("label", "key", "index", "image"))
    assert dataset.classes == ["dog", "Tabby cat"] and dataset.class_to_idx == {"dog": 0, "Tabby cat": 1}
    assert dataset.targets == [1, 1, 0, 0, 0, 0, 0] and dataset.keys == whole.keys[:7] and len(dataset) == 7
    for workers in (0, 2):
        batches = list(DataLoader(dataset, 3, num_workers=workers))
        found = {key: label for labels, keys, _, _ in batches for label, key in zip(labels.tolist(), keys)}
        assert found == dict(dataset.samples)
        assert sorted(index for batch in batches for index in batch[2].tolist()) == list(range(7)), (
            "indices stay the dataset's"
        )
    part = data(served, kind, classes=("horse", "dog"), indices=[15, 0, 3, 14, 3])
    assert part.targets == [0, 1, 0, 1] and part.keys == [whole.keys[at] for at in (15, 3, 14, 3)] and len(part) == 4


def test_classes_that_are_not_there_are_named_with_those_like_them(served: str) -> None:
    for names, words in (
        (["dogs"], "no class 'dogs'; did you mean 'dog'"),
        (["dog", "TABBY CAT"], "did you mean 'Tabby cat'"),
        (["xyzzy"], "it has 3: 'Tabby cat', 'dog', 'horse'"),
    ):
        for ask in (len, iter, lambda found: found.classes, lambda found: found.targets):
            with pytest.raises(ValueError, match=words):
                ask(data(served, headwater.IterableDataset, classes=names))
    with pytest.raises(ValueError, match="indices= has no sample of these"):
        len(data(served, classes=["horse"], indices=[0, 1, 2]))
    nowhere = "127.0.0.1:1"
    odd: List[Any] = ["dog", b"dog", {"dog": 0}, 3, ["dog", 1], [True]]
    for names in odd:
        with pytest.raises(TypeError, match="classes="):
            data(nowhere, classes=names)
    for names in ([], ["dog", "dog"]):
        with pytest.raises(ValueError, match="classes="):
            data(nowhere, classes=names)


@pytest.mark.parametrize("workers", [0, 2])
def test_target_transform_is_run_on_each_label(served: str, workers: int) -> None:
    for transform, dtype in ((double, torch.int64), (float, torch.float64), (one_hot, torch.float32)):
        batched = data(
            served, headwater.IterableDataset, batch_size=4, shuffle=False, target_transform=transform, indices=range(7)
        )
        single = data(served, target_transform=transform, indices=range(7))
        for loader in (DataLoader(batched, None, num_workers=workers), DataLoader(single, 4, num_workers=workers)):
            labels = [label for _, labels in loader for label in labels]
            assert labels[0].dtype == dtype
            expected = [torch.as_tensor(transform(label)) for label in LABELS[:7]]
            assert [label.tolist() for label in labels] == [label.tolist() for label in expected]
    assert data(served, target_transform=str)[0][1] == "0"
    renumbered = data(served, classes=["dog"], target_transform=double, fields=("label",))
    assert renumbered[0] == 0 and renumbered.targets == [0] * 5, (
        "targets are as ImageFolder has them: before target_transform"
    )
    with pytest.raises(TypeError, match="target_transform="):
        data("127.0.0.1:1", target_transform=3)


def double(label: int) -> int:
    return 2 * label


def one_hot(label: int) -> torch.Tensor:
    return torch.eye(3)[label]


def test_a_sampler_s_choice_is_of_the_classes_too(served: str) -> None:
    class Every:
        length = 17

        def epoch_indices(self, epoch: int) -> Any:
            return np.arange(17)[::-1]

    dataset = data(served, headwater.IterableDataset, classes=["dog"], sampler=Every(), fields=("index", "label"))
    assert len(dataset) == 5 and list(dataset) == [(index, 0) for index in (6, 5, 4, 3, 2)]


def test_a_state_goes_with_its_classes_and_their_numbers(served: str) -> None:
    def make(**more: Any) -> Any:
        return data(served, headwater.IterableDataset, batch_size=2, fields=("index", "label"), **more)

    first = make(classes=["dog", "Tabby cat"])
    batches = iter(first)
    done = [next(batches)[0].tolist() for _ in range(2)]
    state = first.state_dict()
    again = make(classes=["dog", "Tabby cat"])
    again.load_state_dict(state)
    assert sorted(index for batch in [*done, *(batch[0].tolist() for batch in again)] for index in batch) == list(
        range(7)
    )
    for other in ({"classes": ["Tabby cat", "dog"]}, {"classes": ["dog"]}, {"indices": range(7)}, {}):
        with pytest.raises(headwater.HeadwaterError):
            make(**other).load_state_dict(state)
    everything = make(classes=CLASSES)
    assert everything.targets == make().targets
    reordered = make(classes=CLASSES[::-1]).state_dict()
    with pytest.raises(headwater.HeadwaterError):
        make().load_state_dict(reordered)


def test_a_class_balanced_sampler_works_from_targets(served: str) -> None:
    dataset = data(served, fields=("label",))
    targets = torch.tensor(dataset.targets)
    weights = 1.0 / torch.bincount(targets).double()[targets]
    sampler = WeightedRandomSampler(weights.tolist(), 3000, generator=torch.Generator().manual_seed(1))
    counts = torch.bincount(torch.cat(list(DataLoader(dataset, 100, sampler=sampler))))
    assert counts.sum() == 3000 and all(900 < count < 1100 for count in counts.tolist())


def test_a_stratified_split_works_from_targets(served: str) -> None:
    dataset = data(served, indices=range(16), fields=("label", "key"))
    targets = np.asarray(dataset.targets)
    held = np.concatenate([np.flatnonzero(targets == label)[::2] for label in np.unique(targets)])
    rest = np.setdiff1d(np.arange(16), held)
    parts = [Subset(dataset, rest.tolist()), Subset(dataset, held.tolist())]
    labels = [[label for label, _ in part] for part in parts]
    assert [np.bincount(part).tolist() for part in labels] == [[1, 2, 4], [1, 3, 5]]
    streamed = data(served, headwater.IterableDataset, indices=held, fields=("label", "key"), shuffle=False)
    assert list(streamed) == list(parts[1])
