"""The trainers are those that are pinned, and not others that some environment happens to have."""

import importlib.metadata
import pathlib

PINNED = pathlib.Path(__file__).resolve().parents[4] / "scripts/requirements-trainers.txt"


def test_the_trainers_are_those_that_are_pinned() -> None:
    lines = [line for line in PINNED.read_text().splitlines() if line and not line.startswith("#")]
    pins = dict(line.split("==") for line in lines)
    assert {"torch", "lightning", "accelerate", "transformers", "torchdata", "timm"} <= set(pins)
    # Builds of a version, as torch's for CUDA, are told behind a plus.
    assert {name: importlib.metadata.version(name).split("+")[0] for name in pins} == pins
