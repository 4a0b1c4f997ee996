"""Which records are one contact. Linking is the only thing that writes here, besides following a merge.

Rules: design section 3. An id works without a row: a record on its own is its own anchor.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    Table,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    null,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import sqlite

from gateway.domain.contact import Provider, RecordKey
from gateway.store.database import Database
from gateway.store.tables import ALIASES, LINKS

Rank: TypeAlias = Callable[[RecordKey], Any]
"""A sort key: the record that sorts first becomes the anchor."""

# Fewer bound values in one statement than any database's limit.
CHUNK = 100


@dataclass(frozen=True, slots=True)
class Family:
    """The records of one contact, in no order; `anchor` and `record` are two of them, or one.

    `record` is the one that was looked up, by the id that it has now. `gone` are those that were deleted
    through this gateway; they still lead here, so that the contact keeps its id.
    """

    anchor: RecordKey
    members: frozenset[RecordKey]
    record: RecordKey
    gone: frozenset[RecordKey] = frozenset()


class LinkStore:
    """Raises sqlalchemy.exc.SQLAlchemyError when the database fails; nothing is half written then.

    Every write is serial: linking writes a family anew as it read it, so nobody may touch it in between.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def families(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Family]:
        """The family of each key, that of a replaced id included."""
        wanted = list(keys)
        if 0 < len(wanted) <= CHUNK:
            parameters = [part for key in wanted for part in (key.provider, key.remote_id)]
            rows = self._database.look_up(_related_in_sqlite(len(wanted)), parameters * 3)
            if rows is not None:
                return _read_families(wanted, rows)
        return await self._database.read(lambda connection: _families(connection, wanted))

    async def link(self, keys: Sequence[RecordKey], rank: Rank) -> Family:
        """Makes one family of everything that the keys' families hold."""

        def link(connection: Connection) -> Family:
            families = _families(connection, keys).values()
            members = frozenset(member for family in families for member in family.members)
            gone = frozenset(member for family in families for member in family.gone)
            return _write_family(connection, members, gone, rank)

        return await self._database.write(link, serial=True)

    async def unlink(self, key: RecordKey, rank: Rank) -> tuple[Family, Family | None]:
        """Puts a record on its own; the second family is what remains of the contact, if anything."""

        def unlink(connection: Connection) -> tuple[Family, Family | None]:
            family = _families(connection, [key])[key]
            alone = Family(family.record, frozenset({family.record}), family.record)
            rest = family.members - alone.members
            _forget(connection, family.members)
            return alone, _write_family(connection, rest, family.gone, rank) if rest else None

        return await self._database.write(unlink, serial=True)

    async def forget(self, family: Family) -> None:
        """Drops the links of a contact that is gone for good."""
        await self._database.write(lambda connection: _forget(connection, family.members), serial=True)

    async def mark_gone(self, keys: Iterable[RecordKey]) -> None:
        """Notes that linked records were deleted; a record on its own needs no note."""
        chunks = list(_chunks(keys))

        def mark(connection: Connection) -> None:
            for chunk in chunks:
                these = tuple_(LINKS.c.provider, LINKS.c.remote_id).in_(chunk)
                connection.execute(update(LINKS).where(these).values(gone=True))

        await self._database.write(mark, serial=True)

    async def count_hidden(self, providers: Sequence[Provider]) -> int:
        """How many records of these providers share their contact with another one that stands before them."""
        query = select(
            func.count(),
            func.count(func.distinct(LINKS.c.anchor_provider + ":" + LINKS.c.anchor_remote_id)),
        ).where(LINKS.c.provider.in_([str(provider) for provider in providers]), ~LINKS.c.gone)
        records, contacts = await self._database.read(lambda connection: connection.execute(query).one())
        return int(records - contacts)

    async def follow(self, old: RecordKey, new: RecordKey, rank: Rank) -> None:
        """Notes that a provider replaced an id: the old one keeps working, links and all."""
        replaced_before = (ALIASES.c.provider == old.provider) & (ALIASES.c.new_remote_id == old.remote_id)
        replaced_now = {"provider": old.provider, "remote_id": old.remote_id, "new_remote_id": new.remote_id}

        def follow(connection: Connection) -> None:
            families = _families(connection, [old, new])
            members = families[old].members | families[new].members
            gone = families[old].gone | families[new].gone
            # Ids that were replaced by the old one before lead to the new one directly.
            connection.execute(update(ALIASES).where(replaced_before).values(new_remote_id=new.remote_id))
            connection.execute(delete(ALIASES).where(_is(ALIASES, old)))
            connection.execute(insert(ALIASES).values(replaced_now))
            _forget(connection, members)
            _write_family(connection, (members - {old}) | {new}, gone, rank)

        await self._database.write(follow, serial=True)


