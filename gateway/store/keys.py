"""API keys as they are kept: never the secret, only its hash.

Every method raises sqlalchemy.exc.SQLAlchemyError when the database fails; nothing is half written then.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, update

from gateway.store.database import Database
from gateway.store.tables import API_KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """`digest` is the SHA-256 of the secret in hexadecimal. Times are milliseconds since 1970."""

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None

    def __repr__(self) -> str:
        return f"StoredKey({self.id!r})"

    def is_valid(self, now: int) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class KeyStore:
    """`now` is milliseconds since 1970 throughout, and comes from the caller's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: StoredKey) -> None:
        row = {**asdict(key), "scopes": " ".join(key.scopes)}
        await self._database.write(lambda connection: connection.execute(insert(API_KEYS), row))

    async def by_id(self, key_id: str) -> StoredKey | None:
        query = select(API_KEYS).where(API_KEYS.c.id == key_id)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return _key(row) if row else None

    async def every(self) -> list[StoredKey]:
        """The oldest first, revoked and expired ones included."""
        query = select(API_KEYS).order_by(API_KEYS.c.created_at, API_KEYS.c.id)
        return [_key(row) for row in await self._database.read(lambda connection: connection.execute(query).all())]

    async def revoke(self, key_id: str, *, now: int) -> bool:
        """Whether there is such a key; one that was revoked before keeps the time of it."""
        that = API_KEYS.c.id == key_id
        once = update(API_KEYS).where(that, API_KEYS.c.revoked_at.is_(None)).values(revoked_at=now)

        def revoke(connection: Connection) -> bool:
            connection.execute(once)
            return connection.execute(select(API_KEYS.c.id).where(that)).first() is not None

        return await self._database.write(revoke)

    async def has_valid(self, *, now: int) -> bool:
        query = select(API_KEYS.c.id).where(_valid(now)).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).first() is not None)


def _valid(now: int) -> ColumnElement[bool]:
    return and_(API_KEYS.c.revoked_at.is_(None), or_(API_KEYS.c.expires_at.is_(None), API_KEYS.c.expires_at > now))


def _key(row: Row[Any]) -> StoredKey:
    return StoredKey(**{**row._mapping, "scopes": tuple(row.scopes.split())})
