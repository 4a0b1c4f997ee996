"""Statements that are sent again and again: built once, and for SQLite turned into text once.

SQLAlchemy takes ten times as long for a short statement as SQLite does, so there it goes to the driver as it is.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

Parameters = Mapping[str, Any]


class Statement:
    """One that changes rows. `sets` are the columns that take the parameter of their own name.

    Parameters are texts, whole numbers, booleans and None, which SQLite and PostgreSQL take alike.
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
        text, constants = self._in_sqlite
        try:
            return driver.execute(text, {**constants, **parameters}).rowcount
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
        text, constants = self._in_sqlite
        try:
            driver.executemany(text, [{**constants, **one} for one in parameters])
        except sqlite3.Error as error:
            raise translated(error) from error

    @cached_property
    def _in_sqlite(self) -> tuple[str, dict[str, Any]]:
        """Its text, and the values that it always has."""
        compiled = self._statement.compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=list(self._sets))
        given = {name for name, value in compiled.params.items() if value is None}.union(self._sets)
        return str(compiled), {name: value for name, value in compiled.params.items() if name not in given}


def sqlite_driver(connection: Connection) -> sqlite3.Connection | None:
    """The driver's own connection; None for another database."""
    driver = connection.connection.dbapi_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


def translated(error: sqlite3.Error) -> BaseException:
    """As SQLAlchemy would have raised it, but without the parameters."""
    return DBAPIError.instance(None, None, error, sqlite3.Error)
