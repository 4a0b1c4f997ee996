"""The connection to Redis: bounded in time and number, and whoever uses it goes on without while it is away."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any, TypeAlias

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.clock import Clocks
from gateway.resilience.redis_script import SCRIPT

MAX_CONNECTIONS = 16
CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 0.5
# Between two looks whether it is back.
RETURN_SECONDS = 3.0

log = structlog.get_logger(__name__)

TellAgain: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class WrongRedisUrl(Exception):
    """No client can be made of it. The text repeats nothing of the URL, which may hold a password."""


class RedisLink:
    """Shared by everything that counts in Redis; closed when the last one has left. It need not be there, now or ever.

    `returns` counts how often it came back: then whoever joined tells again what Redis may have missed.
    """

    def __init__(self, url: str, clocks: Clocks | None = None) -> None:
        """
        Raises:
            WrongRedisUrl
        """
        self._clocks = clocks or Clocks()
        self._client = _client(url)
        self._script = self._client.register_script(SCRIPT)
        self._users: list[TellAgain] = []
        self._away = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self.returns = 0

    def join(self, tell_again: TellAgain) -> None:
        self._users.append(tell_again)

    async def leave(self, tell_again: TellAgain) -> None:
        self._users.remove(tell_again)
        if not self._users:
            await self._aclose()

    async def run(self, keys: Sequence[str], arguments: Sequence[str | int]) -> list[int] | None:
        """The script's answer; None at once while Redis is away, and within a second when it goes."""
        if self._away:
            return None
        try:
            async with asyncio.timeout(CONNECT_SECONDS + ANSWER_SECONDS):
                answer: list[int] = await self._script(keys=list(keys), args=list(arguments))
        except (RedisError, OSError, TimeoutError) as error:
            self._lose(error)
            return None
        return answer

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something that nobody waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Waits for what nobody waited for, a moment at most."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=CONNECT_SECONDS + ANSWER_SECONDS)

    def _lose(self, error: Exception) -> None:
        if self._away:
            return
        self._away = True
        # The error's text may hold the address.
        log.warning("rate_budgets_not_shared", reason=type(error).__name__)
        # Without the context of the operation that happens to lose it: it must not live on in here.
        self._looking = asyncio.create_task(self._look(), context=Context())

    async def _look(self) -> None:
        while self._away:
            await self._clocks.sleep(RETURN_SECONDS)
            try:
                async with asyncio.timeout(CONNECT_SECONDS + ANSWER_SECONDS):
                    await self._client.ping()
            except (RedisError, OSError, TimeoutError):
                continue
            self.returns += 1
            self._away = False
            log.info("rate_budgets_shared_again")
            for tell_again in self._users:
                self.soon(tell_again())

    async def _aclose(self) -> None:
        await self.settled()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        await self._client.aclose()
        await self._client.connection_pool.aclose()


def _client(url: str) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=CONNECT_SECONDS + ANSWER_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            # The gateway's own count stands in at once.
            retry=Retry(NoBackoff(), 0),
        )
        # What stands behind a question mark is looked at here, not at the first call.
        pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py does not say that it returns a connection
    except (ValueError, TypeError, RedisError):
        raise WrongRedisUrl from None
    return Redis(connection_pool=pool)
