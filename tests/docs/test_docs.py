"""Every block of README.md and docs/ runs as it is written, in order, or says why it is not run: documents cannot rot.

scripts/test sets HEADWATER_BIN and HEADWATER_WHEEL: what it has built is used, where a reader builds.
"""

import importlib.util
import os
import pathlib
from typing import Dict, Iterator, List

import pytest
from blocks import Block, blocks, commands
from stage import ROOT, Stage

README = ROOT / "README.md"
TRAINERS, ENGINES = ROOT / "docs/trainers.md", ROOT / "docs/engines.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "python/headwater/README.md"]

HAS_TRAINERS = importlib.util.find_spec("lightning") is not None
needs_trainers = pytest.mark.skipif(not HAS_TRAINERS, reason="scripts/test --trainers has Lightning and its like")
needs_wheel = pytest.mark.skipif("HEADWATER_WHEEL" not in os.environ, reason="scripts/test builds the wheel")


class Play:
    """A document on its stage: runs its blocks, and keeps what each printed, by the block's first line."""

    def __init__(self, document: pathlib.Path, stage: Stage) -> None:
        self.document, self.stage = document, stage
        self.printed: Dict[int, str] = {}

    def run(self, all_blocks: List[Block]) -> None:
        scene: List[Block] = []
        for block in [*(block for block in all_blocks if block.reason is None), None]:
            if block is not None and block.file is not None:
                self.stage.file(block.file, block.text)
                continue
            # Blocks of Python that follow each other are one program.
            if scene and (block is None or block.language != "python"):
                self._python(scene)
                scene = []
            if block is not None and block.language == "python":
                scene.append(block)
            elif block is not None:
                self._console(block)

    def _console(self, block: Block) -> None:
        for command in commands(block):
            try:
                self.printed[command.line] = self.stage.command(command.text)
            except Exception as error:
                raise AssertionError(f"{self.document}:{command.line}: {command.text}\n{error}") from error

    def _python(self, scene: List[Block]) -> None:
        lines = [""] * (scene[-1].line + len(scene[-1].lines))
        for block in scene:
            # Line for line as in the document, so that a traceback names its lines.
            lines[block.line - 1 : block.line - 1 + len(block.lines)] = block.lines
        try:
            self.printed[scene[0].line] = self.stage.python("\n".join(lines))
        except Exception as error:
            raise AssertionError(f"{self.document}:{scene[0].line}: {error}") from error


def runs(document: pathlib.Path) -> bool:
    return any(block.reason is None for block in blocks(document))


@pytest.fixture()
def stage(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Stage]:
    stage = Stage(tmp_path, installed=request.param)
    yield stage
    stage.close()


def short(document: pathlib.Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=short)
def test_blocks_have_commands_or_a_reason(document: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = blocks(document)
    for block in found:
        assert block.language != "console" or commands(block), f"{document}:{block.line}: no line begins with `$ `"
        cut_short = block.reason is None and any(" ... " in command.text for command in commands(block))
        assert not cut_short, f"{document}:{block.line}: write the command out"
    left_out = [block for block in found if block.reason is not None]
    if found:
        with capsys.disabled():
            print(f"\n{short(document)}: {len(found) - len(left_out)} blocks are run, {len(left_out)} are not")
            for block in left_out:
                print(f"  line {block.line}: {block.reason}")


@needs_wheel
@pytest.mark.parametrize("stage", [False], indirect=True)
def test_the_readme_leads_from_a_clone_to_a_batch_and_to_a_trained_head(stage: Stage) -> None:
    play = Play(README, stage)
    play.run(blocks(README))
    printed = "".join(play.printed.values())
    # The quick start in an environment without PyTorch, and in one with.
    assert "(32, 3, 224, 224) float32" in printed
    assert "torch.Size([32, 3, 224, 224]) torch.float32" in printed
    for made in ("try/head.onnx", "try/classifier.onnx", "head.onnx", "classifier.onnx", "features", "report.html"):
        assert (stage.clone / made).exists(), made
    assert (stage.home / ".local/bin/storage-server").exists()


@needs_wheel
@pytest.mark.parametrize("stage", [True], indirect=True)
@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if d not in (README, TRAINERS, ENGINES) and runs(d)], ids=short
)
def test_documents_run_as_they_are_written(document: pathlib.Path, stage: Stage) -> None:
    if "node1:7440" in document.read_text():
        stage.start_nodes()
    Play(document, stage).run(blocks(document))


@needs_wheel
@needs_trainers
@pytest.mark.parametrize("stage", [True], indirect=True)
def test_the_trainers_run_as_they_are_written(stage: Stage) -> None:
    stage.start_nodes()
    stage.bring_trainers()
    Play(TRAINERS, stage).run(blocks(TRAINERS))
    for made in ("last.pt", "loader.pt", "checkpoints/last.ckpt", "accelerate.pt", "trained"):
        assert (stage.clone / made).exists(), made


@needs_wheel
@needs_trainers
@pytest.mark.parametrize("stage", [True], indirect=True)
def test_the_engines_run_as_they_are_written(stage: Stage) -> None:
    stage.start_nodes()
    stage.bring_trainers()
    play = Play(ENGINES, stage)
    play.run(blocks(ENGINES))
    printed = "".join(play.printed.values())
    # Both nodes have 60 photos.
    assert printed.count("120 photos") == 2 and "15 batches an epoch" in printed, printed
