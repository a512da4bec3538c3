"""Batches come from workers where /dev/shm is as small as a container's; what cannot come is an error in the trainer,
and no wait."""

import os
import shutil
import subprocess
import sys
from typing import Any, List, Tuple

import pytest
from conftest import PHOTOS

#: Less than one sample: 3 * 224 * 224 * 4 bytes.
SMALL = "256k"
BATCH = 13
SAMPLE = 3 * 224 * 224 * 4

PROGRAM = """
import os, signal, sys
import headwater, torch
import headwater.handover
from torch.utils.data import DataLoader

address, way, trouble = sys.argv[1:]
if trouble == "file_system":
    torch.multiprocessing.set_sharing_strategy("file_system")
if trouble == "no memfd":
    headwater.handover._can_create = lambda: False
if trouble == "no descriptors":
    def create():
        raise OSError(24, "Too many open files")
    headwater.handover._can_create, headwater.handover._create = lambda: True, create

def die(image):
    os.kill(os.getpid(), signal.SIGKILL)

def channels_last(image):
    return image.permute(1, 2, 0)

def stack(samples):
    return torch.stack([image for image, _ in samples]), torch.tensor([label for _, label in samples])

batched = way in ("batches", "transformed")
kind = headwater.IterableDataset if batched or way in ("samples", "one by one") else headwater.MapDataset
transform = die if trouble == "death" else channels_last if way in ("transformed", "strided") else None
more = {"batch_size": 13} if batched else {} if kind is headwater.IterableDataset else {"deterministic": True}
dataset = kind(address, "photos", "imagenet-train", transform=transform, **more)
size = None if batched or way == "one by one" else 13
loader = DataLoader(dataset, size, num_workers=2, collate_fn=stack if way == "collated" else None)
count, total = 0, 0.0
for images, labels in loader:
    assert images.is_shared()
    count += 1 if size is None and not batched else len(labels)
    total += float(images.double().sum())
# The next pass would be of the next epoch.
dataset.set_epoch(0)
alone = sum(float(images.double().sum()) for images, _ in DataLoader(dataset, size))
assert abs(total - alone) < 1e-6 * max(1.0, abs(alone)), (total, alone)
print(count)
"""

WAYS = ["batches", "transformed", "samples", "one by one", "mapped", "strided", "collated"]


def small_shm() -> Tuple[List[str], str]:
    """Words before a command that give it a small /dev/shm; or why there are none."""
    unshare = shutil.which("unshare")
    if unshare is None or shutil.which("mount") is None:
        return [], "there is no unshare or mount here"
    mount = f'mount -t tmpfs -o size={SMALL} tmpfs /dev/shm && exec "$@"'
    why = ""
    for how in (["-m"], ["-rm"]):
        words = [unshare, *how, "sh", "-c", mount, "sh"]
        tried = subprocess.run(
            [*words, "true"], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if tried.returncode == 0:
            return words, ""
        why = tried.stdout.strip()
    return [], f"no mount namespace here: {why}"


def trial(address: str, way: str, trouble: str = "none") -> "subprocess.CompletedProcess[str]":
    words, why = small_shm()
    if why:
        pytest.skip(f"a small /dev/shm needs a mount namespace: {why}")
    return subprocess.run(
        [*words, sys.executable, "-c", PROGRAM, address, way, trouble],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
        env=dict(os.environ),
    )


@pytest.mark.parametrize("way", WAYS)
def test_batches_need_no_dev_shm(address: str, way: str) -> None:
    done = trial(address, way)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == PHOTOS


@pytest.mark.parametrize("trouble", ["no memfd", "file_system"])
@pytest.mark.parametrize("way", ["batches", "one by one", "mapped", "collated"])
def test_where_only_dev_shm_is_left_its_size_is_the_error(address: str, way: str, trouble: str) -> None:
    done = trial(address, way, trouble)
    assert done.returncode != 0, done.stdout
    said = done.stderr.strip().splitlines()[-1]
    assert "HeadwaterError" in done.stderr and "/dev/shm, which has " in said, done.stderr
    for word in ("bytes", "--shm-size", "--ipc=host", "emptyDir", "num_workers=0"):
        assert word in said, said
    if way in ("batches", "mapped", "collated"):
        assert f"{BATCH * SAMPLE} bytes" in said, said


@pytest.mark.parametrize("way", ["batches", "mapped", "one by one"])
def test_descriptors_that_are_used_up_are_an_error_in_the_trainer(address: str, way: str) -> None:
    done = trial(address, way, "no descriptors")
    assert done.returncode != 0, done.stdout
    assert "Too many open files" in done.stderr and "ulimit -n" in done.stderr, done.stderr


@pytest.mark.parametrize("way", ["batches", "mapped"])
def test_a_worker_that_dies_is_an_error_in_the_trainer(address: str, way: str) -> None:
    done = trial(address, way, "death")
    assert done.returncode != 0, done.stdout
    assert "DataLoader worker" in done.stderr and "killed by signal" in done.stderr, done.stderr


def test_a_worker_s_tensors_lie_in_memory_of_no_mount(address: str) -> None:
    import headwater
    import torch
    from torch.utils.data import DataLoader

    if sys.platform != "linux":
        pytest.skip("memfds are Linux's")
    dataset = headwater.IterableDataset(
        address, "photos", "imagenet-train", batch_size=8, fields=("image", "label", "index")
    )
    for batch in DataLoader(dataset, batch_size=None, num_workers=1):
        for tensor in batch:
            assert "/memfd:headwater" in mapping(tensor), mapping(tensor)
    assert torch.multiprocessing.get_sharing_strategy() == "file_descriptor"


def test_a_python_without_memfds_has_the_c_library_s(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from headwater import handover

    if sys.platform != "linux":
        pytest.skip("memfds are Linux's")
    monkeypatch.delattr(os, "memfd_create", raising=False)
    given = torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1)
    moved = handover._moved(given)
    assert "/memfd:headwater" in mapping(moved) and torch.equal(moved, given) and moved.stride() == given.stride()


def mapping(tensor: Any) -> str:
    """The line of this process's memory map that it lies in."""
    with open("/proc/self/maps", encoding="ascii") as maps:
        for line in maps:
            first, last = (int(end, 16) for end in line.split()[0].split("-"))
            if first <= tensor.data_ptr() < last:
                return line
    return ""
