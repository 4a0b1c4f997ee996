"""Who works on an operation: a name for this process from which others on the machine can tell whether it lives.

After a kill -9 its work can be taken over at once where that is certain, and when its lease is over elsewhere.
"""

import os
import re
from pathlib import Path
from uuid import uuid4

_PID = re.compile(r"[1-9][0-9]{0,8}")


def new_owner() -> str:
    """Machine, process-id namespace, process id, start time, and something that is this gateway's own."""
    return "/".join((*_process(os.getpid()), uuid4().hex))


def is_surely_gone(owner: str) -> bool:
    """Whether the process behind a name is known to have ended; False where nobody here can tell.

    The machine's boot id and the namespace make sure that the process id means the same here as there, the
    start time that it was not given out again.
    """
    named = owner.split("/")[:-1]
    here = _process(os.getpid())
    if len(named) != 4 or "" in (*named, *here) or named[:2] != here[:2] or not _PID.fullmatch(named[2]):
        return False
    try:
        os.kill(int(named[2]), 0)
    except ProcessLookupError:
        return True
    except OSError:
        # It is there, but somebody else's.
        return False
    return named != _process(int(named[2]))


def _process(pid: int) -> list[str]:
    """Empty texts for what the system does not tell. Source: proc(5)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ["", "", str(pid), ""]
    try:
        # The name of a program stands in brackets and may hold anything, a bracket too.
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        started = "" if state in ("Z", "X") else rest[18]
    except (OSError, ValueError, IndexError):
        started = ""
    return [boot, namespace, str(pid), started]
