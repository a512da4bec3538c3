"""Prints a block of README.md as it is written there: readme.py LANGUAGE BEGINNING. The first block of the language
whose first command or line begins so."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/docs"))

from blocks import blocks, commands  # noqa: E402


def main(language: str, beginning: str) -> None:
    for block in blocks(ROOT / "README.md"):
        text = "\n".join(command.text for command in commands(block)) if language == "console" else block.text
        if block.language == language and text.startswith(beginning):
            print(text)
            return
    sys.exit(f"error: README.md has no block of {language} that begins with {beginning}")


if __name__ == "__main__":
    main(*sys.argv[1:])
