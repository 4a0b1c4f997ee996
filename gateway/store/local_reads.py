"""Look-ups in an SQLite file, in the event loop's own thread.

A look-up by key takes some ten microseconds there. In another thread it takes two hops, each of which waits for the
interpreter's lock: milliseconds, just when the loop is busy.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[tuple[Any, ...]]


class LocalReads:
    """For a file that is there, and the thread that asks first. Each query sees what has been written before it."""

    def __init__(self, file: str) -> None:
        self._uri = f"{Path(file).absolute().as_uri()}?mode=ro"
        self._connection: sqlite3.Connection | None = None

    def rows(self, query: str, parameters: Sequence[str]) -> Rows | None:
        """None where the file cannot be read at this moment: nobody waits for it here."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._uri, uri=True, timeout=0, isolation_level=None)
            # All of them at once: a reader that stops half way keeps what was erased in the write-ahead log.
            return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error:
            self.close()
            return None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
