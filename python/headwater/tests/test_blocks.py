"""What engines are dealt: however an epoch is cut into shares, its batches have the bits of IterableDataset's, each
sample once, and a share that is read again, anywhere, gives the same."""

import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import warnings
from typing import Any, Dict, Iterator, List

import headwater
import numpy as np
import pytest
from conftest import PHOTOS, Server
from headwater.blocks import Blocks
from headwater.share import Share
from headwater.texts import text_of

FIELDS = ("image", "label", "key", "index")


def streamed(address: str, epoch: int, **more: Any) -> List[Any]:
    settings: Dict[str, Any] = {"batch_size": 4, "fields": FIELDS, "seed": 7, "output": "numpy", **more}
    data = headwater.IterableDataset(address, "photos", "imagenet-train", **settings)
    data.set_epoch(epoch)
    return list(data)


def blocks_of(address: str, **more: Any) -> Blocks:
    return Blocks(address, "photos", "imagenet-train", **{"batch_size": 4, "fields": FIELDS, "seed": 7, **more})


def same(block: Dict[str, Any], batch: Any) -> bool:
    return all(np.array_equal(block[name], values) for name, values in zip(FIELDS, batch))


def indices_of(shares: List[Share]) -> List[int]:
    return sorted(int(index) for share in shares for block in share for index in block["index"])


@pytest.mark.parametrize("world", [1, 3])
@pytest.mark.parametrize("more", [{}, {"drop_last": True}, {"shuffle": False}, {"indices": [5, 3, 5, 25, 0, 1, 9]}])
def test_batches_are_those_of_a_streamed_dataset(address: str, world: int, more: Dict[str, Any]) -> None:
    blocks = blocks_of(address, **more)
    for rank in range(world):
        expected = streamed(address, 3, rank=rank, world=world, **more)
        dealt = blocks.epoch(3, rank, world)
        assert len(dealt) == len(expected)
        given = list(dealt.share(slice(None)))
        assert len(given) == len(expected) and all(same(*pair) for pair in zip(given, expected))


def test_shares_have_each_batch_once_however_they_are_cut(address: str) -> None:
    dealt, expected = blocks_of(address).epoch(3), streamed(address, 3)
    for count in (1, 2, 5, len(dealt)):
        runs = [block for number in range(count) for block in dealt.run(number, count)]
        assert len(runs) == len(expected) and all(same(*pair) for pair in zip(runs, expected))
        turns = [list(dealt.share(slice(number, None, count))) for number in range(count)]
        assert [len(turn) for turn in turns] == [len(expected[number::count]) for number in range(count)]
        assert all(same(*pair) for number in range(count) for pair in zip(turns[number], expected[number::count]))
    assert indices_of([dealt.run(number, 3) for number in range(3)]) == list(range(PHOTOS))


def test_a_share_gives_the_same_bits_in_another_process(address: str, tmp_path: pathlib.Path) -> None:
    share = blocks_of(address).epoch(3).run(1, 2)
    (tmp_path / "share").write_bytes(pickle.dumps(share))
    text = """
import pickle, sys
share = pickle.load(open(sys.argv[1], "rb"))
pickle.dump(list(share), open(sys.argv[2], "wb"))
"""
    words = [sys.executable, "-c", text, str(tmp_path / "share"), str(tmp_path / "blocks")]
    subprocess.run(words, check=True, timeout=120)
    there, here = pickle.loads((tmp_path / "blocks").read_bytes()), list(share)
    assert len(there) == len(here) > 1
    for one, other in zip(there, here):
        assert all(np.array_equal(one[name], other[name]) for name in FIELDS)


def test_classes_and_labels_are_those_that_were_chosen(address: str) -> None:
    names = headwater.IterableDataset(address, "photos", "imagenet-train").classes
    for chosen in (names[1:], names[::-1]):
        blocks, expected = blocks_of(address, classes=chosen), streamed(address, 0, classes=chosen)
        given = list(blocks.epoch(0).share(slice(None)))
        assert blocks.classes == chosen and blocks.samples == sum(len(batch[1]) for batch in expected)
        assert len(given) == len(expected) and all(same(*pair) for pair in zip(given, expected))


@pytest.mark.parametrize(
    "output, kind, shape", [("tensor", "float32", (3, 224, 224)), ("pixels", "uint8", (224, 224, 3))]
)
def test_columns_say_what_blocks_have(address: str, output: Any, kind: str, shape: Any) -> None:
    blocks = blocks_of(address, output=output)
    image = blocks.wanted.columns[0]
    assert (image.name, image.kind, image.shape) == ("image", kind, shape)
    block = next(iter(blocks.epoch(0).share(slice(None))))
    assert block["image"].dtype == np.dtype(kind) and block["image"].shape == (4, *shape)


def test_features_are_columns_too(address: str) -> None:
    blocks = Blocks(address, "photos", cut="features", model="extractor", batch_size=5)
    image = blocks.wanted.columns[0]
    given = np.concatenate([block["image"] for block in blocks.epoch(0).share(slice(None))])
    assert given.shape == (PHOTOS, *image.shape) and given.dtype == np.float32 and image.kind == "float32"


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("spoilt")
    shutil.copytree(photos, folder / "photos")
    (folder / "photos/aaa").mkdir()
    (folder / "photos/aaa/broken.jpg").write_bytes(b"no photo")
    server = Server(folder / "server", folder / "photos", "--cpu-workers", 1)
    yield server
    server.kill()


