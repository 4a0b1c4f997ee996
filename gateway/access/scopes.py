"""Scopes: contacts:read and contacts:write, everywhere or at one provider (contacts:read:<provider>)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gateway.domain.caller import Caller
from gateway.domain.contact import Provider

READ, WRITE = "contacts:read", "contacts:write"
_EVERYWHERE = {READ: frozenset(Provider), WRITE: frozenset(Provider)}
_AT_ONE = {f"{scope}:{provider}": frozenset({provider}) for scope in (READ, WRITE) for provider in Provider}
SCOPES: Final = {**_EVERYWHERE, **_AT_ONE}
"""Each scope, and where it counts."""


def caller_with(scopes: Iterable[str], *, id: str, expires_at: datetime | None) -> Caller:
    """A caller with these scopes; write includes read. Scopes of other applications mean nothing here."""
    known = [scope for scope in scopes if scope in SCOPES]
    read = [SCOPES[scope] for scope in known]
    write = [SCOPES[scope] for scope in known if scope.startswith(WRITE)]
    return Caller(
        id=id,
        may_read=frozenset[Provider]().union(*read),
        may_write=frozenset[Provider]().union(*write),
        expires_at=expires_at,
    )
