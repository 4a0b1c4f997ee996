"""Which records are one contact. Linking is the only thing that writes here, besides following a merge.

Rules: design section 3. An id works without a row: a record on its own is its own anchor.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from gateway.domain.contact import PROVIDERS, Provider, RecordKey
from gateway.store.database import Database
from gateway.store.link_statements import CHUNK, FORGET, LINK, MARK_GONE, at, related_in_sqlite, related_rows
from gateway.store.tables import ALIASES, LINKS

Rank: TypeAlias = Callable[[RecordKey], Any]
"""A sort key: the record that sorts first becomes the anchor."""


class Family(Struct, frozen=True, gc=False):
    """The records of one contact, in no order; `anchor` and `record` are two of them, or one.

    `record` is the one that was looked up, by the id that it has now. `gone` are those that were deleted
    through this gateway; they still lead here, so that the contact keeps its id.
    """

    anchor: RecordKey
    members: frozenset[RecordKey]
    record: RecordKey
    gone: frozenset[RecordKey] = frozenset()


def alone(key: RecordKey) -> Family:
    """The family of a record that has no links."""
    return Family(key, frozenset((key,)), key)


class LinkStore:
    """Raises sqlalchemy.exc.SQLAlchemyError when the database fails; nothing is half written then.

    Every write is serial: linking writes a family anew as it read it, so nobody may touch it in between.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def families(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Family]:
        """The family of each key, that of a replaced id included."""
        wanted = list(keys)
        return _read_families(wanted, await self._related(wanted))

    async def linked(self, keys: Sequence[RecordKey]) -> dict[RecordKey, Family]:
        """The same without those that are alone."""
        if not (rows := await self._related(keys)):
            return {}
        return {key: family for key, family in _read_families(keys, rows).items() if family != alone(key)}

    def family_at_once(self, key: RecordKey) -> Family | None:
        """None where it cannot be had without waiting."""
        rows = self._related_at_once([key])
        return None if rows is None else _read_families([key], rows)[key]

    async def _related(self, keys: Sequence[RecordKey]) -> Sequence[Any]:
        if (rows := self._related_at_once(keys)) is not None:
            return rows
        return await self._database.read(lambda connection: _rows(connection, keys))

    def _related_at_once(self, keys: Sequence[RecordKey]) -> Sequence[Any] | None:
        if not 0 < len(keys) <= CHUNK:
            return None
        # As plain text: of anything else sqlite3 asks each time how it may be adapted.
        parameters = [part for key in keys for part in (str(key.provider), key.remote_id)]
        return self._database.look_up(related_in_sqlite(len(keys)), parameters)

    async def link(self, keys: Sequence[RecordKey], rank: Rank) -> Family:
        """Makes one family of everything that the keys' families hold."""
        return await self._database.write(self.linking(keys, rank), serial=True)

    def linking(self, keys: Sequence[RecordKey], rank: Rank) -> Callable[[Connection], Family]:
        """The same, for a serial transaction that does something else too."""

        def link(connection: Connection) -> Family:
            rows = _rows(connection, keys)
            families = _read_families(keys, rows).values()
            members = frozenset(member for family in families for member in family.members)
            gone = frozenset(member for family in families for member in family.gone)
            # Records that are new have no links yet, and then nobody else in their families has.
            return _write_family(connection, members, gone, rank, forget=bool(rows))

        return link

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
        these = [at(key) for key in keys]
        await self._database.write(lambda connection: MARK_GONE.run_each(connection, these), serial=True)

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
    return _read_families(keys, _rows(connection, keys))


def _rows(connection: Connection, keys: Sequence[RecordKey]) -> list[Any]:
    return [row for chunk in _chunks(keys) for row in related_rows(connection, chunk)]


def _read_families(keys: Iterable[RecordKey], rows: Sequence[Any]) -> dict[RecordKey, Family]:
    """`rows` are the related ones of all the keys."""
    if not rows:
        return {key: alone(key) for key in keys}
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


def _write_family(
    connection: Connection,
    members: frozenset[RecordKey],
    gone: frozenset[RecordKey],
    rank: Rank,
    *,
    forget: bool = True,
) -> Family:
    """`forget`: whether any of the members may have a link by now."""
    anchor = min(members, key=rank)
    family = Family(anchor, members, anchor, members & gone)
    if forget:
        _forget(connection, members)
    if len(members) > 1:
        LINK.run_each(connection, [_row(family, member) for member in members])
    return family


def _row(family: Family, member: RecordKey) -> dict[str, Any]:
    return {
        "provider": str(member.provider),
        "remote_id": member.remote_id,
        "anchor_provider": str(family.anchor.provider),
        "anchor_remote_id": family.anchor.remote_id,
        "gone": int(member in family.gone),
    }


def _forget(connection: Connection, keys: Iterable[RecordKey]) -> None:
    FORGET.run_each(connection, [at(key) for key in keys])


def _chunks(keys: Iterable[RecordKey]) -> Iterable[list[tuple[str, str]]]:
    pairs = [(str(key.provider), key.remote_id) for key in keys]
    return [pairs[start : start + CHUNK] for start in range(0, len(pairs), CHUNK)]


def _is(table: Table, key: RecordKey) -> Any:
    return (table.c.provider == key.provider) & (table.c.remote_id == key.remote_id)


def _key(provider: str, remote_id: str) -> RecordKey:
    return RecordKey(PROVIDERS[provider], remote_id)