def test_a_photo_that_fails_is_an_error_or_is_left_out_and_told(spoilt: Server) -> None:
    with pytest.raises(headwater.SampleError, match="broken.jpg"):
        list(blocks_of(spoilt.address).epoch(0).share(slice(None)))
    dealt = blocks_of(spoilt.address, on_error="skip", batch_size=1).epoch(0)
    with pytest.warns(headwater.HeadwaterWarning, match="1 of 27 samples failed and were left out"):
        given = list(dealt.share(slice(None)))
    # As many blocks as batches, of which one is empty.
    assert sorted(len(block["key"]) for block in given) == [0] + [1] * PHOTOS
    assert indices_of([dealt.share(slice(None))]) == [index for index in range(27) if index != 0]


def test_what_no_photo_is_asked_for_does_not_fail(spoilt: Server) -> None:
    dealt = blocks_of(spoilt.address, fields=("key", "label")).epoch(0)
    given = [key for block in dealt.share(slice(None)) for key in block["key"]]
    assert sorted(given) == sorted(headwater.IterableDataset(spoilt.address, "photos", fields=("key",)).keys)
    wanted = blocks_of(spoilt.address).wanted.only(["index", "key"])
    blocks = list(dealt.share(slice(None), wanted))
    assert [set(block) for block in blocks] == [{"key", "index"}] * len(dealt)
    assert [key for block in blocks for key in block["key"]] == given


def test_what_is_left_out_does_not_depend_on_what_is_looked_at(spoilt: Server) -> None:
    blocks = blocks_of(spoilt.address, on_error="skip")
    with pytest.warns(headwater.HeadwaterWarning):
        given = list(blocks.epoch(0).share(slice(None), blocks.wanted.only(["index"])))
    assert sorted(int(index) for block in given for index in block["index"]) == list(range(1, 27))
    assert all(set(block) == {"index"} for block in given)
    nothing = blocks_of(spoilt.address).wanted.only([])
    assert [column.name for column in nothing.columns] == ["index"] == list(nothing.keywords["fields"])


def test_a_share_is_of_the_generation_of_its_dataset(tmp_path: pathlib.Path, photos: pathlib.Path) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    server = Server(tmp_path / "server", tmp_path / "photos", "--cpu-workers", 1)
    try:
        dealt = blocks_of(server.address, fields=("key",)).epoch(0)
        before = [block["key"] for block in dealt.share(slice(None))]
        first = sorted((tmp_path / "photos").glob("*/*"))[0]
        shutil.copy(first, first.with_name("zzz-new.jpg"))
        server.reload()
        assert [block["key"] for block in dealt.share(slice(None))] == before
        # At most four earlier generations are held.
        for number in range(4):
            shutil.copy(first, first.with_name(f"zzz-{number}.jpg"))
            server.reload()
        with pytest.raises(headwater.GenerationError, match="make the dataset"):
            list(dealt.share(slice(None)))
    finally:
        server.kill()


def test_a_share_that_is_given_up_leaves_no_connection(own_server: Server) -> None:
    share = blocks_of(own_server.address).epoch(0).share(slice(None))
    for _ in range(3):
        blocks = iter(share)
        next(blocks)
        assert own_server.connections() > 0
        blocks.close()
    for _ in range(200):
        if own_server.connections() == 0:
            return
        subprocess.run(["sleep", "0.05"], check=True)
    raise AssertionError(f"{own_server.connections()} connections are left")


@pytest.mark.parametrize(
    "keywords, error, says",
    [
        ({"on_error": "substitute"}, ValueError, "each once"),
        ({"on_error": "ignore"}, ValueError, "use one of"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"output": "picture"}, ValueError, "use one of"),
        ({"fields": ("image", "replaced")}, ValueError, "no sample is replaced"),
        ({"fields": ("image", "caption")}, ValueError, "no field 'caption'"),
        ({"shuffle": 1}, TypeError, "shuffle=1"),
        ({"plan": "auto"}, TypeError, "plan"),
        ({"classes": ["nobody"]}, ValueError, "no class 'nobody'"),
        ({"indices": [PHOTOS]}, ValueError, f"no sample {PHOTOS}"),
    ],
)
def test_what_cannot_be_is_refused_at_once(address: str, keywords: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        blocks_of(address, **keywords)


def test_what_servers_do_not_run_is_left_to_the_engine(address: str) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    steps = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), transforms.RandomErasing()]
    with pytest.raises(headwater.RecipeError, match="engine's own map"):
        Blocks(address, "photos", transforms.Compose(steps))


def test_keys_are_the_texts_of_the_programs_tables() -> None:
    # The rows of the tests of headwater_types::key.
    for name, text in [
        (b"plain/a.jpg", "plain/a.jpg"),
        ("caf\u00e9".encode(), "caf\u00e9"),
        (b"caf\xe9", "caf\uefe9"),
        (b"\xff\xfe", "\uefff\ueffe"),
        ("\uefe9".encode(), "\uefee\uefbf\uefa9"),
        ("\ueeff\uf000".encode(), "\ueeff\uf000"),
    ]:
        assert text_of(os.fsdecode(name)) == text
        text_of(os.fsdecode(name)).encode()


@pytest.mark.parametrize(
    "engine, package",
    [("ray", "ray"), ("hf", "datasets"), ("daft", "daft"), ("tensorflow", "tensorflow"), ("jax", "grain")],
)
def test_an_engine_that_is_missing_says_what_to_install(engine: str, package: str) -> None:
    text = f"import sys; sys.modules[{package!r}] = None; import headwater.{engine}"
    done = subprocess.run([sys.executable, "-c", text], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and f"pip install 'headwater[{engine}]'" in done.stderr


def test_nothing_is_warned_of_where_nothing_is_wrong(address: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(blocks_of(address, on_error="skip").epoch(0).share(slice(None)))) == 7
