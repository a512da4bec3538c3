"""Every trainer drives every kind of dataset right, from its beginning and from states: or says at the start that it
cannot."""

import functools
import pathlib
import re
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from combinations import Combination, chosen, product
from conftest import BIN, Server, run
from driven import Driven, drive
from promises import check, continued, pixels_of, same_bits

import headwater

EPOCHS, UNEVEN, EVEN, SEED = 3, 101, 96, 11
#: Small, so that a run takes seconds.
RECIPE = headwater.Recipe.builtin("imagenet-train").to_toml().replace("[224, 224]", "[32, 32]")
#: Trainers that fill up the last batch with samples that come twice, unless there is nothing to fill up.
FILL_UP = ("accelerate", "transformers")
#: What cannot be done, and what the error says then.
ERRORS: Dict[Tuple[str, str], str] = {}

Drive = Callable[[str], Driven]


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two servers of small photos."""
    folder = tmp_path_factory.mktemp("matrix")
    run(BIN / "testdata", "photos", "--out", folder / "photos", "--classes", 3, "--per-class", 34, "--size", 128)
    servers = [
        Server(folder / part[0], folder / "photos", "--partition", part, "--cpu-workers", 1) for part in ("1/2", "2/2")
    ]
    yield ",".join(server.address for server in servers)
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def driven(address: str, tmp_path_factory: pytest.TempPathFactory) -> Drive:
    """What a trainer's driver wrote: it is run when somebody asks for the first of its combinations."""
    folder = tmp_path_factory.mktemp("driven")
    return functools.lru_cache(maxsize=None)(lambda trainer: drive(trainer, address, RECIPE, folder / trainer))


@pytest.fixture(scope="session")
def announced(address: str) -> List[Dict[int, str]]:
    """The tensors of each epoch where set_epoch is called: functions of seed, epoch and key."""
    import hashlib

    data = headwater.MapDataset(address, "photos", headwater.Recipe(RECIPE), seed=SEED, cut="cropped")
    found = []
    for epoch in range(EPOCHS):
        data.set_epoch(epoch)
        images = [image for image, _ in data.__getitems__(list(range(UNEVEN)))]
        found.append(
            {number: hashlib.sha1(image.numpy().tobytes()).hexdigest()[:12] for number, image in enumerate(images)}
        )
    return found


def id_of(one: Combination) -> str:
    return "-".join(one)


def test_says_how_many_of_the_combinations_are_tried(capsys: pytest.CaptureFixture[str]) -> None:
    tried, all_of_them = chosen(), product()
    with capsys.disabled():
        print(
            f"\n{len(tried)} of {len(all_of_them)} combinations of trainers, datasets, workers and beginnings are tried"
        )
    for place in range(len(Combination._fields)):
        for other in range(place):
            pairs = {(one[place], one[other]) for one in tried}
            assert pairs == {(one[place], one[other]) for one in all_of_them}, "every two values meet"


@pytest.mark.parametrize("one", chosen(), ids=id_of)
def test_each_sample_comes_once_an_epoch(one: Combination, driven: Drive, announced: List[Dict[int, str]]) -> None:
    wrote = driven(one.trainer)
    fresh, mine = ("first", one.run, "fresh"), ("again", one.run, one.start)
    documented = ERRORS.get((one.trainer, one.kind))
    if documented is not None:
        assert re.search(documented, wrote.errors.get(fresh, "")), (
            f"no error says {documented!r}: {wrote.errors.get(fresh)}"
        )
        assert not wrote.lines.get(fresh), "it comes before the first step"
        return
    for key in (fresh, ("again", one.run, "middle"), mine) if one.start == "twice" else (fresh, mine):
        if key in wrote.errors:
            pytest.fail(f"{key}: {wrote.errors[key]}", pytrace=False)
    lines = wrote.lines[fresh]
    if one.start == "twice":
        lines = continued(lines, wrote.lines["again", one.run, "middle"])
    lines = continued(lines, wrote.lines[mine])
    samples = UNEVEN if one.kind == "iterable" and not one.trainer.startswith(FILL_UP) else EVEN
    world = 1 if one.trainer in ("plain", "stateful") else 2
    check(lines, EPOCHS, samples, world)
    if one.start == "fresh":
        assert same_bits(wrote.lines[fresh]) == same_bits(wrote.lines[mine]), "the same twice is the same bits"
    if one.kind == "iterable":
        for epoch in range(EPOCHS):
            expected = {number: pixels for number, pixels in announced[epoch].items() if number < samples}
            assert pixels_of(lines, epoch) == expected, f"epoch {epoch} is that of set_epoch({epoch})"
        assert same_bits(lines) == same_bits(wrote.lines[fresh]), "a run that was stopped takes the same batches"
