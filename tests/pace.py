"""What lets thousands of tests, and the gateways in them, go their way without standing still."""

import gc
import os
import tempfile
from pathlib import Path

# Linux keeps it in memory.
_MEMORY = Path("/dev/shm")
# All tests together take a fifth of it. Containers have 64 MiB, unless they ask for more.
_NEEDED_BYTES = 2 * 2**30

_YOUNG_OBJECTS = 20_000
# Full collections are left to `collect_between`; a number that is not reached within a test.
_NEVER = 1_000
_YOUNG_COLLECTIONS = 30


def use_fast_folder() -> None:
    """Temporary files, databases among them, lie in memory where there is enough of it: waiting for a disk would be a
    third of the time of all tests of writes. Whoever sets TMPDIR has chosen."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    room = os.statvfs(_MEMORY)
    if room.f_bavail * room.f_frsize >= _NEEDED_BYTES:
        # Processes that are started learn it from the environment.
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def hold_collector_back() -> None:
    """Thousands of tests stand in memory until the end, and each full garbage collection would walk through them all:
    up to a second in which no gateway answers, and in which time-outs pass."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _NEVER, _NEVER)


def collect_between() -> None:
    """Between two tests, when enough has come together."""
    if gc.get_count()[1] >= _YOUNG_COLLECTIONS:
        gc.collect()
