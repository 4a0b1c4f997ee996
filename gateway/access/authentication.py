"""From an Authorization header to whoever sent it: which kind of credential it is, and whether it counts."""

import re
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from gateway.access.answers import (
    insufficient_scope,
    invalid_token,
    issuer_unavailable,
    no_credential,
    store_unavailable,
)
from gateway.access.api_keys import PREFIX, ApiKeys
from gateway.access.bearer import KeysUnavailable, WrongToken, is_token
from gateway.access.scopes import READ
from gateway.domain.caller import Caller
from gateway.incident import report

if TYPE_CHECKING:
    from gateway.access.tokens import Tokens

# Nobody's credential is longer; what is gets no work done for it.
MAX_HEADER_CHARACTERS = 8_192
# RFC 6750, section 2.1, and RFC 9110, section 11.1: the scheme in upper or lower case.
_SCHEME = re.compile(r"bearer(?: |$)", re.IGNORECASE)


class Authentication:
    """What the HTTP face asks about each request. Without `tokens` only API keys count."""

    def __init__(self, keys: ApiKeys, tokens: "Tokens | None") -> None:
        self._keys = keys
        self._tokens = tokens

    async def __call__(self, header: str | None) -> Caller:
        """
        Raises:
            RequestRefused: 401 without a credential that counts, 403 for one that permits nothing here, 503 when
                that cannot be told.
        """
        caller = await self._caller(_credential(header))
        if not caller.may_read:
            raise insufficient_scope(READ)
        return caller

    async def _caller(self, credential: str) -> Caller:
        if credential.startswith(PREFIX):
            return await self._bearer_of_key(credential)
        if self._tokens is not None and is_token(credential):
            return await self._bearer_of_token(self._tokens, credential)
        raise invalid_token()

    async def _bearer_of_key(self, credential: str) -> Caller:
        try:
            caller = await self._keys.caller(credential)
        except SQLAlchemyError as error:
            report("key_not_looked_up", error)
            raise store_unavailable() from None
        if caller is None:
            raise invalid_token()
        return caller

    async def _bearer_of_token(self, tokens: "Tokens", credential: str) -> Caller:
        try:
            return await tokens.caller(credential)
        except WrongToken as wrong:
            raise (invalid_token("The token has expired.") if wrong.expired else invalid_token()) from None
        except KeysUnavailable as unavailable:
            raise issuer_unavailable(unavailable.seconds) from None


def _credential(header: str | None) -> str:
    """What stands behind the scheme. Several credentials, as a proxy may join them, have the form of none.

    Raises:
        RequestRefused: for a header of another scheme, and for one that is too long to be looked at.
    """
    if header is None or not _SCHEME.match(header):
        raise no_credential()
    if len(header) > MAX_HEADER_CHARACTERS:
        raise invalid_token()
    return header[len("Bearer") :].strip(" ")
