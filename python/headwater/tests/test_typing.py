"""mypy --strict passes on a user's script, and finds his errors."""

import pathlib
import subprocess
import sys

SCRIPT = """
from typing import Optional

import headwater
import numpy as np


def train(servers: str) -> float:
    recipe: headwater.Recipe = headwater.Recipe.builtin("imagenet-train")
    data = headwater.IterableDataset(servers, "photos", recipe, cut="jpeg-crop", batch_size=32, on_error="skip")
    sampler = headwater.ImportanceSampler(data.num_samples, beta=1.5)
    shards = headwater.ShardSampler(data.num_samples, mode="node", places=2, rank=0, world=4)
    total = 0.0
    for epoch in range(2):
        data.set_epoch(epoch)
        sampler.set_epoch(epoch)
        for images, labels in data:
            total += float(images.mean())
            sampler.update(np.arange(32), np.ones(32))
    auto = headwater.MapDataset(servers, "photos", recipe, plan="auto", limit_bandwidth="1Gbps")
    plan: Optional[headwater.PlanSummary] = auto.plan
    if plan is not None:
        total += plan.seconds + plan.ways["encoded"]
    state = data.state_dict(steps=3)
    data.load_state_dict(headwater.merge_states([state]))
    counters: dict[str, int] = data.counters()
    (left, top, width, height), flip = recipe.framing(640, 480, "a.jpg", seed=1)
    try:
        headwater.MapDataset(servers, "photos", recipe)[0]
    except headwater.SampleError as error:
        print(error.kind, error.key)
    return total + len(shards) + counters["skipped"] + left
"""


def mypy(text: str, folder: pathlib.Path) -> subprocess.CompletedProcess:
    file = folder / "user.py"
    file.write_text(text)
    return subprocess.run([sys.executable, "-m", "mypy", "--strict", str(file)], cwd=folder, stdout=subprocess.PIPE, text=True)


def test_a_users_script_is_checked(tmp_path: pathlib.Path) -> None:
    good = mypy(SCRIPT, tmp_path)
    assert good.returncode == 0, good.stdout
    bad = mypy(SCRIPT.replace("batch_size=32", 'batch_size="32"'), tmp_path)
    assert bad.returncode == 1 and "batch_size" in bad.stdout
