"""API keys: how one is made, what of it is kept, and whose a key is that somebody sends."""

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from hmac import compare_digest

from gateway.access.scopes import caller_with
from gateway.clock import now_ms
from gateway.domain.caller import Caller
from gateway.store.keys import KeyStore, StoredKey

# So that scanners for leaked secrets can tell one when they see it.
PREFIX = "cgw_"
_KEY = re.compile(rf"{PREFIX}([0-9a-f]{{16}})_([0-9a-f]{{64}})")
# How long a key that was looked up counts without looking again: a revocation counts after this at the latest.
REMEMBERED_SECONDS = 5.0
_MAX_REMEMBERED = 1_000
# What the digest of a key with an unknown id is compared with; no secret has it.
_NO_DIGEST = "-" * 64


@dataclass(frozen=True, slots=True)
class NewKey:
    """`text` is the whole key, for its bearer alone: it is shown once and kept nowhere."""

    text: str
    stored: StoredKey

    def __repr__(self) -> str:
        return f"NewKey({self.stored!r})"


def new_key(name: str, scopes: tuple[str, ...], *, now: int, expires_at: int | None = None) -> NewKey:
    """A key with a secret of 256 random bits. So much needs no slow hash: there is nothing to guess."""
    key_id, secret = secrets.token_hex(8), secrets.token_hex(32)
    stored = StoredKey(
        id=key_id, name=name, digest=_digest(secret), scopes=scopes, created_at=now, expires_at=expires_at
    )
    return NewKey(f"{PREFIX}{key_id}_{secret}", stored)


class ApiKeys:
    """Raises sqlalchemy.exc.SQLAlchemyError when a key has to be looked up and the database fails."""

    def __init__(
        self,
        store: KeyStore,
        *,
        clock: Callable[[], int] = now_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._remembered: OrderedDict[str, tuple[StoredKey, float]] = OrderedDict()

    async def caller(self, text: str) -> Caller | None:
        """Whose key this is; None for one that is unknown, revoked or expired, or that is no key at all."""
        read = _KEY.fullmatch(text)
        if read is None:
            return None
        stored = await self._look_up(read[1])
        # Always compared, so that nobody can tell by the time it takes which ids there are.
        is_right = compare_digest(_digest(read[2]), stored.digest if stored else _NO_DIGEST)
        if stored is None or not is_right or not stored.is_valid(self._clock()):
            return None
        ends = None if stored.expires_at is None else datetime.fromtimestamp(stored.expires_at / 1000, timezone.utc)
        return caller_with(stored.scopes, id=f"key:{stored.id}", expires_at=ends)

    async def _look_up(self, key_id: str) -> StoredKey | None:
        """Unknown ids are not remembered: whoever makes ids up could else fill the memory with them."""
        found = self._remembered.get(key_id)
        if found and self._monotonic() < found[1]:
            return found[0]
        until = self._monotonic() + REMEMBERED_SECONDS
        stored = await self._store.by_id(key_id)
        self._remembered.pop(key_id, None)
        if stored is not None:
            self._remembered[key_id] = (stored, until)
            if len(self._remembered) > _MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return stored


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
