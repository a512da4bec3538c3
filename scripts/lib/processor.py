"""What benchmarks ask of the kernel."""

import os
import pathlib


def processor_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
