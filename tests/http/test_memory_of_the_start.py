"""What the start has made is out of the garbage collector's way before the first request."""

from __future__ import annotations

import subprocess
import sys

from gateway.http.server import COLLECTED_OBJECTS

SERVE = """
import gc, os, signal, socket
from starlette.applications import Starlette
from gateway.http.server import run, serve_app
from gateway.http.settings import HttpSettings

def say_where():
    print(gc.get_freeze_count(), len(gc.get_objects()), gc.get_threshold()[0], gc.isenabled())
    os.kill(os.getpid(), signal.SIGTERM)

run(serve_app(Starlette(), HttpSettings.model_construct(), socket.create_server(("127.0.0.1", 0)), say_where))
"""


def test_no_collection_walks_through_what_was_there_at_the_start() -> None:
    ended = subprocess.run([sys.executable, "-c", SERVE], capture_output=True, text=True, timeout=60, check=True)
    frozen, left, threshold, enabled = ended.stdout.split()
    assert int(frozen) > 10_000
    assert int(left) < int(frozen) / 10
    assert (int(threshold), enabled) == (COLLECTED_OBJECTS, "True")
