"""The blocks of code in a Markdown file, and why some of them are not run.

A block of Python or of a console is run, unless an HTML comment stands directly above it: `<!-- not run: REASON -->`.
Below `<!-- file: NAME -->` a block is that file, which commands behind it run.
"""

import dataclasses
import pathlib
import re
from typing import List, Optional

# What a block may be. What is not run is shown: lines of a patch, of a file, of a drawing.
RUN = ("console", "python")
SHOWN = ("diff", "text", "toml")

FENCE = re.compile(r"```(\S*)$")
FILE = re.compile(r"<!-- file: (\S+) -->$")
NOT_RUN = re.compile(r"<!-- not run: (.+) -->$")


@dataclasses.dataclass(frozen=True)
class Block:
    """Code between fences."""

    language: str
    # The number of its first line in the file, from 1.
    line: int
    lines: List[str]
    # Why it is not run; None where it is.
    reason: Optional[str]
    # The file that it is; None where it is run as it stands.
    file: Optional[str] = None

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@dataclasses.dataclass(frozen=True)
class Command:
    """What follows one `$ ` of a console, with the lines that it goes on in."""

    line: int
    text: str


def blocks(file: pathlib.Path) -> List[Block]:
    """Every block that is run or could be. A language that is neither run nor shown is an error: nobody would know."""
    found, above, inside = [], "", None
    for number, line in enumerate(file.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if inside is not None:
            if line == "```":
                found.append(inside)
                inside = None
            else:
                inside.lines.append(line)
        elif fence is not None:
            reason, file = NOT_RUN.match(above), FILE.match(above)
            if fence[1] not in RUN + SHOWN:
                raise ValueError(
                    f"{file}:{number}: a block of {fence[1] or 'nothing'} is neither run nor shown: {RUN + SHOWN}"
                )
            inside = Block(fence[1], number + 1, [], reason[1] if reason else None, file[1] if file else None)
        above = line if line.strip() else above
    return [block for block in found if block.language in RUN]


def commands(block: Block) -> List[Command]:
    """A console's commands; other lines are what they print."""
    found: List[Command] = []
    open_line = False
    for number, line in enumerate(block.lines, block.line):
        if line.startswith("$ "):
            found.append(Command(number, line[2:]))
        elif open_line:
            found[-1] = Command(found[-1].line, f"{found[-1].text}\n{line}")
        else:
            continue
        open_line = line.endswith("\\")
    return found
