"""Work for a client that has gone away is broken off, so that nothing is asked of a provider for nobody."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

from gateway.http.refusal import RequestRefused

T = TypeVar("T")


async def while_there(receive: Receive, work: Awaitable[T]) -> T:
    """What the work comes to. The request's body has to have been read, or to be of no interest.

    Raises:
        RequestRefused: the client left first, and the work has ended (a mutation sees to it that it goes on). Nobody
            reads this answer.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise RequestRefused(400, "BAD_REQUEST", "The request broke off.")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def left(receive: Receive) -> None:
    """Returns when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
