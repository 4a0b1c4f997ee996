"""Statements that are sent again and again: built once, and for SQLite turned into text once.

SQLAlchemy takes ten times as long for a short statement as SQLite does, so there it goes to the driver as it is.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

Parameters = Mapping[str, Any]


class Statement:
    """One that changes rows. `sets` are the columns that take the parameter of their own name; what is the same every
    time stands in its text.

    Parameters are texts, whole numbers (a boolean is 0 or 1) and None, which SQLite and PostgreSQL take alike: for
    anything but texts and numbers sqlite3 looks for an adapter each time.
    """

    def __init__(self, statement: Insert | Update | Delete, sets: Sequence[str] = ()) -> None:
        self._statement = statement
        self._sets = sets

    def run(self, connection: Connection, parameters: Parameters) -> int:
        """How many rows it changed.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: when the database fails, whichever way it was asked.
        """
        driver = sqlite_driver(connection)
        if driver is None:
            return int(connection.execute(self._statement, dict(parameters)).rowcount)
        text, in_order = self._in_sqlite
        try:
            return driver.execute(text, in_order(parameters)).rowcount
        except sqlite3.Error as error:
            raise translated(error) from error

    def run_each(self, connection: Connection, parameters: Sequence[Parameters]) -> None:
        """Once for each of them. Raises as `run` does."""
        if not parameters:
            return
        driver = sqlite_driver(connection)
        if driver is None:
            connection.execute(self._statement, [dict(one) for one in parameters])
            return
        text, in_order = self._in_sqlite
        try:
            driver.executemany(text, map(in_order, parameters))
        except sqlite3.Error as error:
            raise translated(error) from error

    @cached_property
    def _in_sqlite(self) -> tuple[str, Callable[[Parameters], Sequence[Any]]]:
        """Its text, and what puts the parameters into their places: by their names sqlite3 takes half as long again."""
        compiled = self._statement.compile(dialect=sqlite.dialect(), column_keys=list(self._sets))
        constants = [name for name, value in compiled.params.items() if value is not None and name not in self._sets]
        assert not constants, f"to be written into the text: {constants}"
        names = compiled.positiontup or []
        return str(compiled), itemgetter(*names) if len(names) > 1 else lambda given: [given[name] for name in names]


def sqlite_driver(connection: Connection) -> sqlite3.Connection | None:
    """The driver's own connection; None for another database."""
    driver = connection.connection.dbapi_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


def translated(error: sqlite3.Error) -> BaseException:
    """As SQLAlchemy would have raised it, but without the parameters."""
    return DBAPIError.instance(None, None, error, sqlite3.Error)
