"""PostgreSQL behind a pool of connections; a transaction runs in a greenlet, which waits without keeping a thread."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from sqlalchemy import URL, Connection, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

T = TypeVar("T")

_CONNECT_TIMEOUT_SECONDS = 5
# Any number does, as long as every gateway takes the same one.
_SERIAL_LOCK = 7_019_244_835_110_926


class PostgresqlPool:
    dialect = "postgresql"
    in_order = False

    def __init__(self, engine: AsyncEngine) -> None:
        self._writers = engine
        # What takes several queries to read would else be torn by a write between two of them.
        self._readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._turn = asyncio.Lock()

    async def read(self, work: Callable[[Connection], T]) -> T:
        async with self._readers.connect() as connection:
            return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], T], *, serial: bool) -> T:
        async with self._turn if serial else nullcontext(), self._writers.begin() as connection:
            if serial:
                # In this process whoever came first is first, and those who wait hold no connection: waiters for this
                # lock would use up the pool.
                await connection.execute(select(func.pg_advisory_xact_lock(_SERIAL_LOCK)))
            return await connection.run_sync(work)

    async def wipe(self) -> bool:
        """The server does so by itself."""
        return True

    async def aclose(self) -> None:
        await self._writers.dispose()


def postgresql_pool(url: URL) -> PostgresqlPool:
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_TIMEOUT_SECONDS}
    engine = create_async_engine(
        url,
        connect_args=timeout,
        # Whatever the server's default is: `serial` needs each query to see what was written before it.
        isolation_level="READ COMMITTED",
        pool_size=10,
        max_overflow=20,
        pool_pre_ping=True,
    )
    return PostgresqlPool(engine)
