"""The public keys of the identity provider: fetched when they are needed, kept while they are good, never in a rush.

Source: RFC 7517 (JWK), RFC 7518 section 3.1 (which key an algorithm takes), RFC 8037 (Ed25519).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, TypeAlias

import jwt
import msgspec
import structlog

from gateway.access.bearer import KeysUnavailable
from gateway.upstream.key_document import KeyDocumentUnavailable

log = structlog.get_logger(__name__)

# Of these only: a secret shared by signer and verifier (HS...) could be our public key, and `none` is no signature.
ALGORITHMS: Final[Mapping[tuple[str, str | None], tuple[str, ...]]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""By the kind of key (and its curve)."""
_MIN_RSA_BITS = 2048
_MAX_KEYS = 100

Keys: TypeAlias = Mapping[str, Mapping[str, jwt.PyJWK]]
"""By the key's id, then by the algorithm that it may be used with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In seconds. `pause` lies between two fetches, whatever is asked for; older than `fresh` they count no more,
    unless they cannot be fetched; from half of that on they are fetched beside the requests."""

    pause: float = 10.0
    fresh: float = 300.0


class KeySet:
    """For one event loop. Of any number of callers who need them at once, one fetches."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[bytes]],
        *,
        pace: Pace = Pace(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._pace = pace
        self._clock = clock
        self._keys: Keys | None = None
        self._fetched_at = self._tried_at = float("-inf")
        self._has_failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """The key with this id, if it may be used with this algorithm.

        Raises:
            KeysUnavailable: when no keys have been fetched yet; a fetch that fails later leaves the old ones.
        """
        if self._keys is None or key_id not in self._keys:
            await self._fetch_if_due()
        else:
            await self._renew_if_old()
        if self._keys is None:
            raise KeysUnavailable(max(1, ceil(self._tried_at + self._pace.pause - self._clock())))
        return self._keys.get(key_id, {}).get(algorithm)

    async def aclose(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            with suppress(asyncio.CancelledError):
                await self._fetching

    async def _renew_if_old(self) -> None:
        """What is withdrawn may not count for long; and yet a provider that is down, or slow, keeps nobody waiting."""
        age = self._clock() - self._fetched_at
        if age >= self._pace.fresh and not self._has_failed:
            await self._fetch_if_due()
        elif age >= self._pace.fresh / 2:
            self._begin_if_due()

    async def _fetch_if_due(self) -> None:
        self._begin_if_due()
        if self._fetching is not None:
            # Shielded: a caller who gives up may not take the fetch from those who wait with it.
            await asyncio.shield(self._fetching)

    def _begin_if_due(self) -> None:
        if self._fetching is None and self._clock() - self._tried_at >= self._pace.pause:
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            self._keys = read_keys(await self._fetch())
            self._fetched_at, self._has_failed = self._clock(), False
        except (KeyDocumentUnavailable, UnusableKeys) as error:
            self._has_failed = True
            log.warning("identity_provider_keys_not_fetched", reason=str(error))
        finally:
            self._fetching = None


class UnusableKeys(Exception):
    """A document that is no set of keys, or holds none that could be used."""


def read_keys(document: bytes) -> Keys:
    """Every key of a JWKS that tokens may be checked with; the others are passed over.

    Raises:
        UnusableKeys: when there is none.
    """
    try:
        listed = msgspec.json.decode(document, type=dict[str, Any]).get("keys")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UnusableKeys("not JSON") from None
    read = [_read_key(one) for one in (listed if isinstance(listed, list) else [])[:_MAX_KEYS]]
    keys = {key_id: by_algorithm for key_id, by_algorithm in read if by_algorithm}
    if not keys:
        raise UnusableKeys("no key that could be used")
    return keys


class _Jwk(msgspec.Struct):
    """What decides whether a key may be used. `d` stands in private keys only, whatever it holds."""

    kty: str
    kid: str
    crv: str | None = None
    alg: str | None = None
    use: str = "sig"
    key_ops: tuple[str, ...] = ("verify",)
    d: Any = None


def _read_key(one: Any) -> tuple[str, dict[str, jwt.PyJWK]]:
    """The key's id and what it may be used for: nothing, for one that cannot be used."""
    try:
        told = msgspec.convert(one, type=_Jwk)
    except msgspec.ValidationError:
        return "", {}
    # Who publishes a private key has none any more.
    if told.use != "sig" or "verify" not in told.key_ops or told.d is not None:
        return told.kid, {}
    fitting = ALGORITHMS.get((told.kty, None if told.kty == "RSA" else told.crv), ())
    try:
        made = {name: jwt.PyJWK(one, algorithm=name) for name in fitting if told.alg in (None, name)}
    except Exception:
        # Whatever a foreign document makes the library raise: that key is none.
        return told.kid, {}
    if told.kty == "RSA" and any(key.key.key_size < _MIN_RSA_BITS for key in made.values()):
        return told.kid, {}
    return told.kid, made
