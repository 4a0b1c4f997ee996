"""Work for a client that has gone away is broken off, so that nothing is asked of a provider for nobody."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

from gateway.http.incoming import Incoming
from gateway.http.refusal import RequestRefused

T = TypeVar("T")


async def while_there(request: Incoming, work: Awaitable[T]) -> T:
    """What the work comes to. The request's body has to have been read, or to be of no interest. The work is done in
    this very task, so that what it puts into the context is there afterwards.

    Raises:
        RequestRefused: the client left first, and the work has ended (a mutation sees to it that it goes on). Nobody
            reads this answer.
    """
    working = asyncio.current_task()
    assert working is not None
    has_left = False

    def leave(_: object = None) -> None:
        nonlocal has_left
        has_left = True
        working.cancel()

    client, leaving = request.client, None
    if client is not None:
        client.when_left(leave)
    else:
        leaving = asyncio.ensure_future(left(request.receive))
        leaving.add_done_callback(leave)
    try:
        return await work
    except asyncio.CancelledError:
        # Somebody else may want this task to end, too.
        if has_left and not working.uncancel():
            raise RequestRefused(400, "BAD_REQUEST", "The request broke off.") from None
        raise
    finally:
        if client is not None:
            client.forget()
        if leaving is not None:
            leaving.remove_done_callback(leave)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)


async def left(receive: Receive) -> None:
    """Returns when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
