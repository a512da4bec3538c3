"""A dataset that changes while it is served: a pass keeps what it began with, and the next has what is there then."""

import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import time
from typing import Any, Dict, Iterator, List, Set

import numpy as np
import pytest
import torch
from conftest import BIN, PHOTOS, Server, run
from test_plan import PLAN
from torch.utils.data import DataLoader

import headwater


def plan_of(server: Server) -> str:
    """A plan of what the server has now: most samples as they are stored, some cropped."""
    served = data(server)._reader.source.describe()
    recipe = headwater.Recipe.builtin("imagenet-train").digest
    text = PLAN.format(
        samples=served.samples, last=served.samples - 1, recipe=recipe, algorithm="optimal", zero="0" * 64
    )
    return text.replace('dataset = "photos"', f'dataset = "photos"\ndataset_digest = "{served.digest}"')


@pytest.fixture()
def folder(tmp_path: pathlib.Path, photos: pathlib.Path) -> pathlib.Path:
    shutil.copytree(photos, tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture()
def served(tmp_path: pathlib.Path, folder: pathlib.Path) -> Iterator[Server]:
    server = Server(tmp_path / "server", folder, "--cpu-workers", 1)
    yield server
    server.kill()


def data(server: Server, **more: Any) -> Any:
    settings = {"batch_size": 4, "fields": ("image", "key"), "seed": 3, "on_error": "skip", **more}
    return headwater.IterableDataset(server.address, "photos", "imagenet-train", **settings)


def keys_of(batches: Any) -> List[str]:
    return [key for _, keys in batches for key in keys]


def names(folder: pathlib.Path) -> Set[str]:
    return {str(file.relative_to(folder)) for file in folder.glob("*/*")}


def change(folder: pathlib.Path, part: int) -> Dict[str, Set[str]]:
    """Adds, removes and replaces photos: others for each part."""
    there = sorted(name for name in names(folder) if "/new" not in name)
    removed, replaced, added = there[part], there[-1 - part], f"{there[0].split('/')[0]}/new{part}.jpg"
    shutil.copy(folder / there[-1], folder / added)
    content = (folder / there[len(there) // 2]).read_bytes()
    (folder / replaced).write_bytes(content + b" ")
    (folder / removed).unlink()
    return {"removed": {removed}, "replaced": {replaced}, "added": {added}}


def test_servers_say_which_datasets_they_have(served: Server) -> None:
    (found,) = headwater.datasets([served.address])
    assert (found.server, found.name, found.state, found.reason) == (served.address, "photos", "serving", "")
    assert (found.samples, found.classes, found.source, found.generation) == (PHOTOS, 2, "folder", 1)
    assert found.bytes is not None and found.bytes > 0 and found.digest is not None and len(found.digest) == 64
    with pytest.raises(headwater.ServerError, match="127.0.0.1:1"):
        headwater.datasets(f"{served.address},127.0.0.1:1", connect_for=0.2)
    with pytest.raises(headwater.ServerError, match="does not serve the dataset .other.: it serves photos"):
        len(headwater.IterableDataset(served.address, "other", "imagenet-train", batch_size=4))


def test_a_new_pass_takes_what_is_there_also_after_a_restart(served: Server, folder: pathlib.Path) -> None:
    dataset = data(served)
    assert set(keys_of(dataset)) == names(folder)
    change(folder, 0)
    served.kill()
    served.start()
    assert set(keys_of(dataset)) == names(folder)
    assert dataset.epoch == 1 and dataset.num_samples == len(names(folder))


@pytest.mark.parametrize(
    "loading",
    [None, {"num_workers": 2}, {"num_workers": 2, "persistent_workers": True}, {"num_workers": 1, "spawned": True}],
)
def test_a_pass_keeps_its_generation_while_photos_come_go_and_change(
    served: Server, folder: pathlib.Path, loading: Any
) -> None:
    dataset = data(served)
    loader = dataset
    if loading is not None:
        spawned = {"multiprocessing_context": "spawn"} if loading.pop("spawned", False) else {}
        loader = DataLoader(dataset, batch_size=None, prefetch_factor=1, **loading, **spawned)
    before = names(folder)
    batches = iter(loader)
    got = keys_of([next(batches)])
    changes = [change(folder, 0)]
    served.reload()
    got += keys_of([next(batches)])
    changes.append(change(folder, 1))
    served.reload()
    got += keys_of(batches)
    assert len(got) == len(set(got)) and set(got) <= before
    touched = set.union(*(each["removed"] | each["replaced"] for each in changes))
    assert before - set(got) <= touched, "what did not come was removed or replaced, and is counted"
    counted = dataset.counters()
    assert counted["failed"] == counted["skipped"] == len(before) - len(got)
    again = keys_of(loader)
    assert len(again) == len(set(again)) and set(again) == names(folder)
    assert set.union(*(each["added"] for each in changes)) <= set(again)
    assert dataset.num_samples == len(again)


def test_a_state_goes_on_in_a_later_generation_in_its_old_order(served: Server, folder: pathlib.Path) -> None:
    whole = keys_of(data(served))
    begun = data(served)
    batches = iter(begun)
    done, state = keys_of(next(batches) for _ in range(2)), begun.state_dict()
    changed = change(folder, 0)
    served.reload()
    again = data(served)
    again.load_state_dict(state)
    rest = keys_of(again)
    gone = changed["removed"] - set(done)
    assert done + rest == [key for key in whole if key not in gone], "the old order, without what is gone"
    assert again.counters()["failed"] == len(gone)
    assert set(keys_of(again)) == names(folder), "what came since comes with the next epoch"
    loud = data(served, on_error="raise")
    loud.load_state_dict(state)
    if gone:
        with pytest.raises(headwater.SampleError, match="was removed from the dataset") as caught:
            list(loud)
        assert caught.value.kind == "not-found"
    # Also without a photo, where only names are asked for.
    listed = data(served, fields=("key", "index"))
    listed.load_state_dict(state)
    assert [key for keys, _ in listed for key in keys] == rest


def test_a_state_saved_while_it_goes_on_can_be_loaded_once_more(served: Server, folder: pathlib.Path) -> None:
    whole = keys_of(data(served))
    first = data(served)
    batches = iter(first)
    done, state = keys_of([next(batches)]), first.state_dict()
    gone = set()
    for part in range(2):
        gone |= change(folder, part)["removed"] - set(done)
        served.reload()
        again = data(served)
        again.load_state_dict(state)
        batches = iter(again)
        done, state = done + keys_of([next(batches)]), again.state_dict()
    done += keys_of(batches)
    assert len(done) == len(set(done)) and set(whole) - set(done) <= gone


def test_a_state_goes_on_over_restarts_of_the_server_where_it_keeps_its_state(
    tmp_path: pathlib.Path, folder: pathlib.Path
) -> None:
    kept = tmp_path / "state"

    def listed() -> Set[int]:
        return {file.stat().st_mtime_ns for file in kept.glob("catalog/*/lists/*") if file.suffix == ""}

    def wait_for_another(before: Set[int]) -> None:
        while listed() <= before:
            time.sleep(0.02)

    server = Server(tmp_path / "server", folder, "--cpu-workers", 1, "--state", kept)
    try:
        wait_for_another(set())
        whole = keys_of(data(server))
        begun = data(server)
        batches = iter(begun)
        done, state = keys_of(next(batches) for _ in range(2)), begun.state_dict()
        gone, before = set(), names(folder)
        for part in range(2):
            gone |= change(folder, part)["removed"] - set(done)
            server.kill()
            kept_before = listed()
            server.start()
            wait_for_another(kept_before)
        again = data(server)
        again.load_state_dict(state)
        rest = keys_of(again)
        assert done + rest == [key for key in whole if key not in gone], "the old order, without what is gone"
        assert again.counters()["failed"] == len(gone) and names(folder) - before
        assert set(keys_of(again)) == names(folder), "what came since comes with the next epoch"
        # Without what was kept nobody knows what differs, and that is said.
        server.kill()
        shutil.rmtree(kept)
        server.start()
        lost = data(server)
        with pytest.raises(headwater.HeadwaterError, match="they do not know any more what differs.*--state"):
            lost.load_state_dict(state)
    finally:
        server.kill()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_plan_is_carried_over_by_key(
    served: Server, folder: pathlib.Path, tmp_path: pathlib.Path, workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "photos.plan"
    file.write_text(plan_of(served))
    dataset = data(served, plan=file, fields=("image", "key"))
    loader = DataLoader(dataset, batch_size=None, num_workers=workers)
    first = {key: image for images, keys in loader for key, image in zip(keys, images)}
    changed = change(folder, 0)
    served.reload()
    again = {key: image for images, keys in loader for key, image in zip(keys, images)}
    assert set(again) == names(folder) and changed["added"] <= set(again)
    if not workers:
        expected = f"{len(first) - len(changed['removed'])} samples keep their cut, and {len(changed['added'])} that"
        assert expected in caplog.text
    plain = data(served)
    plain.set_epoch(1)
    for images, keys in plain:
        for image, key in zip(images, keys):
            assert image.equal(again[key]), "a plan changes no bit, also one that was carried over"


def test_what_was_chosen_by_number_keeps_its_generation_until_it_is_refreshed(
    served: Server, folder: pathlib.Path
) -> None:
    dataset = data(served, indices=range(10), fields=("key", "index"))
    chosen = [key for keys, _ in dataset for key in keys]
    change(folder, 0)
    served.reload()
    with pytest.warns(headwater.HeadwaterWarning, match="newer generation.*by number.*refresh"):
        assert sorted(key for keys, _ in dataset for key in keys) == sorted(chosen)
    assert dataset.refresh() and not dataset.refresh()
    assert sorted(dataset.keys) == sorted(names(folder))[:10]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_map_dataset_keeps_its_generation_until_it_is_refreshed(
    served: Server, folder: pathlib.Path, workers: int
) -> None:
    dataset = headwater.MapDataset(
        served.address, "photos", "imagenet-train", fields=("image", "key"), on_error="substitute"
    )
    loader = DataLoader(dataset, batch_size=4, num_workers=workers, persistent_workers=workers > 0)
    before = names(folder)
    assert set(keys_of(loader)) == before == set(dataset.keys)
    shutil.copy(folder / min(before), folder / (min(before).split("/")[0] + "/new.jpg"))
    served.reload()
    assert len(dataset) == len(before) and set(keys_of(loader)) == before
    assert dataset.refresh()
    assert len(dataset) == len(before) + 1
    assert set(keys_of(DataLoader(dataset, batch_size=4, num_workers=workers))) == names(folder)
    if workers:
        assert set(keys_of(loader)) <= names(folder), "workers that stay hear of it too"


SMALL = """
name = "small"
[[stage]]
op = "decode"
[[stage]]
op = "resize"
size = 36
[[stage]]
op = "center-crop"
size = 32
[[stage]]
op = "to-tensor"
"""


def test_an_epoch_goes_on_while_a_thousand_photos_come_and_others_go_or_change(tmp_path: pathlib.Path) -> None:
    two = ("photos", "--out", tmp_path / "two", "--classes", 1, "--per-class", 2, "--min-size", 40, "--size", 48)
    run(BIN / "testdata", *two)
    first, other = (file.read_bytes() for file in sorted((tmp_path / "two").glob("*/*")))
    root, recipe = tmp_path / "many", tmp_path / "small.toml"
    recipe.write_text(SMALL)
    for folder in ("a", "b"):
        (root / folder).mkdir(parents=True)
    there = [f"{'ab'[at % 2]}/{at:05}.jpg" for at in range(1500)]
    for name in there:
        (root / name).write_bytes(first)
    # Far from one another in any order: the first 100 go, the next 100 become the other photo.
    touched = random.Random(5).sample(there, 200)
    server = Server(tmp_path / "server", root, "--cpu-workers", 1, "--no-cache")
    try:
        dataset = headwater.IterableDataset(
            server.address, "photos", str(recipe), batch_size=16, fields=("image", "key"), on_error="skip", window=65536
        )
        loader = DataLoader(dataset, batch_size=None, num_workers=2, prefetch_factor=1)
        batches, got = iter(loader), {}

        def take(batches: Any) -> None:
            for images, keys in batches:
                assert not got.keys() & set(keys), "a sample came twice"
                got.update(zip(keys, images))

        for part in range(2):
            take([next(batches)])
            for at in range(500):
                (root / f"a/new{part}-{at:03}.jpg").write_bytes(other)
            for name in touched[50 * part : 50 * (part + 1)]:
                (root / name).unlink()
            for name in touched[100 + 50 * part : 150 + 50 * part]:
                (root / name).write_bytes(other)
            server.reload()
        take(batches)
        assert server.generation() == 3
        missing = set(there) - got.keys()
        assert got.keys() <= set(there) and missing <= set(touched)
        assert len(missing) > 50, "the epoch was over before much had changed"
        counted = dataset.counters()
        assert counted["failed"] == counted["skipped"] == len(missing)
        image = got[min(got)]
        assert all(torch.equal(each, image) for each in got.values()), "a photo that was not listed for this epoch"

        got.clear()
        take(loader)
        expected = names(root)
        assert got.keys() == expected and len(expected) == 1500 + 1000 - 100
        others = {name for name in expected if "/new" in name} | set(touched[100:])
        assert all(torch.equal(each, image) == (name not in others) for name, each in got.items())
        counted = dataset.counters()
        assert counted["failed"] == len(missing), "all of the next epoch comes"
    finally:
        server.kill()


def test_names_of_any_kind_are_keys_and_stay_apart(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    some = next(photos.glob("*/*")).read_bytes()
    kept = [
        os.fsencode(name)
        for name in ("caf\u00e9.jpg", "cafe\u0301.jpg", "two\nlines.jpg", "Case.jpg", "case.jpg", " space .jpg")
    ]
    kept += [b"latin-\xe9.jpg", b"x" * 251 + b".jpg"]
    root = os.fsencode(tmp_path / "odd")
    os.makedirs(root + b"/class")
    for name in kept:
        with open(root + b"/class/" + name, "wb") as file:
            file.write(some)
    server = Server(tmp_path / "server", tmp_path / "odd", "--cpu-workers", 1)
    try:
        dataset = data(server)
        expected = {"class/" + os.fsdecode(name) for name in kept}
        assert set(dataset.keys) == expected
        assert set(keys_of(dataset)) == expected
        assert dataset.report(sorted(expected), np.ones(len(expected), np.float32)) == len(expected)
    finally:
        server.kill()


RANK = """
import json, sys, time, pathlib
import headwater, torch.distributed as dist
from torch.utils.data import DataLoader

server, folder, workers = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
dist.init_process_group("gloo")
rank = dist.get_rank()
data = headwater.IterableDataset(server, "photos", "imagenet-train", batch_size=3, fields=("key", "index"), seed=1)
seen = []
for epoch in range(3):
    data.set_epoch(epoch)
    # The second rank comes late: the server has listed the folder anew in between.
    while rank and not (folder / f"began{epoch}").exists():
        time.sleep(0.05)
    batches = iter(DataLoader(data, batch_size=None, num_workers=workers))
    (folder / f"rank{rank}-{epoch}").touch()
    seen.append([key for keys, _ in batches for key in keys])
    dist.barrier()
json.dump(seen, open(folder / str(rank), "w"))
"""


@pytest.mark.parametrize("workers", [0, 1])
def test_ranks_take_one_generation_even_where_the_server_reloads_between_them(
    served: Server, folder: pathlib.Path, tmp_path: pathlib.Path, workers: int
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    ranks: Any = []
    for rank in range(2):
        environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
        words = [sys.executable, "-c", RANK, served.address, str(tmp_path), str(workers)]
        ranks.append(subprocess.Popen(words, env={**environment, "MASTER_PORT": port}))
    generations = []
    for epoch in range(3):
        generations.append(names(folder))
        while not (tmp_path / f"rank0-{epoch}").exists():
            assert ranks[0].poll() is None
            time.sleep(0.02)
        if epoch < 2:
            change(folder, epoch)
            served.reload()
        (tmp_path / f"began{epoch}").touch()
    for process in ranks:
        process.wait(timeout=120)
        assert process.returncode == 0
    found = [json.loads((tmp_path / str(rank)).read_text()) for rank in range(2)]
    for epoch in range(3):
        keys = found[0][epoch] + found[1][epoch]
        assert len(keys) == len(set(keys)) and set(keys) == generations[epoch]
