"""A rank is what holds when a pass begins, wherever trainers say it; and ranks take as many steps, or are told before
the first."""

import logging
import pickle
from typing import Any, Dict, List, Tuple

import headwater
import pytest
from conftest import PHOTOS
from headwater import ranks
from headwater.ranks import Place

SLURM = {"SLURM_PROCID": "1", "SLURM_NTASKS": "2"}


@pytest.fixture(autouse=True)
def alone(monkeypatch: Any) -> None:
    names = [name for launcher in ranks.LAUNCHERS for name in launcher[1:]]
    for name in [*names, "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "LOCAL_WORLD_SIZE", "SLURM_STEP_ID"]:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "variables, found",
    [
        ({}, (0, 1)),
        ({"RANK": "1", "WORLD_SIZE": "3"}, (1, 3)),
        ({**SLURM, "RANK": "2", "WORLD_SIZE": "3"}, (2, 3)),
        (SLURM, (1, 2)),
        # Under srun a step may have other tasks than its job.
        ({**SLURM, "SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_ID": "0"}, (1, 2)),
        ({"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "4"}, (3, 4)),
        ({"PMI_RANK": "0", "PMI_SIZE": "2"}, (0, 2)),
        ({"MV2_COMM_WORLD_RANK": "1", "MV2_COMM_WORLD_SIZE": "2"}, (1, 2)),
        # Lightning's subprocesses, before their process group is there.
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "2", "NODE_RANK": "0"}, (1, 2)),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "4", "NODE_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, (3, 4)),
        ({"WORLD_SIZE": "2"}, (0, 1)),
    ],
)
def test_ranks_are_what_a_launcher_has_set(monkeypatch: Any, variables: Dict[str, str], found: Tuple[int, int]) -> None:
    place = Place()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert place.resolve() == found


@pytest.mark.parametrize(
    "variables, word",
    [
        ({"RANK": "two", "WORLD_SIZE": "3"}, "RANK='two'"),
        ({"RANK": "3", "WORLD_SIZE": "3"}, "rank 3 of 3"),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "4", "NODE_RANK": "1"}, "set RANK"),
    ],
)
def test_variables_that_cannot_be_are_named(monkeypatch: Any, variables: Dict[str, str], word: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(headwater.HeadwaterError, match=word):
        Place().resolve()


def test_a_rank_outside_srun_is_warned_of(monkeypatch: Any, caplog: Any) -> None:
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ranks, "_WARNED", set())
    with caplog.at_level(logging.WARNING, "headwater"):
        assert Place().resolve() == Place().resolve() == (1, 2)
    assert [record.getMessage() for record in caplog.records] == [
        "rank 1 of 2 is taken from SLURM_PROCID and SLURM_NTASKS: start the script with srun, or, if it runs alone, "
        "give rank=0, world=1"
    ]


def test_the_process_group_is_believed_before_all_and_contradicted_by_none(monkeypatch: Any) -> None:
    monkeypatch.setattr(ranks, "_group", lambda: (1, 4))
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert Place().resolve() == (1, 4)
    for good in ((1, 4), (0, 1), (0, 2), (1, 2)):
        assert Place(*good).resolve() == good
    for wrong in ((0, 4), (1, 8), (1, 3)):
        with pytest.raises(headwater.HeadwaterError, match="torch.distributed says that this process is rank 1 of 4"):
            Place(*wrong).resolve()
    for half in ((1, None), (None, 2)):
        with pytest.raises(ValueError, match="together"):
            Place(*half)


def test_a_rank_that_is_told_to_a_worker_is_no_rank_elsewhere(monkeypatch: Any) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    place = pickle.loads(pickle.dumps(Place()))
    monkeypatch.delenv("RANK")
    assert place.resolve() == (0, 1)
    monkeypatch.setattr(ranks, "worker_of", lambda: (0, 2))
    assert place.resolve() == (1, 2)


def dataset(address: str, **more: Any) -> headwater.IterableDataset:
    return headwater.IterableDataset(address, "photos", "imagenet-train", cut="cropped", fields=("index",), **more)


def test_a_dataset_that_was_made_before_its_ranks_is_divided_among_them(address: str, monkeypatch: Any) -> None:
    data, shards = dataset(address, batch_size=4), headwater.ShardSampler(PHOTOS)
    chosen = headwater.ImportanceSampler(PHOTOS)
    assert (len(data), len(shards), len(chosen)) == (7, PHOTOS, PHOTOS)
    monkeypatch.setenv("WORLD_SIZE", "2")
    seen: List[int] = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        assert (len(data), len(shards), len(chosen), len(list(shards)), len(list(chosen))) == (4, 13, 13, 13, 13)
        data.set_epoch(0)
        batches = [indices.tolist() for indices in data]
        assert len(batches) == 4
        seen += [index for batch in batches for index in batch]
    assert sorted(seen) == list(range(PHOTOS))


@pytest.mark.parametrize(
    "settings, word",
    [
        ({}, "give batch_size= to the dataset"),
        ({"indices": list(range(24)), "on_error": "skip"}, 'on_error="skip" leaves samples out'),
        ({"indices": [1, 2, 3]}, "fewer than the 4 ranks"),
        ({"indices": [1, 2, 3], "batch_size": 8}, "fewer than the 4 ranks"),
    ],
)
def test_ranks_that_would_not_take_as_many_steps_are_refused(address: str, settings: Dict[str, Any], word: str) -> None:
    with pytest.raises(headwater.HeadwaterError, match=word):
        iter(dataset(address, rank=0, world=4, **settings))


def test_single_samples_are_as_many_for_each_rank(address: str) -> None:
    for settings in ({"indices": list(range(24))}, {"drop_last": True}):
        given = [list(dataset(address, rank=rank, world=4, **settings)) for rank in range(4)]
        assert [len(samples) for samples in given] == [6] * 4
        assert len({index for samples in given for index in samples}) == 24


def test_what_a_resume_leaves_too_few_of_is_left_out_and_said(address: str, caplog: Any) -> None:
    data = dataset(address, batch_size=4)
    state = data.state_dict(steps=0)
    for _ in zip(range(6), data):
        state = data.state_dict()
    for rank in range(4):
        moved = dataset(address, batch_size=4, rank=rank, world=4)
        moved.load_state_dict(state)
        assert list(moved) == [] and "the last 2 samples of epoch 0 are left out" in caplog.text
        assert len(list(moved)) == len(moved) == 2
