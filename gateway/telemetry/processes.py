"""The metrics of several processes as one: each writes its own numbers to files, whoever is asked reads all of them.

Source: https://prometheus.github.io/client_python/multiprocess/
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_metrics() -> Iterator[str]:
    """The folder of the files. Enter it before any metric is made: the library decides when it is first imported."""
    with tempfile.TemporaryDirectory(prefix="contact-gateway-metrics-") as folder:
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = folder
        try:
            yield folder
        finally:
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before


def told_registry(own: "CollectorRegistry") -> "CollectorRegistry":
    """The one to answer from: what this process counts, or what all that share a folder count."""
    folder = os.environ.get(_VARIABLE)
    if folder is None:
        return own
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    told = CollectorRegistry()
    MultiProcessCollector(told, folder)  # type: ignore[no-untyped-call]  # theirs
    return told


def forget_process(folder: str, pid: int) -> None:
    """What says how things are just now goes with the process; what was counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]  # theirs
