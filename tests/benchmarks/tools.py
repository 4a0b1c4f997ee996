"""What has to be on the machine, and what to do about what is not."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

# Program and what installs it on Debian; nginx stands where only root looks by itself.
NEEDED = {"wrk": "wrk", "nginx": "nginx-light", "taskset": "util-linux"}
LEAST_CORES = 2


def find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


def complaints(modules: Path | None) -> list[str]:
    """One sentence for each thing that is missing; `modules` is where the peers' packages should be."""
    said = []
    if sys.platform != "linux":
        said.append("This needs Linux: it reads /proc and pins processes to cores.")
    elif len(os.sched_getaffinity(0)) < LEAST_CORES:
        said.append("This needs two cores: one for the server, one for upstream and load.")
    missing = [package for program, package in NEEDED.items() if find(program) is None]
    if missing:
        said.append(f"Not installed: {', '.join(missing)}. On Debian: apt-get install {' '.join(missing)}")
    if modules is not None and not modules.is_dir():
        said.append("The peers are not installed: run make bench, or give --peers none.")
    return said


if __name__ == "__main__":
    sys.exit("\n".join(complaints(None)) or 0)
