"""While plan="auto" measures, tqdm shows how far it is, where it is installed and somebody looks."""

import logging
import sys

import headwater
import pytest

pytest.importorskip("tqdm", reason="tqdm is not installed: scripts/test --trainers has it")


class Terminal:
    """Somebody who looks."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def test_measuring_is_a_bar_on_a_terminal(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with caplog.at_level(logging.INFO, "headwater"):
        headwater.MapDataset(address, "photos", "imagenet-train", plan="auto", profile_seconds=5)
    assert (
        "measuring photos" in terminal.text
        and "piece" in terminal.text
        and "measuring photos: this takes" not in caplog.text
    )
