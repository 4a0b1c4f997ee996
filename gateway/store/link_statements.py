"""The statements that look families up and link them."""

import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    String,
    and_,
    bindparam,
    cast,
    delete,
    false,
    insert,
    null,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import sqlite

from gateway.domain.contact import RecordKey
from gateway.store.statements import Statement, sqlite_driver, translated
from gateway.store.tables import ALIASES, LINKS

_PART = re.compile(r":part_([0-9]+)")
# Fewer bound values in one statement than any database's limit.
CHUNK = 100

LINK = Statement(insert(LINKS), ("provider", "remote_id", "anchor_provider", "anchor_remote_id", "gone"))

# One key at a time: SQLite looks only one pair of values up in an index, for several it reads the whole table.
_THIS = and_(LINKS.c.provider == bindparam("at_provider"), LINKS.c.remote_id == bindparam("at_remote_id"))
FORGET = Statement(delete(LINKS).where(_THIS))
MARK_GONE = Statement(update(LINKS).where(_THIS).values(gone=true()))


def at(key: RecordKey) -> dict[str, str]:
    """The parameters of the two."""
    return {"at_provider": str(key.provider), "at_remote_id": key.remote_id}


@lru_cache(maxsize=CHUNK)
def related(count: int) -> CompoundSelect[Any]:
    """For so many keys, whose parts are its parameters in their order: the ids that took the place of them (without an
    anchor's provider), and all links of the contacts that the keys or those ids belong to. One statement, so that they
    are of one moment.

    Each key by itself rather than `IN`, for the same reason as above.
    """
    pairs = [(_parameter(2 * place), _parameter(2 * place + 1)) for place in range(count)]
    own, member = LINKS.alias("own"), LINKS.alias("member")
    is_replaced = or_(*((ALIASES.c.provider == name) & (ALIASES.c.remote_id == remote_id) for name, remote_id in pairs))
    is_own = or_(*((own.c.provider == name) & (own.c.remote_id == remote_id) for name, remote_id in pairs))
    leads_to = (own.c.provider == ALIASES.c.provider) & (own.c.remote_id == ALIASES.c.new_remote_id)
    same_contact = (member.c.anchor_provider == own.c.anchor_provider) & (
        member.c.anchor_remote_id == own.c.anchor_remote_id
    )
    nobody = cast(null(), LINKS.c.anchor_provider.type)
    replaced = select(ALIASES.c.provider, ALIASES.c.remote_id, nobody, ALIASES.c.new_remote_id, false())
    return union_all(
        replaced.where(is_replaced),
        select(member).join_from(own, member, same_contact).where(is_own),
        select(member).join_from(ALIASES, own, leads_to).join(member, same_contact).where(is_replaced),
    )


def _parameter(place: int) -> BindParameter[str]:
    return bindparam(f"part_{place}", type_=String)


@lru_cache(maxsize=CHUNK)
def related_in_sqlite(count: int) -> str:
    """The same as text, with the parameters in their order, each of them once."""
    text = str(related(count).compile(dialect=sqlite.dialect(paramstyle="named")))
    return _PART.sub(lambda part: f"?{int(part[1]) + 1}", text)


def related_rows(connection: Connection, keys: Sequence[tuple[str, str]]) -> Sequence[Any]:
    """Those of `related` for 1 to CHUNK keys: provider and id of each."""
    driver = sqlite_driver(connection)
    parts = [part for key in keys for part in key]
    if driver is None:
        parameters = {f"part_{place}": part for place, part in enumerate(parts)}
        return connection.execute(related(len(keys)), parameters).all()
    try:
        return driver.execute(related_in_sqlite(len(keys)), parts).fetchall()
    except sqlite3.Error as error:
        raise translated(error) from error
