"""What the HTTP face is handed: who executes, who may call, which documents, and its settings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.domain.caller import ANYBODY, Caller
from gateway.http.documents import Documents, any_document
from gateway.http.ending import Ending
from gateway.http.result import Execute
from gateway.http.settings import HttpSettings

Ready: TypeAlias = Callable[[], Awaitable[str | None]]
"""Says what is missing, or None."""

Authenticate: TypeAlias = Callable[[str | None], Awaitable[Caller]]
"""From the Authorization header, None where there is none, to whoever sent it; raises RequestRefused with 401."""


async def anybody(_: str | None) -> Caller:
    """Asks nobody who they are."""
    return ANYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the application needs while it runs. `graphiql` is whether browsers get GraphiQL. `ending` is set when the
    server is to stop, and ends the answers that have no end of their own."""

    execute: Execute
    ready: Ready
    settings: HttpSettings
    graphiql: bool = True
    authenticate: Authenticate = anybody
    documents: Documents = any_document
    ending: Ending = field(default_factory=Ending)
