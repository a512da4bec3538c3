"""Ray Data reads every sample once, with the bits of IterableDataset, whatever its tasks do."""

import pathlib
from typing import Any, Dict, Iterator, List

import headwater
import numpy as np
import pyarrow.parquet as parquet
import pytest
from conftest import BIN, run
from engine_photos import BROKEN, EPOCH, SEED, Served, check, expected, folder, served, spoilt, streamed
from headwater.texts import text_of
from test_examples import example

ray = pytest.importorskip("ray", reason="scripts/test --trainers has the engines")
import headwater.ray  # noqa: E402

FIELDS = ("image", "label", "key", "index")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=256 << 20, log_to_driver=True)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def source(served: Served, **more: Any) -> headwater.ray.Datasource:
    settings = {"batch_size": 4, "fields": FIELDS, "seed": SEED, "epoch": EPOCH, **more}
    return headwater.ray.Datasource(served.address, "photos", "imagenet-train", **settings)


def read(served: Served, tasks: int = 2, **more: Any) -> Any:
    return ray.data.read_datasource(source(served, **more), override_num_blocks=tasks)


def test_every_sample_comes_once_with_its_bits(served: Served, expected: Dict[int, Any]) -> None:
    data = read(served, shuffle=True)
    assert data.count() == served.samples
    rows = data.take_all()
    check(rows, expected)
    assert {row["index"]: row["key"] for row in rows} == {
        index: text_of(sample["key"]) for index, sample in expected.items()
    }
    # Again: the same epoch, as it was asked for.
    check(data.take_all(), expected)


def test_another_epoch_has_other_crops(served: Served) -> None:
    check(read(served, epoch=EPOCH + 1).take_all(), streamed(served, EPOCH + 1))


def test_batches_are_arrays_of_the_shape_that_the_recipe_makes(served: Served) -> None:
    for batch in read(served).iter_batches(batch_size=5):
        assert batch["image"].shape[1:] == (3, 224, 224) and batch["image"].dtype == np.float32
        assert batch["label"].dtype == np.int64
    [first] = read(served, output="pixels").take(1)
    assert first["image"].shape == (224, 224, 3) and first["image"].dtype == np.uint8


def test_a_task_reads_a_block_for_each_batch(served: Served) -> None:
    tasks = source(served).get_read_tasks(3)
    blocks = [list(task()) for task in tasks]
    sizes = [block.num_rows for each in blocks for block in each]
    assert len(tasks) == 3 and sizes[:-1] == [4] * (len(sizes) - 1) and sum(sizes) == served.samples
    for task, each in zip(tasks, blocks):
        assert task.metadata.num_rows == sum(block.num_rows for block in each)
        # Texts are estimated.
        assert 0.9 < task.metadata.size_bytes / sum(block.nbytes for block in each) < 1.1
    estimate = source(served).estimate_inmemory_data_size()
    assert estimate == sum(task.metadata.size_bytes for task in tasks)


def test_the_order_is_the_datasets_where_ray_keeps_it(served: Served) -> None:
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    try:
        assert [row["index"] for row in read(served, tasks=3).take_all()] == list(range(served.samples))
    finally:
        context.execution_options.preserve_order = False


def test_a_bad_photo_is_an_error_or_is_left_out(spoilt: Served) -> None:
    with pytest.raises(Exception, match=BROKEN):
        read(spoilt).take_all()
    # Nobody knows before how many come.
    assert source(spoilt, on_error="skip").get_read_tasks(2)[0].metadata.num_rows is None
    data = read(spoilt, on_error="skip")
    assert data.count() == spoilt.samples - 1
    check(data.take_all(), streamed(spoilt, EPOCH, on_error="skip"))


def test_columns_that_are_not_selected_are_not_read(spoilt: Served) -> None:
    # The broken photo would be an error.
    rows = read(spoilt).select_columns(["key", "label"]).take_all()
    assert len(rows) == spoilt.samples and all(set(row) == {"key", "label"} for row in rows)
    assert read(spoilt).select_columns(["index"]).sum("index") == sum(range(spoilt.samples))
    assert read(spoilt).count() == read(spoilt, fields=("image",)).count() == spoilt.samples
    # Which rows there are does not depend on the columns that are looked at.
    assert len(read(spoilt, on_error="skip").select_columns(["key"]).take_all()) == spoilt.samples - 1


def test_a_limit_reads_no_more_than_it_says(served: Served) -> None:
    rows = read(served, tasks=1).limit(6).take_all()
    assert [row["index"] for row in rows] == list(range(6))


def test_a_task_that_is_killed_runs_again_with_the_same_bits(
    served: Served, expected: Dict[int, Any], tmp_path: pathlib.Path
) -> None:
    killed = tmp_path / "killed"

    def die_once(batch: Dict[str, Any]) -> Dict[str, Any]:
        import os
        import signal

        if int(batch["index"][0]) % 3 == 1:
            try:
                os.close(os.open(killed, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return batch
            os.kill(os.getpid(), signal.SIGKILL)
        return batch

    # In the same process as the read: Ray fuses both.
    rows: List[Dict[str, Any]] = read(served).map_batches(die_once, batch_size=4).take_all()
    assert killed.exists()
    check(rows, expected)


def test_what_cannot_be_is_refused_before_anything_runs(served: Served) -> None:
    for keywords, says in [({"epoch": -1}, "epoch=-1"), ({"fields": ["picture"]}, "picture"), ({"on_error": 1}, "on_")]:
        with pytest.raises((TypeError, ValueError), match=says):
            source(served, **keywords)


def test_the_example_labels_every_photo_once(served: Served, tmp_path: pathlib.Path) -> None:
    model = tmp_path / "classifier.onnx"
    run(BIN / "testdata", "extractor", "--out", model)
    recipe = model.with_suffix(".toml")
    words = [served.address, "--model", model, "--recipe", recipe, "--out", tmp_path / "labels"]
    lines = example("relabel_ray.py", *words)
    table = parquet.read_table(tmp_path / "labels").to_pylist()
    keys = {text_of(sample["key"]) for sample in streamed(served, 0).values()}
    assert len(table) == served.samples and {row["key"] for row in table} == keys
    assert lines[-1].startswith(f"{served.samples} photos labelled")
    # The labels of where the model runs here, on what IterableDataset gives.
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(model))
    fields = ("image", "key")
    data = headwater.IterableDataset(served.address, "photos", str(recipe), fields=fields, output="numpy")
    for image, key in data:
        [scores] = session.run(None, {session.get_inputs()[0].name: image[None]})[:1]
        [row] = [row for row in table if row["key"] == text_of(key)]
        assert row["label"] == int(scores[0].argmax()) and abs(row["score"] - float(scores[0].max())) < 1e-4
