"""Bearer tokens of an identity provider: JSON Web Tokens, checked with its public keys.

Source: RFC 7519 (JWT), RFC 8725 (how not to be fooled by one), RFC 9068 (access tokens).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any

import jwt
import msgspec

from gateway.access.bearer import WrongToken
from gateway.access.key_set import ALGORITHMS, KeySet
from gateway.access.scopes import caller_with
from gateway.access.settings import AccessSettings
from gateway.domain.caller import Caller
from gateway.upstream.key_document import fetch_key_document

_ALLOWED = frozenset(name for names in ALGORITHMS.values() for name in names)
_REQUIRED = ["exp", "iss", "aud", "sub"]
_LAST_MOMENT = int(datetime(9999, 12, 31, tzinfo=timezone.utc).timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """`clock_skew_seconds`: how far the issuer's clock and ours may be apart."""

    keys: KeySet
    issuer: str
    audience: str
    clock_skew_seconds: float

    async def caller(self, text: str) -> Caller:
        """
        Raises:
            WrongToken: unless its signature, issuer, audience and times are all right.
            KeysUnavailable: when that cannot be told.
        """
        algorithm, key_id = _read_header(text)
        key = await self.keys.find(key_id, algorithm)
        if key is None:
            raise WrongToken
        claims = self._checked(text, key, algorithm)
        if not claims["sub"]:
            raise WrongToken
        # Hashed: a subject may be somebody's email address, and the id is kept with each write.
        who = sha256(msgspec.json.encode([claims["iss"], claims["sub"]])).hexdigest()
        # As long as a request with it would be taken: else a stream would end as soon as it began.
        ends = datetime.fromtimestamp(min(int(claims["exp"]) + self.clock_skew_seconds, _LAST_MOMENT), timezone.utc)
        return caller_with(_scopes(claims), id=f"jwt:{who}", expires_at=ends)

    def _checked(self, text: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                key=key,
                algorithms=[algorithm],
                issuer=self.issuer,
                audience=self.audience,
                leeway=self.clock_skew_seconds,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            # Raised only after the signature was found to be right.
            raise WrongToken(expired=True) from None
        except Exception:
            # Whatever somebody's own token makes the library raise, beside what it promises to.
            raise WrongToken from None
        return claims


@asynccontextmanager
async def tokens_of(settings: AccessSettings) -> AsyncIterator[Tokens]:
    """Tokens of the identity provider, which has to be in the settings."""
    url, issuer, audience = settings.jwt_jwks_url, settings.jwt_issuer, settings.jwt_audience
    # access_problem has refused one without the others.
    assert url is not None
    assert issuer is not None
    assert audience is not None
    keys = KeySet(lambda: fetch_key_document(url))
    try:
        yield Tokens(keys=keys, issuer=issuer, audience=audience, clock_skew_seconds=settings.jwt_clock_skew_seconds)
    finally:
        await keys.aclose()


def _read_header(text: str) -> tuple[str, str]:
    """The algorithm and the id of the key, as the token claims them."""
    try:
        header = jwt.get_unverified_header(text)
    except Exception:
        raise WrongToken from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    # What is critical has to be understood (RFC 7515, section 4.1.11), and we understand no extension. Asked here
    # too: older versions of the library pass over it.
    if algorithm not in _ALLOWED or not isinstance(key_id, str) or "crit" in header:
        raise WrongToken
    return algorithm, key_id


def _scopes(claims: dict[str, Any]) -> list[str]:
    """`scope` as RFC 8693 has it, a text; or `scp`, a text or a list, as others do."""
    given = claims.get("scope", claims.get("scp", ""))
    if isinstance(given, str):
        return given.split(" ")
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