def _families(connection: Connection, keys: Sequence[RecordKey]) -> dict[RecordKey, Family]:
    rows: list[Any] = []
    for chunk in _chunks(keys):
        rows += connection.execute(_RELATED, {"keys": chunk}).all()
    return _read_families(keys, rows)


def _read_families(keys: Iterable[RecordKey], rows: Iterable[Any]) -> dict[RecordKey, Family]:
    """`rows` are those of _RELATED for all the keys."""
    replaced: dict[RecordKey, RecordKey] = {}
    anchors: dict[RecordKey, RecordKey] = {}
    members: dict[RecordKey, set[RecordKey]] = {}
    gone: set[RecordKey] = set()
    for provider, remote_id, anchor_provider, anchor_id, is_gone in rows:
        key = _key(provider, remote_id)
        if anchor_provider is None:
            replaced[key] = _key(provider, anchor_id)
            continue
        anchors[key] = anchor = _key(anchor_provider, anchor_id)
        members.setdefault(anchor, set()).add(key)
        if is_gone:
            gone.add(key)
    families = {}
    for key in keys:
        current = replaced.get(key, key)
        anchor = anchors.get(current, current)
        family = frozenset(members.get(anchor, {anchor}))
        families[key] = Family(anchor, family, current, family & gone)
    return families


def _related() -> CompoundSelect[Any]:
    """The ids that took the place of `keys` (without an anchor's provider), and all links of the contacts that `keys`
    or those ids belong to. One statement, so that they are of one moment."""
    keys: BindParameter[Any] = bindparam("keys", expanding=True)
    own, member = LINKS.alias("own"), LINKS.alias("member")
    replaced = select(
        ALIASES.c.provider,
        ALIASES.c.remote_id,
        cast(null(), LINKS.c.anchor_provider.type),
        ALIASES.c.new_remote_id,
        false(),
    ).where(tuple_(ALIASES.c.provider, ALIASES.c.remote_id).in_(keys))
    same_contact = (member.c.anchor_provider == own.c.anchor_provider) & (
        member.c.anchor_remote_id == own.c.anchor_remote_id
    )
    leads_to = (own.c.provider == ALIASES.c.provider) & (own.c.remote_id == ALIASES.c.new_remote_id)
    linked = select(member).join_from(own, member, same_contact)
    return union_all(
        replaced,
        linked.where(tuple_(own.c.provider, own.c.remote_id).in_(keys)),
        linked.join_from(own, ALIASES, leads_to).where(tuple_(ALIASES.c.provider, ALIASES.c.remote_id).in_(keys)),
    )


_RELATED = _related()


@lru_cache(maxsize=CHUNK)
def _related_in_sqlite(count: int) -> str:
    """_RELATED for so many keys; it takes them three times."""
    statement = _RELATED.params(keys=[("", "")] * count)
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    return str(compiled)


def _write_family(
    connection: Connection, members: frozenset[RecordKey], gone: frozenset[RecordKey], rank: Rank
) -> Family:
    anchor = min(members, key=rank)
    family = Family(anchor, members, anchor, members & gone)
    _forget(connection, members)
    if len(members) > 1:
        connection.execute(
            insert(LINKS),
            [
                {
                    "provider": member.provider,
                    "remote_id": member.remote_id,
                    "anchor_provider": family.anchor.provider,
                    "anchor_remote_id": family.anchor.remote_id,
                    "gone": member in family.gone,
                }
                for member in members
            ],
        )
    return family


def _forget(connection: Connection, keys: Iterable[RecordKey]) -> None:
    for chunk in _chunks(keys):
        connection.execute(delete(LINKS).where(tuple_(LINKS.c.provider, LINKS.c.remote_id).in_(chunk)))


def _chunks(keys: Iterable[RecordKey]) -> Iterable[list[tuple[str, str]]]:
    pairs = [(str(key.provider), key.remote_id) for key in keys]
    return [pairs[start : start + CHUNK] for start in range(0, len(pairs), CHUNK)]


def _is(table: Table, key: RecordKey) -> Any:
    return (table.c.provider == key.provider) & (table.c.remote_id == key.remote_id)


def _key(provider: str, remote_id: str) -> RecordKey:
    return RecordKey(Provider(provider), remote_id)
