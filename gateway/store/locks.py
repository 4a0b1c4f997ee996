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
        async with self._database.reading() as connection:
            held = (await connection.execute(select(LOCKS).where(LOCKS.c.name == name))).one_or_none()
        if held is None:
            return await self._insert(name, owner, until)
        if held.owner != owner and held.until > now and not is_surely_gone(held.owner):
            return False
        as_seen = (LOCKS.c.name == name) & (LOCKS.c.owner == held.owner) & (LOCKS.c.until == held.until)
        async with self._database.writing() as connection:
            taken = await connection.execute(update(LOCKS).where(as_seen).values(owner=owner, until=until))
            return taken.rowcount == 1

    async def give_back(self, name: str, *, owner: str, until: int) -> None:
        """`until` is that of the taking: a lock that somebody else has taken over since is left alone."""
        mine = (LOCKS.c.name == name) & (LOCKS.c.owner == owner) & (LOCKS.c.until == until)
        async with self._database.writing() as connection:
            await connection.execute(delete(LOCKS).where(mine))

    async def forget_expired(self, *, now: int) -> None:
        """What nobody gave back and nobody wanted since."""
        async with self._database.reading() as connection:
            expired = (await connection.execute(select(LOCKS.c.name).where(LOCKS.c.until < now).limit(1))).first()
        if expired is not None:
            async with self._database.writing() as connection:
                await connection.execute(delete(LOCKS).where(LOCKS.c.until < now))

    async def _insert(self, name: str, owner: str, until: int) -> bool:
        try:
            async with self._database.writing() as connection:
                await connection.execute(insert(LOCKS).values(name=name, owner=owner, until=until))
        except IntegrityError:
            return False
        return True
