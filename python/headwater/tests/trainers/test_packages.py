"""The trainers and the engines are those that are pinned, and not others that some environment happens to have."""

import importlib.metadata
import pathlib

SCRIPTS = pathlib.Path(__file__).resolve().parents[4] / "scripts"
FILES = ["requirements-trainers.txt", "requirements-engines.txt"]


def test_the_trainers_and_engines_are_those_that_are_pinned() -> None:
    lines = [line for name in FILES for line in (SCRIPTS / name).read_text().splitlines()]
    # Extras are behind a package's name, in brackets.
    pins = {
        name.partition("[")[0]: version
        for name, version in (line.split("==") for line in lines if line and not line.startswith("#"))
    }
    assert {"torch", "lightning", "accelerate", "transformers", "torchdata", "timm"} <= set(pins)
    assert {"ray", "daft", "tensorflow-cpu", "jax", "grain", "datasets"} <= set(pins)
    # Builds of a version, as torch's for CUDA, are told behind a plus.
    assert {name: importlib.metadata.version(name).split("+")[0] for name in pins} == pins
