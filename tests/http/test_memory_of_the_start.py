"""What the start has made is out of the garbage collector's way before the first request."""

from __future__ import annotations

import subprocess
import sys

SERVE = """
import gc, os, signal, socket
from starlette.applications import Starlette
from gateway.http.server import run, serve_app
from gateway.http.settings import HttpSettings

def say_where():
    print(gc.get_freeze_count(), len(gc.get_objects()))
    os.kill(os.getpid(), signal.SIGTERM)

run(serve_app(Starlette(), HttpSettings.model_construct(), socket.create_server(("127.0.0.1", 0)), say_where))
"""


def test_no_collection_walks_through_what_was_there_at_the_start() -> None:
    ended = subprocess.run([sys.executable, "-c", SERVE], capture_output=True, text=True, timeout=60, check=True)
    frozen, left = map(int, ended.stdout.split())
    assert frozen > 10_000
    assert left < frozen / 10
