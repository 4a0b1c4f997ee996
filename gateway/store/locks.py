"""One writer at a time per name, over every process that uses this database.

A lock that its owner never gave back ends with its lease, or at once where the owner is known to have ended.
"""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.store.database import Database
from gateway.store.owner import is_surely_gone
from gateway.store.tables import LOCKS


class LockStore:
    """Raises sqlalchemy.exc.SQLAlchemyError when the database fails. Times are milliseconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, *, owner: str, until: int, now: int) -> bool:
        """Whether the lock is the owner's now. One that it holds already was not given back in time: an owner lets
        nobody in twice by itself."""
        query = select(LOCKS).where(LOCKS.c.name == name)
        held = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if held is None:
            return await self._insert(name, owner, until)
        if held.owner != owner and held.until > now and not is_surely_gone(held.owner):
            return False
        as_seen = (LOCKS.c.name == name) & (LOCKS.c.owner == held.owner) & (LOCKS.c.until == held.until)
        taking = update(LOCKS).where(as_seen).values(owner=owner, until=until)
        return await self._database.write(lambda connection: connection.execute(taking).rowcount == 1)

    async def give_back(self, name: str, *, owner: str, until: int) -> None:
        """`until` is that of the taking: a lock that somebody else has taken over since is left alone."""
        mine = (LOCKS.c.name == name) & (LOCKS.c.owner == owner) & (LOCKS.c.until == until)
        await self._database.write(lambda connection: connection.execute(delete(LOCKS).where(mine)))

    async def forget_expired(self, *, now: int) -> None:
        """What nobody gave back and nobody wanted since."""
        expired = LOCKS.c.until < now
        any_expired = select(LOCKS.c.name).where(expired).limit(1)
        if await self._database.read(lambda connection: connection.execute(any_expired).first()) is not None:
            await self._database.write(lambda connection: connection.execute(delete(LOCKS).where(expired)))

    async def _insert(self, name: str, owner: str, until: int) -> bool:
        row = insert(LOCKS).values(name=name, owner=owner, until=until)
        try:
            await self._database.write(lambda connection: connection.execute(row))
        except IntegrityError:
            return False
        return True
